"""A bonus and other actions of companies, each told as it happens, from files and answers on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.holdings_days import FRIDAY, WEDNESDAY, Days, lived, security

WIPRO, WIPRO_TEMPORARY = "INE075A01022", "IN8075A01013"


@pytest.fixture(name="days")
def _days(engine: Engine, broker_url: str, tmp_path: Path) -> Iterator[Days]:
    """One account with a database of its own."""
    with lived(engine, broker_url, tmp_path) as days:
        yield days


def bonus(due: str = "2026-01-30") -> str:
    """One free for two held."""
    return f"bonus,{WIPRO},{WEDNESDAY},2,1,,{WIPRO_TEMPORARY},{due}"


def wipro(quantity: int) -> dict[str, object]:
    """So many listed shares."""
    return security(WIPRO, quantity, ticker="WIPRO")


def test_a_bonus_is_awaited_lies_under_a_temporary_isin_and_joins_the_others(days: Days) -> None:
    """Each step is the one thing that is awaited; nothing is ever missing, nothing too much."""
    days.file("corporate-actions", bonus())
    days.positions({WIPRO: 100})
    days.evening(WEDNESDAY)
    days.shows(wipro(100))
    assert days.found() == [("bonus-pending", "pending", -50)]
    assert days.judged() == {WIPRO: "pending"}

    days.evening(FRIDAY)
    days.shows(wipro(100), security(WIPRO_TEMPORARY, 50, ticker=None, bseTicker="WIPRO"))
    assert days.found() == [("bonus-pending", "pending", 0)]
    assert days.causes() == [f"50 lie under the temporary ISIN {WIPRO_TEMPORARY}, to be listed by 2026-02-05"]
    assert (days.judged(), days.parts()) == ({WIPRO: "pending"}, {WIPRO: {}})

    days.evening(date(2026, 1, 20))
    days.shows(wipro(150))
    assert (days.found(), days.judged()) == ([], {WIPRO: "matched"})


def test_a_bonus_is_awaited_by_books_that_already_hold_it(days: Days) -> None:
    """The positions of the ex-date name 150 already: the broker's 100 lack the same bonus."""
    days.file("corporate-actions", bonus())
    days.evening(WEDNESDAY)
    days.positions({WIPRO: 150})
    days.shows(wipro(100))
    assert days.found() == [("bonus-pending", "pending", -50)]
    days.shows(wipro(97))
    assert days.found() == [("unexplained", "break", -53)]


def test_what_was_bought_after_the_ex_date_has_no_bonus(days: Days) -> None:
    """Ten bought on Friday are among the 160 of February; 150 of them are the 100 of before with their bonus."""
    days.file("corporate-actions", bonus("2026-02-04"))
    days.evening(FRIDAY)
    days.order("BUY", 10, WIPRO, "WIPRO")
    days.evening(date(2026, 2, 2))
    days.positions({WIPRO: 160})
    days.shows(wipro(110))
    assert days.found() == [("bonus-pending", "pending", -50)]


def test_a_bonus_that_is_not_listed_in_time_is_a_break(days: Days) -> None:
    """On the day it is due it is pending, on the next it is not; an answer from before cannot know."""
    days.file("corporate-actions", bonus(f"{FRIDAY}"))
    days.positions({WIPRO: 100})
    days.evening(FRIDAY)
    days.shows(wipro(100))
    assert days.found() == [("bonus-pending", "pending", -50)]
    days.evening(FRIDAY + timedelta(days=3))
    assert days.found() == [("bonus-pending", "pending", -50)]
    days.shows(wipro(100))
    assert days.found() == [("bonus-pending", "break", -50)]
