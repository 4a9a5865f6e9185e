"""`tieout accounts`: broker accounts and whose they are."""

from __future__ import annotations

import getpass
from dataclasses import asdict

import click

from cli.context import clock, database, the_gateway
from cli.show import FOUND, WRONG_CALL, Failure, output_options, show_rows, stderr, stdout
from cli.show import as_json as json_of
from gateway.tokens import ACCOUNT
from tieout.accounts import BY_HAND, TAKEN, Link, NotLinkedError, link, unlink
from tieout.desk import accounts as desk_accounts
from tieout.wanted import is_user

EPILOG = """
\b
Examples:
  tieout accounts list --unlinked
  tieout accounts show 5f0321b5f3743c31d95abd35
  tieout accounts link 5f0321b5f3743c31d95abd35 user-17
  tieout accounts unlink 5f0321b5f3743c31d95abd35 --reason "sold to another customer"
"""
COLUMNS = ("gateway", "account", "broker", "user_ref", "linked_at", "refused", "book", "first_seen_at")
SHORT_COLUMNS = ("account", "user_ref", "broker", "linked_at", "refused")
CHANGES = ("at", "change", "user_ref", "source", "by", "reason", "held_by", "transaction_id")
EMPTY = "No accounts yet: one is known once a webhook, an answer of the Gateway or a link names it."


@click.group(epilog=EPILOG)
def accounts() -> None:
    """Show broker accounts and whose they are; link and unlink by hand.

    An account is a smallcaseAuthId. It is never linked to two users at once.
    """


@accounts.command("list")
@click.option("--user", "user_ref", help="Only those of this user.")
@click.option("--unlinked", is_flag=True, help="Only those of nobody.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@output_options
def list_(*, user_ref: str | None, unlinked: bool, limit: int | None, as_json: bool, as_csv: bool) -> None:
    """List accounts."""
    with database() as engine:
        rows = desk_accounts.listing(engine, user_ref=user_ref, unlinked=unlinked, limit=limit)
        columns = COLUMNS if as_json or as_csv else SHORT_COLUMNS
        show_rows(map(asdict, rows), columns=columns, as_json=as_json, as_csv=as_csv, empty=EMPTY)


@accounts.command()
@click.argument("account")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(*, account: str, as_json: bool) -> None:
    """Show one account and all that happened to it."""
    with database() as engine:
        whole = desk_accounts.show(engine, account)
    if whole is None:
        raise Failure(WRONG_CALL, f"no account {account} is known here: see `tieout accounts list`")
    if as_json:
        click.echo(json_of({**asdict(whole.row), "history": [asdict(change) for change in whole.history]}))
        return
    for name, value in asdict(whole.row).items():
        stdout().print(f"{name.replace('_', ' '):14} {'' if value is None else value}", markup=False)
    show_rows(map(asdict, whole.history), columns=CHANGES, empty="Nothing was linked or refused yet.")


@accounts.command("link")
@click.argument("account")
@click.argument("user")
@click.option("--gateway", "name", help="The gateway, if there are several.")
def link_(*, account: str, user: str, name: str | None) -> None:
    """Say that ACCOUNT is USER's. Exit 1 when it is another's."""
    if not ACCOUNT.fullmatch(account):
        raise Failure(WRONG_CALL, f"{account!r} is no smallcaseAuthId: 24 lower-case hex digits")
    if not is_user(user):
        raise Failure(WRONG_CALL, f"{user!r} is no id of a user: printable text, no spaces at its ends")
    gateway = the_gateway(name)
    wanted = Link(
        gateway=gateway.name, book=gateway.book, account=account, user_ref=user, source=BY_HAND, by=getpass.getuser()
    )
    with database() as engine, engine.begin() as connection:
        done = link(connection, wanted, now=clock().now())
    if done.change == "refused":
        fix = "unlink it first" if done.reason == TAKEN else "name your own id of the user"
        raise Failure(FOUND, f"refused, {done.reason}: {fix}; see `tieout accounts show {account}`")
    click.echo(f"{account} is {user}'s." if done.change == "linked" else f"{account} was {user}'s already.")


@accounts.command("unlink")
@click.argument("account")
@click.option("--reason", required=True, help="Why; it is kept.")
@click.option("--gateway", "name", help="The gateway, if there are several.")
def unlink_(*, account: str, reason: str, name: str | None) -> None:
    """Take ACCOUNT from its user."""
    gateway, now = the_gateway(name), clock().now()
    with database() as engine, engine.begin() as connection:
        try:
            user = unlink(
                connection, gateway=gateway.name, account=account, reason=reason, by=getpass.getuser(), now=now
            )
        except NotLinkedError as error:
            raise Failure(FOUND, str(error)) from None
    click.echo(f"{account} is no longer {user}'s.")
    stderr().print("Tokens made before live on until they expire, as TIEOUT_TOKEN_LIFETIME says.", style="dim")
