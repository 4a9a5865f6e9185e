"""Looking back from the command line: an instant as people write it, and the day as it was known then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import NamedTuple

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection, Engine

from cli.context import clock, settings
from cli.imports import statuses_of
from cli.show import WRONG_CALL, Failure, stderr
from config.calendar import IST
from store.days import Scope
from tieout.asof import Asked, knowing, rules_then
from tieout.rules import Rules, rules_from


class Instant(click.ParamType[datetime]):
    """An instant as ISO 8601; without a zone it is IST."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the instant, or say how to write it."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"{value!r} is no instant: write it as 2026-11-20T18:30, which is IST", param, ctx)
        if len(str(value).strip()) <= len("2026-11-20"):
            self.fail(f"{value!r} is a whole day: name the hour as well, as {value}T18:30", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=IST)


class Then(NamedTuple):
    """The day as it was known: the connection that sees it, and the rules by which it was judged."""

    connection: Connection
    scope: Scope
    rules: Rules
    rules_changed: str | None  #: how they differ from those of now


@contextmanager
def looking_back(engine: Engine, *, gateway: str, trade_date: date, instant: datetime) -> Iterator[Then]:
    """The day as it was known at that instant, with progress while it is judged."""
    if instant > clock().now():
        raise Failure(WRONG_CALL, f"{instant.isoformat()} lies ahead: nothing is known of it yet")
    own = settings()
    rules, words = rules_then(engine, gateway=gateway, trade_date=trade_date, instant=instant, present=rules_from(own))
    names = tuple(each.name for each in own.gateways())
    wanted = Asked(gateway, trade_date, instant, rules, names, statuses_of(own))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=stderr(), transient=True)
    task = progress.add_task("facts", total=None)

    def tell(step: str, done: int, of: int) -> None:
        progress.update(task, description=step, completed=done, total=of or None)

    with progress, knowing(engine, wanted, each=tell) as (connection, scope):
        progress.stop()
        yield Then(connection, scope, rules, words)
