"""What the simulated company exports is what the import takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from config.calendar import exchange_calendar
from config.settings import Gateway
from recon.values import Policy
from simulator.company import instruments_csv, orders_csv, orders_xlsx, transactions_csv
from simulator.day import Day
from simulator.plan import Plan, plan_day
from tieout.import_report import Report
from tieout.imports import import_file
from tieout.rules import Rules

DAY = Day(date(2026, 11, 18))
Importing = Callable[[str, str, bytes], Report]


@pytest.fixture(name="plan", scope="module")
def _plan() -> Plan:
    """A day with every plot in it."""
    return plan_day(DAY, seed=5, transactions=150, gateway="simulated")


@pytest.fixture(name="importing")
def _importing(engine: Engine, tmp_path: Path) -> Importing:
    """Imports bytes as a file into this test's database."""

    def run(kind: str, name: str, content: bytes) -> Report:
        (tmp_path / name).write_bytes(content)
        gateway = Gateway(name="simulated", url="", secrets=(), api_secrets=(), book="test")
        return import_file(
            engine,
            kind=kind,
            file=tmp_path / name,
            gateways=[gateway],
            now=DAY.evening.astimezone(UTC),
            rules=Rules(Policy(), exchange_calendar()),
            complete_for=DAY.trade_date if kind == "orders" else None,
        )

    return run


def _lines(engine: Engine) -> list[dict[str, Any]]:
    """Our lines by their meaning."""
    with engine.connect() as connection:
        rows = connection.execute(text("select * from our_lines order by order_id")).mappings()
        return [{k: v for k, v in row.items() if k not in {"line", "version"}} for row in rows]


def test_a_simulated_days_files_are_taken_whole(engine: Engine, importing: Importing, plan: Plan) -> None:
    """No row is refused, every line is stored, and each instrument has its ISIN."""
    instruments = importing("instruments", "instruments.csv", instruments_csv(DAY))
    registered = importing("transactions", "transactions.csv", transactions_csv(plan.registrations(DAY.evening)))
    orders = importing("orders", "orders.csv", orders_csv(plan.lines))

    for report in (instruments, registered, orders):
        assert (report.problems, report.notes, report.refused) == ((), (), 0)
        assert report.new == report.rows > 0
    lines = _lines(engine)
    assert len(lines) == len(plan.lines) == orders.rows
    assert all(line["instrument"].startswith("IN") for line in lines)


def test_the_workbook_says_what_the_csv_says(engine: Engine, importing: Importing, plan: Plan) -> None:
    """Importing it after the CSV changes nothing: numbers, dates and ids mean the same."""
    importing("orders", "orders.csv", orders_csv(plan.lines))
    before = _lines(engine)

    report = importing("orders", "orders.xlsx", orders_xlsx(plan.lines, DAY))

    assert (report.unchanged, report.refused) == (len(plan.lines), 0)
    assert _lines(engine) == before
