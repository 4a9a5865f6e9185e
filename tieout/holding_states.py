"""How an account's holdings stand, and when to fetch them again. Pure; all by the domain's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from config.calendar import ist_date
from config.settings import Settings
from gateway.holdings import Holdings
from recon.values import Calendar
from store.holding_units import UNLINKED

NEW: Final = "new"  #: not fetched yet
OK: Final = "ok"
UPDATING: Final = "updating"  #: the Gateway is fetching from the broker
STALE: Final = "stale"  #: what it sent is older than the last session's close
UNDATED: Final = "undated"  #: it says neither when nor as of when
EMPTY: Final = "empty"  #: nothing is held
NEEDS_CONSENT: Final = "needs-consent"
REFUSED: Final = "refused"
UNCLEAR: Final = "unclear"
NONSENSE: Final = "nonsense"
ERROR: Final = "error"
POISON: Final = "poison"
STATES: Final = (
    *(OK, EMPTY, UPDATING, STALE, UNDATED, NEEDS_CONSENT, NEW),
    *(REFUSED, UNCLEAR, NONSENSE, ERROR, POISON, UNLINKED),
)

FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(minutes=30)
PAUSES: Final = 10  #: then the next session's fetch is soon enough
TO_WRITE_S: Final = 5  #: of a task are left when its calls have ended
_DAY: Final = timedelta(days=1)
_LONGEST_CLOSURE: Final = 31  #: days

#: What each state means, and what a person can do about it.
NEXT_STEPS: Final = {
    NEW: "Not fetched yet: a worker takes it up when it is due.",
    OK: "Nothing to do.",
    UPDATING: "The Gateway is fetching from the broker: it is asked again with growing pauses.",
    STALE: "The customer has to log in at the broker once; most brokers refresh holdings only then.",
    UNDATED: "The Gateway does not say as of when: compare with care, and ask its people.",
    EMPTY: "Nothing is held there. If that cannot be, have the customer import the holdings again.",
    NEEDS_CONSENT: "Have the customer go through a HOLDINGS_IMPORT transaction and agree to it once.",
    REFUSED: "The Gateway will not answer for this account: read the last attempt.",
    UNCLEAR: "A day of empty answers: tell the Gateway's people, then fetch again.",
    NONSENSE: "Five answers made no sense: read the last attempt and tell the Gateway's people.",
    ERROR: "An error of our own: read the last attempt, repair, then fetch again.",
    POISON: "Five workers died over it: look at their logs and memory, then fetch again.",
    UNLINKED: "It was taken from its user and is asked for no more: link it again to have it fetched.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsPlan:
    """What the settings say of fetching holdings."""

    after_close: timedelta = timedelta(minutes=45)
    funds: bool = True
    investments: bool = True
    deadline: timedelta = timedelta(seconds=30)  #: of all calls for one account together


def plan_from(settings: Settings) -> HoldingsPlan:
    """The plan by the settings."""
    return HoldingsPlan(
        after_close=settings.holdings_after_close,
        funds=settings.holdings_funds,
        investments=settings.holdings_investments,
        deadline=timedelta(seconds=min(settings.holdings_deadline_s, settings.task_limit_s - TO_WRITE_S)),
    )


def closed_before(calendar: Calendar, now: datetime, plan: HoldingsPlan) -> datetime:
    """The last session's close that holdings must not be older than: that of a session whose fetch was due."""
    day = ist_date(now)
    for back in range(_LONGEST_CLOSURE):
        session = day - back * _DAY
        if calendar.is_session(session) and calendar.closes_at(session) + plan.after_close <= now:
            return calendar.closes_at(session)
    return now - _LONGEST_CLOSURE * _DAY


def state_of(holdings: Holdings, *, closed: datetime) -> str:
    """What an answer says of its account, when `closed` was the last close that counts."""
    as_at = holdings.snapshot_date or holdings.last_update
    if holdings.updating:
        return UPDATING
    if as_at is not None and as_at < closed:
        return STALE
    if holdings.empty:
        return EMPTY
    return UNDATED if as_at is None else OK


def next_fetch(state: str, *, pauses: int, now: datetime, calendar: Calendar, plan: HoldingsPlan) -> datetime:
    """When to fetch again: soon while it is updating, with growing pauses; else after the next close."""
    if state == UPDATING and pauses < PAUSES:
        return now + min(LONGEST_PAUSE, FIRST_PAUSE * (1 << pauses))
    return next_due(calendar, now, plan)


def next_due(calendar: Calendar, now: datetime, plan: HoldingsPlan) -> datetime:
    """When the fetch after the next close is due."""
    session: date = calendar.session_on_or_after(ist_date(now))
    if calendar.closes_at(session) + plan.after_close <= now:
        session = calendar.session_after(session)
    return calendar.closes_at(session) + plan.after_close
