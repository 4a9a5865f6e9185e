"""`tieout holdings`: what accounts hold, how fresh that is, and fetching it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from cli.context import clock, database, settings, the_gateway
from cli.instants import Instant
from cli.show import FOUND, WRONG_CALL, Failure, as_json, cell, output_options, show_rows, stderr, stdout
from store.holding_days import HeldLine
from store.holdings import StoredHolding
from tieout.desk import holdings as desk
from tieout.desk.rupees import shares
from tieout.holding_states import closed_before, plan_from
from tieout.holdings import fetch, known_accounts
from tieout.rules import rules_from

EPILOG = """
\b
Examples:
  tieout holdings                              accounts, their states and the next step for each
  tieout holdings --state stale --json         those whose holdings are older than the last close
  tieout holdings show ACCOUNT                 what one account holds, and how that is known
  tieout holdings show ACCOUNT --csv           its securities with every quantity
  tieout holdings funds --csv                  what mutual-fund webhooks told
  tieout holdings fetch ACCOUNT ACCOUNT        have accounts fetched now
  tieout holdings fetch --all                  every account that was ever named
"""
SHORT = 50
EMPTY = "No account has been fetched. Fetch one with: tieout holdings fetch ACCOUNT"
ACCOUNT = re.compile(r"[0-9a-fA-F]{24}")


def closed() -> datetime:
    """The last close that holdings must not be older than, as of now."""
    return closed_before(rules_from(settings()).calendar, clock().now(), plan_from(settings()))


def list_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add what narrows a listing of accounts, and its output."""
    options = (
        click.option("--state", "states", type=click.Choice(desk.STATES), multiple=True, help="Only in this state."),
        click.option("--gateway", help="Only of this gateway."),
        click.option("--book", type=click.Choice(("live", "test")), help="Only of this book."),
        click.option("--limit", type=click.IntRange(1), help="At most so many; machines get all without it."),
    )
    for option in reversed(options):
        command = option(command)
    return output_options(command)


@click.group(invoke_without_command=True, epilog=EPILOG)
@list_options
@click.pass_context
def holdings(ctx: click.Context, /, **options: Any) -> None:
    """List accounts with the state of their holdings; show one; have some fetched."""
    if ctx.invoked_subcommand is None:
        _list(**options)


@holdings.command("list")
@list_options
def list_(**options: Any) -> None:
    """List accounts with the state of their holdings, as of now, and the next step."""
    _list(**options)


def _list(
    *, states: tuple[str, ...], gateway: str | None, book: str | None, limit: int | None, as_json: bool, as_csv: bool
) -> None:
    for_people = not (as_json or as_csv)
    limit = SHORT if for_people and limit is None else limit
    wanted = desk.HoldingsFilter(gateway=gateway, book=book, states=states or None)
    with database() as engine:
        rows = desk.listing(engine, wanted, closed=closed(), limit=limit)
        columns = desk.SHORT_COLUMNS if for_people else desk.COLUMNS
        shown = show_rows(rows, columns=columns, as_json=as_json, as_csv=as_csv, empty=EMPTY)
        if for_people and shown == limit:
            stderr().print(f"The first {limit}; more with --limit, all with --json or --csv.")
        if for_people and shown:
            _print_counts(desk.counts(engine, gateway=gateway, closed=closed()))


def _print_counts(counts: list[desk.StateCount]) -> None:
    for each in counts:
        stderr().print(f"{each.count:>7,} {each.book} {each.state}: {each.next_step}", markup=False)


@holdings.command()
@click.argument("account")
@click.option("--gateway", help="Of this gateway, if several know the account.")
@click.option("--as-of", type=Instant(), metavar="INSTANT", help="What was known then; IST without a zone.")
@output_options
def show(*, account: str, gateway: str | None, as_of: datetime | None, as_json: bool, as_csv: bool) -> None:
    """Show what one account holds: every quantity, and how it is known."""
    with database() as engine:
        whole = desk.show(engine, account, gateway=gateway, closed=closed(), as_of=as_of)
    if whole is None:
        raise Failure(
            WRONG_CALL, f"no account {account} is known: have it fetched with tieout holdings fetch {account}"
        )
    if as_json:
        click.echo(_json(whole))
    elif as_csv:
        show_rows(map(desk.as_line, whole.lines), columns=desk.LINE_COLUMNS, as_csv=True)
    else:
        _print(whole)


def _json(whole: desk.WholeAccount) -> str:
    return as_json(desk.as_object(whole))


def _print(whole: desk.WholeAccount) -> None:
    out = stdout()
    for name, value in desk.as_row(whole.row).items():
        out.print(f"{name.replace('_', ' '):<15} {cell(value)}", markup=False)
    out.print()
    show_rows(map(_short, whole.lines), columns=_SHORT, empty="No securities are known.")
    if whole.judged:
        out.print(f"\nagainst the books, {whole.judged[0].trade_date}:")
        show_rows(map(_judged, whole.judged), columns=_JUDGED)
    for fund in (*whole.funds, *whole.told_funds):
        out.print(f"{fund.entry} {fund.fund or fund.isin} folio {fund.folio} units {fund.quantity}", markup=False)
    for each in whole.newest.not_understood if whole.newest else ():
        out.print(f"{each['what']}: {each['path']} ({each['why']}, {each['count']} times)", markup=False)


_JUDGED = ("isin", "bucket", "books", "broker", "difference", "because")


def _judged(line: HeldLine) -> dict[str, object]:
    """A line of descent against the books, with why it differs."""
    why = "; ".join(f"{shares(part.quantity)} {part.name}: {part.words}" for part in line.parts)
    figures = (shares(line.internal), shares(line.shown), shares(line.difference))
    return dict(zip(_JUDGED, (line.isin, line.bucket, *figures, why), strict=True))


_SHORT = ("isin", "symbol", "held", "t1", "nse", "bse", "smallcase", "collateral")


def _short(line: StoredHolding) -> dict[str, object]:
    """A security in one line of a narrow terminal."""
    quantities = (line.held, line.t1, line.nse_quantity, line.bse_quantity, line.smallcase, line.collateral)
    shown = [None if quantity is None else shares(quantity) for quantity in quantities]
    return dict(zip(_SHORT, (line.isin, line.nse_ticker or line.bse_ticker, *shown), strict=True))


@holdings.command()
@click.option("--gateway", help="Only of this gateway.")
@click.option("--account", help="Only of this account; many webhooks name none.")
@click.option("--limit", type=click.IntRange(1), help="At most so many rows; machines get all without it.")
@output_options
def funds(*, gateway: str | None, account: str | None, limit: int | None, as_json: bool, as_csv: bool) -> None:
    """List what mutual-fund webhooks told: evidence, which no API confirms."""
    for_people = not (as_json or as_csv)
    limit = SHORT if for_people and limit is None else limit
    with database() as engine:
        rows = desk.told_funds(engine, gateway=gateway, account=account, limit=limit)
        columns = desk.SHORT_FUND_COLUMNS if for_people else desk.FUND_COLUMNS
        show_rows(rows, columns=columns, as_json=as_json, as_csv=as_csv, empty="No mutual-fund webhook has come.")


@holdings.command("fetch")
@click.argument("accounts", metavar="[ACCOUNT]...", nargs=-1)
@click.option(
    "--all", "everything", is_flag=True, help="Every account that the service ever heard of, but unlinked ones."
)
@click.option("--gateway", "name", help="Of this gateway; needed if several are set.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
def fetch_(*, accounts: tuple[str, ...], everything: bool, name: str | None, as_json_: bool) -> None:
    """Have accounts fetched now: the sweep finds them due, within seconds, and a worker asks."""
    if bool(accounts) == everything:
        raise Failure(WRONG_CALL, "name the accounts, or say --all for every known one")
    if wrong := next((account for account in accounts if not ACCOUNT.fullmatch(account)), None):
        raise Failure(WRONG_CALL, f"{wrong!r} is no smallcaseAuthId: that is 24 hex digits")
    gateway = the_gateway(name)
    with database() as engine:
        wanted = accounts or tuple(known_accounts(engine, gateway.name))
        units = fetch(engine, gateway=gateway, accounts=wanted, now=clock().now())
    unlinked = len(set(wanted)) - len(units)
    if as_json_:
        click.echo(as_json({"gateway": gateway.name, "accounts": len(units)}))
    else:
        click.echo(f"{len(units):,} accounts are due now. See: tieout holdings list")
    if unlinked:
        stderr().print(f"{unlinked:,} were unlinked and are not asked for: link them first with tieout accounts link")
    if unlinked or not units:
        sys.exit(FOUND)
