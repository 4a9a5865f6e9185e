"""`tieout reference`: the dated facts that verdicts rest on, and the exchange's days."""

from __future__ import annotations

import sys
from datetime import datetime, time
from decimal import Decimal

import click

from cli.context import clock, database
from cli.show import FOUND, WRONG_CALL, Failure, output_options, show_rows
from config.calendar import IST, BadSessionsError
from recon.lines import plain_text
from tieout.desk.reference import KINDS, facts
from tieout.desk.sessions import sessions as sessions_of

EPILOG = """
\b
Examples:
  tieout reference list ticks --date 2026-11-20      what counted on that day
  tieout reference show ticks INFY                   every version of what was said of one share
  tieout reference list charges --json
  tieout reference sessions 2026                     holidays and special sessions, held against what was traded
Facts come in with: tieout import instruments|ticks|prices|charges|corporate-actions FILE
"""
SESSIONS_EPILOG = """
\b
Examples:
  tieout reference sessions            this year
  tieout reference sessions 2027       which dates of next year the list only estimates
Days that came by circular are told in config/sessions.toml.
Exit status: 0 nothing contradicts, 1 something was traded on a day that counts as closed.
"""
_Kind = click.Choice(KINDS)


@click.group(epilog=EPILOG)
def reference() -> None:
    """Look up instruments, ticks, prices, charges, corporate actions and sessions by date."""


@reference.command("list")
@click.argument("kind", type=_Kind)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Only what counts on that trade date.")
@output_options
def list_(*, kind: str, day: datetime | None, as_json: bool, as_csv: bool) -> None:
    """List the facts of a kind."""
    with database() as engine:
        _show(facts(engine, kind, day=day.date() if day else None), as_json=as_json, as_csv=as_csv)


@reference.command()
@click.argument("kind", type=_Kind)
@click.argument("about")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Only what counts on that trade date.")
@output_options
def show(*, kind: str, about: str, day: datetime | None, as_json: bool, as_csv: bool) -> None:
    """Show what was said of one symbol, ISIN, component or broker, with the versions that were replaced."""
    with database() as engine:
        found = facts(engine, kind, day=day.date() if day else None, about=about, versions=True)
    _show(found, as_json=as_json, as_csv=as_csv)


@reference.command(epilog=SESSIONS_EPILOG)
@click.argument("year", type=click.IntRange(2001, 2100), required=False)
@output_options
def sessions(*, year: int | None, as_json: bool, as_csv: bool) -> None:
    """List a year's holidays and special sessions, held against the list and against what was traded."""
    wanted = year or clock().now().astimezone(IST).year
    try:
        with database() as engine:
            rows = sessions_of(engine, wanted)
    except BadSessionsError as error:
        raise Failure(WRONG_CALL, str(error)) from None
    columns = ("day", "kind", "why", "told_by", "opens", "closes", "doubt")
    shown = [{name: str(said) if isinstance(said, time) else said for name, said in row.items()} for row in rows]
    show_rows(shown, columns=columns, as_json=as_json, as_csv=as_csv, empty=f"No day of {wanted} is unlike the others.")
    if any(row["contradicted"] for row in rows):
        sys.exit(FOUND)


def _show(rows: list[dict[str, object]], *, as_json: bool, as_csv: bool) -> None:
    columns = list(rows[0]) if rows else []
    shown = [
        {name: plain_text(said) if isinstance(said, Decimal) else said for name, said in row.items()} for row in rows
    ]
    show_rows(shown, columns=columns, as_json=as_json, as_csv=as_csv, empty="Nothing is known: tieout import --help")
