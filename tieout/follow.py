"""Following: when to ask for a transaction again, until it is at its end. All by the domain's clock.

Pure but for reading what is known of a transaction; the table of it is in docs/following.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row

from config.calendar import ist_date
from recon.values import Calendar
from store import due
from store.registrations import FIRST_LOOK

LIFESPAN: Final = timedelta(minutes=5)  #: of a transaction whose expiry nobody said
CLOCKS_DIFFER: Final = timedelta(seconds=30)  #: by so much the far side's clock and ours may
WHILE_YOUNG: Final = (FIRST_LOOK, timedelta(minutes=3))  #: after its creation
AFTER_EXPIRY: Final = (CLOCKS_DIFFER, timedelta(minutes=5), timedelta(minutes=25))
JUST_ASKED: Final = timedelta(seconds=30)  #: a mark so soon after an answer is left out
HOURLY: Final = timedelta(hours=1)
EVENING: Final = timedelta(hours=6)  #: after its expiry it is asked for hourly, session or not
SETTLING: Final = timedelta(minutes=15)  #: after a session opens or closes its orders have moved
SESSIONS: Final = 10  #: sessions for which one that does not end is followed
ABSENCES: Final = 3

UNKNOWN: Final = "unknown-transaction"
NO_END: Final = "no-end"
NO_ORDERS: Final = "no-orders"  #: it says that it ended and names no order, nor proves that there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one transaction, as far as it decides when to ask again."""

    status: str | None
    created_at: datetime
    heard_at: datetime | None = None
    expire_at: datetime | None = None
    followed_from: datetime | None = None
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
        return self.expire_at or self.created_at + LIFESPAN

    @property
    def imported(self) -> bool:
        """Whether it ended in an import of holdings: those are there to be fetched, webhook or none."""
        return self.intent == "HOLDINGS_IMPORT" and self.status == "COMPLETED"

    @property
    def followed_since(self) -> datetime:
        """From when on its sessions are counted."""
        return max(at for at in (self.expires, self.heard_at, self.followed_from) if at)


@dataclass(frozen=True, slots=True)
class Plan:
    """When to ask again; with neither instant nor reason it is at its end."""

    ask_at: datetime | None = None
    given_up: str | None = None

    @property
    def at_its_end(self) -> bool:
        """Whether there is nothing more to ask."""
        return self.ask_at is None and self.given_up is None


AT_ITS_END: Final = Plan()


def next_ask(standing: Standing, *, asked_on: datetime, grace: timedelta, calendar: Calendar) -> Plan:
    """When to ask again after an answer to a question asked on that instant."""
    if not standing.settled:
        return Plan(asked_on)
    if standing.known is not True:
        return _after_absence(standing, asked_on, grace)
    if standing.final or _ends_by_its_intent(standing):
        return AT_ITS_END
    return _while_open(standing, asked_on, calendar, NO_ORDERS if _doubtful(standing) else NO_END)


def after_parking(standing: Standing, reason: str, *, now: datetime, calendar: Calendar) -> Plan:
    """When to ask again for one whose answers could not be used, for that reason."""
    return _at_sessions(standing, now, calendar, reason)


def ask_again(connection: Connection, gateway: str, trade_date: date | None, now: datetime) -> int:
    """Ask now for everything of that trade date, or of all, that is not at its end; how many."""
    return due.ask_again(connection, gateway=gateway, trade_date=trade_date, now=now)


def standings_of(connection: Connection, txns: Sequence[int]) -> dict[int, Standing]:
    """What decides when to ask for each of these transactions again."""
    return {row.txn: _standing(row) for row in due.standings(connection, txns=txns)}


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        status=row.status,
        created_at=row.created_at or row.registered_at,
        heard_at=row.registered_at,
        expire_at=row.expire_at,
        followed_from=row.followed_from,
        intent=row.intent,
        known=row.known,
        absent_at=tuple(row.absent_at),
        final=row.final,
        settled=row.settled,
        batches=row.batches,
        placed=row.placed,
    )


def _ends_by_its_intent(standing: Standing) -> bool:
    """COMPLETED ends what has shown its batches, and what was never to place any."""
    shown = standing.batches or standing.intent not in {None, "TRANSACTION"}
    return standing.status == "COMPLETED" and shown and not standing.placed


def _doubtful(standing: Standing) -> bool:
    """It says that it ended, and an order may exist all the same."""
    return standing.status in {"COMPLETED", "ERRORED", "EXPIRED", "CANCELLED"} and not standing.batches


def _after_absence(standing: Standing, asked_on: datetime, grace: timedelta) -> Plan:
    """Three times over the grace; then it is taken as unknown until somebody says otherwise."""
    first = min(standing.absent_at, default=asked_on)
    if len(standing.absent_at) >= ABSENCES and asked_on - first >= grace:
        return Plan(given_up=UNKNOWN)
    return Plan(asked_on + grace / (ABSENCES - 1))


def _while_open(standing: Standing, asked_on: datetime, calendar: Calendar, otherwise: str) -> Plan:
    """The marks of its first half hour, then hourly while its first session lasts, then session by session."""
    marks = [standing.created_at + age for age in WHILE_YOUNG if standing.created_at + age < standing.expires]
    marks += [standing.expires + age for age in AFTER_EXPIRY]
    if mark := next((at for at in marks if at > asked_on + JUST_ASKED), None):
        return Plan(mark)
    return _hourly(standing, asked_on, calendar) or _at_sessions(standing, asked_on, calendar, otherwise)


def _hourly(standing: Standing, asked_on: datetime, calendar: Calendar) -> Plan | None:
    """Within the first session that closes after it expired, and once when it has closed; in any case for six hours.

    Outside of sessions a user may still cancel.
    """
    session = _first_session(standing, calendar)
    opens, closes = calendar.opens_at(session) + SETTLING, calendar.closes_at(session)
    hour, evening = asked_on + HOURLY, standing.followed_since + EVENING
    if asked_on < opens:
        return Plan(hour if hour <= min(opens, evening) else opens)
    if hour <= closes:
        return Plan(hour)
    if asked_on < closes + SETTLING:
        return Plan(closes + SETTLING)
    return Plan(hour) if hour <= evening else None


def _at_sessions(standing: Standing, asked_on: datetime, calendar: Calendar, otherwise: str) -> Plan:
    """When the next session has opened, for so many sessions; then it is given up."""
    last = _first_session(standing, calendar)
    for _ in range(SESSIONS):
        last = calendar.session_after(last)
    session = calendar.session_on_or_after(ist_date(asked_on))
    if asked_on >= calendar.opens_at(session) + SETTLING:
        session = calendar.session_after(session)
    return Plan(given_up=otherwise) if session > last else Plan(calendar.opens_at(session) + SETTLING)


def _first_session(standing: Standing, calendar: Calendar) -> date:
    """The first session that closes after it began to be followed."""
    since = standing.followed_since
    session = calendar.session_on_or_after(ist_date(since))
    return session if since < calendar.closes_at(session) else calendar.session_after(session)
