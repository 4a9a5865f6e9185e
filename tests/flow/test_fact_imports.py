"""Positions, corporate actions and transfers: every saying a version, every bad row told with its fix."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from config.calendar import exchange_calendar
from config.settings import Gateway
from recon.values import Policy
from tieout.import_report import Report
from tieout.imports import import_file
from tieout.rules import Rules

NOW = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
RULES = Rules(Policy(), exchange_calendar())
GATEWAY = Gateway(name="demo", url="https://gateway.invalid", book="live", secrets=(), api_secrets=())
ACCOUNT = "5f0321b5f3743c31d95abd35"
HEAD = "account,broker,as_of,isin,symbol,quantity,average_price\n"


def brought(engine: Engine, folder: Path, kind: str, content: str, *, dry_run: bool = False) -> Report:
    """A file imported."""
    file = folder / f"{kind}.csv"
    file.write_text(content)
    return import_file(engine, kind=kind, file=file, gateways=[GATEWAY], now=NOW, rules=RULES, dry_run=dry_run)


def stored(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    """Rows of the database, numbers as text."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_positions_are_kept_by_version_and_said_again_change_nothing(engine: Engine, tmp_path: Path) -> None:
    """A corrected quantity is a second version; the first stays."""
    row = f"{ACCOUNT},kite,2026-01-13,INE009A01021,INFY,{{}},401.2\n"
    first = brought(engine, tmp_path, "positions", HEAD + row.format(100) + row.format("100.0"))
    assert (first.new, first.changed, first.repeated, first.refused) == (1, 0, 1, 0)
    assert brought(engine, tmp_path, "positions", HEAD + row.format(100)).unchanged == 1
    assert brought(engine, tmp_path, "positions", HEAD + row.format(90)).changed == 1
    found = stored(engine, "select version, quantity::int from positions order by version")
    assert found == [(1, 100), (2, 90)]


def test_a_bad_row_is_refused_with_all_that_is_wrong_and_the_others_are_taken(engine: Engine, tmp_path: Path) -> None:
    """Two problems of one row are both told; rows that contradict each other are both refused."""
    good = f"{ACCOUNT},kite,2026-01-13,INE009A01021,INFY,100,401.2\n"
    bad = f"{ACCOUNT},kite,13 Jan,INE00,INFY,100,\n"
    twice = f"{ACCOUNT},kite,2026-01-13,INE467B01029,TCS,5,\n{ACCOUNT},kite,2026-01-13,INE467B01029,TCS,6,\n"
    report = brought(engine, tmp_path, "positions", HEAD + good + bad + twice)
    assert (report.rows, report.new, report.refused) == (4, 1, 3)
    assert [(p.line, p.column) for p in report.problems] == [(3, "as_of"), (3, "isin"), (4, "isin"), (5, "isin")]


def test_a_dry_run_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    """It tells what would happen."""
    report = brought(engine, tmp_path, "positions", f"{HEAD}{ACCOUNT},,2026-01-13,INE009A01021,,1,\n", dry_run=True)
    assert (report.new, report.dry_run) == (1, True)
    assert stored(engine, "select * from positions") == []


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("split,INE237A01028,2026-01-14,,,0,5,,", "ratio_from"),
        ("split,INE237A01028,2026-01-14,,,1,5,,", "new_isin"),
        ("split,INE237A01028,2026-01-14,INE237A01028,,1,5,,", "new_isin"),
        ("bonus,INE237A01028,2026-01-14,,,1,1,,2026-01-10", "credited_by"),
        ("spilt,INE237A01028,2026-01-14,INE237A01036,,1,5,,", "kind"),
    ],
)
def test_an_action_that_cannot_be_is_refused(engine: Engine, tmp_path: Path, row: str, column: str) -> None:
    """The column at fault is named."""
    head = "kind,isin,ex_date,new_isin,temporary_isin,ratio_from,ratio_to,record_date,credited_by\n"
    report = brought(engine, tmp_path, "corporate-actions", head + row + "\n")
    assert [problem.column for problem in report.problems] == [column]


def test_actions_and_transfers_are_taken(engine: Engine, tmp_path: Path) -> None:
    """A split and a transfer, each a fact with its version."""
    head = "kind,isin,ex_date,new_isin,ratio_from,ratio_to\n"
    split = "Split,INE237A01028,2026-01-14,INE237A01036,1,5\nBuy-Back,INE009A01021,2026-01-14,,10,1\n"
    assert brought(engine, tmp_path, "corporate-actions", head + split).new == 2
    head = "reference,account,date,isin,direction,quantity\n"
    assert brought(engine, tmp_path, "transfers", f"{head}T1,{ACCOUNT},2026-01-14,INE009A01021,Out,5\n").new == 1
    assert stored(engine, "select direction, quantity::int, version from transfers") == [("out", 5, 1)]
