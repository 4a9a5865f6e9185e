"""`tieout lines`: every line behind a day's figures, bucket by bucket."""

from __future__ import annotations

from datetime import date
from itertools import islice

import click

from cli.context import clock, database, settings, the_gateway
from cli.day import TradeDate, tied_out
from cli.show import output_options, show_rows, stderr
from store.days import be_patient
from tieout.desk import lines as desk_lines
from tieout.desk.day import scope_of
from tieout.desk.rupees import grouped

EPILOG = """
\b
Examples:
  tieout lines 2026-11-20 --bucket excluded          the lines that are left out
  tieout lines 2026-11-20 --bucket matched --csv     every matched pair, both sides, for a spreadsheet
  tieout lines 2026-11-20 --json                     every line of the day, for machines
"""
SHORT = 50
EMPTY = "No line lies there. `tieout day DATE` shows which buckets that day has."


@click.command(epilog=EPILOG)
@click.argument("trade_date", metavar="DATE", type=TradeDate())
@click.option(
    "--bucket",
    type=click.Choice(desk_lines.BUCKETS),
    metavar="NAME",
    help="Only of this bucket, as `tieout day` names it.",
)
@click.option("--gateway", help="Which gateway, if you have several.")
@click.option("--limit", type=click.IntRange(1), help="At most so many; machines get all without it.")
@output_options
def lines(
    *, trade_date: date, bucket: str | None, gateway: str | None, limit: int | None, as_json: bool, as_csv: bool
) -> None:
    """List the lines that make up a day's figures, with both sides' values; judges first what is due."""
    for_people = not (as_json or as_csv)
    limit = SHORT if for_people and limit is None else limit
    name = the_gateway(gateway).name
    with database() as engine:
        day = tied_out(engine, settings(), name, trade_date, clock().now())
        with engine.connect() as connection:
            be_patient(connection)
            scope = scope_of(connection, gateway=name, trade_date=trade_date, book=day.book)
            told = desk_lines.as_short_row if for_people else desk_lines.as_row
            found = (told(each) for each in desk_lines.every(connection, scope, bucket=bucket))
            short = desk_lines.SHORT_COLUMNS if bucket else ("bucket", *desk_lines.SHORT_COLUMNS)
            columns = short if for_people else desk_lines.COLUMNS
            shown = show_rows(islice(found, limit), columns=columns, as_json=as_json, as_csv=as_csv, empty=EMPTY)
    if for_people and shown == limit:
        stderr().print(f"The first {grouped(shown)}; more with --limit, all with --json or --csv.")
