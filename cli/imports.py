"""`tieout import`: the company's files, with a report of every row that was not taken."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from books.problems import UnreadableFileError
from cli import context
from cli.show import FOUND, WRONG_CALL, Failure, output_options, show_rows, stderr, stdout
from config.settings import Settings
from config.statuses import BadStatusesError, read_statuses
from tieout.import_report import Report
from tieout.imports import WrongImportError, import_file
from tieout.rules import rules_from

QUIET_S = 2.0  #: a shorter import shows no progress
PROBLEM_COLUMNS = ("line", "column", "value", "problem", "fix")
_Command = Callable[..., object]


EPILOG = """
\b
Examples:
  tieout import orders orders.xlsx --dry-run             what would happen, nothing written
  tieout import orders orders.csv --complete 2026-11-20  and that day's books are all in
  tieout import transactions created.csv                 what you created, so that it is followed
  tieout import positions positions.csv
  tieout import instruments instruments.csv
  tieout import tradebook kite-trades.csv
  tieout import transfers transfers.csv
  tieout import corporate-actions actions.csv
  tieout import contract-notes notes.csv
  tieout import charges charges.csv
  tieout import prices closes.csv
  tieout import ticks ticks.csv --csv > refused.csv      the rows that were not taken, as a table
"""


@click.group(epilog=EPILOG)
def imports() -> None:
    """Import the company's own records from a CSV file or an Excel workbook.

    Good rows are taken; each other row is reported with line, column, value and the fix, and the
    command ends with 1. Importing a file again changes nothing. docs/importing.md has the columns.
    """


def _importing(command: _Command) -> _Command:
    """The options and the file that all kinds share."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    command = click.option("--dry-run", is_flag=True, help="Write nothing, show what would happen.")(command)
    return click.argument("file", type=file)(output_options(command))


@imports.command()
@_importing
@click.option("--complete", type=click.DateTime(["%Y-%m-%d"]), help="The books of that day are all in.")
def orders(*, file: Path, complete: datetime | None, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import order lines: order_id, transaction_id, account, trade_date, exchange, symbol, side, quantity."""
    complete_for = complete.date() if complete else None
    _import("orders", file, complete_for=complete_for, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command()
@_importing
def instruments(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import which ISIN a symbol stands for: exchange, symbol, isin, from, to, series, successor."""
    _import("instruments", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command()
@_importing
def transactions(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import the transactions you created: transaction_id, account, user, created_at, intent, requested ..."""
    _import("transactions", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command()
@_importing
def positions(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import what your books say is held: account, broker, as_of, isin, symbol, quantity, average_price."""
    _import("positions", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command("corporate-actions")
@_importing
def corporate_actions(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import splits, bonuses and the like: kind, isin, ex_date, ratio_from, ratio_to, new_isin ..."""
    _import("corporate-actions", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command()
@_importing
def transfers(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import off-market transfers: reference, account, date, isin, direction (in or out), quantity."""
    _import("transfers", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command()
@_importing
def ticks(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import price steps as the exchange assigned them: exchange, symbol or isin, tick, from, to."""
    _import("ticks", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command()
@_importing
def prices(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import what was traded on a day: exchange, symbol or isin, date, low, high, close."""
    _import("prices", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command()
@_importing
def charges(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import schedules of charges: component, basis, rate, broker, exchange, side, unit, rounding, from, to ..."""
    _import("charges", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command("contract-notes")
@_importing
def contract_notes(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import contract notes: note_id, trade_date, account, broker, side, quantity, price, charges, net_amount ..."""
    _import("contract-notes", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


@imports.command()
@_importing
def tradebook(*, file: Path, dry_run: bool, as_json: bool, as_csv: bool) -> None:
    """Import a broker's tradebook: trade_date, account, broker, side, quantity, price, exchange_order_id ..."""
    _import("tradebook", file, dry_run=dry_run, as_json=as_json, as_csv=as_csv)


def _import(
    kind: str, file: Path, *, dry_run: bool, as_json: bool, as_csv: bool, complete_for: date | None = None
) -> None:
    """Import, show the report, and end with 1 when rows were refused."""
    settings = context.settings()
    with context.database() as engine, _bar(f"importing {file.name}") as progress:
        try:
            report = import_file(
                engine,
                kind=kind,
                file=file,
                gateways=settings.gateways(),
                now=context.clock().now(),
                rules=rules_from(settings),
                complete_for=complete_for,
                dry_run=dry_run,
                statuses=statuses_of(settings),
                progress=progress,
            )
        except (UnreadableFileError, WrongImportError, BadStatusesError) as error:
            raise Failure(WRONG_CALL, str(error)) from None
    _show(report, as_json=as_json, as_csv=as_csv)
    if report.refused:
        sys.exit(FOUND)


def statuses_of(settings: Settings) -> Mapping[str, str]:
    """The company's status words with what they mean."""
    default = Settings.model_fields["statuses_file"].default
    return read_statuses() if settings.statuses_file == default else read_statuses(settings.statuses_file)


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, from the third second on."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=stderr(), transient=True)
    task, began = bar.add_task(what, total=None), time.monotonic()

    def show(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if not bar.live.is_started and time.monotonic() - began > QUIET_S:
            bar.start()

    try:
        yield show
    finally:
        bar.stop()


def _show(report: Report, *, as_json: bool, as_csv: bool) -> None:
    """The counts, then every problem; as JSON lines told apart by `kind`, as CSV the problems alone."""
    problems = [problem.as_row() for problem in report.problems]
    if as_json:
        show_rows([report.as_row(), *problems], columns=(), as_json=True)
        return
    if as_csv:
        show_rows(problems, columns=PROBLEM_COLUMNS, as_csv=True, empty="Every row was taken.")
        return
    if problems:
        show_rows(problems, columns=PROBLEM_COLUMNS)
    stdout().print(_in_words(report), markup=False)
    for note in report.notes:
        stderr().print(f"note: {note}", markup=False)


def _in_words(report: Report) -> str:
    counts = {
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "refused": report.refused,
        "repeated": report.repeated,
    }
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "none"
    excluded = f" {report.off_platform:,} name no transaction and are excluded." if report.off_platform else ""
    done = f" The books of {report.complete_for} are complete." if report.complete_for else ""
    dry = " Nothing was written: this was a dry run." if report.dry_run else ""
    return f"{report.file}: {report.rows:,} {'row' if report.rows == 1 else 'rows'}: {said}.{excluded}{done}{dry}"
