"""Transactions with a final answer, as a webhook and a fetch leave them: alone, booked, or judged as well."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from tests.builders import NOON, Json, a_batch, a_transaction, an_answer, our_line, rules, store_snapshot, store_webhook
from tieout.reconcile import reconcile
from tieout.state import refresh


def answered(connection: Connection, *legs: Json, name: str = "TRX_1", **batch: Any) -> int:
    """A transaction with a final answer about these legs in one batch."""
    txn = a_transaction(connection, name)
    said = a_batch(*legs, batch_id=f"B-{name}", **batch)
    store_webhook(connection, said, transaction_id=name)
    store_snapshot(connection, txn, an_answer(said, transaction_id=name))
    refresh(connection, txn=txn, now=NOON, rules=rules())
    return txn


def agreed(connection: Connection, *legs: Json, name: str = "TRX_1", **booked: Any) -> int:
    """One whose lines the books hold as the Gateway says them, but for `booked`; not judged yet."""
    txn = answered(connection, *legs, name=name)
    for leg in legs:
        our_line(connection, txn, leg, transaction_id=name, **booked)
    return txn


def tied_out(connection: Connection, *legs: Json, name: str = "TRX_1") -> int:
    """One on which both sides agree, judged so."""
    txn = agreed(connection, *legs, name=name)
    reconcile(connection, txns=[txn], now=NOON, rules=rules())
    return txn
