"""`tieout queue`: what waits, since when and why, who works, and what stands in the way."""

from __future__ import annotations

import click

from cli.context import broker, clock, database
from cli.show import FOUND, as_json, show_rows, stdout
from tieout.desk import queue_rows
from tieout.desk.broker import BrokerWatch
from tieout.desk.queue import QueueNow, queue_now
from tieout.desk.troubles import Trouble, troubles

EPILOG = """
\b
Examples:
  tieout queue            how the queue stands, and what is in its way
  tieout queue --json     the same as one object, for machines
  tieout queue --check    exit 1 if something is in its way or an event is parked
  watch -n 5 tieout queue
"""


@click.command(epilog=EPILOG)
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
@click.option("--check", is_flag=True, help="Exit 1 if something does not end by itself, or an event is parked.")
def queue(*, as_json_: bool, check: bool) -> None:
    """Show how the queue stands: open events, the oldest, parked ones by reason, who works.

    The same that the console's overview shows, for a terminal.
    """
    with database() as engine, broker() as url:
        now = queue_now(engine, BrokerWatch(url), now=clock().now())
    found = troubles(now)
    if as_json_:
        click.echo(as_json(queue_rows.as_object(now, found)))
    else:
        _tell(now, found)
    if check and (now.parked_count or any(not trouble.passes for trouble in found)):
        raise SystemExit(FOUND)


def _tell(now: QueueNow, found: tuple[Trouble, ...]) -> None:
    out = stdout()
    for trouble in found:
        out.print(f"{'' if trouble.passes else '! '}{trouble.says}. To do: {trouble.todo}.", markup=False)
    if not found:
        out.print("Nothing is in the way.")
    for line in queue_rows.lines(now):
        out.print(line, markup=False)
    if now.groups or now.parked:
        out.print()
        show_rows(queue_rows.reasons(now), columns=queue_rows.REASON_COLUMNS)
    out.print()
    show_rows(queue_rows.parts(now), columns=queue_rows.PART_COLUMNS, empty="Nothing has shown itself yet: tieout up")
