"""`tieout reconcile`: ask again for what is open, judge what has changed, show what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from cli.context import clock, database, settings
from cli.day import EVERYTHING, TradeDate, print_day, the_gateway
from cli.show import FOUND, stderr
from store.verdicts import count_due
from tieout.desk.day import day as day_of
from tieout.follow import ask_again
from tieout.review import judge_again, review_due
from tieout.rules import rules_from

EPILOG = """
\b
Examples:
  tieout reconcile                judge whatever has changed
  tieout reconcile 2026-11-20     the same, and show how that day ties out
  tieout reconcile --again        judge everything anew, as after a change of the settings
Exit status: 0 done, 1 the day named does not tie out.
"""


@click.command(epilog=EPILOG)
@click.argument("trade_date", metavar="[DATE]", type=TradeDate(), required=False)
@click.option("--gateway", help="Which gateway, if you have several.")
@click.option("--again", is_flag=True, help="Judge anew what is judged already, too.")
def reconcile(*, trade_date: date | None, gateway: str | None, again: bool) -> None:
    """Ask the Gateway again for what is not at its end, and judge what has changed."""
    name, now = the_gateway(settings(), gateway), clock().now()
    with database() as engine:
        _ask(engine, name, trade_date, now)
        if again:
            with engine.begin() as connection:
                judge_again(connection, gateway=name, trade_date=trade_date)
        _judge(engine, name, now)
        if trade_date:
            _show(engine, name, trade_date, now)


def _ask(engine: Engine, gateway: str, trade_date: date | None, now: datetime) -> None:
    with engine.begin() as connection:
        asked = ask_again(connection, gateway=gateway, trade_date=trade_date, now=now)
    stderr().print(f"{asked} transactions are not at their end: the worker asks the Gateway for them again")


def _judge(engine: Engine, gateway: str, now: datetime) -> None:
    with engine.connect() as connection:
        total = count_due(connection, now=now, gateway=gateway)
    with _bar(total) as advance:
        done = review_due(
            engine, now=now, rules=rules_from(settings()), limit=EVERYTHING, gateway=gateway, each=advance
        )
    stderr().print(f"{done} transactions judged")


def _show(engine: Engine, gateway: str, trade_date: date, now: datetime) -> None:
    with engine.connect() as connection:
        found = day_of(connection, gateway=gateway, trade_date=trade_date, as_of=now)
    print_day(found)
    if not found.ties_out:
        raise SystemExit(FOUND)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr()) as progress:
        task = progress.add_task("judging", total=total)

        def advance(count: int) -> None:
            progress.advance(task, count)

        yield advance
