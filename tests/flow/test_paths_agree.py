"""The statement that matches by itself, and the rules: they must say the same of any day."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from store.states import locked
from store.together import rows_of
from tests.builders import (
    EVENING,
    NOON,
    Json,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    our_line,
    rules,
    store_snapshot,
    store_webhook,
)
from tieout.reconcile import Judged, finding_rows, judge_all, reconcile
from tieout.state import refresh

RULES = rules(price_slack=Decimal("0.01"))

#: How a leg may stand at the Gateway, and how the books may differ from it.
LEGS = st.sampled_from(
    [
        {},
        {},
        {},
        {"filledQuantity": 4, "status": "CANCELLED"},
        {"filledQuantity": 0, "status": "REJECTED", "averagePrice": 0},
        {"transactionType": "SELL"},
        {"exchangeOrderId": None},
        {"status": "GONE"},
        {"filledQuantity": 0, "status": "PLACED", "averagePrice": 0},
        {"averagePrice": 0},
    ]
)
BOOKS = st.sampled_from(
    [
        {},
        {},
        {},
        {},
        {"average_price": Decimal("420.105")},
        {"average_price": Decimal("420.2")},
        {"filled": Decimal(3)},
        {"quantity": Decimal(11)},
        {"side": "SELL"},
        {"account": "5f0321b5f3743c31d95abd36"},
        {"broker": None},
        {"status": None},
        {"exchange_order_id": None},
        {"instrument": "INE0OTHER"},
        None,
    ]
)
TWICE = st.sampled_from([1, 1, 1, 1, 1, 2])
LINE = st.tuples(LEGS, BOOKS, TWICE)
BATCH = st.sampled_from([{}, {}, {}, {}, {"filled": 99}, {"buyAmount": 1}, {"status": "PLACED"}])
HEARD = st.sampled_from([True, True, True, False])
TRANSACTION = st.tuples(st.lists(LINE, min_size=1, max_size=3), BATCH, HEARD)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(day=st.lists(TRANSACTION, min_size=2, max_size=8))
def test_a_day_judged_by_statement_is_a_day_judged_by_the_rules(shared_engine: Engine, day: Sequence[Any]) -> None:
    """Verdicts and findings stored for many at once are those the rules give for each."""
    with shared_engine.connect() as connection:
        txns = _stored(connection, day)
        reconcile(connection, txns=txns, now=NOON, rules=RULES)
        for txn, (lines, _, _) in zip(txns, day, strict=True):
            _book(connection, txn, lines)
        outcome = reconcile(connection, txns=txns, now=EVENING, rules=RULES)

        judged = judge_all(connection, rows_of(connection, locked(txns)), now=EVENING, rules=RULES)
        assert _verdicts_stored(connection) == _verdicts_said(judged)
        assert _findings_stored(connection) == _findings_said(judged)
        assert _reviews_stored(connection) == {e.loaded.row.txn: e.judgement.review_at for e in judged}
        assert outcome.judged == len(txns)
        connection.rollback()


def test_a_day_without_a_difference_is_matched_by_the_statement_alone(shared_engine: Engine) -> None:
    """The property above would hold as well if the statement never matched anything: it does."""
    day: list[Any] = [([({}, {}, 1), ({}, {}, 1)], {}, True)] * 4
    with shared_engine.connect() as connection:
        txns = _stored(connection, day)
        reconcile(connection, txns=txns, now=NOON, rules=RULES)
        for txn, (lines, _, _) in zip(txns, day, strict=True):
            _book(connection, txn, lines)

        assert reconcile(connection, txns=txns, now=EVENING, rules=RULES).by_statement == len(txns)
        connection.rollback()


def _stored(connection: Connection, day: Sequence[Any]) -> list[int]:
    txns = []
    for number, (lines, batch, heard) in enumerate(day):
        name = f"TRX_{number}"
        txns.append(a_transaction(connection, name))
        legs = [_leg(number, place, said) for place, (said, _, _) in enumerate(lines)]
        said = a_batch(*legs, batch_id=f"B{number}", **batch)
        if heard:
            store_webhook(connection, said, transaction_id=name)
        store_snapshot(connection, txns[-1], an_answer(said, transaction_id=name))
        refresh(connection, txn=txns[-1], now=NOON, rules=RULES)
    return txns


def _leg(number: int, place: int, said: Json) -> Json:
    return a_leg(**{"exchangeOrderId": f"{number:04}{place}", **said})


def _book(connection: Connection, txn: int, lines: Sequence[tuple[Json, Json | None, int]]) -> None:
    name = connection.execute(text("select transaction_id from transactions where txn = :t"), {"t": txn}).scalar_one()
    for place, (said, differing, times) in enumerate(lines):
        leg = _leg(int(name[4:]), place, said)
        for _ in range(times if differing is not None else 0):
            our_line(connection, txn, leg, transaction_id=name, **(differing or {}))


def _verdicts_stored(connection: Connection) -> set[tuple[Any, ...]]:
    found = connection.execute(text("select txn, ours, theirs, rev, bucket, rung, trade_date, book from verdicts"))
    return {tuple(row) for row in found}


def _verdicts_said(judged: Sequence[Judged]) -> set[tuple[Any, ...]]:
    return {
        (e.loaded.row.txn, v.ours, v.theirs, e.loaded.row.rev, v.bucket, v.rung, v.trade_date, e.loaded.row.book)
        for e in judged
        for v in e.judgement.verdicts
    }


COMPARED = (
    "finding_id",
    "class",
    "ours",
    "theirs",
    "tolerance",
    "impact_inr",
    "ours_line",
    "theirs_line",
    "trade_date",
)


def _findings_stored(connection: Connection) -> set[tuple[Any, ...]]:
    found = connection.execute(text("select * from findings where closed_at is null"))
    return {tuple(row._mapping[name] for name in COMPARED) for row in found}


def _findings_said(judged: Sequence[Judged]) -> set[tuple[Any, ...]]:
    return {tuple(row[name] for name in COMPARED) for each in judged for row in finding_rows(each, RULES)}


def _reviews_stored(connection: Connection) -> dict[int, Any]:
    found = connection.execute(text("select txn, review_at from transactions"))
    return {row.txn: row.review_at for row in found}
