"""`tieout following`: what was followed to its end, and giving up or taking up one by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import click
from sqlalchemy import Connection

from cli.context import clock, database
from cli.show import FOUND, WRONG_CALL, Failure, output_options, show_rows, stderr
from store import following as store

EPILOG = """
\b
Examples:
  tieout following list --found-by following     ends that no webhook told
  tieout following give-up TRX_... --reason "the user withdrew, seen at the broker"
  tieout following take-up TRX_... --reason "the Gateway's support says it is alive"
What is not at its end: tieout completeness
"""
COLUMNS = ("gateway", "transaction_id", "account", "status", "created_at", "found_by", "found_at", "asks")
Change = Callable[[Connection, str], bool]


@click.group(epilog=EPILOG)
def following() -> None:
    """Show how transactions came to their end; give one up, or take it up again."""


@following.command("list")
@click.option("--found-by", type=click.Choice(("webhook", "following")), help="Only those whose end this told.")
@click.option("--gateway", help="Only of this gateway.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@output_options
def list_(*, found_by: str | None, gateway: str | None, limit: int | None, as_json: bool, as_csv: bool) -> None:
    """List transactions at their end, in the order in which that was known."""
    with database() as engine, engine.connect() as connection:
        rows = store.ended(connection, gateway=gateway, found_by=found_by, limit=limit)
        empty = "Nothing is at its end yet: tieout completeness"
        show_rows(map(asdict, rows), columns=COLUMNS, as_json=as_json, as_csv=as_csv, empty=empty)


@following.command("give-up")
@click.argument("transaction_id")
@click.option("--reason", required=True, help="Why; kept with the transaction.")
@click.option("--gateway", help="Needed if several gateways know the id.")
def give_up(*, transaction_id: str, reason: str, gateway: str | None) -> None:
    """Follow a transaction no more, though it is not at its end."""

    def change(connection: Connection, at: str) -> bool:
        now = clock().now()
        return store.give_up(connection, gateway=at, transaction_id=transaction_id, now=now, reason=reason)

    _change(transaction_id, gateway, change, "it is not followed: it is at its end, or was given up before")
    stderr().print(f"{transaction_id} is given up; tieout following take-up {transaction_id} undoes it")


@following.command("take-up")
@click.argument("transaction_id")
@click.option("--reason", required=True, help="Why; kept with the transaction.")
@click.option("--gateway", help="Needed if several gateways know the id.")
def take_up(*, transaction_id: str, reason: str, gateway: str | None) -> None:
    """Follow a transaction again, as if it had been heard of now; it is asked for at once."""

    def change(connection: Connection, at: str) -> bool:
        now = clock().now()
        return store.take_up(connection, gateway=at, transaction_id=transaction_id, now=now, reason=reason)

    _change(transaction_id, gateway, change, "it is followed already")
    stderr().print(f"{transaction_id} is asked for now")


def _change(transaction_id: str, gateway: str | None, change: Change, otherwise: str) -> None:
    with database() as engine, engine.begin() as connection:
        known = store.gateways_of(connection, transaction_id=transaction_id)
        if not known or (gateway and gateway not in known):
            raise Failure(WRONG_CALL, f"no transaction {transaction_id} is known: tieout import transactions FILE")
        if gateway is None and len(known) > 1:
            raise Failure(WRONG_CALL, f"several gateways know it: add --gateway, one of {', '.join(known)}")
        if not change(connection, gateway or known[0]):
            raise Failure(FOUND, f"{transaction_id}: {otherwise}")
