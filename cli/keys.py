"""`tieout keys`: who may call the private API."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import click

from cli.context import database, settings
from cli.show import WRONG_CALL, Failure, output_options, show_rows, stderr
from cli.show import as_json as json_of
from tieout.callers import SCOPES, BadKeyRequestError, NewKey, make, revoke, rotate
from tieout.desk.keys import COLUMNS, SHORT_COLUMNS, listing

EPILOG = """
\b
Examples:
  tieout keys create backend --scope transactions:create --scope tokens:mint
  tieout keys list
  tieout keys rotate tk_0123456789abcdef --overlap-days 7
  tieout keys revoke tk_0123456789abcdef --reason "found in a log"
"""
SCOPE_LIST = "\n".join(f"  {name:22} {says}" for name, says in SCOPES.items())
ONCE = "Keep it now: it is shown this once and stored nowhere."


@click.group(epilog=EPILOG)
def keys() -> None:
    """Make, list, rotate and revoke the keys of the private API.

    Only the SHA-256 of a key's secret is stored. Several keys of one client may be valid at once.
    """


@keys.command("list")
@output_options
def list_(*, as_json: bool, as_csv: bool) -> None:
    """List all keys, without their secrets."""
    with database() as engine:
        columns = COLUMNS if as_json or as_csv else SHORT_COLUMNS
        empty = "No keys yet: tieout keys create backend --scope transactions:create"
        show_rows(listing(engine), columns=columns, as_json=as_json, as_csv=as_csv, empty=empty)


@keys.command(epilog=f"\b\nScopes:\n{SCOPE_LIST}")
@click.argument("client")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may do; several times. `all` for all.")
@click.option("--gateway", "gateways", multiple=True, help="Only this gateway; several times. Without it, all.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The day on which it ends, UTC.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def create(
    *, client: str, scopes: tuple[str, ...], gateways: tuple[str, ...], until: datetime | None, as_json: bool
) -> None:
    """Make a key for CLIENT, such as `backend`, and print it once."""
    _check_gateways(gateways)
    ends = datetime.combine(until.date(), time(), UTC) if until else None
    wanted = tuple(SCOPES) if scopes == ("all",) else scopes
    with database() as engine, engine.begin() as connection:
        try:
            made = make(connection, client=client, scopes=wanted, gateways=gateways, not_after=ends)
        except BadKeyRequestError as error:
            raise Failure(WRONG_CALL, str(error)) from None
    _show(made, as_json=as_json)


@keys.command("rotate")
@click.argument("key_id")
@click.option("--overlap-days", type=click.IntRange(0, 365), default=7, show_default=True, help="The old one's rest.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def rotate_(*, key_id: str, overlap_days: int, as_json: bool) -> None:
    """Make a new key in the place of KEY_ID, which stays valid for the overlap."""
    with database() as engine, engine.begin() as connection:
        try:
            made, ends = rotate(connection, key_id=key_id, overlap=timedelta(days=overlap_days))
        except BadKeyRequestError as error:
            raise Failure(WRONG_CALL, str(error)) from None
    _show(made, as_json=as_json)
    stderr().print(f"{key_id} ends {ends:%Y-%m-%d %H:%M} UTC.", markup=False)


@keys.command("revoke")
@click.argument("key_id")
@click.option("--reason", required=True, help="Why; it is kept.")
def revoke_(*, key_id: str, reason: str) -> None:
    """End KEY_ID at once, for good."""
    with database() as engine, engine.begin() as connection:
        try:
            revoke(connection, key_id=key_id, why=reason)
        except BadKeyRequestError as error:
            raise Failure(WRONG_CALL, str(error)) from None
    click.echo(f"{key_id} is revoked.")


def _check_gateways(named: tuple[str, ...]) -> None:
    known = [gateway.name for gateway in settings().gateways()]
    if unknown := [name for name in named if name not in known]:
        raise Failure(WRONG_CALL, f"no gateway is named {', '.join(unknown)}; there are {', '.join(known) or 'none'}")


def _show(made: NewKey, *, as_json: bool) -> None:
    if as_json:
        row = {"key_id": made.key_id, "client": made.client, "scopes": made.scopes, "not_after": made.not_after}
        click.echo(json_of({**row, "key": made.token}))
        return
    click.echo(made.token)
    stderr().print(f"The key of {made.client} for {', '.join(made.scopes)}. {ONCE}", markup=False)
