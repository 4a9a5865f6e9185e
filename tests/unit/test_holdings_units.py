"""What holdings' units are called, whose task they are, how an account stands and when it is fetched again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from config.calendar import exchange_calendar
from config.queues import HOLDINGS_TASK, SETTLE_TASK, task_of
from inbox.arrivals import Arrival, unit_of
from inbox.holdings import FundsUnit, HoldingsUnit, read_unit
from tieout.holding_states import NEXT_STEPS, STATES, HoldingsPlan, closed_before, next_due, next_fetch

ACCOUNT, TRANSACTION = "5f0321b5f3743c31d95abd35", "TRX_0123456789abcdef0123456789abcdef"
EVENT = UUID("11111111-2222-4333-8444-555555555555")
PLAN = HoldingsPlan(after_close=timedelta(minutes=45))
CALENDAR = exchange_calendar()


def an_arrival(family: str) -> Arrival:
    """A webhook of that family."""
    return Arrival(
        event_id=EVENT.bytes,
        gateway="acme",
        book="live",
        family=family,
        transaction_id=TRANSACTION,
        batch_id=None,
        account=ACCOUNT,
        key_id="k1",
        received_at=datetime(2026, 1, 14, tzinfo=UTC),
        body=b"{}",
        headers=b"{}",
        signature=b"",
        marks="",
        parked=None,
    )


@pytest.mark.parametrize(
    ("family", "unit", "task"),
    [
        ("orders", f"acme:{TRANSACTION}", SETTLE_TASK),
        ("holdings", f"acme:holdings:{ACCOUNT}", HOLDINGS_TASK),
        ("mf-holdings", f"acme:mf-holdings:{EVENT}", HOLDINGS_TASK),
    ],
)
def test_a_webhook_belongs_to_the_unit_of_its_family(family: str, unit: str, task: str) -> None:
    """An order's to its transaction, holdings to their account, mutual funds to themselves."""
    assert unit_of(an_arrival(family)) == unit
    assert task_of(unit) == task


@pytest.mark.parametrize("unit", [HoldingsUnit("acme", ACCOUNT), FundsUnit("acme", EVENT)])
def test_a_unit_is_read_back_as_it_was_written(unit: HoldingsUnit | FundsUnit) -> None:
    """Text and value say the same."""
    assert read_unit(str(unit)) == unit


@pytest.mark.parametrize("text", ["", "acme", f"acme:{TRANSACTION}", "acme:holdings:", "acme:mf-holdings:x"])
def test_what_names_no_unit_of_holdings_is_none(text: str) -> None:
    """It is left alone."""
    assert read_unit(text) is None


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of January 2026, UTC; the 14th is a Wednesday, the 15th a holiday, NSE closes at 10:00."""
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "closed", "due"),
    [
        (at(14, 7), at(13, 10), at(14, 10, 45)),
        (at(14, 10, 30), at(13, 10), at(14, 10, 45)),
        (at(14, 10, 45), at(14, 10), at(16, 10, 45)),
        (at(15, 12), at(14, 10), at(16, 10, 45)),
        (at(17, 12), at(16, 10), at(19, 10, 45)),
    ],
)
def test_holdings_are_due_once_after_each_close(now: datetime, closed: datetime, due: datetime) -> None:
    """Weekends and holidays have no close; what was fetched before a fetch was due is not stale yet."""
    assert closed_before(CALENDAR, now, PLAN) == closed
    assert next_due(CALENDAR, now, PLAN) == due


@pytest.mark.parametrize(("pauses", "minutes"), [(0, 1), (1, 2), (4, 16), (5, 30), (9, 30)])
def test_pauses_grow_while_an_account_is_updating(pauses: int, minutes: int) -> None:
    """Doubling to half an hour; after ten of them the next close is soon enough."""
    found = next_fetch("updating", pauses=pauses, now=at(14, 7), calendar=CALENDAR, plan=PLAN)
    assert found == at(14, 7) + timedelta(minutes=minutes)
    assert next_fetch("updating", pauses=10, now=at(14, 7), calendar=CALENDAR, plan=PLAN) == at(14, 10, 45)


def test_every_state_has_a_next_step() -> None:
    """In words, for people."""
    assert set(NEXT_STEPS) == set(STATES)
