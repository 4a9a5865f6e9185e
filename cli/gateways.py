"""`tieout gateways`: each gateway of this service, its keys and limits, and how it stands."""

from __future__ import annotations

import click

from cli.context import NO_GATEWAY, broker, clock, database, settings, wanted_gateways
from cli.show import in_ist, output_options, show_rows, stdout
from gateway.rate import Limiter
from tieout.desk import gateways as desk
from tieout.desk.completeness import completeness
from tieout.desk.gateways import GatewayNow
from tieout.rules import rules_from

EPILOG = """
\b
Examples:
  tieout gateways                  each gateway: address, keys, limit, breaker, how far it is complete
  tieout gateways --gateway acme   only that one
  tieout gateways --json           one object a gateway, for machines
"""


@click.command(epilog=EPILOG)
@click.option("--gateway", "name", help="Only this gateway.")
@output_options
def gateways(*, name: str | None, as_json: bool, as_csv: bool) -> None:
    """Show each gateway: where it is, its keys by fingerprint, whether calls go out, how far it is complete.

    No secret is shown. `tieout doctor --gateway` asks each API whether it takes the keys.
    """
    rows = _rows(name)
    if as_json or as_csv:
        told = (desk.as_row(row) for row in rows)
        show_rows(told, columns=desk.COLUMNS, as_json=as_json, as_csv=as_csv, empty=NO_GATEWAY)
        return
    for row in rows:
        _tell(row)
    if not rows:
        show_rows((), columns=desk.COLUMNS, empty=NO_GATEWAY)


def _rows(name: str | None) -> list[GatewayNow]:
    own, now, wanted = settings(), clock().now(), wanted_gateways(name)
    with broker() as url, database() as engine, engine.connect() as connection:
        names, calendar = [each.name for each in wanted], rules_from(own).calendar
        complete = completeness(connection, names, now=now, calendar=calendar, silence=own.feed_silence)
        return desk.gateways_now(connection, wanted, Limiter(url), complete=complete, now=now)


def _tell(row: GatewayNow) -> None:
    """One gateway in words, and the table of its keys."""
    out = stdout()
    where = row.environment or "a host of your own"
    free = "not limited" if row.rate_per_s is None else f"{row.rate_per_s} a second, {row.at_once} at once"
    held = f": {row.reason}" if row.reason else ""
    held += f" until {in_ist(row.blocked_until)}" if row.blocked_until else ""
    out.print(f"{row.gateway}: {row.url}, {where}, book {row.book}", markup=False)
    out.print(
        f"  webhooks come to {row.webhook_url or row.webhook_path}, the last {in_ist(row.webhook_at, none='never')}",
        markup=False,
    )
    out.print(
        f"  calls {row.calls}{held}; {free}; the last answer {in_ist(row.answered_at, none='never')}", markup=False
    )
    until = f"complete until {in_ist(row.watermark)}" if row.watermark else "completeness is not proven"
    out.print(f"  {row.state}; {until}", markup=False)
    show_rows(desk.key_rows(row), columns=desk.KEY_COLUMNS[1:], empty="  It has no keys.")
