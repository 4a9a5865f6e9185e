"""One defect of an order is one break, also where what is held differs by it: the holdings only point to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.builders import Json, a_batch, a_leg, a_transaction, an_answer, iso, store_snapshot, store_webhook
from tests.holdings_days import ACCOUNT, AXIS, FRIDAY, TUESDAY, WEDNESDAY, Days, lived, security
from tieout.reconcile import reconcile
from tieout.state import refresh

TRANSACTION = "TRX_0123456789abcdef0123456789abcdef"
INFY = "INE009A01021"
OTHER = "5f0321b5f3743c31d95abd36"


@pytest.fixture(name="days")
def _days(engine: Engine, broker_url: str, tmp_path: Path) -> Iterator[Days]:
    """A Wednesday on which the books of Tuesday hold 100 of each share."""
    with lived(engine, broker_url, tmp_path) as days:
        listed = "exchange,symbol,isin,from,to"
        days.file("instruments", f"NSE,AXISBANK,{AXIS},2020-01-01,", f"NSE,INFY,{INFY},2020-01-01,", columns=listed)
        days.positions({AXIS: 100, INFY: 100})
        days.evening(WEDNESDAY)
        yield days


def ordered(days: Days, leg: Json, batch: Json | None = None, **booked: object) -> None:
    """An order of today: the Gateway says this leg, the books say it, too, but for these columns."""
    batch = (batch or a_batch(leg)) | {"createdAt": iso(days.now), "completedDate": iso(days.now)}
    with days.engine.begin() as connection:
        txn = a_transaction(connection, TRANSACTION, gateway="demo", account=ACCOUNT)
        store_webhook(connection, batch, transaction_id=TRANSACTION, gateway="demo", received_at=days.now)
        said = an_answer(batch, transaction_id=TRANSACTION, createdAt=iso(days.now))
        store_snapshot(connection, txn, said, known_at=days.now)
        refresh(connection, txn=txn, now=days.now, rules=days.shop.rules)
    row: dict[str, object] = {
        "order_id": "O1",
        "transaction_id": TRANSACTION,
        "account": ACCOUNT,
        "trade_date": days.today,
        "exchange": "NSE",
        "symbol": leg["tradingsymbol"],
        "isin": "",
        "side": leg["transactionType"],
        "quantity": leg["quantity"],
        "filled_quantity": leg["filledQuantity"],
        "average_price": leg["averagePrice"],
        "status": leg["status"],
    }
    days.file("orders", ",".join(str(value) for value in (row | booked).values()))
    with days.engine.begin() as connection:
        reconcile(connection, txns=[txn], now=days.now, rules=days.shop.rules)


def held(days: Days, **shares: int) -> None:
    """The broker's answer: what is held of Axis and of Infosys, and what is bought and not settled."""
    axis, infy = shares.get("axis", 100), shares.get("infy", 100)
    days.shows(
        security(quantity=axis, nse=shares.get("axis_new", 0)),
        security(INFY, infy, nse=shares.get("infy_new", 0), ticker="INFY"),
    )


def roots(days: Days) -> set[str]:
    """The names of the findings to which others point."""
    pages = [days.whole(row) for row in days.listed()]
    return {days.whole({"break": page.row.finding.root}).row.finding.name for page in pages if page.row.finding.root}


def test_a_fill_that_the_books_lack(days: Days) -> None:
    """The Gateway filled ten, the books have seven: seven are awaited, three are the order's."""
    ordered(days, a_leg(), filled_quantity=7, status="CANCELLED")
    held(days, axis_new=10)
    assert days.found() == [
        ("orphan-fill", "note", 3),
        ("qty-filled", "break", 3),
        ("status-conflict", "break", 0),
        ("unsettled-t1", "pending", 7),
    ]
    assert roots(days) == {"qty-filled"}
    days.evening(FRIDAY)
    held(days, axis=110)
    assert ("orphan-fill", "note", 3) in days.found()
    assert days.parts()[AXIS] == {"orphan-fill": 3}


def test_a_sale_that_the_books_have_as_a_purchase(days: Days) -> None:
    """Ten sold are booked as bought: ten fewer until both settle, then twenty; the break is the side."""
    ordered(days, a_leg(transactionType="SELL"), side="BUY")
    held(days, axis_new=-10)
    assert [row for row in days.found() if row[1] == "break"] == [("side", "break", 0)]
    assert days.parts()[AXIS] == {"orphan-fill": -10}
    days.evening(FRIDAY)
    held(days, axis=90)
    assert [row for row in days.found() if row[1] == "break"] == [("side", "break", 0)]
    assert days.parts()[AXIS] == {"orphan-fill": -20}
    assert roots(days) == {"side"}


def test_another_share_than_the_books_have(days: Days) -> None:
    """Infosys was bought and Axis was booked: one break, of the instrument, and a note for each share."""
    ordered(days, a_leg("INFY"), symbol="AXISBANK")
    held(days, infy_new=10)
    assert [row for row in days.found() if row[1] == "break"] == [("instrument", "break", 0)]
    assert days.parts() == {AXIS: {}, INFY: {"orphan-fill": 10}}
    days.evening(FRIDAY)
    held(days, infy=110)
    assert [row for row in days.found() if row[1] == "break"] == [("instrument", "break", 0)]
    assert days.parts() == {AXIS: {"orphan-fill": -10}, INFY: {"orphan-fill": 10}}


def test_an_order_that_was_never_placed(days: Days) -> None:
    """The books have it filled: nothing is missing until it should have settled, and then by that break."""
    leg = a_leg(filledQuantity=0, averagePrice=0, exchangeOrderId=None)
    batch = a_batch(unplaced=[leg], orders=[], status="UNPLACED", quantity=10, filled=0, buyAmount=0)
    ordered(days, leg, batch, filled_quantity=10, average_price=400, status="COMPLETE")
    held(days)
    assert [row for row in days.found() if row[1] == "break"] == [("unplaced", "break", -10)]
    assert days.parts() == {AXIS: {}, INFY: {}}
    days.evening(FRIDAY)
    held(days)
    assert days.found() == [("orphan-fill", "note", -10), ("unplaced", "break", -10)]
    assert roots(days) == {"unplaced"}


def test_an_order_that_is_booked_in_another_account(days: Days) -> None:
    """One break, of the account; ten more here and ten fewer there point to it."""
    days.evening(TUESDAY)
    days.positions({AXIS: 50}, account=OTHER)
    days.evening(WEDNESDAY)
    ordered(days, a_leg(), account=OTHER)
    days.evening(FRIDAY)
    held(days, axis=110)
    days.shows(security(quantity=50), account=OTHER)
    assert days.found() == [("account", "break", 0), ("orphan-fill", "note", -10), ("orphan-fill", "note", 10)]
    assert roots(days) == {"account"}
