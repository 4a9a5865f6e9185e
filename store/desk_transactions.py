"""One transaction with both sides of it, for people to read whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select, text

from store.schema import batches as _batches
from store.schema import our_lines as _our_lines
from store.schema import their_lines as _their_lines
from store.schema import transactions as _transactions
from store.schema import unjudged as _unjudged
from store.schema import verdicts as _verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTransaction:
    """One intent at the Gateway, and how far it is followed and judged."""

    txn: int
    gateway: str
    transaction_id: str
    book: str
    origin: str
    registered_at: datetime
    account: str | None
    user_ref: str | None
    broker: str | None
    intent: str | None
    status: str | None
    created_at: datetime | None
    expire_at: datetime | None
    error_code: str | None
    error_message: str | None
    known: bool | None
    final: bool
    settled: bool
    ask_at: datetime | None
    given_up: str | None
    found_by: str | None
    found_at: datetime | None
    asks: int
    asked_at: datetime | None
    generation: int
    lease_until: datetime | None
    deaths: int
    rev: int
    judged: bool
    review_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBatch:
    """One order batch as the Gateway states it."""

    batch_id: str
    status: str
    variety: str | None
    quantity: Decimal | None
    filled: Decimal | None
    buy_amount: Decimal | None
    sell_amount: Decimal | None
    created_at: datetime | None
    completed_at: datetime | None
    broker: str | None
    trade_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLine:
    """One line of either side; fields that a side does not have are None."""

    line: int
    account: str | None = None
    order_id: str | None = None
    version: int | None = None
    batch_id: str | None
    exchange_order_id: str | None
    exchange: str
    symbol: str
    instrument: str
    side: str
    quantity: Decimal
    filled: Decimal | None
    average_price: Decimal | None
    status: str | None
    broker: str | None = None
    trade_date: date
    placed: bool | None = None
    executed_at: datetime | None = None  #: of theirs when the batch was completed

    @property
    def amount(self) -> Decimal | None:
        """Filled times average price in rupees; None when either is unknown."""
        if self.filled is None or self.average_price is None:
            return None
        return self.filled * self.average_price


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """Where one line, or a pair, ended up."""

    ours: int | None
    theirs: int | None
    rev: int
    bucket: str
    rung: int | None
    trade_date: date
    rule_set: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineVersion:
    """One version of a line of our books, with the file and row it came from."""

    version: int
    row: int
    known_at: datetime
    raw: Any
    import_id: int
    file_name: str
    imported_at: datetime


_OURS = tuple(name for name in StoredLine.__slots__ if name != "placed")
_NOT_THEIRS = {"account", "order_id", "version", "broker", "executed_at"}
_THEIRS = (
    *(_their_lines.c[name] for name in StoredLine.__slots__ if name not in _NOT_THEIRS),
    _their_lines.c.completed_at.label("executed_at"),
)


def transaction(connection: Connection, *, gateway: str, transaction_id: str) -> StoredTransaction | None:
    """One transaction by its natural key, or None."""
    columns = [_transactions.c[name] for name in StoredTransaction.__slots__ if name != "judged"]
    judged = ~select(_unjudged.c.txn).where(_unjudged.c.txn == _transactions.c.txn).exists()
    query = select(*columns, judged.label("judged"))
    query = query.where(_transactions.c.gateway == gateway, _transactions.c.transaction_id == transaction_id)
    row = connection.execute(query).mappings().one_or_none()
    return StoredTransaction(**row) if row else None


def batches(connection: Connection, *, txn: int) -> list[StoredBatch]:
    """Its batches, in order of their ids."""
    columns = [_batches.c[name] for name in StoredBatch.__slots__]
    query = select(*columns).where(_batches.c.txn == txn).order_by(_batches.c.batch_id)
    return [StoredBatch(**row) for row in connection.execute(query).mappings()]


def our_lines(connection: Connection, *, txn: int, limit: int) -> list[StoredLine]:
    """Its lines in our books, by order id."""
    query = select(*(_our_lines.c[n] for n in _OURS)).where(_our_lines.c.txn == txn)
    rows = connection.execute(query.order_by(_our_lines.c.order_id).limit(limit)).mappings()
    return [StoredLine(**row) for row in rows]


def their_lines(connection: Connection, *, txn: int, limit: int) -> list[StoredLine]:
    """Its lines at the Gateway, batch by batch."""
    query = select(*_THEIRS).where(_their_lines.c.txn == txn)
    order = (_their_lines.c.batch_id, _their_lines.c.placed.desc(), _their_lines.c.position)
    rows = connection.execute(query.order_by(*order).limit(limit)).mappings()
    return [StoredLine(**row) for row in rows]


def our_line(connection: Connection, *, line: int) -> StoredLine | None:
    """One line of our books, or None."""
    row = connection.execute(select(*(_our_lines.c[n] for n in _OURS)).where(_our_lines.c.line == line))
    found = row.mappings().one_or_none()
    return StoredLine(**found) if found else None


def their_line(connection: Connection, *, line: int) -> StoredLine | None:
    """One line of the Gateway, or None."""
    row = connection.execute(select(*_THEIRS).where(_their_lines.c.line == line))
    found = row.mappings().one_or_none()
    return StoredLine(**found) if found else None


def verdicts(connection: Connection, *, txn: int, limit: int) -> list[StoredVerdict]:
    """Where its lines ended up."""
    columns = [_verdicts.c[name] for name in StoredVerdict.__slots__]
    query = select(*columns).where(_verdicts.c.txn == txn).order_by(_verdicts.c.ours, _verdicts.c.theirs).limit(limit)
    return [StoredVerdict(**row) for row in connection.execute(query).mappings()]


_VERSIONS = text("""
select v.version, v.row, v.known_at, v.raw, i.import_id, i.file_name, i.imported_at
from line_versions v join imports i using (import_id)
where v.line = :line order by v.version desc limit :limit
""")


def versions(connection: Connection, *, line: int, limit: int) -> list[LineVersion]:
    """The versions of one line of our books, newest first."""
    rows = connection.execute(_VERSIONS, {"line": line, "limit": limit})
    return [LineVersion(**row) for row in rows.mappings()]


_NAMED = text("""
select gateway, transaction_id from transactions
where transaction_id = :id and gateway in (select unnest(cast(:gateways as text[])))
union
select t.gateway, t.transaction_id from our_lines o join transactions t using (txn)
where o.order_id = :id and o.gateway in (select unnest(cast(:gateways as text[])))
limit 5
""")


def named(connection: Connection, *, text_id: str, gateways: list[str]) -> list[tuple[str, str]]:
    """Transactions that this id names, as their own id or as one of our orders'."""
    rows = connection.execute(_NAMED, {"id": text_id, "gateways": gateways})
    return [(row.gateway, row.transaction_id) for row in rows]


_DATES = text("""
select
  (select max(trade_date) from our_lines where trade_date < :day) as ours_before,
  (select max(trade_date) from their_lines where trade_date < :day) as theirs_before,
  (select min(trade_date) from our_lines where trade_date > :day) as ours_after,
  (select min(trade_date) from their_lines where trade_date > :day) as theirs_after
""")


def neighbours(connection: Connection, *, day: date) -> tuple[date | None, date | None]:
    """Find the nearest days before and after that have lines on either side."""
    row = connection.execute(_DATES, {"day": day}).one()
    before = max((d for d in (row.ours_before, row.theirs_before) if d), default=None)
    after = min((d for d in (row.ours_after, row.theirs_after) if d), default=None)
    return before, after
