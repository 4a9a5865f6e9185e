"""`tieout export`: one trade date as a workbook that adds itself up."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from cli.context import clock, database, settings, the_gateway
from cli.day import TradeDate, tied_out
from cli.show import FOUND, WRONG_CALL, Failure, stderr
from store.days import be_patient
from tieout.desk.day import scope_of
from tieout.desk.rupees import grouped
from tieout.desk.severity import severity_as_of
from tieout.desk.workbook import Exported, TooManyLinesError, write
from tieout.rules import rules_from

EPILOG = """
\b
Examples:
  tieout export 2026-11-20                        writes tieout-2026-11-20.xlsx here
  tieout export 2026-11-20 --to /reports/20.xlsx  writes it there
  tieout lines 2026-11-20 --csv                   the lines alone; tieout breaks --date 2026-11-20 --csv the findings
The workbook has the day, every line with both sides, every finding, and the rows that were refused.
Its buckets are formulas over the lines: whoever opens it can follow every figure.
Exit status: 0 written and the day ties out, 1 written and something is unaccounted for.
"""


@click.command(epilog=EPILOG)
@click.argument("trade_date", metavar="DATE", type=TradeDate())
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="The file to write; it must end in .xlsx.")
@click.option("--gateway", help="Which gateway, if you have several.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def export(*, trade_date: date, to: Path | None, gateway: str | None, force: bool) -> None:
    """Write a trade date to a workbook; judges first what is due."""
    file = to or Path(f"tieout-{trade_date}.xlsx")
    _check(file, force=force)
    name, now, rules = the_gateway(gateway).name, clock().now(), rules_from(settings())
    with database() as engine:
        day = tied_out(engine, settings(), name, trade_date, now)
        with engine.connect() as connection, stderr().status(f"writing {file}") as status:
            be_patient(connection)
            try:
                written = write(
                    file,
                    connection,
                    day,
                    scope=scope_of(connection, gateway=name, trade_date=trade_date, book=day.book),
                    severity_of=severity_as_of(now, rules.calendar),
                    each=lambda lines: status.update(f"writing {file}: {grouped(lines)} lines"),
                )
            except TooManyLinesError as error:
                raise Failure(WRONG_CALL, str(error)) from None
    click.echo(_said(file, written))
    if not day.ties_out:
        raise SystemExit(FOUND)


def _check(file: Path, *, force: bool) -> None:
    if file.suffix.lower() != ".xlsx":
        raise Failure(WRONG_CALL, f"{file} is no workbook: end its name in .xlsx, or take `tieout lines DATE --csv`")
    if not file.parent.is_dir():
        raise Failure(WRONG_CALL, f"there is no folder {file.parent}: make it, or name another with --to")
    if file.exists() and not force:
        raise Failure(WRONG_CALL, f"{file} is there already: name another with --to, or replace it with --force")


def _said(file: Path, written: Exported) -> str:
    lines, findings, refused = (grouped(count) for count in (written.lines, written.findings, written.refused))
    return f"wrote {file}: {lines} lines, {findings} findings, {refused} refused rows"
