"""One transaction as the company's backend reads it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from store import desk_created
from store.desk_created import Created


def transaction(engine: Engine, *, transaction_id: str, gateways: Sequence[str]) -> Created | None:
    """The transaction in one of these gateways; None if none of them has it."""
    if "\0" in transaction_id:
        return None
    with engine.connect() as connection:
        return desk_created.created(connection, transaction_id=transaction_id, gateways=gateways)
