"""Contract notes and tradebooks beside the orders they speak of; the traps that name them, each told as its story."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from config.settings import Gateway
from config.statuses import read_statuses
from tests.answered import tied_out
from tests.builders import ACCOUNT, BROKER, DAY, EVENING, GATEWAY, Json, a_leg, rules
from tieout.asof import Asked, knowing
from tieout.import_report import Report
from tieout.imports import import_file
from tieout.reconcile import reconcile

RULES = rules()
ACME = Gateway(name=GATEWAY, url="", secrets=(), api_secrets=())
COSTS = "brokerage,stt,exchange_charge,sebi_fee,stamp_duty,gst,net_amount"
HEADER = f"note_id,trade_date,account,broker,exchange,symbol,side,quantity,price,exchange_order_id,{COSTS}"
SCHEDULE = (
    "component,broker,exchange,side,basis,rate,unit,rounding,from",
    "brokerage,kite,,,order,20,,,2026-01-01",
    "stt,,,,turnover,0.1,1,half-up,2026-01-01",
    "gst,,,,services,18,,,2026-01-01",
)


#: Side, what is paid, and what is found: ten shares at 420.10 and 24 rupees of charges.
NETS = (
    ("BUY", "-4225", "none"),
    ("BUY", "4225.00", "none"),
    ("BUY", "4225.01", "4225/4225.01"),
    ("SELL", "4177", "none"),
    ("SELL", "4225", "4177/4225"),
)


class Office:
    """The company's desk: transactions that tie out, and files that come in, all on Friday evening."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder, self.now = engine, folder, EVENING

    def file(self, kind: str, *lines: str) -> Report:
        """Import these lines, the first of which is the header."""
        file = self.folder / f"{kind}.csv"
        file.write_text("\n".join(lines) + "\n")
        return import_file(self.engine, kind=kind, file=file, gateways=[ACME], now=self.now, rules=RULES)

    def note(self, *rows: str, number: str = "CN1") -> Report:
        """Import a contract note with these rows, which leave out its number, day, account and broker."""
        return self.file("contract-notes", HEADER, *(f"{number},{DAY},{ACCOUNT},{BROKER},{row}" for row in rows))

    def order(self, *legs: Json, name: str = "TRX_1") -> int:
        """A transaction on which both sides agree, judged so."""
        with self.engine.begin() as connection:
            return tied_out(connection, *legs, name=name)

    def again(self, *txns: int, later: timedelta = timedelta(0)) -> None:
        """Judge them again some time later."""
        with self.engine.begin() as connection:
            reconcile(connection, txns=txns, now=self.now + later, rules=RULES)

    def found(self, kind: str = "break") -> list[tuple[str, str, str | None, str | None]]:
        """The open findings of that class: name, field, ours, theirs."""
        asked = text("select name, field, ours, theirs from findings where closed_at is null and class = :kind"
                     " order by name, field, subject")  # fmt: skip
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(asked, {"kind": kind})]

    def one(self, sql: str) -> Any:
        """The single value of a query."""
        with self.engine.connect() as connection:
            return connection.execute(text(sql)).scalar_one()


@pytest.fixture(name="office")
def _office(engine: Engine, tmp_path: Path) -> Office:
    """A desk with a database of its own."""
    return Office(engine, tmp_path)


def test_who_imports_no_notes_hears_of_none(office: Office) -> None:
    """A week later nothing is missing, and the pair is quiet."""
    txn = office.order(a_leg())
    office.again(txn, later=timedelta(days=7))

    assert office.found() == office.found("pending") == []
    assert office.one("select quiet from transactions") is True


def test_a_single_average_over_two_exchanges_is_the_note_of_both_orders(office: Office) -> None:
    """Ten at 420.10 on the NSE and thirty at 420.50 on the BSE are one line of forty at 420.40."""
    office.order(a_leg(), name="TRX_1")
    office.order(a_leg(quantity=30, filledQuantity=30, averagePrice=420.5, exchange="BSE"), name="TRX_2")
    office.file("instruments", "exchange,symbol,isin,from,to", "NSE,AXISBANK,INE238A01034,2020-01-01,",
                "BSE,AXISBANK,INE238A01034,2020-01-01,")  # fmt: skip
    office.note(",AXISBANK,BUY,40,420.40,,,,,,,,")
    assert office.found() == []

    office.note(",AXISBANK,BUY,40,420.42,,,,,,,,")
    assert office.found() == [("note-diff", "price", "420.4", "420.42")]


def test_a_note_with_another_quantity_is_told_once_and_ends_when_it_is_put_right(office: Office) -> None:
    """The corrected note is a second version; the first one stays stored."""
    order_id = str((leg := a_leg())["exchangeOrderId"])
    office.order(leg)
    office.note(f"NSE,AXISBANK,BUY,9,420.10,{order_id},,,,,,,")
    assert office.found() == [("note-diff", "quantity", "10", "9")]
    assert office.one("select bucket from verdicts") == "matched"

    office.note(f"NSE,AXISBANK,BUY,10,420.10,{order_id},,,,,,,")
    assert office.found() == []
    assert office.one("select count(*) from notes") == 2


def test_a_note_imported_again_changes_nothing(office: Office) -> None:
    """Neither a version nor a rev."""
    office.order(a_leg())
    first = office.note(",AXISBANK,BUY,10,420.10,,,,,,,,")
    rev = office.one("select rev from transactions")
    again = office.note(",AXISBANK,BUY,10,420.10,,,,,,,,")

    assert (first.new, again.new, again.unchanged) == (1, 0, 1)
    assert office.one("select rev from transactions") == rev


def test_a_trade_that_no_note_speaks_of_is_missing_a_day_after_it(office: Office) -> None:
    """Pending until 24 hours after execution; the other trade of that day is on the note."""
    one, other = a_leg(), a_leg("INFY")
    txn = office.order(one, other)
    office.note(",AXISBANK,BUY,10,420.10,,,,,,,,")
    assert [name for name, *_ in office.found("pending")] == ["note-missing"]
    assert office.found() == []

    office.again(txn, later=timedelta(hours=24))
    assert office.found() == [("note-missing", "note", "10", None)]
    assert office.one("select cause from findings where name = 'note-missing'") == "not-on-the-note"


def test_what_else_the_customer_traded_is_not_our_affair(office: Office) -> None:
    """Her own orders in the broker's app stand on the same note under other order ids."""
    order_id = str((leg := a_leg())["exchangeOrderId"])
    office.order(leg)
    office.note(f"NSE,AXISBANK,BUY,10,420.10,{order_id},,,,,,,", "NSE,AXISBANK,BUY,99,421.00,77,,,,,,,",
                "NSE,TCS,SELL,5,3000,78,,,,,,,")  # fmt: skip

    assert office.found() == []


def test_each_charge_is_recomputed_and_rounded_as_its_schedule_says(office: Office) -> None:
    """Of 4,201 rupees STT is 4.20, which is rounded to 4; GST is 18 percent of 20, so 3.60."""
    office.file("charges", *SCHEDULE)
    office.order(a_leg())
    office.note("NSE,AXISBANK,BUY,10,420.10,,20,4,0,0,0,3.60,4228.60")
    assert office.found() == []

    office.note("NSE,AXISBANK,BUY,10,420.10,,20,5,0,0,0,3.60,4229.60")
    assert office.found() == [("charge", "stt", "4", "5")]


def test_a_schedule_that_changes_is_asked_again(office: Office) -> None:
    """The note did not change; what it should say did, and the import of the schedule says so at once."""
    office.file("charges", *SCHEDULE)
    office.order(a_leg())
    office.note("NSE,AXISBANK,BUY,10,420.10,,20,4,0,0,0,3.60,4228.60")
    office.file("charges", SCHEDULE[0], "brokerage,kite,,,order,15,,,2026-01-01")

    assert [found[:2] for found in office.found()] == [("charge", "brokerage")]


def test_what_is_paid_is_the_gross_and_its_charges(office: Office) -> None:
    """Added to a purchase, taken off a sale; the note's sign says only which way the money went."""
    for number, (side, net, found) in enumerate(NETS):
        symbol = f"SHARE{number}"
        office.order(a_leg(symbol, transactionType=side), name=f"TRX_{number}")
        office.note(f"NSE,{symbol},{side},10,420.10,,20,4,0,0,0,0,{net}", number=f"CN{number}")
        asked = f"select ours || '/' || theirs from findings where transaction_id = 'TRX_{number}' and name = 'net'"
        assert office.one(f"select coalesce(({asked}), 'none')") == found


def test_a_note_is_taken_whole_or_not_at_all(office: Office) -> None:
    """A row that cannot be read would make the rest of its note look short."""
    office.order(a_leg())
    report = office.note(",AXISBANK,BUY,10,420.10,,,,,,,,", ",INFY,BUY,none,100,,,,,,,,")

    assert (report.rows, report.new, report.refused) == (2, 0, 2)
    assert office.one("select count(*) from notes") == 0


def test_a_tradebook_compares_fill_by_fill_and_misses_nothing(office: Office) -> None:
    """Three fills make the order; a tradebook is no contract note, so its absence is nobody's break."""
    order_id = str((leg := a_leg())["exchangeOrderId"])
    txn = office.order(leg)
    header = "trade_date,account,broker,exchange,symbol,side,quantity,price,exchange_order_id"
    rows = [f"{DAY},{ACCOUNT},{BROKER},NSE,AXISBANK,BUY,{fill},{order_id}" for fill in ("4,420", "4,420", "2,420.50")]
    report = office.file("tradebook", header, *rows)
    assert report.new == 3
    assert office.found() == []

    office.again(txn, later=timedelta(days=3))
    office.file("tradebook", header, *rows[:2])
    assert office.found() == [("note-diff", "quantity", "10", "8")]


def test_a_note_that_came_first_is_compared_when_the_answer_comes(office: Office) -> None:
    """And a second order of the same share makes the first one's judgement stale."""
    office.note(",AXISBANK,BUY,40,420.10,,,,,,,,")
    txn = office.order(a_leg())
    office.again(txn)
    assert office.found() == [("note-diff", "quantity", "10", "40")]

    other = office.order(a_leg(quantity=30, filledQuantity=30), name="TRX_2")
    assert office.one(f"select exists (select from unjudged where txn = {txn})") is True
    office.again(txn, other)
    assert office.found() == []


def test_looking_back_sees_the_note_and_the_prices_that_were_known_then(office: Office) -> None:
    """In the evening the note was short and nobody knew the day's prices; both were put right the day after."""
    order_id = str((leg := a_leg())["exchangeOrderId"])
    office.order(leg)
    office.note(f"NSE,AXISBANK,BUY,9,420.10,{order_id},,,,,,,")
    office.now = EVENING + timedelta(days=1)
    office.note(f"NSE,AXISBANK,BUY,10,420.10,{order_id},,,,,,,")
    office.file("prices", "exchange,symbol,date,low,high", f"NSE,AXISBANK,{DAY},410,420")
    assert [name for name, *_ in office.found()] == ["price-implausible"]

    asked = Asked(GATEWAY, DAY, EVENING, RULES, (GATEWAY,), read_statuses())
    with knowing(office.engine, asked) as (then, _scope):
        names = then.execute(text("select name from findings where class = 'break'")).scalars().all()
    assert names == ["note-diff"]
