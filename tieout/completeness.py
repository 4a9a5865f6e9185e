"""How far completeness is proven: a watermark, what is open before it, and what state the feed is in.

Everything that the company told us it had created before the watermark is at its end and fetched, or
stands in the list of what is open, with an answer that is not overdue. Pure: all by arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from config.calendar import ist_date
from recon.values import Calendar
from store.completeness import Feed, Followed

OVERDUE: Final = timedelta(minutes=2)  #: a question that should have been asked so long ago holds the watermark
PAISE: Final = Decimal("0.01")
_MOST_SAID: Final = 80
_DOUBTED: Final = frozenset({"COMPLETED", "ERRORED", "EXPIRED", "CANCELLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One thing that holds of a gateway's feed now, and what to do about it."""

    state: str
    says: str
    todo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Whether calls to a gateway go out."""

    breaker: str = "closed"
    blocked_until: datetime | None = None  #: database's clock
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One transaction that is not at its end: why, and when it is asked for next."""

    transaction_id: str
    account: str | None
    created_at: datetime
    status: str | None
    state: str  #: open, unanswered, overdue, given-up
    why: str
    next_ask_at: datetime | None
    asks: int
    value: Decimal  #: rupees at stake as far as known
    holds: bool  #: the watermark does not pass it


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """How far completeness is proven for one gateway."""

    gateway: str
    as_of: datetime
    watermark: datetime | None
    states: tuple[State, ...]  #: the most pressing first; never empty
    feed: Feed
    open: tuple[Open, ...]  #: what holds the watermark first, then the oldest

    @property
    def holding(self) -> int:
        """How many transactions the watermark waits for."""
        return sum(each.holds for each in self.open)

    @property
    def given_up(self) -> int:
        """How many are followed no more though they are not at their end."""
        return sum(each.state == "given-up" for each in self.open)


def assess(
    gateway: str,
    feed: Feed,
    followed: Sequence[Followed],
    *,
    calls: Calls,
    now: datetime,
    calendar: Calendar,
    silence: timedelta,
) -> Completeness:
    """How far completeness is proven as of `now`, the domain's instant."""
    rows = sorted((_open(each, now) for each in followed), key=lambda each: (not each.holds, each.created_at))
    held = [each.created_at for each in rows if each.holds]
    watermark = None if feed.told_at is None else min([feed.told_at, now, *held])
    in_part = [each for each in followed if not each.given_up and _in_part(each)]
    states = [
        *_of_calls(calls),
        *_behind(rows),
        *_partial(in_part),
        *_of_feed(feed, now, calendar, silence),
    ]
    return Completeness(
        gateway=gateway,
        as_of=now,
        watermark=watermark,
        states=tuple(states) or (_COMPLETE,),
        feed=feed,
        open=tuple(rows),
    )


_COMPLETE: Final = State(
    state="complete", says="what was told is at its end, or open with a fresh answer", todo="nothing"
)


def _open(row: Followed, now: datetime) -> Open:
    state = _state_of(row, now)
    return Open(
        transaction_id=row.transaction_id,
        account=row.account,
        created_at=row.created_at,
        status=row.status,
        state=state,
        why=_why(row),
        next_ask_at=row.ask_at,
        asks=row.asks,
        value=row.value.quantize(PAISE),
        holds=state in {"unanswered", "overdue"},
    )


def _state_of(row: Followed, now: datetime) -> str:
    if row.given_up:
        return "given-up"
    if row.known is None:
        return "unanswered"
    return "overdue" if row.ask_at is None or row.ask_at <= now - OVERDUE else "open"


def _why(row: Followed) -> str:
    """Why it is not at its end, in words."""
    if row.given_up:
        return GIVEN_UP.get(row.given_up, f"its answers could not be used: {row.given_up}")
    failed = f"; the last {row.retries} questions gave no answer: {row.last_reason}" if row.retries else ""
    return _standing(row) + failed


def _standing(row: Followed) -> str:
    if row.known is None:
        return "no answer yet" if row.asks else "not asked for yet"
    if not row.known:
        return f"the API does not know it, said {row.absences} times"
    if not row.settled:
        return "two answers that crossed disagree: it is asked for again"
    if _in_part(row):
        said = f" ({row.error_message[:_MOST_SAID]})" if row.error_message else ""
        return f"{row.status} without naming an order{said}: one may exist all the same"
    return _STATUSES.get(row.status or "", f"the Gateway says {row.status}")


def _in_part(row: Followed) -> bool:
    """Whether the answer ends it without saying which orders there are."""
    return row.known is True and row.settled and row.status in _DOUBTED and not row.batches


_STATUSES: Final = {
    "INITIALIZED": "not begun by the user yet",
    "USED": "the user logged in and has not finished: an order may exist",
    "PROCESSING": "an order is open",
    "ACTION_REQUIRED": "waits for another step of the user",
    "COMPLETED": "a batch is still placed: an after-market order",
}

#: Why one is followed no more, in words.
GIVEN_UP: Final = {
    "no-end": "did not end within ten sessions",
    "no-orders": "ended ten sessions ago without ever naming an order",
    "unknown-transaction": "the API did not know it three times over the grace",
    "poison": "five workers died over it",
    "by-hand": "given up by hand",
}


def _of_calls(calls: Calls) -> Iterator[State]:
    if calls.breaker != "closed":
        fault = calls.reason == "ours"
        todo = "check keys and address: tieout doctor --gateway" if fault else "nothing: it is tried again by itself"
        says = f"calls to the Gateway are stopped: {calls.reason}"
        yield State(state="gateway-stopped", says=says, todo=todo)


def _behind(rows: Sequence[Open]) -> Iterator[State]:
    behind = sum(each.holds for each in rows)
    if behind:
        yield State(
            state="catching-up",
            says=f"{behind} transactions wait for an answer that is due, the oldest day first",
            todo="nothing while workers run and calls go out: tieout gateways",
        )


def _partial(rows: Sequence[Followed]) -> Iterator[State]:
    if rows:
        yield State(
            state="partial-answer",
            says=f"the Gateway answered for {len(rows)} transactions without saying which orders there are",
            todo="set TIEOUT_GATEWAY_ORDERS_PATH if you know it, or look at them at the broker; nothing is concluded",
        )


def _of_feed(feed: Feed, now: datetime, calendar: Calendar, silence: timedelta) -> Iterator[State]:
    today = ist_date(now)
    if feed.told_at is None:
        yield State(
            state="no-feed",
            says="the company never told of a transaction: one whose webhooks are lost cannot be found",
            todo="create transactions through tieout, register them, or tieout import transactions FILE",
        )
    elif not calendar.is_session(today):
        following = calendar.session_on_or_after(today)
        yield State(
            state="holiday",
            says=f"the exchange is closed today; the next session is {following}",
            todo="nothing",
        )
    elif _silent(feed, now, calendar, silence):
        yield State(
            state="silent-feed",
            says=f"the session is on and nothing was told since {feed.told_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            todo="check what registers transactions; if there were none, say so: import an empty transactions file",
        )
    elif not feed.created_today and ist_date(feed.told_at) == today:
        yield State(
            state="no-trades",
            says="the company told today that it created nothing",
            todo="nothing; a transaction created today must be told",
        )


def _silent(feed: Feed, now: datetime, calendar: Calendar, silence: timedelta) -> bool:
    """Whether so much of today's session went by without a word."""
    assert feed.told_at is not None  # asked before
    today = ist_date(now)
    opens, closes = calendar.opens_at(today), calendar.closes_at(today)
    return min(now, closes) - max(feed.told_at, opens) > silence
