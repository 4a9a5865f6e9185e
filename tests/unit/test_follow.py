"""When a transaction is asked for again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders import Weekdays
from tieout.follow import (
    AT_ITS_END,
    NO_END,
    NO_ORDERS,
    SESSIONS,
    UNKNOWN,
    Plan,
    Standing,
    after_parking,
    next_ask,
)

CREATED = datetime(2026, 1, 14, 4, 30, tzinfo=UTC)  #: a Wednesday, 10:00 IST
EXPIRES = CREATED + timedelta(minutes=5)
GRACE = timedelta(minutes=30)
S, M, H, D = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CLOSED = datetime(2026, 1, 14, 10, 15, tzinfo=UTC)  #: 15:45 IST
THURSDAY = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)  #: 9:30 IST


def a_standing(status: str | None, **changed: object) -> Standing:
    """A known transaction that expires five minutes after its creation."""
    standing = Standing(status=status, created_at=CREATED, expire_at=EXPIRES, intent="TRANSACTION")
    return replace(standing, **changed)  # type: ignore[arg-type]


def plan(standing: Standing, asked_on: datetime) -> Plan:
    """The plan after an answer to a question of that instant."""
    return next_ask(standing, asked_on=asked_on, grace=GRACE, calendar=Weekdays())


@pytest.mark.parametrize("status", ["INITIALIZED", "USED", "PROCESSING", "ACTION_REQUIRED", "SETTLING", "ERRORED"])
@pytest.mark.parametrize(
    ("asked_on", "expected"),
    [
        (CREATED, CREATED + M),
        (CREATED + M, CREATED + 3 * M),
        (CREATED + 2 * M + 45 * S, EXPIRES + 30 * S),
        (CREATED + 3 * M, EXPIRES + 30 * S),
        (EXPIRES, EXPIRES + 5 * M),
        (EXPIRES + 30 * S, EXPIRES + 5 * M),
        (EXPIRES + 5 * M, EXPIRES + 25 * M),
        (EXPIRES + 25 * M, EXPIRES + 85 * M),
        (EXPIRES + 85 * M, EXPIRES + 145 * M),
        (CLOSED - 76 * M, CLOSED - 16 * M),
        (CLOSED - 74 * M, CLOSED),
        (CLOSED, THURSDAY),
        (THURSDAY, THURSDAY + D),
        (THURSDAY + D, THURSDAY + 4 * D),
        (CREATED + 14 * D, None),
    ],
    ids=str,
)
def test_it_is_asked_for_on_schedule_until_its_end(status: str, asked_on: datetime, expected: datetime | None) -> None:
    """Often while young, after its lifespan, hourly in its session, after the close, then session by session."""
    assert plan(a_standing(status), asked_on).ask_at == expected


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (a_standing("COMPLETED", final=True, batches=True), AT_ITS_END),
        (a_standing("INITIALIZED", final=True), AT_ITS_END),
        (a_standing("COMPLETED", batches=True), AT_ITS_END),
        (a_standing("COMPLETED", intent="CONNECT"), AT_ITS_END),
        (a_standing("COMPLETED", batches=True, placed=True), Plan(EXPIRES + 5 * M)),
        (a_standing("COMPLETED"), Plan(EXPIRES + 5 * M)),
        (a_standing("USED", settled=False), Plan(EXPIRES + M)),
    ],
    ids=str,
)
def test_an_end_is_an_end_only_if_it_says_so(standing: Standing, expected: Plan) -> None:
    """COMPLETED without any batch is doubted; two answers that disagree are followed by a third at once."""
    assert plan(standing, EXPIRES + M) == expected


@pytest.mark.parametrize(("status", "why"), [("USED", NO_END), ("PROCESSING", NO_END), ("COMPLETED", NO_ORDERS)])
def test_what_does_not_end_is_given_up_after_ten_sessions(status: str, why: str) -> None:
    """Never read as "no order": it is listed as given up, and why."""
    asked = [CREATED + M]
    while (planned := plan(a_standing(status), asked[-1])).ask_at:
        asked.append(planned.ask_at)
    assert planned == Plan(given_up=why)
    assert sum(at > CLOSED for at in asked) == SESSIONS
    assert len(asked) == 11 + SESSIONS


def test_what_is_taken_up_again_is_followed_for_as_long_again() -> None:
    """So is one that we heard of only now, however old it is."""
    later = CREATED + 63 * D
    assert plan(a_standing("USED", followed_from=later), later + H).ask_at == later + 2 * H
    assert plan(a_standing("USED", heard_at=later), later + H).ask_at == later + 2 * H


def test_an_order_for_after_the_market_is_watched_for_the_evening_and_then_from_the_next_session_on() -> None:
    """Its user may cancel it; nothing else moves while the exchange is closed."""
    evening = datetime(2026, 1, 14, 14, 0, tzinfo=UTC)
    standing = a_standing("PROCESSING", created_at=evening, expire_at=evening + 5 * M, batches=True, placed=True)
    assert plan(standing, evening + 30 * M).ask_at == evening + 90 * M
    assert plan(standing, evening + 4 * H + 30 * M).ask_at == evening + 5 * H + 30 * M
    assert plan(standing, evening + 5 * H + 30 * M).ask_at == THURSDAY
    assert plan(standing, THURSDAY).ask_at == THURSDAY + H


def test_what_the_api_does_not_know_is_asked_for_three_times_over_the_grace() -> None:
    """Half the grace apart; the third absence after the whole grace is the last."""
    asked: list[datetime] = []
    planned = Plan(CREATED)
    while planned.ask_at:
        asked.append(planned.ask_at)
        planned = plan(a_standing(None, known=False, absent_at=tuple(asked)), planned.ask_at)
    assert asked == [CREATED, CREATED + GRACE / 2, CREATED + GRACE]
    assert planned == Plan(given_up=UNKNOWN)


def test_what_could_not_be_used_is_asked_for_session_by_session() -> None:
    """Then it is given up for that reason."""
    calendar, standing = Weekdays(), a_standing("USED")
    assert after_parking(standing, "refused", now=CREATED + H, calendar=calendar) == Plan(THURSDAY)
    late = after_parking(standing, "refused", now=CREATED + 20 * D, calendar=calendar)
    assert late == Plan(given_up="refused")


def test_a_transaction_on_a_usual_path_costs_at_most_four_questions() -> None:
    """Withheld webhooks or not: it ends within six minutes of its creation."""
    ends = CREATED + 6 * M
    at, asked = CREATED + M, 0
    while at < ends:
        asked += 1
        at = plan(a_standing("PROCESSING"), at).ask_at or ends
    assert asked + 1 <= 4
