"""How far completeness is proven, and what state a feed is in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from store.completeness import Feed, Followed
from tests.builders import Weekdays
from tieout.completeness import Calls, Completeness, assess

NOON = datetime(2026, 1, 14, 6, 30, tzinfo=UTC)  #: a Wednesday, 12:00 IST
SATURDAY = NOON + timedelta(days=3)
M, H = timedelta(minutes=1), timedelta(hours=1)
FEED = Feed(
    known=9, found_by_webhook=7, found_by_following=1, told_at=NOON - M, webhook_at=NOON - 2 * M, created_today=9
)


def followed(**changed: object) -> Followed:
    """One that was created ten minutes ago, answered, and asked for next in half an hour."""
    row = Followed(
        transaction_id="TRX_1",
        account=None,
        created_at=NOON - 10 * M,
        expire_at=NOON - 5 * M,
        status="PROCESSING",
        error_message=None,
        known=True,
        absences=0,
        settled=True,
        batches=True,
        ask_at=NOON + 30 * M,
        asks=3,
        asked_at=NOON,
        retries=0,
        given_up=None,
        given_up_at=None,
        value=Decimal(100),
        last_reason=None,
    )
    return replace(row, **changed)  # type: ignore[arg-type]


def assessed(*rows: Followed, feed: Feed = FEED, now: datetime = NOON, calls: Calls | None = None) -> Completeness:
    """That feed with these open."""
    return assess("demo", feed, rows, calls=calls or Calls(), now=now, calendar=Weekdays(), silence=2 * H)


def names(found: Completeness) -> list[str]:
    """The states that hold."""
    return [state.state for state in found.states]


def test_what_is_open_with_a_fresh_answer_holds_nothing_back() -> None:
    """It is listed by name, and the watermark stands where the company last told of transactions."""
    found = assessed(followed())
    assert (found.watermark, names(found), found.holding) == (NOON - M, ["complete"], 0)
    assert [(row.state, row.why) for row in found.open] == [("open", "an order is open")]


@pytest.mark.parametrize(
    ("row", "state", "why"),
    [
        (followed(known=None, asks=0), "unanswered", "not asked for yet"),
        (
            followed(known=None, asks=2, retries=2, last_reason="busy"),
            "unanswered",
            "no answer yet; the last 2 questions gave no answer: busy",
        ),
        (followed(ask_at=NOON - 3 * M), "overdue", "an order is open"),
    ],
    ids=["new", "failing", "overdue"],
)
def test_the_watermark_waits_for_what_was_not_answered(row: Followed, state: str, why: str) -> None:
    """It stands at the creation of the oldest such transaction."""
    found = assessed(followed(created_at=NOON - H), row)
    assert found.watermark == NOON - 10 * M
    assert names(found) == ["catching-up"]
    assert (found.open[0].state, found.open[0].why) == (state, why)


def test_a_question_that_is_due_just_now_is_not_overdue() -> None:
    """Nobody is ever quicker than two minutes late."""
    assert assessed(followed(ask_at=NOON - M)).holding == 0


def test_what_was_given_up_is_seen_and_holds_nothing_back() -> None:
    """It is listed with the rule by which it was given up."""
    found = assessed(followed(given_up="no-end", ask_at=None))
    assert (found.given_up, found.holding, found.watermark) == (1, 0, NOON - M)
    assert found.open[0].why == "did not end within ten sessions"


@pytest.mark.parametrize(
    ("status", "message"), [("COMPLETED", None), ("ERRORED", "timed_out"), ("ERRORED", "order_in_queue")]
)
def test_an_end_without_orders_is_a_partial_answer(status: str, message: str | None) -> None:
    """Nothing is concluded from it."""
    found = assessed(followed(status=status, error_message=message, batches=False))
    assert names(found) == ["partial-answer"]
    assert "one may exist all the same" in found.open[0].why


@pytest.mark.parametrize(
    ("feed", "now", "state"),
    [
        (replace(FEED, told_at=NOON - 3 * H), NOON, "silent-feed"),
        (replace(FEED, told_at=NOON - 20 * H), NOON, "silent-feed"),
        (replace(FEED, told_at=NOON - 20 * H, created_today=0), NOON - 2 * H, "complete"),
        (replace(FEED, created_today=0), NOON, "no-trades"),
        (replace(FEED, told_at=NOON, created_today=0), SATURDAY, "holiday"),
        (replace(FEED, told_at=NOON + 4 * H), NOON + 10 * H, "complete"),
        (replace(FEED, told_at=None, created_today=3), NOON, "no-feed"),
    ],
)
def test_a_silent_feed_a_holiday_and_no_trades_are_three_things(feed: Feed, now: datetime, state: str) -> None:
    """Each says what to do."""
    found = assessed(feed=feed, now=now)
    assert names(found) == [state]
    assert found.states[0].todo


def test_a_feed_that_told_of_nothing_proves_nothing() -> None:
    """There is no watermark then."""
    assert assessed(feed=replace(FEED, told_at=None)).watermark is None


def test_a_stopped_gateway_comes_first() -> None:
    """It is the reason for the rest."""
    found = assessed(followed(known=None), calls=Calls(breaker="open", reason="ours"))
    assert names(found) == ["gateway-stopped", "catching-up"]
    assert "doctor" in found.states[0].todo
