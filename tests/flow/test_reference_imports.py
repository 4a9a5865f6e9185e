"""Importing instruments and transactions into a real database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from config.calendar import exchange_calendar
from config.settings import Gateway
from recon.lines import facts_of_ours
from recon.values import OurLine, Policy
from store.instruments import read_master
from tieout.import_report import Report
from tieout.imports import import_file
from tieout.rules import Rules

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
LIVE = Gateway(name="acme", url="", secrets=(), api_secrets=())
T1, T2 = "TRX_" + "1" * 32, "TRX_" + "2" * 32
TCS, INFY, RELIANCE = "INE467B01029", "INE009A01021", "INE002A01018"
PERIODS = "exchange,symbol,isin,from,to"
REGISTERED = "transaction_id,gateway,account,created_at,expire_at,intent,requested"
ORDERS = "order_id,transaction_id,account,trade_date,exchange,symbol,side,quantity,isin"


class Importer:
    """Imports texts as files, an hour apart."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder, self.now = engine, folder, NOW

    def __call__(self, kind: str, *lines: str, **more: Any) -> Report:
        """Import these lines, the first of which is the header."""
        file = self.folder / f"{kind}.csv"
        file.write_text("\n".join(lines) + "\n")
        self.now += timedelta(hours=1)
        rules = Rules(Policy(), exchange_calendar())
        return import_file(self.engine, kind=kind, file=file, gateways=[LIVE], now=self.now, rules=rules, **more)

    def all(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(sql))]

    def run(self, sql: str) -> None:
        """Carry out a statement."""
        with self.engine.begin() as connection:
            connection.execute(text(sql))


@pytest.fixture(name="imports")
def _imports(engine: Engine, tmp_path: Path) -> Importer:
    """Imports into this test's database."""
    return Importer(engine, tmp_path)


def counts(report: Report) -> tuple[int, int, int, int]:
    """New, changed, unchanged, refused."""
    return (report.new, report.changed, report.unchanged, report.refused)


# ---------------------------------------------------------------- instruments


def test_a_symbol_means_what_it_meant_on_the_day(imports: Importer) -> None:
    """Periods include both their days; outside them the table does not know."""
    imports("instruments", PERIODS, f"NSE,TCS,{INFY},2026-01-01,2026-01-13", f"NSE,TCS,{TCS},2026-01-14,")

    with imports.engine.connect() as connection:
        master = read_master(connection, listings=[("NSE", "TCS")])
    days = (date(2025, 12, 31), date(2026, 1, 13), date(2026, 1, 14), date(2099, 1, 1))
    assert [master.isin_at("NSE", "TCS", day) for day in days] == [None, INFY, TCS, TCS]
    assert master.instrument_at("NSE", "TCS", days[0]) == "NSE:TCS"


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ((f"NSE,TCS,{TCS},2026-01-01,2026-06-30", f"NSE,TCS,{INFY},2026-06-30,"), ["line 3", "line 2"]),
        ((f"NSE,TCS,{TCS},2026-01-01,", f"NSE,TCS,{INFY},2026-06-30,2026-07-01"), ["line 3", "line 2"]),
        ((f"NSE,TCS,{TCS},2026-01-01,", f"NSE,TCS,{INFY},2026-01-01,"), ["line 3", "line 2"]),
        ((f"NSE,WIPRO,{TCS},2026-01-01,",), ["the stored table"]),
    ],
)
def test_overlapping_periods_are_refused(imports: Importer, rows: tuple[str, ...], where: list[str]) -> None:
    """Each row of the overlap is refused and names the other; other symbols are taken."""
    imports("instruments", PERIODS, f"NSE,WIPRO,{RELIANCE},2025-01-01,")

    report = imports("instruments", PERIODS, *rows, f"BSE,TCS,{TCS},2026-01-01,")

    assert counts(report) == (1, 0, 0, len(rows))
    assert [next(w for w in where if w in p.problem) for p in report.problems] == where
    assert all("the day before" in p.fix for p in report.problems)


def test_a_period_may_be_ended_and_followed_in_one_file(imports: Importer) -> None:
    """The row that begins on the same day replaces the stored one, so the next period fits."""
    imports("instruments", PERIODS, f"NSE,TCS,{INFY},2026-01-01,")
    rows = (f"NSE,TCS,{INFY},2026-01-01,2026-01-13", f"NSE,TCS,{TCS},2026-01-14,")

    assert counts(imports("instruments", PERIODS, *rows)) == (1, 1, 0, 0)
    assert counts(imports("instruments", PERIODS, *rows)) == (0, 0, 2, 0)


def test_a_wrong_instrument_is_refused_with_the_fix(imports: Importer) -> None:
    """All problems of the row at once: check digit, dates, an empty symbol."""
    report = imports("instruments", PERIODS, "NSE,,INE467B01028,2026-02-01,2026-01-01")

    assert {p.column for p in report.problems} == {"symbol", "isin", "to"}
    assert counts(report) == (0, 0, 0, 1)


def test_a_symbol_that_the_first_table_leaves_out_is_judged_anew(imports: Importer) -> None:
    """With the table there is something to be missing from: the rev of its transaction is raised."""
    imports("orders", ORDERS, f"A,{T1},acc,2026-11-20,NSE,TCS,BUY,10,")
    before = imports.all("select rev from transactions")

    imports("instruments", PERIODS, f"NSE,INFY,{INFY},2026-01-01,")

    assert imports.all("select rev from transactions")[0]["rev"] == before[0]["rev"] + 1


def test_new_instruments_rename_the_lines_they_concern(imports: Importer) -> None:
    """Instrument and facts are derived anew and only that transaction's rev is raised."""
    imports("instruments", PERIODS, f"NSE,INFY,{INFY},2026-01-01,")
    imports("orders", ORDERS, f"A,{T1},acc,2026-11-20,NSE,TCS,BUY,10,", f"B,{T2},acc,2026-11-20,NSE,INFY,BUY,10,")
    before = imports.all("select transaction_id, rev from transactions order by 1")

    imports("instruments", PERIODS, f"NSE,TCS,{TCS},2026-01-01,")

    after = imports.all("select transaction_id, rev from transactions order by 1")
    assert [a["rev"] - b["rev"] for a, b in zip(after, before, strict=True)] == [1, 0]
    lines = imports.all("select * from our_lines order by order_id")
    assert [line["instrument"] for line in lines] == [TCS, INFY]
    names = OurLine.__struct_fields__
    for line in lines:
        assert line["facts"] == facts_of_ours(OurLine(**{k: v for k, v in line.items() if k in names}))


def test_an_import_that_changes_no_instrument_raises_nothing(imports: Importer) -> None:
    """The same file again leaves every rev where it was."""
    imports("orders", ORDERS, f"A,{T1},acc,2026-11-20,NSE,TCS,BUY,10,")
    imports("instruments", PERIODS, f"NSE,TCS,{TCS},2026-01-01,")
    before = imports.all("select rev from transactions")

    imports("instruments", PERIODS, f"NSE,TCS,{TCS},2026-01-01,")

    assert imports.all("select rev from transactions") == before


def test_the_legs_of_the_gateway_are_judged_anew_too(imports: Importer) -> None:
    """A renamed leg of the other side raises the rev of its transaction."""
    imports("transactions", REGISTERED, f"{T1},,acc,,,,")
    imports.run(
        "insert into their_lines (txn, book, batch_id, placed, position, exchange, symbol, instrument, side, quantity,"
        " filled, status, trade_date, facts, plain) select txn, 'live', 'b', true, 0, 'NSE', 'TCS', 'NSE:TCS', 'BUY',"
        " 1, 1, 'COMPLETE', '2026-11-20', '', false from transactions"
    )
    (before,) = imports.all("select rev from transactions")

    imports("instruments", PERIODS, f"NSE,TCS,{TCS},2026-01-01,")

    (after,) = imports.all("select rev from transactions")
    assert after["rev"] > before["rev"]


def test_a_lines_own_isin_counts_where_the_table_knows_it(imports: Importer) -> None:
    """The table comes first; an ISIN the table does not know could be equal to nothing."""
    imports("instruments", PERIODS, f"NSE,TCS,{TCS},2026-01-01,")

    report = imports(
        "orders",
        ORDERS,
        f"A,,acc,2026-11-20,NSE,TCS,BUY,10,{INFY}",
        f"B,,acc,2026-11-20,NSE,TCSALIAS,BUY,10,{TCS}",
        f"C,,acc,2026-11-20,NSE,INFY,BUY,10,{INFY}",
    )

    lines = imports.all("select instrument from our_lines order by order_id")
    assert [line["instrument"] for line in lines] == [TCS, TCS, "NSE:INFY"]
    assert any("the table counts" in note for note in report.notes)


# ---------------------------------------------------------------- transactions


def test_a_registered_transaction_gets_a_row_and_is_followed(imports: Importer) -> None:
    """With its origin, its facts, its basket, and due to be asked for."""
    basket = '"{""type"":""SECURITIES"",""securities"":[{""ticker"":""TCS"",""quantity"":10,""type"":""BUY""}]}"'
    row = f"{T1},acme,acc1,2026-11-20T10:00:00+05:30,2026-11-21T10:00:00Z,TRANSACTION,{basket}"

    report = imports("transactions", REGISTERED, row)

    assert counts(report) == (1, 0, 0, 0)
    (stored,) = imports.all("select * from transactions")
    assert (stored["origin"], stored["account"], stored["intent"]) == ("import", "acc1", "TRANSACTION")
    assert stored["created_at"] == datetime(2026, 11, 20, 4, 30, tzinfo=UTC)
    assert stored["expire_at"] == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert stored["ask_at"] == imports.now
    assert stored["requested"] == [{"exchange": "NSE", "symbol": "TCS", "side": "BUY", "quantity": "10"}]


def test_registering_again_changes_nothing(imports: Importer) -> None:
    """The same file leaves the rev where it was."""
    rows = (f"{T1},,acc1,,2026-11-21T10:00:00Z,,", f"{T2},,,,,,")
    imports("transactions", REGISTERED, *rows)
    before = imports.all("select transaction_id, rev from transactions order by 1")

    assert counts(imports("transactions", REGISTERED, *rows)) == (0, 0, 2, 0)
    assert imports.all("select transaction_id, rev from transactions order by 1") == before


def test_a_registration_fills_what_is_missing_and_overwrites_nothing(imports: Importer) -> None:
    """What the Gateway said stays; what nobody said comes in; the origin stays, too."""
    imports("orders", ORDERS, f"A,{T1},acc,2026-11-20,NSE,TCS,BUY,10,")
    imports.run("update transactions set account = 'said', rev = rev + 1")

    report = imports("transactions", REGISTERED, f"{T1},,other,,2026-11-21T10:00:00Z,,")

    assert counts(report) == (0, 1, 0, 0)
    (stored,) = imports.all("select origin, account, expire_at from transactions")
    assert (stored["origin"], stored["account"]) == ("books", "said")
    assert stored["expire_at"] == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert any("left as they are" in note for note in report.notes)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("TRX_1,,,,,,", "transaction_id"),
        (",,,,,,", None),
        (f"{T1},other,,,,,", "gateway"),
        (f"{T1},,,20/11/2026,,,", "created_at"),
        (f"{T1},,,,,,{{", "requested"),
        (f'{T1},,,,,,"[1]"', "requested"),
        (f'{T1},,,,,,"[{{""ticker"":""TCS""}}]"', "requested"),
        (f"{T1},,,,,,{'[' * 9000}", "requested"),
    ],
)
def test_a_wrong_registration_is_refused_with_the_fix(imports: Importer, row: str, column: str | None) -> None:
    """The column is named; an empty row is none at all."""
    report = imports("transactions", REGISTERED, row, f"{T2},,,,,,")

    assert [p.column for p in report.problems] == ([column] if column else [])
    assert report.new == 1


def test_a_registration_that_contradicts_an_earlier_row_is_refused(imports: Importer) -> None:
    """Equal rows count once, another one of the same id is refused."""
    report = imports("transactions", REGISTERED, f"{T1},,a,,,,", f"{T1},,a,,,,", f"{T1},,b,,,,")

    assert (counts(report), report.repeated) == ((1, 0, 0, 1), 1)
    assert "line 2" in report.problems[0].problem


def test_a_dry_run_of_a_registration_writes_nothing(imports: Importer) -> None:
    """Nor does one of instruments."""
    imports("transactions", REGISTERED, f"{T1},,,,,,", dry_run=True)
    imports("instruments", PERIODS, f"NSE,TCS,{TCS},2026-01-01,", dry_run=True)

    assert (
        imports.all("select 1 from transactions union all select 1 from instruments union all select 1 from imports")
        == []
    )
