"""The traps into which programs that compare holdings fall, each told as it happens, from files and answers on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.holdings_days import AXIS, FRIDAY, KOTAK, KOTAK_NEW, TUESDAY, WEDNESDAY, Days, lived, security

BEFORE, HOLIDAY, AFTER = date(2026, 1, 23), date(2026, 1, 26), date(2026, 1, 27)  #: Republic Day is a Monday


@pytest.fixture(name="days")
def _days(engine: Engine, broker_url: str, tmp_path: Path) -> Iterator[Days]:
    """One account with a database of its own."""
    with lived(engine, broker_url, tmp_path) as days:
        yield days


@pytest.fixture(name="shared")
def _shared(engine: Engine, broker_url: str, tmp_path: Path) -> Iterator[Days]:
    """The same where customers trade by themselves, too."""
    with lived(engine, broker_url, tmp_path, accounts_exclusive=False) as days:
        yield days


def test_shares_bought_before_a_holiday_are_unsettled_until_the_session_after_it(days: Days) -> None:
    """Bought on Friday, still T1 on Saturday and on Monday, which is Republic Day; held from Tuesday on."""
    days.evening(BEFORE - timedelta(days=1))
    days.positions({AXIS: 100})
    days.evening(BEFORE)
    days.order("BUY", 10)
    days.shows(security(quantity=100, nse=10))
    assert days.found() == [("unsettled-t1", "pending", 10)]
    for day in (BEFORE + timedelta(days=1), HOLIDAY):
        days.evening(day)
        days.shows(security(quantity=100, t1Quantity=10))
        assert days.found() == [("unsettled-t1", "pending", 10)]
        assert days.causes() == [f"10 bought on {BEFORE}, settle on {AFTER}"]
        assert days.judged() == {AXIS: "pending"}
    days.evening(AFTER)
    days.shows(security(quantity=110))
    assert (days.found(), days.judged()) == ([], {AXIS: "matched"})


def test_shares_that_do_not_come_are_a_break_from_the_day_they_settle(days: Days) -> None:
    """Awaited over the holiday; on Tuesday the broker has neither T1 nor shares, on Wednesday the auction's came."""
    days.evening(BEFORE)
    days.positions({AXIS: 110})
    days.order("BUY", 10)
    days.evening(HOLIDAY)
    days.shows(security(quantity=100, t1Quantity=10))
    assert days.found() == [("unsettled-t1", "pending", 10)]
    days.evening(AFTER)
    days.shows(security(quantity=100))
    assert days.found() == [("unexplained", "break", -10)]
    days.evening(AFTER + timedelta(days=1))
    days.shows(security(quantity=110))
    assert (days.found(), days.judged()) == ([], {AXIS: "matched"})


def test_an_answer_from_before_the_settlement_is_no_difference_after_it(days: Days) -> None:
    """On Tuesday the books have settled, and the newest answer is Friday's, in which they are a position."""
    days.evening(BEFORE - timedelta(days=1))
    days.positions({AXIS: 100})
    days.evening(BEFORE)
    days.order("BUY", 10)
    days.shows(security(quantity=100, nse=10))
    days.evening(AFTER)
    assert (days.found(), days.judged()) == ([], {AXIS: "matched"})


@pytest.mark.parametrize("broker", ["kite", "dhan"])
def test_shares_sold_before_a_holiday_are_awaited_until_the_session_after_it(days: Days, broker: str) -> None:
    """Whether the broker shows a negative position or fewer held; on Tuesday neither is a difference."""
    days.broker = broker
    negative = broker == "kite"
    days.evening(BEFORE - timedelta(days=1))
    days.positions({AXIS: 100})
    days.evening(BEFORE)
    days.order("SELL", 5)
    days.shows(security(quantity=100, nse=-5) if negative else security(quantity=95))
    assert days.found() == [("sold-today", "pending", -5)]
    days.evening(HOLIDAY)
    assert days.found() == [("sold-today", "pending", -5)]
    days.evening(AFTER)
    days.shows(security(quantity=95))
    assert (days.found(), days.judged()) == ([], {AXIS: "matched"})


def kotak(ex_date: date = WEDNESDAY) -> str:
    """One share of 5 rupees becomes five of 1 rupee, under another ISIN."""
    return f"split,{KOTAK},{ex_date},1,5,{KOTAK_NEW},,"


def test_a_split_changes_the_isin_between_trade_and_settlement(days: Days) -> None:
    """Ten of the old ISIN are bought on Tuesday; on Wednesday fifty of the new one settle."""
    days.file("corporate-actions", kotak())
    days.evening(TUESDAY - timedelta(days=1))
    days.positions({KOTAK: 100})
    days.evening(TUESDAY)
    days.order("BUY", 10, KOTAK, "KOTAKBANK")
    days.shows(security(KOTAK, 100, nse=10))
    assert days.found() == [("unsettled-t1", "pending", 10)]
    assert days.judged() == {KOTAK: "pending"}

    days.evening(WEDNESDAY)
    days.shows(security(KOTAK_NEW, 500, t1Quantity=50, average=80))
    assert (days.found(), days.judged()) == ([], {KOTAK_NEW: "matched"})
    days.shows(security(KOTAK_NEW, 550, average=80))
    assert (days.found(), days.judged("internal::int")) == ([], {KOTAK_NEW: 550})


def test_after_a_split_the_broker_still_has_what_settles_under_the_old_isin(days: Days) -> None:
    """The 100 that were held are 500 new ones, the 10 bought on Tuesday still old ones: one note, 40 fewer."""
    days.file("corporate-actions", kotak())
    days.evening(TUESDAY)
    days.positions({KOTAK: 110})
    days.evening(WEDNESDAY)
    days.shows(security(KOTAK_NEW, 500, average=80), security(KOTAK, 0, nse=10))
    assert days.found() == [("split", "note", -40)]
    assert days.judged() == {KOTAK_NEW: "split"}


def test_the_books_know_of_a_split_before_the_broker_and_the_broker_before_the_books(days: Days) -> None:
    """Either way it is one note, and nothing once both have it."""
    days.file("corporate-actions", kotak())
    days.positions({KOTAK: 100})
    days.evening(WEDNESDAY)
    days.shows(security(KOTAK, 100))
    assert days.found() == [("split", "note", -400)]
    days.positions({KOTAK: 100})
    days.shows(security(KOTAK_NEW, 500, average=80))
    assert days.found() == [("split", "note", 400)]
    days.positions({KOTAK: 0, KOTAK_NEW: 500}, price=80)
    assert (days.found(), days.judged()) == ([], {KOTAK_NEW: "matched"})


def test_pledged_shares_are_missing_from_the_quantity(days: Days) -> None:
    """The broker names 80 and, apart from them, 20 pledged: they are the books' 100."""
    days.positions({AXIS: 100})
    days.shows(security(quantity=80, collateral=20))
    assert (days.found(), days.judged("shown::int")) == ([], {AXIS: 100})
    days.shows(security(quantity=80, collateral=15))
    assert days.found() == [("unexplained", "break", -5)]


def test_books_that_leave_pledged_shares_out_are_told_of_them_once(days: Days) -> None:
    """A note of the 20, and no break."""
    holdings = replace(days.shop.rules.holdings, books_hold=frozenset({"mtf", "blocked"}))
    days.shop = replace(days.shop, rules=replace(days.shop.rules, holdings=holdings))
    days.positions({AXIS: 80})
    days.shows(security(quantity=80, collateral=20))
    assert (days.found(), days.judged()) == ([("pledged", "note", 20)], {AXIS: "pledged"})


def test_a_customer_sells_in_the_broker_s_app(shared: Days) -> None:
    """Three fewer without an order of ours: one break from the sale on, until the books are put right."""
    shared.positions({AXIS: 100})
    shared.shows(security(quantity=100))
    assert shared.found() == []
    shared.evening(WEDNESDAY)
    shared.shows(security(quantity=100, nse=-3))
    assert shared.found() == [("off-platform-sale", "break", -3)]
    (first,) = shared.listed()

    shared.evening(FRIDAY)
    shared.shows(security(quantity=97))
    assert shared.found() == [("off-platform-sale", "break", -3)]
    (later,) = shared.listed()
    assert (later["break"], later["opened_at"]) == (first["break"], first["opened_at"])
    shared.positions({AXIS: 97})
    assert (shared.found(), shared.judged()) == ([], {AXIS: "matched"})


def test_a_customer_sells_in_the_app_what_we_bought_today(shared: Days) -> None:
    """Ours are awaited, hers are told: neither hides the other."""
    shared.positions({AXIS: 100})
    shared.evening(WEDNESDAY)
    shared.order("BUY", 10)
    shared.shows(security(quantity=96, nse=10))
    assert shared.found() == [("off-platform-sale", "break", -4), ("unsettled-t1", "pending", 10)]
    assert shared.parts() == {AXIS: {"unsettled-t1": 10, "off-platform-sale": -4}}


def test_a_sale_without_an_order_is_unexplained_where_nobody_else_may_trade(days: Days) -> None:
    """Accounts that are ours alone have no customer's own sales; one that grows old grows severe."""
    days.positions({AXIS: 100})
    days.shows(security(quantity=99))
    assert days.found() == [("unexplained", "break", -1)]
    assert [row["severity"] for row in days.listed()] == ["low"]
    days.evening(FRIDAY)
    assert days.found() == [("unexplained", "break", -1)]
    assert [row["severity"] for row in days.listed()] == ["medium"]
