"""An average cost that differs, explained by our own orders: on the page of the break."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from config.clock import FixedClock
from config.settings import Settings
from console.app import create_app
from tests.holdings_days import ACCOUNT, AXIS, TUESDAY, Days, lived, security
from tieout.desk.broker import BrokerWatch

WEEK_BEFORE = date(2026, 1, 5)
PORT = 8081


@pytest.fixture(name="days")
def _days(engine: Engine, broker_url: str, tmp_path: Path) -> Iterator[Days]:
    """One account with a database of its own."""
    with lived(engine, broker_url, tmp_path) as days:
        yield days


def cost(days: Days, *orders: tuple[str, int, str], ours: str, theirs: float) -> str:
    """What the page of the break says, after these orders of the week before, one a day."""
    rows = [
        f"O{n},,{ACCOUNT},{WEEK_BEFORE + timedelta(days=n)},NSE,AXISBANK,{AXIS},{side},{count},{count},{price},COMPLETE"
        for n, (side, count, price) in enumerate(orders)
    ]
    if rows:
        days.file("orders", *rows)
    days.file("positions", f"{ACCOUNT},kite,{TUESDAY},{AXIS},150,{ours}")
    days.shows(security(quantity=150, average=theirs))
    assert [name for name, *_ in days.found()] == ["avg-cost"]
    (row,) = days.listed()
    page = _page(days, str(row["break"]))
    return re.sub(r"<.*?>", "", page.split("By our orders")[1].split("</dd>")[0]).strip()


def _page(days: Days, finding: str) -> str:
    settings, watch = Settings(console_port=PORT), BrokerWatch("redis://127.0.0.1:1/0")
    app = create_app(settings, engine=days.engine, watch=watch, clock=FixedClock(days.now), rules=days.shop.rules)
    answer = app.test_client().get(f"/breaks/{finding}", headers={"Host": f"127.0.0.1:{PORT}"})
    assert answer.status_code == 200
    return answer.text


BOUGHT_AND_SOLD = (("BUY", 100, "400"), ("BUY", 100, "500"), ("SELL", 50, "600"))


def test_each_side_is_told_by_its_method(days: Days) -> None:
    """The books weigh, the broker takes the oldest shares first: nobody is wrong."""
    assert cost(days, *BOUGHT_AND_SOLD, ours="450.00", theirs=466.67) == (
        "Our 3 orders come to 450.00 weighted, 466.67 first in first out;"
        " the books&#39; figure is weighted, the broker&#39;s is first in first out."
    )


def test_a_figure_that_no_method_gives_is_to_be_looked_into(days: Days) -> None:
    """The broker has charges in its cost."""
    assert cost(days, *BOUGHT_AND_SOLD, ours="450.00", theirs=468.21).endswith(
        "the broker&#39;s is neither: look for charges in it, or a corporate action not in it yet."
    )


def test_orders_that_do_not_lead_there_are_not_guessed_about(days: Days) -> None:
    """The account held shares before the books begin."""
    assert cost(days, ("BUY", 100, "400"), ours="400.00", theirs=410.00) == (
        "Our orders do not lead to what is held, so it cannot be worked out from them."
    )
