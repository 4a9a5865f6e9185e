"""A small day told through the service's own doors: registered, answered, heard of, imported, judged.

Every kind of row that a closed day rests on is in it, so that each can be tampered with.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert

from config.settings import Gateway
from recon.values import Origin
from store import schema
from store.transactions import ensure
from tests.builders import (
    ACCOUNT,
    BROKER,
    DAY,
    EVENING,
    GATEWAY,
    NOON,
    Json,
    a_batch,
    a_leg,
    an_answer,
    rules,
    store_snapshot,
    store_webhook,
)
from tieout.imports import import_file
from tieout.review import review_due
from tieout.rules import Rules
from tieout.state import refresh

RULES: Rules = rules()
LIVE = Gateway(name=GATEWAY, url="", secrets=(), api_secrets=())
HEADER = (
    *("order_id", "transaction_id", "account", "trade_date", "exchange", "symbol", "side", "quantity"),
    *("batch_id", "exchange_order_id", "broker", "filled_quantity", "average_price", "status"),
)


UNHEARD = 6  #: of that transaction no webhook came
TWICE = 8  #: that one has two legs


def name_of(number: int) -> str:
    """The transactionId of the story's transaction with that number."""
    return f"TRX_{number:032x}"


def tell(engine: Engine, folder: Path, order: Sequence[int] = range(9)) -> None:
    """Put the day into an empty database and judge it, its transactions in that order."""
    with engine.begin() as connection:
        booked = [row for number in order for row in _transaction(connection, number)]
    stray = ours(a_leg(exchangeOrderId="99"), None, order_id="STRAY")
    unreadable = ours(a_leg(exchangeOrderId="98"), None, order_id="BAD", side="up")
    import_rows(engine, folder, [*booked, stray, unreadable])
    judge(engine)


def judge(engine: Engine, now: Any = EVENING) -> None:
    """Judge whatever is due."""
    review_due(engine, now=now, rules=RULES, limit=10**6)


def import_rows(engine: Engine, folder: Path, rows: Sequence[Json], *, now: Any = EVENING) -> None:
    """Import these rows as one file."""
    file = folder / f"orders {now:%H%M%S}.csv"
    with file.open("w", newline="") as target:
        writer = csv.DictWriter(target, HEADER)
        writer.writeheader()
        writer.writerows(rows)
    import_file(engine, kind="orders", file=file, gateways=(LIVE,), now=now, rules=RULES, complete_for=DAY)


def ours(leg: Json, number: int | None, **but: Any) -> Json:
    """The row of the books that agrees with that leg, but for `but`."""
    row: Json = {
        "order_id": f"O-{number}",
        "transaction_id": "" if number is None else name_of(number),
        "account": ACCOUNT,
        "trade_date": DAY.isoformat(),
        "exchange": leg["exchange"],
        "symbol": leg["tradingsymbol"],
        "side": leg["transactionType"],
        "quantity": leg["quantity"],
        "batch_id": "",
        "exchange_order_id": leg["exchangeOrderId"],
        "broker": BROKER,
        "filled_quantity": leg["filledQuantity"],
        "average_price": leg["averagePrice"],
        "status": leg["status"],
    }
    return row | but


#: What is wrong with the books' row of each transaction; None: the row is not there.
_WRONG: dict[int, Json | None] = {
    0: {},
    1: {"average_price": "420.105"},
    2: None,
    3: {"side": "SELL"},
    4: {"quantity": 12},
    5: {"filled_quantity": 9, "status": "CANCELLED"},
    6: {"average_price": "421.10"},
    7: {"status": "CANCELLED"},
    8: {},
}


def _transaction(connection: Connection, number: int) -> list[Json]:
    name = name_of(number)
    wrong = _WRONG[number]
    leg = a_leg(exchangeOrderId=str(1000 + number))
    with_second = number == TWICE
    legs = [leg, a_leg("INFY", exchangeOrderId="2008")] if with_second else [leg]
    batch = a_batch(*legs, batch_id=f"B-{number}")
    txn = ensure(connection, gateway=GATEWAY, book="live", origin=Origin.REGISTRATION, ids=[name], now=NOON)[name]
    if number != UNHEARD:
        store_webhook(connection, batch, transaction_id=name, state="done")
    store_snapshot(connection, txn, an_answer(batch, transaction_id=name))
    refresh(connection, txn=txn, now=NOON, rules=RULES)
    rows = [] if wrong is None else [ours(leg, number, **wrong)]
    if with_second:  # the books hold another order than the Gateway
        rows.append(ours(a_leg("TCS", exchangeOrderId="3008"), number, order_id="O-8-2"))
    _undone_decision(connection, txn, number)
    return rows


def _undone_decision(connection: Connection, txn: int, number: int) -> None:
    """A person once told two lines apart and took it back."""
    said = {"gateway": GATEWAY, "txn": txn, "kind": "apart", "ours": f"O-{number}", "theirs": f"100{number}"}
    said |= {"who": "Ravi", "why": "a mistake", "at": NOON}
    said |= {"undone_at": NOON, "undone_by": "Ravi", "undone_why": "it was none"}
    connection.execute(insert(schema.decisions).values(**said))
