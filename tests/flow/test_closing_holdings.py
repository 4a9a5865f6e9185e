"""Closing a day whose holdings are not all there: each account is counted once, and a reason is needed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from store.holding_links import leave
from tests.holdings_told import ACCOUNT, GATEWAY, INFY, NOW, OTHER, RULES, Told
from tieout.closing import CannotCloseError, Signature, close_day

DAY = date(2026, 1, 14)
EVENING = NOW + timedelta(hours=2)
FRESH = "2026-01-14T11:00:00Z"  #: an hour after the close


@pytest.fixture(name="told")
def _told(engine: Engine, tmp_path: Path) -> Told:
    """A company with live orders, long before that day."""
    told = Told(engine, tmp_path)
    told.order("O-0", "BUY", 1, day="2025-12-01")
    return told


def close(told: Told, **but: Any) -> list[tuple[str, int]]:
    """Close the day; what was pending, as it is kept with the signature."""
    signature = Signature(by="Asha Rao", now=EVENING, despite=but.pop("despite", None))
    close_day(told.engine, gateway=GATEWAY.name, trade_date=DAY, signature=signature, rules=RULES, **but)
    with told.engine.connect() as connection:
        kept = connection.execute(text("select pending from closed_days")).scalar_one()
    return [(each["name"], each["count"]) for each in kept]


def refused(told: Told) -> tuple[str, ...]:
    """Why the day is not closed without a reason; one would do."""
    with pytest.raises(CannotCloseError) as caught:
        close(told)
    assert caught.value.forgivable
    return caught.value.reasons


def test_holdings_that_are_there_hold_nothing_up(told: Told) -> None:
    """Both sides said what is held, after the close; what settles tomorrow is shown by both."""
    told.positions({(ACCOUNT, INFY): 100})
    told.order("O-1", "BUY", 10)
    told.answer(ACCOUNT, [{"isin": INFY, "held": 100, "nse": 10}], at=FRESH)
    told.reconcile()
    assert close(told) == []


def test_an_account_that_was_not_reconciled_needs_a_reason(told: Told) -> None:
    """Its positions are known, and no verdict of that day stands; the reason and the number are kept."""
    told.positions({(ACCOUNT, INFY): 100, (OTHER, INFY): 5})
    with told.engine.begin() as connection:
        connection.execute(text("delete from holding_verdicts"))
    assert refused(told) == (
        "the holdings of 2 accounts were not reconciled for the day as they stand: see `tieout holdings`",
    )
    assert close(told, despite="the broker is down") == [("holdings-missing", 2)]


def test_an_account_that_changed_since_is_missing_until_it_is_judged(told: Told) -> None:
    """An answer came that no verdict rests on yet."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": INFY, "held": 100}], at=FRESH)
    told.reconcile()
    told.answer(ACCOUNT, [{"isin": INFY, "held": 90}], at=FRESH)
    assert "1 accounts were not reconciled" in refused(told)[0]

    told.reconcile()
    assert close(told) == []


def test_a_broker_that_said_nothing_needs_a_reason(told: Told) -> None:
    """The books' positions wait for its answer."""
    told.positions({(ACCOUNT, INFY): 100})
    told.reconcile()
    assert "the holdings of 1 accounts are pending" in refused(told)[0]


def test_an_answer_older_than_the_close_needs_a_reason(told: Told) -> None:
    """Though it agrees: nobody knows what the day brought. As many as policy allows need none."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": INFY, "held": 100}], at="2026-01-13T11:00:00Z")
    told.reconcile()
    assert "the holdings of 1 accounts are stale" in refused(told)[0]
    assert close(told, allowed=1) == [("holdings-stale", 1)]


def test_an_answer_that_cannot_know_the_days_trades_is_pending_and_counted_once(told: Told) -> None:
    """It is stale, too: the account counts by the first name that holds."""
    told.positions({(ACCOUNT, INFY): 100}, as_of="2026-01-12")
    told.order("O-1", "BUY", 10, day="2026-01-13")
    told.answer(ACCOUNT, [{"isin": INFY, "held": 100}], at="2026-01-12T11:00:00Z")
    told.reconcile()
    assert close(told, despite="the customer does not log in") == [("holdings-pending", 1)]


def test_an_account_of_which_the_books_state_nothing_counts_if_it_traded(told: Told) -> None:
    """One that is only linked is none of the day's; one that traded without positions is."""
    told.positions({(OTHER, INFY): 5})
    told.answer(OTHER, [{"isin": INFY, "held": 5}], at=FRESH)
    told.answer(ACCOUNT, [{"isin": INFY, "held": 7}], at=FRESH)
    told.reconcile()
    told.order("O-1", "BUY", 10)
    told.reconcile()
    assert close(told, despite="positions come tomorrow") == [("holdings-pending", 1)]


@pytest.mark.parametrize("known", [NOW, NOW + timedelta(days=1)])
def test_a_day_without_holdings_is_closed_as_ever(told: Told, known: Any) -> None:
    """Positions of a later date, or that became known after the day, are none of that day's."""
    rows = f"{ACCOUNT},kite,{'2026-01-15' if known == NOW else '2026-01-13'},{INFY},,100,400\n"
    told.file("positions", "account,broker,as_of,isin,symbol,quantity,average_price\n" + rows, now=known)
    assert close(told) == []


def test_an_unlinked_account_holds_nothing_up(told: Told) -> None:
    """It is asked for no more, so nothing more of it will come."""
    told.positions({(ACCOUNT, INFY): 100})
    with told.engine.begin() as connection:
        leave(connection, gateway=GATEWAY.name, account=ACCOUNT, book="live", now=NOW, why="unlinked by Asha")
    assert close(told) == []
