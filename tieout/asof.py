"""A day as it was known at an instant: the facts known by then, judged at that instant, nothing stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice

from sqlalchemy import Connection, Engine, text

from books.again import row_again
from books.orders import LAYOUT, Order, OrderReader
from store import asof, books, closed_days
from store.days import Scope
from store.engine import connect
from store.instruments import read_master
from tieout.closing import rules_json
from tieout.desk.day import scope_of
from tieout.order_import import order_values
from tieout.reconcile import exclude_off_platform, reconcile
from tieout.rules import Rules
from tieout.state import refresh

RANGE = 200  #: transactions judged at a time

Tell = Callable[[str, int, int], None]  #: step, done, of how many


@dataclass(frozen=True, slots=True)
class Asked:
    """Which day, at which instant, and what is needed to read and judge it."""

    gateway: str
    trade_date: date
    instant: datetime
    rules: Rules
    gateways: tuple[str, ...]
    statuses: Mapping[str, str]


@contextmanager
def knowing(engine: Engine, wanted: Asked, *, each: Tell | None = None) -> Iterator[tuple[Connection, Scope]]:
    """A connection on which the service's own reads see the day as it was known at the instant.

    What is written on it is gone at the end. Time goes mostly into judging again: about as long as a first run.
    """
    tell = each or (lambda _step, _done, _of: None)
    own = connect(engine.url.render_as_string(hide_password=False), pool_size=1, application="tieout-asof")
    try:
        with own.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            scope = scope_of(connection, gateway=wanted.gateway, trade_date=wanted.trade_date)
            tell("facts", 0, 0)
            _read_older(connection, wanted, scope)
            asof.lay_over(connection, scope, instant=wanted.instant)
            _judge(connection, wanted, tell)
            yield connection, scope
            connection.rollback()
    finally:
        own.dispose()


def _read_older(connection: Connection, wanted: Asked, scope: Scope) -> None:
    """Read lines that changed since from the cells they had; cells that cannot be read are left out."""
    books.open_tables(connection)
    reader, master = OrderReader(wanted.gateways, wanted.statuses), read_master(connection)
    rows = asof.older_lines(connection, gateway=wanted.gateway, instant=wanted.instant)
    while batch := list(islice(rows, 2000)):
        read = [reader.read(row_again(row.row, row.raw, LAYOUT)) for row in batch]
        orders = [order for order in read if isinstance(order, Order)]
        values = (order_values(order, master, {wanted.gateway: scope["book"]}) for order in orders)
        books.load_orders(connection, values)
    connection.execute(text("analyze incoming"))


def _judge(connection: Connection, wanted: Asked, tell: Tell) -> None:
    exclude_off_platform(connection, asof.strays(connection), rules=wanted.rules)
    transactions = asof.asked(connection)
    left = iter(transactions)
    done = 0
    while part := list(islice(left, RANGE)):
        for txn, answered_since in part:
            if answered_since:
                refresh(connection, txn=txn, now=wanted.instant, rules=wanted.rules)
        reconcile(connection, txns=[txn for txn, _ in part], now=wanted.instant, rules=wanted.rules)
        done += len(part)
        tell("judging", done, len(transactions))
    asof.date_findings(connection, instant=wanted.instant)


def rules_of(recorded: Mapping[str, object], present: Rules) -> Rules:
    """The rule set that a close recorded; a value that it did not have yet is as at present."""
    said = {
        field.name: _value(recorded[field.name], getattr(present.policy, field.name))
        for field in fields(present.policy)
        if field.name in recorded
    }
    return replace(present, policy=replace(present.policy, **said))  # type: ignore[arg-type]


def _value(recorded: object, like: object) -> object:
    if recorded is None or (isinstance(like, int) and isinstance(recorded, int)):
        return recorded
    words = str(recorded)
    if isinstance(like, timedelta):
        return _lasting(words)
    if isinstance(like, time):
        return time.fromisoformat(words)
    return Decimal(words) if like is None or isinstance(like, Decimal) else words


def _lasting(words: str) -> timedelta:
    """What `str` makes of a time span, read back."""
    days, _, clock = words.rpartition(", ") if "day" in words else ("0", "", words)
    hours, minutes, seconds = clock.split(":")
    return timedelta(days=int(days.split()[0]), hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def rules_then(
    engine: Engine, *, gateway: str, trade_date: date, instant: datetime, present: Rules
) -> tuple[Rules, str | None]:
    """The rule set of the close that stood at the instant, with how it differs; else the present one and None."""
    with engine.connect() as connection:
        scope = scope_of(connection, gateway=gateway, trade_date=trade_date)
        closes = closed_days.closes(connection, scope)
    stood = [c for c in closes if c.closed_at <= instant and (c.reopened_at is None or c.reopened_at > instant)]
    if not stood:
        return present, None
    recorded, now = stood[-1].rules, rules_json(present)
    apart = [
        f"{name} was {recorded[name]}, is {now[name]}" for name in now if recorded.get(name, now[name]) != now[name]
    ]
    return rules_of(recorded, present), f"the rules are others: {'; '.join(apart)}" if apart else None
