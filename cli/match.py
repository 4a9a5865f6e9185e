"""`tieout match`: what a person decides about two lines, where matching must not guess."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import TypeVar

import click
from sqlalchemy import Connection

from cli.context import clock, database, settings
from cli.show import WRONG_CALL, Failure, output_options, show_rows
from recon.decided import Ruling
from tieout import decisions
from tieout.decisions import UndecidableError, Word
from tieout.rules import rules_from

T = TypeVar("T")

EPILOG = """
\b
Examples:
  tieout match together O-17 1000000010241945 --why "trade book of the broker, page 3"
  tieout match apart O-17 1000000010241945 --why "O-17 was entered twice"
  tieout match list
  tieout match undo 4 --why "the other one was meant"
The first name is your order id, the second the exchange's order id, or what tieout explain calls the leg.
"""
SHORT = ("decision", "transaction_id", "kind", "ours", "theirs", "who", "why", "undone_by")


@click.group(epilog=EPILOG)
def match() -> None:
    """Decide which lines are one order, or are not; undo one decision; list them."""


def _deciding(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--gateway", help="Which gateway, if several have the order."),
        click.option("--who", default=getpass.getuser, help="Who decides; you, if not said."),
        click.option("--why", required=True, help="Why: kept with the decision."),
        click.argument("theirs"),
        click.argument("order_id"),
    ):
        command = option(command)
    return command


@match.command()
@_deciding
def together(*, order_id: str, theirs: str, why: str, who: str, gateway: str | None) -> None:
    """Say that your order and the Gateway's leg are one."""
    _decide(Ruling.TOGETHER, order_id, theirs, Word(who=who, why=why, now=clock().now()), gateway)


@match.command()
@_deciding
def apart(*, order_id: str, theirs: str, why: str, who: str, gateway: str | None) -> None:
    """Say that your order and the Gateway's leg are not one: undoes that match and no other."""
    _decide(Ruling.APART, order_id, theirs, Word(who=who, why=why, now=clock().now()), gateway)


@match.command()
@click.argument("decision", type=click.IntRange(1))
@click.option("--why", required=True, help="Why: kept with the decision.")
@click.option("--who", default=getpass.getuser, help="Who undoes it; you, if not said.")
def undo(*, decision: int, why: str, who: str) -> None:
    """Undo one decision; what it decided is matched as if it had never been said."""
    word, rules = Word(who=who, why=why, now=clock().now()), rules_from(settings())
    _write(lambda connection: decisions.take_back(connection, decision_id=decision, word=word, rules=rules))
    click.echo(f"decision {decision} is undone")


@match.command("list")
@click.option("--all", "everything", is_flag=True, help="Undone ones too.")
@click.option("--transaction", "transaction_id", metavar="ID", help="Only of this transaction.")
@click.option("--gateway", help="Only of this gateway.")
@output_options
def list_(*, everything: bool, transaction_id: str | None, gateway: str | None, as_json: bool, as_csv: bool) -> None:
    """List what was decided."""
    with database() as engine, engine.connect() as connection:
        rows = decisions.listing(connection, gateway=gateway, transaction_id=transaction_id, everything=everything)
    columns = decisions.COLUMNS if as_json or as_csv else SHORT
    show_rows(rows, columns=columns, as_json=as_json, as_csv=as_csv, empty="Nothing was decided.")


def _decide(ruling: Ruling, order_id: str, theirs: str, word: Word, gateway: str | None) -> None:
    rules = rules_from(settings())
    number = _write(
        lambda connection: decisions.decide(
            connection, ruling=ruling, order_id=order_id, theirs=theirs, word=word, rules=rules, gateway=gateway
        )
    )
    click.echo(f"decision {number}: {order_id} and {theirs} are {ruling.value}; judged anew")


def _write(write: Callable[[Connection], T]) -> T:
    """One database transaction; what cannot be decided is a wrong call."""
    try:
        with database() as engine, engine.begin() as connection:
            return write(connection)
    except UndecidableError as error:
        raise Failure(WRONG_CALL, str(error)) from None
