"""The transactions that a load is cloned from: made by the service itself, by the way that every transaction takes.

Each is a basket of one to nineteen orders that has come to its end, with its webhook, its answer and its
lines in the books. Of some, the books differ, as a clerk or a broken import would make them differ.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, update

from config.calendar import IST, exchange_calendar
from config.settings import Gateway
from recon.values import Origin, Policy
from store import schema
from store.snapshots import Kept, keep_answers
from store.transactions import ensure
from tieout.imports import import_file
from tieout.reconcile import reconcile
from tieout.rules import Rules
from tieout.state import refresh

GATEWAY = Gateway(name="volume", url="", secrets=(), api_secrets=(), book="test")
RULES = Rules(Policy(), exchange_calendar())
ACCOUNTS = tuple(f"5f0321b5f3743c31d95ab{number:03d}" for number in range(40))
BROKERS = ("kite", "groww", "upstox", "angelbroking", "fivepaisa")
SYMBOLS = ("AXISBANK", "INFY", "RELIANCE", "SBIN", "TCS", "ITC", "HDFCBANK", "WIPRO", "ONGC", "NTPC", "LT", "TITAN",
           "MARUTI", "CIPLA", "GAIL", "COALINDIA", "BEL", "DLF", "PNB", "VEDL")  # fmt: skip
SIZES = range(1, 20)  #: orders of a basket, ten on average
FIRST_DAY, DAYS = date(2026, 11, 2), 10
FIRST_TOKEN = 900_000_000

Json = dict[str, Any]
Line = dict[str, str]


@dataclass(frozen=True, slots=True)
class Basket:
    """One transaction to be made: what is wrong with its books, how many orders, on which day, and its ids."""

    seed: int
    kind: str
    size: int
    day: date
    token: str  #: the nine digits that its ids have and nothing else has

    @property
    def account(self) -> str:
        """Whose it is."""
        return ACCOUNTS[self.seed % len(ACCOUNTS)]

    @property
    def broker(self) -> str:
        """By whom it was traded."""
        return BROKERS[self.seed % len(BROKERS)]

    @property
    def transaction_id(self) -> str:
        """As the Gateway names it."""
        return f"TRX_{self.token:0>32}"

    @property
    def batch_id(self) -> str:
        """Of its one batch."""
        return f"65a5{self.token:0>20}"

    def at(self, hour: int, minute: int = 0) -> datetime:
        """An instant of its day, IST."""
        return datetime.combine(self.day, time(hour, minute), tzinfo=IST)


def _lower_fill(line: Line) -> Line:
    return line | {"filled_quantity": str(int(line["filled_quantity"]) - 1), "status": "CANCELLED"}


def _dearer(line: Line) -> Line:
    return line | {"average_price": str(Decimal(line["average_price"]) + Decimal("0.75"))}


def _other_side(line: Line) -> Line:
    return line | {"side": "SELL" if line["side"] == "BUY" else "BUY"}


def _larger(line: Line) -> Line:
    more = str(int(line["quantity"]) + 5)
    return line | {"quantity": more, "filled_quantity": more}


def _other_account(line: Line) -> Line:
    return line | {"account": "5f0321b5f3743c31d95abfff"}


#: What is wrong with the books of a transaction, line by line; None: the line was never entered.
KINDS: Mapping[str, Any] = {
    "clean": lambda line: line,
    "lower-fill": _lower_fill,
    "dearer": _dearer,
    "other-side": _other_side,
    "larger": _larger,
    "other-account": _other_account,
    "not-entered": lambda _line: None,
}
SPARED = 4  #: of a transaction that differs every fourth line does not


def baskets() -> list[Basket]:
    """Every kind in every size; each day has some of them."""
    days = _sessions()
    sizes = [(kind, size) for kind in KINDS for size in SIZES for _ in range(3 if kind == "clean" else 1)]
    return [
        Basket(seed, kind, size, days[seed % DAYS], str(FIRST_TOKEN + seed)) for seed, (kind, size) in enumerate(sizes)
    ]


def evening() -> datetime:
    """After the books of the last day were due."""
    return datetime.combine(_sessions()[-1], time(21), tzinfo=IST).astimezone(UTC)


def make(engine: Engine, made: Sequence[Basket], folder: Path) -> None:
    """Store these, each settled at noon of its day, booked in the evening, and judged by the rules.

    The database is migrated; `folder` takes the file that is imported.
    """
    legs = {each.token: list(_legs(each)) for each in made}
    with engine.begin() as connection:
        for each in made:
            _settle(connection, each, legs[each.token])
    file = _books(made, legs, folder / "orders.csv")
    report = import_file(engine, kind="orders", file=file, gateways=[GATEWAY], now=evening(), rules=RULES)
    if report.refused:
        raise ValueError(f"the import refused {report.refused} rows: {report.problems[0]}")


def _sessions() -> list[date]:
    calendar, found = exchange_calendar(), [FIRST_DAY]
    while len(found) < DAYS:
        found.append(calendar.session_after(found[-1]))
    return found


def _legs(basket: Basket) -> Iterator[Json]:
    chance = Random(basket.seed)
    return (_leg(basket, place, chance) for place in range(basket.size))


def _leg(basket: Basket, place: int, chance: Random) -> Json:
    quantity = chance.randrange(2, 400)
    return {
        "tradingsymbol": SYMBOLS[place],
        "exchange": "NSE",
        "transactionType": chance.choice(("BUY", "BUY", "BUY", "SELL")),
        "orderType": "MARKET",
        "product": "CNC",
        "quantity": quantity,
        "filledQuantity": quantity,
        "averagePrice": float(Decimal(chance.randrange(2_000, 800_000)) / 20),
        "status": "COMPLETE",
        "exchangeOrderId": f"11{basket.token}{place:02}",
    }


def _batch(basket: Basket, legs: Sequence[Json]) -> Json:
    shares = sum(leg["quantity"] for leg in legs)
    return {
        "batchId": basket.batch_id,
        "status": "COMPLETED",
        "variety": "regular",
        "quantity": shares,
        "filled": shares,
        "buyAmount": _rupees(legs, "BUY"),
        "sellAmount": _rupees(legs, "SELL"),
        "createdAt": _iso(basket.at(11, 50)),
        "completedDate": _iso(basket.at(11, 55)),
        "orders": list(legs),
        "unplaced": [],
    }


def _rupees(legs: Sequence[Json], side: str) -> float:
    mine = [leg for leg in legs if leg["transactionType"] == side]
    return float(sum(Decimal(str(leg["averagePrice"])) * leg["quantity"] for leg in mine))


def _iso(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---------------------------------------------------------------- stored as the service stores it


def _settle(connection: Connection, basket: Basket, legs: Sequence[Json]) -> None:
    noon, batch = basket.at(12), _batch(basket, legs)
    ids = ensure(
        connection, gateway=GATEWAY.name, book=GATEWAY.book, origin=Origin.REGISTRATION,
        ids=[basket.transaction_id], now=basket.at(11, 45),
    )  # fmt: skip
    txn = ids[basket.transaction_id]
    heard = {**batch, "transactionId": basket.transaction_id, "smallcaseAuthId": basket.account}
    _hear(connection, basket, json.dumps(heard).encode(), noon)
    details = {
        "transactionId": basket.transaction_id,
        "status": "COMPLETED",
        "intent": "TRANSACTION",
        "smallcaseAuthId": basket.account,
        "broker": basket.broker,
        "createdAt": _iso(basket.at(11, 48)),
        "expireAt": _iso(basket.at(11, 53)),
        "orderBatches": [batch],
    }
    body = json.dumps({"success": True, "errors": None, "data": {"transactionDetails": details}}).encode()
    answer = Kept(txn=txn, asked_at=noon + timedelta(seconds=2), answered_at=noon + timedelta(seconds=3),
                  http_status=200, body=body)  # fmt: skip
    keep_answers(connection, kind="details", answers=[answer], known_at=noon)
    found = update(schema.transactions).where(schema.transactions.c.txn == txn)
    connection.execute(found.values(found_by="webhook", found_at=noon, asks=1, generation=1))
    refresh(connection, txn=txn, now=noon, rules=RULES)
    reconcile(connection, txns=[txn], now=noon, rules=RULES)


def _hear(connection: Connection, basket: Basket, body: bytes, at: datetime) -> None:
    """Keep the webhook as the edge keeps it and the worker leaves it."""
    named = {"event_id": UUID(bytes=sha256(body).digest()[:16]), "received_at": at, "key_id": "bench"}
    event = {
        "gateway": GATEWAY.name, "book": GATEWAY.book, "family": "orders", "account": basket.account, "state": "done",
        "transaction_id": basket.transaction_id, "batch_id": basket.batch_id, "stored_at": at, "done_at": at,
    }  # fmt: skip
    connection.execute(insert(schema.events).values(**named, **event))
    kept = {"body": body, "headers": {"content-type": "application/json"}, "signature": b"volume"}
    connection.execute(insert(schema.deliveries).values(**named, **kept, verdict="verified"))


def _books(made: Sequence[Basket], legs: Mapping[str, Sequence[Json]], file: Path) -> Path:
    rows = [row for each in made for place, leg in enumerate(legs[each.token]) if (row := _row(each, place, leg))]
    with file.open("w", newline="") as target:
        writer = csv.DictWriter(target, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def _row(basket: Basket, place: int, leg: Json) -> Line | None:
    line = {
        "order_id": f"ORD{basket.token}{place:02}",
        "transaction_id": basket.transaction_id,
        "account": basket.account,
        "trade_date": basket.day.isoformat(),
        "exchange": leg["exchange"],
        "symbol": leg["tradingsymbol"],
        "side": leg["transactionType"],
        "quantity": str(leg["quantity"]),
        "batch_id": basket.batch_id,
        "exchange_order_id": leg["exchangeOrderId"],
        "broker": basket.broker,
        "filled_quantity": str(leg["filledQuantity"]),
        "average_price": str(leg["averagePrice"]),
        "status": leg["status"],
    }
    spared = basket.size >= SPARED and place % SPARED == SPARED - 1
    found: Line | None = line if spared else KINDS[basket.kind](line)
    return found
