"""Which gateways and which days there are to look at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Engine

from store import desk_queue, desk_transactions


def gateways(engine: Engine, configured: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Every gateway configured or in the data as (name, book), live ones first."""
    named = dict(configured)
    with engine.connect() as connection:
        named.update(desk_queue.known_gateways(connection))
    return sorted(named.items(), key=lambda item: (item[1] != "live", item[0]))


def neighbours(engine: Engine, day: date) -> tuple[date | None, date | None]:
    """The nearest days before and after that have lines on either side; None where there is none."""
    with engine.connect() as connection:
        return desk_transactions.neighbours(connection, day=day)
