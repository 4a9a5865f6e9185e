"""`tieout reference`: the dated facts that verdicts rest on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import click

from cli.context import database
from cli.show import output_options, show_rows
from recon.lines import plain_text
from tieout.desk.reference import KINDS, facts

EPILOG = """
\b
Examples:
  tieout reference list ticks --date 2026-11-20      what counted on that day
  tieout reference show ticks INFY                   every version of what was said of one share
  tieout reference list charges --json
Facts come in with: tieout import instruments|ticks|prices|charges FILE
"""
_Kind = click.Choice(KINDS)


@click.group(epilog=EPILOG)
def reference() -> None:
    """Look up instruments, ticks, prices and charges by date."""


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


def _show(rows: list[dict[str, object]], *, as_json: bool, as_csv: bool) -> None:
    columns = list(rows[0]) if rows else []
    shown = [
        {name: plain_text(said) if isinstance(said, Decimal) else said for name, said in row.items()} for row in rows
    ]
    show_rows(shown, columns=columns, as_json=as_json, as_csv=as_csv, empty="Nothing is known: tieout import --help")
