"""A symbol without an ISIN is a break where there is a table of instruments, and only there."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, Engine, insert, text

from store import schema
from store.instruments import find_renamed
from tests.builders import (
    EVENING,
    NOON,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    our_line,
    rules,
    store_snapshot,
    store_webhook,
)
from tieout.reconcile import reconcile
from tieout.review import review_due
from tieout.state import refresh


def a_matched_day(engine: Engine) -> None:
    """Two transactions whose lines tie out, on an installation without instruments."""
    with engine.begin() as connection:
        txns = [_settled(connection, f"TRX_{number}", symbol) for number, symbol in enumerate(("INFY", "XYZLTD"))]
        reconcile(connection, txns=txns, now=EVENING, rules=rules())


def _settled(connection: Connection, name: str, symbol: str) -> int:
    txn, leg = a_transaction(connection, name), a_leg(symbol)
    batch = a_batch(leg)
    store_snapshot(connection, txn, an_answer(batch, transaction_id=name))
    store_webhook(connection, batch, transaction_id=name, received_at=NOON)
    our_line(connection, txn, leg, transaction_id=name)
    refresh(connection, txn=txn, now=EVENING, rules=rules())
    return txn


def buckets(engine: Engine) -> dict[str, str]:
    """By transaction, after judging what is due, so many at once that the one statement takes its part."""
    review_due(engine, now=EVENING, rules=rules(), limit=100)
    with engine.connect() as connection:
        rows = connection.execute(text("select transaction_id, bucket from verdicts join transactions using (txn)"))
        return {row.transaction_id: row.bucket for row in rows}


def test_the_first_table_of_instruments_shows_what_it_leaves_out(engine: Engine) -> None:
    """Before it nothing is said; after it the symbol that is listed nowhere blocks its day."""
    a_matched_day(engine)
    assert buckets(engine) == {"TRX_0": "matched", "TRX_1": "matched"}

    with engine.begin() as connection:
        listed = {"exchange": "NSE", "symbol": "INFY", "valid_from": date(2026, 1, 1), "isin": "INE009A01021"}
        connection.execute(insert(schema.instruments).values(**listed))
        find_renamed(connection)

    assert buckets(engine)["TRX_1"] == "unmapped"
    with engine.begin() as connection:
        connection.execute(text("update transactions set rev = rev + 1"))
    assert buckets(engine)["TRX_1"] == "unmapped"
