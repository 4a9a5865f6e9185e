"""How the company's backend fares: what it created, and whose accounts are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine

from store import creations, desk_accounts

SPAN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendNow:
    """Creations of the last day by how they ended, accounts by whether they are anybody's, refusals ever."""

    creations: dict[str, int]
    linked: int
    unlinked: int
    refused: int


def backend_now(engine: Engine) -> BackendNow:
    """One look at it."""
    with engine.connect() as connection:
        return BackendNow(creations=creations.lately(connection, since=SPAN), **desk_accounts.counts(connection))
