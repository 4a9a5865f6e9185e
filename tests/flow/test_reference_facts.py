"""Ticks, prices and charges: imported as versions, looked up by date, and what they change is judged anew."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from cli.main import tieout
from tests.answered import tied_out
from tests.builders import DAY, EVENING, NOON, a_leg, rules
from tieout.desk.reference import facts
from tieout.import_report import Report
from tieout.imports import import_file
from tieout.reconcile import reconcile

RULES = rules()
TICKS, PRICES = "exchange,symbol,isin,tick,from,to", "exchange,symbol,date,low,high,close"
CHARGES = "component,broker,exchange,side,basis,rate,unit,rounding,from,to"


class Imports:
    """Imports texts as files, an hour apart."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder, self.now = engine, folder, EVENING

    def __call__(self, kind: str, *lines: str) -> Report:
        """Import these lines, the first of which is the header."""
        file = self.folder / f"{kind}.csv"
        file.write_text("\n".join(lines) + "\n")
        self.now += timedelta(hours=1)
        return import_file(self.engine, kind=kind, file=file, gateways=[], now=self.now, rules=RULES)

    def one(self, sql: str) -> Any:
        """The single value of a query."""
        with self.engine.connect() as connection:
            return connection.execute(text(sql)).scalar_one()

    def names(self) -> list[str]:
        """The findings that are open."""
        with self.engine.connect() as connection:
            asked = text("select name from findings where closed_at is null order by name")
            return list(connection.execute(asked).scalars())


@pytest.fixture(name="imports")
def _imports(engine: Engine, tmp_path: Path) -> Imports:
    """Imports into this test's database."""
    return Imports(engine, tmp_path)


def counts(report: Report) -> tuple[int, int, int, int]:
    """New, changed, unchanged, refused."""
    return (report.new, report.changed, report.unchanged, report.refused)


def test_a_fact_told_otherwise_is_a_new_version_and_told_again_changes_nothing(imports: Imports) -> None:
    """Both versions stay, and only the newest counts."""
    assert counts(imports("ticks", TICKS, "NSE,TCS,,0.10,2025-04-15,")) == (1, 0, 0, 0)
    assert counts(imports("ticks", TICKS, "NSE,TCS,,0.10,2025-04-15,")) == (0, 0, 1, 0)
    assert counts(imports("ticks", TICKS, "NSE,TCS,,0.05,2025-04-15,")) == (0, 1, 0, 0)

    assert [fact["tick"] for fact in facts(imports.engine, "ticks", about="TCS")] == [Decimal("0.05")]
    versions = facts(imports.engine, "ticks", about="TCS", versions=True)
    assert [(fact["version"], fact["replaced_at"] is None) for fact in versions] == [(1, False), (2, True)]


def test_an_instrument_told_otherwise_keeps_what_it_was(imports: Imports) -> None:
    """The newest period counts; the replaced one is listed with its instant."""
    head = "exchange,symbol,isin,from,to"
    imports("instruments", head, "NSE,TCS,INE009A01021,2026-01-01,")
    imports("instruments", head, "NSE,TCS,INE467B01029,2026-01-01,")
    imports("instruments", head, "NSE,TCS,INE467B01029,2026-01-01,")

    assert [fact["isin"] for fact in facts(imports.engine, "instruments")] == ["INE467B01029"]
    versions = facts(imports.engine, "instruments", about="TCS", versions=True)
    assert [(fact["isin"], fact["replaced_at"] is None) for fact in versions] == [
        ("INE009A01021", False),
        ("INE467B01029", True),
    ]


def test_a_tick_is_what_was_assigned_for_the_day(imports: Imports) -> None:
    """A later assignment ends an earlier one from its own first day on; before the first nothing is known."""
    imports("ticks", TICKS, "NSE,TCS,,0.10,2025-04-15,", "NSE,TCS,,0.05,2026-12-01,")

    def known(day: date) -> list[object]:
        return [fact["tick"] for fact in facts(imports.engine, "ticks", day=day)]

    assert known(date(2025, 4, 14)) == []
    assert known(date(2026, 11, 20)) == [Decimal("0.1")]
    assert known(date(2026, 12, 1))[-1] == Decimal("0.05")


IMPOSSIBLE = (
    ("ticks", (TICKS, "NSE,,,0.10,2025-04-15,"), "symbol"),
    ("ticks", (TICKS, "NSE,TCS,,0,2025-04-15,"), "tick"),
    ("ticks", (TICKS, "NSE,TCS,,0.05,2025-04-15,2025-04-14"), "to"),
    ("prices", (PRICES, "NSE,TCS,2026-11-20,100,99,"), "high"),
    ("prices", (PRICES, "NSE,TCS,2026-11-20,100,101,102"), "close"),
    ("charges", (CHARGES, "stt,,,,turnover,-1,,,2026-01-01,"), "rate"),
    ("charges", (CHARGES, "tips,,,,turnover,1,,,2026-01-01,"), "component"),
)


def test_a_row_that_cannot_be_is_refused_with_its_column(imports: Imports) -> None:
    """The report names line, column and fix."""
    for kind, lines, column in IMPOSSIBLE:
        report = imports(kind, *lines)
        assert counts(report) == (0, 0, 0, 1)
        assert [(problem.line, problem.column) for problem in report.problems] == [(2, column)]


def test_rows_that_contradict_each_other_are_all_refused(imports: Imports) -> None:
    """The file does not say which is right."""
    report = imports(
        "ticks", TICKS, "NSE,TCS,,0.10,2025-04-15,", "NSE,TCS,,0.05,2025-04-15,", "NSE,INFY,,1,2025-04-15,"
    )

    assert counts(report) == (1, 0, 0, 2)


def test_a_price_beyond_the_day_is_found_when_the_day_becomes_known(imports: Imports) -> None:
    """The pair agreed and was judged; the import makes it stale, and put right it closes the break."""
    with imports.engine.begin() as connection:
        tied_out(connection, a_leg())
    imports("prices", PRICES, f"NSE,AXISBANK,{DAY},410,420,")
    assert imports.names() == ["price-implausible"]

    imports("prices", PRICES, f"NSE,AXISBANK,{DAY},410,421,")
    assert imports.names() == []


def test_one_share_off_the_grid_is_found_and_its_neighbours_are_left_alone(imports: Imports) -> None:
    """What the fact is not about keeps its rev."""
    with imports.engine.begin() as connection:
        txn = tied_out(connection, a_leg(quantity=1, filledQuantity=1, averagePrice=420.12))
        leg = a_leg("INFY", quantity=1, filledQuantity=1, averagePrice=420.12)
        other = tied_out(connection, leg, name="TRX_2")
    before = imports.one(f"select rev from transactions where txn = {other}")
    imports("ticks", TICKS, "NSE,AXISBANK,,0.05,2025-04-15,")

    assert imports.names() == ["price-implausible"]
    assert imports.one("select txn from findings where name = 'price-implausible'") == txn
    assert imports.one(f"select rev from transactions where txn = {other}") == before


def test_a_tick_stays_after_a_split_until_the_review(imports: Imports) -> None:
    """A share of 1,800 rupees, split on Friday, still moves by 10 paise at 360; December is another matter."""
    with imports.engine.begin() as connection:
        tied_out(connection, a_leg("SPLITCO", quantity=1, filledQuantity=1, averagePrice=360.05))
    imports("ticks", TICKS, "NSE,SPLITCO,,0.10,2025-04-15,", "NSE,SPLITCO,,0.05,2026-12-01,")
    assert imports.names() == ["price-implausible"]

    imports("ticks", TICKS, f"NSE,SPLITCO,,0.05,{DAY},")
    assert imports.names() == []


def test_the_prices_of_one_exchange_say_nothing_of_another(imports: Imports) -> None:
    """420.10 on the NSE cannot lie outside what the BSE traded."""
    with imports.engine.begin() as connection:
        tied_out(connection, a_leg())
    imports("prices", PRICES, f"BSE,AXISBANK,{DAY},410,420,")

    assert imports.names() == []


def test_the_one_statement_pairs_nothing_whose_price_cannot_be(imports: Imports) -> None:
    """Known before the answer or after it: two transactions judged at once, each by the rules."""
    imports("prices", PRICES, f"NSE,AXISBANK,{DAY},410,420,")
    with imports.engine.begin() as connection:
        txns = [tied_out(connection, a_leg()), tied_out(connection, a_leg(), name="TRX_2")]
        assert connection.execute(text("select bool_or(plain) from their_lines")).scalar_one() is False
        connection.execute(text("update transactions set rev = rev + 1"))
        outcome = reconcile(connection, txns=txns, now=NOON, rules=RULES)

    assert outcome.by_statement == 0
    assert imports.names() == ["price-implausible"] * 2


def test_a_line_becomes_one_for_the_rules_when_its_price_is_found_impossible(imports: Imports) -> None:
    """A quiet, plain pair is not left to the statement after the import."""
    with imports.engine.begin() as connection:
        txns = [tied_out(connection, a_leg()), tied_out(connection, a_leg(averagePrice=415.0), name="TRX_2")]
    imports("prices", PRICES, f"NSE,AXISBANK,{DAY},410,420,")
    with imports.engine.begin() as connection:
        connection.execute(text("update transactions set rev = rev + 1, quiet = true"))
        outcome = reconcile(connection, txns=txns, now=NOON, rules=RULES)

    assert outcome.by_statement == 1
    assert imports.names() == ["price-implausible"]


def test_charges_are_kept_by_whom_and_what_they_are_for(imports: Imports) -> None:
    """An empty broker, exchange or side is any; left out, a charge is rounded to the paisa, half up."""
    imports("charges", CHARGES, "stt,,,,turnover,0.1,1,half-up,2026-01-01,", "brokerage,KITE,,,order,20,,,2026-01-01,")

    told = {fact["component"]: fact for fact in facts(imports.engine, "charges")}
    assert told["brokerage"]["broker"] == "kite"
    assert (told["brokerage"]["unit"], told["brokerage"]["rounding"]) == (Decimal("0.01"), "half-up")
    assert json.loads(json.dumps(told["stt"]["rate"], default=str)) == "0.100000"


SHIPPED = {
    "charges-delivery.csv",
    "nse-corporate-actions-2026-01-14.csv",
    "nse-instruments-2026-01-14.csv",
    "nse-ticks-2025-04-15.csv",
}
SEEDS = Path(__file__).parents[2] / "config" / "reference"


def test_what_ships_can_be_imported(imports: Imports) -> None:
    """Every row is taken, check digits and all."""
    for kind, name, rows in (
        ("instruments", "nse-instruments-2026-01-14.csv", 13),
        ("corporate-actions", "nse-corporate-actions-2026-01-14.csv", 1),
        ("ticks", "nse-ticks-2025-04-15.csv", 11),
        ("charges", "charges-delivery.csv", 7),
    ):
        report = imports(kind, *(SEEDS / name).read_text().splitlines())
        assert (counts(report), report.notes) == ((rows, 0, 0, 0), ())
    assert {file.name for file in SEEDS.iterdir()} == SHIPPED


def test_the_commands_import_and_list(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tieout import ticks FILE`, then `tieout reference list ticks --date` and `show`, as JSON."""
    monkeypatch.setenv("TIEOUT_DATABASE_URL", imports.engine.url.render_as_string(hide_password=False))
    run, file = CliRunner(), str(SEEDS / "nse-ticks-2025-04-15.csv")
    assert run.invoke(tieout, ["import", "ticks", file]).exit_code == 0

    listed = run.invoke(tieout, ["reference", "list", "ticks", "--date", "2025-04-20", "--json"])
    shown = run.invoke(tieout, ["reference", "show", "ticks", "SBIN", "--json"])
    late = run.invoke(tieout, ["reference", "list", "ticks", "--date", "2026-04-20", "--json"])
    assert (listed.exit_code, len(listed.stdout.splitlines()), late.stdout) == (0, 11, "")
    assert json.loads(shown.stdout)["tick"] == "0.05"
