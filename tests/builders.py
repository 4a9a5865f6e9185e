"""What tests build their stories from: answers, legs, lines of the books, stored as the service stores them.

`an_answer(a_leg(...))` is one transaction-details answer as the Gateway would send it;
`store_snapshot` keeps it as a fetch would; `our_line` is one line of the company's books.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, text

from recon.lines import facts_of_ours, key_of, plain_ours
from recon.values import Calendar, OurLine, Policy
from store import schema
from tieout.rules import Rules

GATEWAY = "acme"
ACCOUNT = "5f0321b5f3743c31d95abd35"
BROKER = "kite"
DAY = date(2026, 11, 20)  #: a Friday
NOON = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)  #: 12:00 IST
EVENING = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  #: 20:30 IST, the books are due

_numbers = count(1)

Json = dict[str, Any]


class Weekdays:
    """A calendar without holidays: every weekday from 9:15 to 15:30 IST."""

    def is_session(self, day: date) -> bool:
        """Whether it is a weekday."""
        return day.weekday() < 5

    def session_on_or_after(self, day: date) -> date:
        """The first weekday not before that day."""
        while not self.is_session(day):
            day += timedelta(days=1)
        return day

    def session_after(self, day: date) -> date:
        """The first weekday after that day."""
        return self.session_on_or_after(day + timedelta(days=1))

    def opens_at(self, day: date) -> datetime:
        """9:15 IST."""
        return datetime(day.year, day.month, day.day, 3, 45, tzinfo=UTC)

    def closes_at(self, day: date) -> datetime:
        """15:30 IST."""
        return datetime(day.year, day.month, day.day, 10, 0, tzinfo=UTC)


def rules(**policy: Any) -> Rules:
    """The default rule set on a calendar without holidays; `policy` overrides single settings."""
    calendar: Calendar = Weekdays()
    return Rules(Policy(**policy), calendar)


# ---------------------------------------------------------------- the Gateway's side


def a_leg(symbol: str = "AXISBANK", **fields: Any) -> Json:
    """One leg in the Gateway's words: ten shares bought, all filled at 420.10, with an exchange order id."""
    leg = {
        "tradingsymbol": symbol,
        "exchange": "NSE",
        "transactionType": "BUY",
        "orderType": "MARKET",
        "product": "CNC",
        "quantity": 10,
        "filledQuantity": 10,
        "averagePrice": 420.1,
        "status": "COMPLETE",
        "exchangeOrderId": f"11{next(_numbers):014}",
    }
    return leg | fields


def a_batch(*legs: Json, batch_id: str = "", unplaced: Sequence[Json] = (), **fields: Any) -> Json:
    """One batch over these legs, its sums right unless `fields` says otherwise."""
    legs = legs or (a_leg(),)
    batch = {
        "batchId": batch_id or f"65a5{next(_numbers):020x}",
        "status": "COMPLETED",
        "variety": "regular",
        "quantity": sum(leg["quantity"] for leg in (*legs, *unplaced)),
        "filled": sum(leg["filledQuantity"] for leg in legs),
        "buyAmount": _amount(legs, "BUY"),
        "sellAmount": _amount(legs, "SELL"),
        "createdAt": iso(NOON - timedelta(minutes=10)),
        "completedDate": iso(NOON - timedelta(minutes=5)),
        "orders": list(legs),
        "unplaced": list(unplaced),
    }
    return batch | fields


def _amount(legs: Sequence[Json], side: str) -> float:
    mine = [leg for leg in legs if leg["transactionType"] == side]
    total = sum((Decimal(str(leg["averagePrice"] or 0)) * leg["filledQuantity"] for leg in mine), Decimal(0))
    return float(total)


def an_answer(*batches: Json, transaction_id: str = "TRX_1", **fields: Any) -> Json:
    """One transaction-details answer: COMPLETED, with these batches."""
    details = {
        "transactionId": transaction_id,
        "status": "COMPLETED",
        "intent": "TRANSACTION",
        "smallcaseAuthId": ACCOUNT,
        "broker": BROKER,
        "createdAt": iso(NOON - timedelta(minutes=12)),
        "expireAt": iso(NOON - timedelta(minutes=7)),
        "orderBatches": list(batches),
    }
    return {"success": True, "errors": None, "data": {"transactionDetails": details | fields}}


def no_such_transaction() -> Json:
    """The API's answer about a transaction it does not know."""
    return {"success": False, "errors": ["transaction not found"], "data": None}


def iso(instant: datetime) -> str:
    """The instant as the Gateway writes it."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---------------------------------------------------------------- stored


def a_transaction(
    connection: Connection, transaction_id: str = "TRX_1", *, gateway: str = GATEWAY, **columns: Any
) -> int:
    """A row of `transactions`, heard of at noon; its txn."""
    values = {
        "gateway": gateway,
        "transaction_id": transaction_id,
        "book": "live",
        "origin": "registration",
        "registered_at": NOON - timedelta(minutes=12),
    }
    statement = insert(schema.transactions).values(**(values | columns)).returning(schema.transactions.c.txn)
    return int(connection.execute(statement).scalar_one())


def store_snapshot(
    connection: Connection,
    txn: int,
    body: Json | bytes,
    *,
    asked_at: datetime | None = None,
    took: timedelta = timedelta(milliseconds=50),
    known_at: datetime = NOON,
    kind: str = "details",
    mark: str = "news",
) -> int:
    """Keep an answer as a fetch does; asked for now by the database's clock unless told otherwise."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked_at = asked_at or connection.execute(text("select clock_timestamp()")).scalar_one()
    values = {
        "txn": txn,
        "kind": kind,
        "asked_at": asked_at,
        "answered_at": asked_at + took,
        "known_at": known_at,
        "http_status": 200,
        "body": raw,
        "digest": sha256(raw).digest(),
        "mark": mark,
    }
    statement = insert(schema.snapshots).values(**values).returning(schema.snapshots.c.snapshot_id)
    return int(connection.execute(statement).scalar_one())


def store_webhook(
    connection: Connection,
    batch: Json,
    *,
    transaction_id: str = "TRX_1",
    gateway: str = GATEWAY,
    received_at: datetime = NOON,
    **columns: Any,
) -> UUID:
    """Keep a verified orders webhook about that batch; its event id."""
    event_id = uuid4()
    said = {**batch, "transactionId": transaction_id, "smallcaseAuthId": ACCOUNT}
    event = {
        "event_id": event_id,
        "gateway": gateway,
        "book": "live",
        "family": "orders",
        "transaction_id": transaction_id,
        "batch_id": batch["batchId"],
        "account": ACCOUNT,
        "key_id": "k1",
        "received_at": received_at,
    }
    connection.execute(insert(schema.events).values(**(event | columns)))
    delivery = {
        "event_id": event_id,
        "received_at": received_at,
        "body": json.dumps(said).encode(),
        "headers": {},
        "signature": b"s",
        "key_id": "k1",
        "verdict": "accepted",
    }
    connection.execute(insert(schema.deliveries).values(**delivery))
    return event_id


@dataclass(frozen=True, slots=True)
class Booked:
    """A stored line of the books."""

    line: int
    order_id: str


def our_line(
    connection: Connection,
    txn: int | None,
    leg: Json | None = None,
    *,
    transaction_id: str = "TRX_1",
    gateway: str = GATEWAY,
    book: str = "live",
    **fields: Any,
) -> Booked:
    """Book a line that agrees with the Gateway's leg but for `fields`, as an import does: rev is raised."""
    line = ours_of(leg or a_leg(), **fields)
    values: dict[str, object] = {
        "gateway": gateway,
        "version": 1,
        "txn": txn,
        "book": book,
        "isin": None,
        "executed_at": None,
        "key": key_of(gateway, transaction_id, line.exchange, line.exchange_order_id),
        "facts": facts_of_ours(line),
        "plain": plain_ours(line),
        **{name: getattr(line, name) for name in OurLine.__struct_fields__ if name != "line"},
    }
    statement = insert(schema.our_lines).values(**values).returning(schema.our_lines.c.line)
    stored = int(connection.execute(statement).scalar_one())
    raise_rev(connection, txn)
    return Booked(stored, line.order_id)


def ours_of(leg: Mapping[str, Any], **fields: Any) -> OurLine:
    """The line the books would hold of the Gateway's leg, but for `fields`."""
    values: Json = {
        "line": 0,
        "order_id": f"O{next(_numbers)}",
        "account": ACCOUNT,
        "broker": BROKER,
        "trade_date": DAY,
        "exchange": leg["exchange"],
        "symbol": leg["tradingsymbol"],
        "instrument": f"{leg['exchange']}:{leg['tradingsymbol']}",
        "side": leg["transactionType"],
        "quantity": Decimal(str(leg["quantity"])),
        "filled": Decimal(str(leg["filledQuantity"])),
        "average_price": None if leg["averagePrice"] is None else Decimal(str(leg["averagePrice"])),
        "status": leg["status"],
        "exchange_order_id": leg["exchangeOrderId"],
    }
    return OurLine(**(values | fields))


def change_line(connection: Connection, booked: Booked, **fields: Any) -> None:
    """Change a line of the books as a re-import does: digests anew, rev raised."""
    row = connection.execute(text("select * from our_lines where line = :l"), {"l": booked.line}).one()
    names = [name for name in OurLine.__struct_fields__ if name != "line"]
    line = OurLine(line=booked.line, **({name: getattr(row, name) for name in names} | fields))
    values = {name: getattr(line, name) for name in fields}
    table = schema.our_lines
    changed = table.update().where(table.c.line == booked.line)
    connection.execute(changed.values(**values, facts=facts_of_ours(line), plain=plain_ours(line)))
    raise_rev(connection, row.txn)


def raise_rev(connection: Connection, txn: int | None) -> None:
    """Say that something about the transaction changed."""
    connection.execute(text("update transactions set rev = rev + 1 where txn = :txn"), {"txn": txn})
