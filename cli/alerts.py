"""`tieout alerts`: what a person should know of."""

from __future__ import annotations

import click

from cli.context import database
from cli.show import output_options, show_rows, stderr
from tieout.desk import alerts as desk_alerts
from tieout.desk.reasons import reasons

EPILOG = """
\b
Examples:
  tieout alerts                        the newest, with what to do about each
  tieout alerts --name breaker-open    only of this name
  tieout alerts --json                 all of them, one JSON object a line
"""
SHORT = 20  #: rows for people when no limit is given
EMPTY = "None. Alerted is what needs a person: a gateway that stops, an event that nothing can be asked for."


@click.command(epilog=EPILOG)
@click.option("--name", help="Only of this name, such as breaker-open.")
@click.option("--gateway", help="Only of this gateway.")
@click.option("--limit", type=click.IntRange(1), help="At most so many; machines get all without it.")
@output_options
def alerts(*, name: str | None, gateway: str | None, limit: int | None, as_json: bool, as_csv: bool) -> None:
    """List what a person should know of, newest first."""
    for_people = not (as_json or as_csv)
    limit = SHORT if for_people and limit is None else limit
    told: set[str] = set()
    with database() as engine:
        rows = list(desk_alerts.listing(engine, name=name, gateway=gateway, limit=limit))
        columns = desk_alerts.SHORT_COLUMNS if for_people else desk_alerts.COLUMNS
        show_rows(rows, columns=columns, as_json=as_json, as_csv=as_csv, empty=_empty(name))
    for row in rows if for_people else ():
        if row["to_do"] and row["name"] not in told:
            told.add(str(row["name"]))
            stderr().print(f"{row['name']}: {row['means']}. To do: {row['to_do']}", markup=False)
    if for_people and len(rows) == limit:
        stderr().print(f"The newest {limit}; more with --limit, all with --json or --csv.")


def _empty(name: str | None) -> str:
    known = reasons("alert")
    if name is None or not known or name in known:
        return EMPTY
    return f"No alert is called {name}; there are {', '.join(sorted(known))}."
