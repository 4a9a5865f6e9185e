"""`tieout import` as people and as machines read it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from cli import context
from cli.main import tieout

HEADER = "order_id,transaction_id,account,trade_date,exchange,symbol,side,quantity"
GOOD = "A,,acc,2026-11-20,NSE,TCS,BUY,10"
BAD = "B,,acc,20/11/2026,NSE,TCS,UP,10"


@pytest.fixture(autouse=True)
def _settings(database_url: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings that lead the command line to this test's servers."""
    named = {
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url,
        "GATEWAY_NAME": "acme",
        "GATEWAY_SECRETS": "a:b",
        "GATEWAY_API_SECRETS": "a:c",
    }
    for name, value in named.items():
        monkeypatch.setenv(f"TIEOUT_{name}", value)
    monkeypatch.chdir(tmp_path)
    context.settings.cache_clear()


def _import(kind: str, *lines: str, options: tuple[str, ...] = ()) -> Result:
    Path("books.csv").write_text("\n".join(lines) + "\n")
    return CliRunner().invoke(tieout, ["import", kind, "books.csv", *options])


def _count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select count(*) from our_lines")).scalar_one())


def test_an_import_without_fault_ends_with_zero(engine: Engine) -> None:
    """One line says what became of the rows."""
    result = _import("orders", HEADER, GOOD, options=("--complete", "2026-11-20"))

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("books.csv: 1 row: 1 new. 1 name no transaction and are excluded.")
    assert "books of 2026-11-20 are complete" in result.stdout
    assert _count(engine) == 1


def test_refused_rows_end_it_with_one(engine: Engine) -> None:
    """Every problem is a row with line, column, value and the fix; the good rows are stored."""
    result = _import("orders", HEADER, GOOD, BAD, options=("--csv",))

    assert result.exit_code == 1
    problems = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(p["line"], p["column"], p["value"]) for p in problems] == [
        ("3", "trade_date", "20/11/2026"),
        ("3", "side", "UP"),
    ]
    assert "2026-11-20 or 2026-20-11" in problems[0]["fix"]
    assert _count(engine) == 1


def test_a_report_for_machines_has_its_counts_first() -> None:
    """One JSON object of counts, then one a problem."""
    result = _import("orders", HEADER, GOOD, BAD, options=("--json",))

    report, *problems = [json.loads(line) for line in result.stdout.splitlines()]
    assert (report["rows"], report["new"], report["refused"], report["kind"]) == (2, 1, 1, "orders")
    assert [set(problem) for problem in problems] == [{"line", "column", "value", "problem", "fix"}] * 2


def test_a_dry_run_shows_and_writes_nothing(engine: Engine) -> None:
    """The same report, and an empty table."""
    result = _import("orders", HEADER, GOOD, options=("--dry-run",))

    assert result.exit_code == 0
    assert "1 new" in result.stdout
    assert "dry run" in result.stdout
    assert _count(engine) == 0


@pytest.mark.parametrize(
    ("kind", "lines", "options", "says"),
    [
        ("orders", ("order_id,quantity", "A,1"), (), "no column transaction_id"),
        ("orders", (HEADER, '"A'), (), "line 2"),
        ("orders", (HEADER,), ("--complete", "20/11/2026"), "--complete"),
        ("fills", (HEADER,), (), "No such command"),
        ("instruments", ("exchange",), (), "no column symbol"),
        ("transactions", ("account",), (), "no column transaction_id"),
    ],
)
def test_a_wrong_call_ends_with_two(kind: str, lines: tuple[str, ...], options: tuple[str, ...], says: str) -> None:
    """The reason is told once, without a traceback, and nothing goes to stdout."""
    result = _import(kind, *lines, options=options)

    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_without_a_gateway_orders_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the setting."""
    monkeypatch.setenv("TIEOUT_GATEWAY_NAME", "")

    result = _import("orders", HEADER, GOOD)

    assert result.exit_code == 2
    assert "TIEOUT_GATEWAY_NAME" in result.stderr


def test_own_status_words_are_read_from_the_named_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """TIEOUT_STATUSES_FILE maps them; a wrong file ends with two."""
    Path("words.toml").write_text('[statuses]\nDONE = "COMPLETE"\n')
    monkeypatch.setenv("TIEOUT_STATUSES_FILE", "words.toml")

    assert _import("orders", f"{HEADER},status", f"{GOOD},done").exit_code == 0
    Path("wrong.toml").write_text("[statuses")
    monkeypatch.setenv("TIEOUT_STATUSES_FILE", "wrong.toml")
    context.settings.cache_clear()
    result = _import("orders", f"{HEADER},status", f"{GOOD},done")
    assert result.exit_code == 2
    assert "wrong.toml" in result.stderr
