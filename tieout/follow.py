"""Following: when to ask for a transaction again, until it is at its end. All by the domain's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row

from store import due

JUST_AFTER: Final = timedelta(seconds=1)
LIFESPAN: Final = timedelta(minutes=5)  #: of a transaction whose expiry nobody said
HOURLY: Final = timedelta(hours=1)
DAILY: Final = timedelta(days=1)
HOURLY_FOR: Final = timedelta(days=3)
ENDLESS: Final = timedelta(days=1)  #: how long after expiry an end that shows nothing is doubted
ABSENCES: Final = 3
_ENDED: Final = frozenset({"EXPIRED", "CANCELLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one transaction, as far as it decides when to ask again."""

    status: str | None
    registered_at: datetime
    expire_at: datetime | None = None
    intent: str | None = None
    known: bool | None = True
    absent_at: tuple[datetime, ...] = ()
    final: bool = False
    settled: bool = True
    batches: bool = False
    placed: bool = False  #: a batch is still PLACED: an after-market order

    @property
    def expires(self) -> datetime:
        """When it can no longer be begun."""
        return self.expire_at or self.registered_at + LIFESPAN


def next_ask(standing: Standing, *, asked_on: datetime, grace: timedelta) -> datetime | None:
    """When to ask again after an answer to a question asked on that instant; None at its end."""
    if not standing.settled:
        return asked_on
    if standing.known is not True:
        return _after_absence(standing, asked_on, grace)
    if standing.final:
        return None
    match standing.status:
        case "INITIALIZED":
            return standing.expires + JUST_AFTER if asked_on <= standing.expires else None
        case status if status in _ENDED:
            return None
        case "COMPLETED" if not standing.placed and (standing.batches or standing.intent not in {None, "TRANSACTION"}):
            return None
        case "COMPLETED" | "ERRORED" if not standing.placed and asked_on > standing.expires + ENDLESS:
            return None
        case _:
            return _while_open(standing, asked_on)


def ask_again(connection: Connection, gateway: str, trade_date: date | None, now: datetime) -> int:
    """Ask now for everything of that trade date, or of all, that is not at its end; how many."""
    return due.ask_again(connection, gateway=gateway, trade_date=trade_date, now=now)


def standings_of(connection: Connection, txns: Sequence[int]) -> dict[int, Standing]:
    """What decides when to ask for each of these transactions again."""
    return {row.txn: _standing(row) for row in due.standings(connection, txns=txns)}


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        status=row.status,
        registered_at=row.created_at or row.registered_at,
        expire_at=row.expire_at,
        intent=row.intent,
        known=row.known,
        absent_at=tuple(row.absent_at),
        final=row.final,
        settled=row.settled,
        batches=row.batches,
        placed=row.placed,
    )


def _after_absence(standing: Standing, asked_on: datetime, grace: timedelta) -> datetime | None:
    """Three times over the grace; then it is taken as unknown for good."""
    first = min(standing.absent_at, default=asked_on)
    if len(standing.absent_at) >= ABSENCES and asked_on - first >= grace:
        return None
    return asked_on + grace / (ABSENCES - 1)


def _while_open(standing: Standing, asked_on: datetime) -> datetime:
    """Once just after it expires, then hourly, then daily."""
    if asked_on <= standing.expires:
        return standing.expires + JUST_AFTER
    return asked_on + (HOURLY if asked_on < standing.expires + HOURLY_FOR else DAILY)
