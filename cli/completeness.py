"""`tieout completeness`: how far all is known, what is open, and why."""

from __future__ import annotations

import click

from cli.context import NO_GATEWAY, clock, database, settings, wanted_gateways
from cli.show import FOUND, WRONG_CALL, in_ist, output_options, show_rows, stderr, stdout
from tieout.completeness import Completeness
from tieout.desk import completeness as desk
from tieout.rules import rules_from

EPILOG = """
\b
Examples:
  tieout completeness                 how far each gateway is complete, and what is open
  tieout completeness --json          one object a gateway, for machines
  tieout completeness --check         exit 1 unless every state is complete, holiday or no-trades
  tieout completeness --csv           what is open, as a table
"""
SHORT = 30
WELL = frozenset({"complete", "holiday", "no-trades"})


@click.command(epilog=EPILOG)
@click.option("--gateway", help="Only of this gateway.")
@click.option("--limit", type=click.IntRange(0), help="At most so many open transactions; machines get all without it.")
@click.option("--check", is_flag=True, help="Exit 1 if anything needs somebody.")
@output_options
def completeness(*, gateway: str | None, limit: int | None, check: bool, as_json: bool, as_csv: bool) -> None:
    """Show how far completeness is proven: a watermark, what is open before it, and why.

    Everything that was told as created before the watermark is at its end and fetched, or is listed.
    """
    own = settings()
    names = [found.name for found in wanted_gateways(gateway)]
    if not names:
        stderr().print(NO_GATEWAY)
        raise SystemExit(WRONG_CALL if check else 0)
    with database() as engine, engine.connect() as connection:
        calendar = rules_from(own).calendar
        found = desk.completeness(connection, names, now=clock().now(), calendar=calendar, silence=own.feed_silence)
    if as_csv:
        rows = (row for each in found for row in desk.open_rows(each)[:limit])
        show_rows(rows, columns=desk.OPEN_COLUMNS, as_csv=True, empty="Nothing is open.")
    elif as_json:
        show_rows((desk.as_json(each, limit=limit) for each in found), columns=(), as_json=True)
    else:
        for each in found:
            _tell(each, SHORT if limit is None else limit)
    if check and any(state.state not in WELL for each in found for state in each.states):
        raise SystemExit(FOUND)


def _tell(found: Completeness, limit: int) -> None:
    """One gateway in words, and the table of what is open."""
    out = stdout()
    mark = found.watermark
    until = f"complete until {in_ist(mark)}" if mark else "completeness is not proven"
    feed = found.feed
    out.print(f"{found.gateway}: {until}", markup=False)
    for state in found.states:
        out.print(f"  {state.state}: {state.says}. To do: {state.todo}.", markup=False)
    out.print(
        f"  {feed.known} known, {feed.found_by_webhook} ended by webhook, {feed.found_by_following} found by following,"
        f" {len(found.open)} not at their end, of these {found.holding} hold the watermark, {found.given_up} given up",
        markup=False,
    )
    show_rows(desk.open_rows(found)[:limit], columns=desk.SHORT_COLUMNS, empty=f"{found.gateway}: nothing is open.")
    if len(found.open) > limit:
        out.print(f"  The first {limit} of {len(found.open)}; all with --json, --csv or --limit.", markup=False)
