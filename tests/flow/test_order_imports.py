"""Importing order lines into a real database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from books.problems import UnreadableFileError
from config.calendar import exchange_calendar
from config.settings import Gateway
from recon.values import Policy
from tieout.import_report import Report
from tieout.imports import WrongImportError, import_file
from tieout.rules import Rules

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
COLUMNS = (
    "order_id,transaction_id,account,trade_date,exchange,symbol,side,quantity,"
    "exchange_order_id,isin,filled_quantity,average_price,status"
)
T1, T2 = "TRX_" + "1" * 32, "TRX_" + "2" * 32
LIVE = Gateway(name="acme", url="", secrets=(), api_secrets=())


def a_row(order: str, transaction: str = T1, **but: str) -> str:
    """A good row of `COLUMNS`, with some cells changed."""
    cells = {
        "order_id": order,
        "transaction_id": transaction,
        "account": "acc1",
        "trade_date": "2026-11-20",
        "exchange": "NSE",
        "symbol": "TCS",
        "side": "BUY",
        "quantity": "10",
        "exchange_order_id": "1100",
        "isin": "",
        "filled_quantity": "10",
        "average_price": "3500.05",
        "status": "COMPLETE",
    } | but
    return ",".join(cells[name] for name in COLUMNS.split(","))


class Importer:
    """Imports texts as files, an hour apart."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder, self.now = engine, folder, NOW
        self.gateways: tuple[Gateway, ...] = (LIVE,)

    def __call__(self, *rows: str, name: str = "orders.csv", kind: str = "orders", **more: Any) -> Report:
        """Import these rows below the header of orders."""
        file = self.folder / name
        file.write_text("\n".join(([COLUMNS] if kind == "orders" else []) + list(rows)) + "\n")
        self.now += timedelta(hours=1)
        rules = Rules(Policy(), exchange_calendar())
        return import_file(self.engine, kind=kind, file=file, gateways=self.gateways, now=self.now, rules=rules, **more)

    def all(self, sql: str, **named: object) -> list[dict[str, Any]]:
        """The rows of a query."""
        with self.engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(text(sql), named)]

    def one(self, sql: str, **named: object) -> Any:
        """The only value of a query."""
        (row,) = self.all(sql, **named)
        (value,) = row.values()
        return value

    def rev(self, transaction: str = T1) -> int:
        """The rev of a transaction."""
        return int(self.one("select rev from transactions where transaction_id = :t", t=transaction))


@pytest.fixture(name="imports")
def _imports(engine: Engine, tmp_path: Path) -> Importer:
    """Imports into this test's database."""
    return Importer(engine, tmp_path)


def counts(report: Report) -> Mapping[str, int]:
    """The counts that are not zero."""
    names = ("rows", "new", "changed", "unchanged", "refused", "repeated", "off_platform")
    return {name: count for name in names if (count := getattr(report, name))}


def test_good_rows_are_kept_and_bad_ones_reported(imports: Importer) -> None:
    """Two rows come in, the third is refused with line, column, value and the fix for each problem."""
    report = imports(a_row("A"), a_row("B", T2), a_row("C", quantity="ten", side="up"))

    assert counts(report) == {"rows": 3, "new": 2, "refused": 1}
    assert [(p.line, p.column, p.value) for p in report.problems] == [(4, "side", "up"), (4, "quantity", "ten")]
    assert all(p.fix for p in report.problems)
    assert imports.all("select order_id, quantity::text, filled::text, average_price::text from our_lines") == [
        {"order_id": "A", "quantity": "10.000000", "filled": "10.000000", "average_price": "3500.050000"},
        {"order_id": "B", "quantity": "10.000000", "filled": "10.000000", "average_price": "3500.050000"},
    ]
    assert imports.all("select rows, new, changed, unchanged, refused from imports") == [
        {"rows": 3, "new": 2, "changed": 0, "unchanged": 0, "refused": 1}
    ]


def test_a_transaction_named_by_the_books_is_followed(imports: Importer) -> None:
    """It gets a row of origin `books`, in the gateway's book, and is to be asked for at once."""
    imports(a_row("A"))

    assert imports.all("select gateway, book, origin, ask_at from transactions") == [
        {"gateway": "acme", "book": "live", "origin": "books", "ask_at": imports.now}
    ]


def test_importing_a_file_again_changes_nothing(imports: Importer) -> None:
    """No line, version, refused row or rev moves; only the import itself is written down."""
    rows = [a_row("A"), a_row("B", ""), a_row("C", quantity="ten"), a_row("C", T2, quantity="0")]
    imports(*rows)
    tables = ("our_lines", "line_versions", "refused_rows", "transactions", "verdicts")
    stood = {t: imports.all(f"select * from {t} order by 1, 2") for t in tables}

    report = imports(*rows)

    assert counts(report) == {"rows": 4, "unchanged": 2, "refused": 2}
    for table in tables:
        assert imports.all(f"select * from {table} order by 1, 2") == stood[table], table
    assert imports.one("select count(*) from imports") == 2


def test_the_same_meaning_written_otherwise_is_no_change(imports: Importer) -> None:
    """Digits, case and grouping do not make a new version."""
    imports(a_row("A", quantity="1234", filled_quantity="1234"))

    report = imports(a_row("A", quantity='"1,234.00"', filled_quantity="1234.0", side="b", status="filled"))

    assert counts(report) == {"rows": 1, "unchanged": 1}


def test_a_changed_row_is_a_new_version(imports: Importer) -> None:
    """The current line changes, both versions stay with their raw cells, and the rev is raised."""
    imports(a_row("A"))
    before = imports.rev()

    report = imports(a_row("A", average_price="3500.10"), name="later.csv")

    assert counts(report) == {"rows": 1, "changed": 1}
    assert imports.one("select average_price::text || ' v' || version from our_lines") == "3500.100000 v2"
    raws = imports.all("select version, raw->>'average_price' as price from line_versions order by version")
    assert raws == [{"version": 1, "price": "3500.05"}, {"version": 2, "price": "3500.10"}]
    assert imports.rev() == before + 1


def test_going_back_is_a_version_too(imports: Importer) -> None:
    """A, then B, then A again: three versions."""
    imports(a_row("A"))
    imports(a_row("A", quantity="11"))
    imports(a_row("A"))

    assert imports.one("select count(*) from line_versions") == 3


def test_an_order_that_moves_changes_both_transactions(imports: Importer) -> None:
    """The rev of the one it leaves and of the one it joins is raised."""
    imports(a_row("A", T1), a_row("B", T2))
    before = imports.rev(T1), imports.rev(T2)

    imports(a_row("A", T2), a_row("B", T2))

    assert (imports.rev(T1), imports.rev(T2)) == (before[0] + 1, before[1] + 1)
    assert (
        imports.one(
            "select count(*) from our_lines o join transactions t using (txn) where t.transaction_id = :t", t=T2
        )
        == 2
    )


def test_an_order_without_transaction_is_excluded(imports: Importer) -> None:
    """It is kept, in the bucket `excluded`; when it gets a transaction that ends."""
    report = imports(a_row("A", ""))

    assert report.off_platform == 1
    assert imports.all("select bucket, rule, txn from verdicts") == [
        {"bucket": "excluded", "rule": "off-platform", "txn": None}
    ]
    imports(a_row("A", T1))
    assert imports.one("select count(*) from verdicts where bucket = 'excluded'") == 0


def test_a_repeated_row_counts_once(imports: Importer) -> None:
    """Two equal rows are one order; the report says so."""
    report = imports(a_row("A"), a_row("A", side="buy"))

    assert counts(report) == {"rows": 2, "new": 1, "repeated": 1}
    assert imports.one("select rows from imports") == 1


def test_rows_that_contradict_each_other_are_all_refused(imports: Importer) -> None:
    """Neither counts; each names the lines of the others."""
    report = imports(a_row("A"), a_row("A", quantity="11"), a_row("B", T2))

    assert counts(report) == {"rows": 3, "new": 1, "refused": 2}
    assert [(p.line, p.column) for p in report.problems] == [(2, "order_id"), (3, "order_id")]
    assert "line 3" in report.problems[0].problem
    assert imports.one("select count(*) from refused_rows") == 2


def test_a_dry_run_writes_nothing(imports: Importer) -> None:
    """It reports what the import would, and every table stays empty."""
    report = imports(a_row("A"), a_row("B", quantity=""), dry_run=True)

    assert report.dry_run
    assert counts(report) == {"rows": 2, "new": 1, "refused": 1}
    for table in ("imports", "our_lines", "line_versions", "refused_rows", "transactions"):
        assert imports.one(f"select count(*) from {table}") == 0


def test_a_refused_row_lies_on_its_own_date_or_the_files(imports: Importer) -> None:
    """Its own date counts; without one the only date of the file does."""
    imports(a_row("A", trade_date="2026-11-19"), a_row("B", trade_date=""))
    imports(a_row("C", trade_date="2026-11-18", quantity="x"), name="other.csv")
    imports(a_row("D", trade_date=""), name="none.csv", complete_for=date(2026, 11, 17))
    imports(a_row("E", trade_date=""), name="today.csv")

    days = {row["order_id"]: row["trade_date"].day for row in imports.all("select * from refused_rows")}
    assert days == {"B": 19, "C": 18, "D": 17, "E": 20}


def test_a_corrected_file_replaces_what_was_refused(imports: Importer) -> None:
    """The refused row of the same file, and of an order accepted from any file, counts no more."""
    imports(a_row("A", quantity="x"))
    imports(a_row("B", T2, quantity="x"), name="other.csv")
    imports(a_row("B", T2), a_row("A"), name="third.csv")

    assert imports.one("select count(*) from refused_rows where replaced_by is null") == 0
    imports(a_row("C", quantity="x"))
    imports(a_row("D", quantity="x"))
    assert imports.all("select order_id from refused_rows where replaced_by is null") == [{"order_id": "D"}]


def test_the_same_refused_row_is_not_doubled(imports: Importer) -> None:
    """From another file, too, it is the one row it was."""
    imports(a_row("A", quantity="x"))
    imports(a_row("A", quantity="x"), name="other.csv")

    assert imports.one("select count(*) from refused_rows") == 1


def test_a_refused_row_is_known_again_in_another_file(imports: Importer) -> None:
    """Also when that file has its columns in another order."""
    imports(a_row("A", quantity="x"))
    file = imports.folder / "other.csv"
    names, cells = COLUMNS.split(","), a_row("A", quantity="x").split(",")
    file.write_text("\n".join(",".join(reversed(line)) for line in (names, cells)) + "\n")
    rules = Rules(Policy(), exchange_calendar())

    report = import_file(imports.engine, kind="orders", file=file, gateways=[LIVE], now=NOW, rules=rules)

    assert report.refused == 1
    assert imports.one("select count(*) from refused_rows") == 1


def test_all_rows_of_a_day_are_accounted_for(imports: Importer) -> None:
    """Rows of the import = lines stored + refused rows kept."""
    report = imports(*[a_row(f"O{i}", T1 if i % 2 else "", quantity="0" if i % 5 == 0 else "1") for i in range(100)])

    stored = imports.one("select count(*) from our_lines")
    kept = imports.one("select count(*) from refused_rows")
    assert (report.rows, stored, kept) == (100, 80, 20)
    assert report.new + report.refused == report.rows


def test_declaring_a_day_complete_is_remembered(imports: Importer) -> None:
    """A file without any row may say that a day had none."""
    report = imports(complete_for=date(2026, 11, 20))

    assert counts(report) == {}
    assert imports.one("select complete_for from imports") == date(2026, 11, 20)


def test_several_gateways_must_be_named(imports: Importer) -> None:
    """An empty gateway is refused with the names of all."""
    imports.gateways = (LIVE, Gateway(name="beta", url="", secrets=(), api_secrets=(), book="test"))

    report = imports(a_row("A"))

    assert report.refused == 1
    assert "acme, beta" in report.problems[0].fix


def test_the_raw_cells_survive_what_a_database_cannot_hold(imports: Importer) -> None:
    """A NUL in a cell refuses that row only, and is spelt out where it is kept."""
    report = imports(a_row("A"), a_row("B\0", T2))

    assert counts(report) == {"rows": 2, "new": 1, "refused": 1}
    assert imports.one("select raw->>'order_id' from refused_rows") == "B\\x00"


def test_a_file_that_breaks_off_leaves_nothing(imports: Importer) -> None:
    """A quotation mark that never closes is an error of the file, and no row of it is stored."""
    with pytest.raises(UnreadableFileError, match="line 3"):
        imports(a_row("A"), a_row("B", account='"open'))

    assert imports.one("select count(*) from our_lines") == 0
    assert imports.one("select count(*) from imports") == 0


def test_only_orders_can_be_complete(imports: Importer) -> None:
    """--complete with another kind is a wrong call."""
    with pytest.raises(WrongImportError, match="--complete"):
        imports("transaction_id", kind="transactions", complete_for=date(2026, 11, 20))


def test_problems_are_kept_as_they_were_reported(imports: Importer) -> None:
    """The stored refusal names column, value, problem and fix."""
    imports(a_row("A", status="MAYBE"))

    (problem,) = json.loads(json.dumps(imports.one("select problems from refused_rows")))
    assert (problem["column"], problem["value"]) == ("status", "MAYBE")
    assert "config/statuses.toml" in problem["fix"]


def test_two_imports_at_once_follow_one_another(imports: Importer) -> None:
    """Of two people who import the same file, one brings the rows in and the other finds them there."""
    rows = [a_row(f"O{i}", f"TRX_{i:032x}") for i in range(300)]
    imports(name="first.csv")
    file = imports.folder / "orders.csv"
    file.write_text("\n".join([COLUMNS, *rows]) + "\n")

    def run(_: int) -> Report:
        rules = Rules(Policy(), exchange_calendar())
        return import_file(imports.engine, kind="orders", file=file, gateways=[LIVE], now=NOW, rules=rules)

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(run, range(2)))

    assert sorted((report.new, report.unchanged) for report in reports) == [(0, 300), (300, 0)]
    assert imports.one("select count(*) from line_versions") == 300


def test_a_day_declared_complete_touches_what_traded_on_it_once(imports: Importer) -> None:
    """The transactions with legs of that day are judged anew, the first time only."""
    imports(a_row("A", T1), a_row("B", T2))
    with imports.engine.begin() as connection:
        connection.execute(
            text(
                "insert into their_lines (txn, book, batch_id, placed, position, exchange, symbol, instrument, side,"
                " quantity, filled, status, trade_date, facts, plain) select txn, 'live', 'b', true, 0, 'NSE', 'TCS',"
                " 'NSE:TCS', 'BUY', 1, 1, 'COMPLETE', '2026-11-20', '', false from transactions"
                " where transaction_id = :t"
            ),
            {"t": T1},
        )
    before = imports.rev(T1), imports.rev(T2)

    for _ in range(2):
        imports(name="nothing.csv", complete_for=date(2026, 11, 20))

    assert imports.rev(T2) == before[1]
    assert imports.rev(T1) in {before[0] + 1, before[0] + 2}


def test_a_large_file_is_reported_as_it_is_read(imports: Importer) -> None:
    """Progress names bytes read of all bytes and ends at the end."""
    told: list[tuple[int, int]] = []

    imports(*[a_row(f"O{i}", "") for i in range(5000)], progress=lambda done, total: told.append((done, total)))

    size = (imports.folder / "orders.csv").stat().st_size
    assert [total for _, total in told] == [size] * 3
    assert told == sorted(told)
    assert told[-1][0] == size
