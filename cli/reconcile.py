"""`tieout reconcile`: ask again for what is open, judge what has changed, show what came of it."""

from __future__ import annotations

import os
from calendar import monthrange
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sqlalchemy import Engine

from cli.context import clock, database, settings, the_gateway
from cli.day import EVERYTHING, TradeDate, print_day
from cli.show import AWAY, FOUND, WRONG_CALL, Failure, stderr
from store.holding_verdicts import mark_all
from store.scopes import count_due
from tieout.desk.day import day as day_of
from tieout.follow import ask_again
from tieout.full import RangeFailedError, Scope, judge_scope
from tieout.holdings_recon import reconcile_holdings
from tieout.review import judge_again
from tieout.rules import rules_from

EPILOG = """
\b
Examples:
  tieout reconcile                    judge whatever has changed
  tieout reconcile 2026-11-20         what changed of that day, and show how it ties out
  tieout reconcile --month 2026-11    what changed of that month
  tieout reconcile --all              of every gateway
  tieout reconcile --again            judge everything anew, as after a change of the settings
A run that was stopped or killed is continued by the next one.
Exit status: 0 done, 1 the day named does not tie out, 2 wrong call, 3 a process that judged has died.
"""


class Month(click.ParamType[date]):
    """A month as YYYY-MM, read as its first day."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the month, or say how to write it."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(f"{value}-01")
        except ValueError:
            self.fail(f"{value!r} is no month: write it as 2026-11", param, ctx)


@click.command(epilog=EPILOG)
@click.argument("trade_date", metavar="[DATE]", type=TradeDate(), required=False)
@click.option("--date", "named_date", metavar="DATE", type=TradeDate(), help="The same as DATE.")
@click.option("--month", metavar="YYYY-MM", type=Month(), help="What traded in that month.")
@click.option("--all", "all_gateways", is_flag=True, help="Every gateway.")
@click.option("--gateway", help="Which gateway, if you have several.")
@click.option("--again", is_flag=True, help="Judge anew what is judged already, too.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes that judge; as many as there are cores.")
def reconcile(
    *,
    trade_date: date | None,
    named_date: date | None,
    month: date | None,
    all_gateways: bool,
    gateway: str | None,
    again: bool,
    workers: int | None,
) -> None:
    """Ask the Gateway again for what is not at its end, and judge what has changed."""
    day, now = trade_date or named_date, clock().now()
    if day and month:
        raise Failure(WRONG_CALL, "a day or a month: leave one of them out")
    if all_gateways and (gateway or day):
        raise Failure(WRONG_CALL, "--all means every gateway: leave --gateway and the date out")
    scope = Scope(gateway=None if all_gateways else the_gateway(gateway).name, **_days(day, month))
    with database() as engine:
        _ask(engine, scope, now)
        if again:
            with engine.begin() as connection:
                judge_again(connection, gateway=scope.gateway, first=scope.first, last=scope.last)
                mark_all(connection, gateway=scope.gateway)
        _judge(engine, scope, now, workers or os.cpu_count() or 1)
        if day and scope.gateway:
            _show(engine, scope.gateway, day, now)


def _days(day: date | None, month: date | None) -> dict[str, date]:
    if month:
        return {"first": month, "last": month.replace(day=monthrange(month.year, month.month)[1])}
    return {"first": day, "last": day} if day else {}


def _ask(engine: Engine, scope: Scope, now: datetime) -> None:
    names = [gateway.name for gateway in settings().gateways()] if scope.gateway is None else [scope.gateway]
    with engine.begin() as connection:
        asked = sum(ask_again(connection, gateway=name, trade_date=scope.last, now=now) for name in names)
    stderr().print(f"{asked} transactions are not at their end: the worker asks the Gateway for them again")


def _judge(engine: Engine, scope: Scope, now: datetime, workers: int) -> None:
    with engine.connect() as connection:
        total = count_due(connection, scope, now=now)
    rules = rules_from(settings())
    with _bar(total) as advance:
        try:
            done = judge_scope(engine, scope=scope, now=now, rules=rules, workers=workers, each=advance)
        except RangeFailedError as error:
            raise Failure(AWAY, str(error)) from None
    held = reconcile_holdings(engine, now=now, rules=rules, limit=EVERYTHING, gateway=scope.gateway)
    stderr().print(f"{done.judged} transactions judged, {done.by_statement} of them by the one statement")
    if held:
        stderr().print(f"the holdings of {held} accounts reconciled")


def _show(engine: Engine, gateway: str, trade_date: date, now: datetime) -> None:
    with engine.connect() as connection:
        found = day_of(connection, gateway=gateway, trade_date=trade_date, as_of=now)
    print_day(found)
    if not found.ties_out:
        raise SystemExit(FOUND)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
        *(TimeElapsedColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=stderr(), auto_refresh=False) as progress:  # no thread while processes are begun
        task = progress.add_task("judging", total=total)

        def advance(count: int) -> None:
            progress.advance(task, count)
            progress.refresh()

        yield advance
