"""`tieout breaks`: what differs between your books and the Gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime

import click
from sqlalchemy import Connection, Engine

from cli.context import clock, database, settings, the_gateway
from cli.instants import Instant, looking_back
from cli.show import WRONG_CALL, Failure, output_options, show_rows, stderr
from recon.names import CLASS_OF
from store.desk_breaks import FindingFilter, Sort, Total
from tieout.desk import breaks as desk_breaks
from tieout.desk.rupees import grouped, rupees
from tieout.desk.severity import severity_as_of
from tieout.rules import rules_from

EPILOG = """
\b
Examples:
  tieout breaks                              open breaks, the largest impact first
  tieout breaks --date 2026-11-20 --json     those of one trade date, for machines
  tieout breaks --all --name open-order      with pending items and notes
  tieout breaks --date 2026-11-20 --as-of 2026-11-20T21:00   as they were known at 21:00 IST
"""
SHORT = 50
EMPTY = "Nothing differs in what was judged. Pending items and notes: --all. Your books: tieout import orders FILE"


@click.command(epilog=EPILOG)
@click.option("--all", "everything", is_flag=True, help="Pending items and notes too.")
@click.option("--date", "trade_date", type=click.DateTime(["%Y-%m-%d"]), help="Only of this trade date.")
@click.option("--name", type=click.Choice(list(CLASS_OF)), help="Only of this name.")
@click.option("--severity", type=click.Choice(desk_breaks.SEVERITIES), help="Only of this severity, as of now.")
@click.option("--transaction", "transaction_id", metavar="ID", help="Only of this transaction.")
@click.option("--gateway", help="Only of this gateway.")
@click.option("--sort", type=click.Choice(("impact", "age")), default="impact", show_default=True, help="Order.")
@click.option("--limit", type=click.IntRange(1), help="At most so many; machines get all without it.")
@click.option("--as-of", "instant", type=Instant(), metavar="INSTANT", help="As known then; needs --date.")
@output_options
def breaks(
    *,
    everything: bool,
    trade_date: datetime | None,
    name: str | None,
    severity: str | None,
    transaction_id: str | None,
    gateway: str | None,
    sort: Sort,
    limit: int | None,
    instant: datetime | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List what differs between your books and the Gateway."""
    for_people = not (as_json or as_csv)
    limit = SHORT if for_people and limit is None else limit
    wanted = FindingFilter(
        states=desk_breaks.STATES[:3] if everything else ("break",),
        gateway=gateway,
        trade_date=trade_date.date() if trade_date else None,
        name=name,
        transaction_id=transaction_id,
    )
    severity_of = severity_as_of(instant or clock().now(), rules_from(settings()).calendar)
    with database() as engine, _seen(engine, wanted, instant) as place:
        rows = desk_breaks.listing(
            place, wanted, severity_of=severity_of, severity=severity, sort=sort, limit=limit, for_people=for_people
        )
        short = desk_breaks.SHORT_COLUMNS if not everything else ("state", *desk_breaks.SHORT_COLUMNS)
        columns = short if for_people else desk_breaks.COLUMNS
        shown = show_rows(rows, columns=columns, as_json=as_json, as_csv=as_csv, empty=EMPTY)
        if for_people and shown and not severity:
            _print_total(desk_breaks.total(place, wanted))
    if for_people and shown == limit:
        stderr().print(
            f"The first {limit}; more with --limit, all with --json or --csv; one in full: tieout explain LINE"
        )


def _print_total(total: Total) -> None:
    stderr().print(f"{grouped(total.count)} in all, impact {rupees(total.impact_inr)} rupees")


class _Lent:
    """A connection that is lent again and again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def connect(self) -> nullcontext[Connection]:
        """The same one."""
        return nullcontext(self._connection)


@contextmanager
def _seen(engine: Engine, wanted: FindingFilter, instant: datetime | None) -> Iterator[Engine | _Lent]:
    """Where to read: what is, or what was known at the instant."""
    if instant is None:
        yield engine
        return
    if wanted.trade_date is None:
        raise Failure(WRONG_CALL, "name the trade date with --date: --as-of judges one day anew")
    name = the_gateway(wanted.gateway).name
    with looking_back(engine, gateway=name, trade_date=wanted.trade_date, instant=instant) as then:
        yield _Lent(then.connection)
