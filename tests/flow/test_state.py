"""The Gateway's side of a transaction, derived from all its answers."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from tests.builders import (
    NOON,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    iso,
    no_such_transaction,
    rules,
    store_snapshot,
)
from tieout.state import Refreshed, refresh

RULES = rules()


def _refresh(connection: Connection, txn: int) -> Refreshed:
    return refresh(connection, txn=txn, now=NOON, rules=RULES)


def _row(connection: Connection, txn: int) -> Row[Any]:
    return connection.execute(text("select * from transactions where txn = :t"), {"t": txn}).one()


def _lines(connection: Connection, txn: int) -> Sequence[Row[Any]]:
    return connection.execute(text("select * from their_lines where txn = :t order by line"), {"t": txn}).all()


def test_an_answer_becomes_the_current_state(connection: Connection) -> None:
    """Status, account, broker, batches and legs are stored as the Gateway says them, exactly."""
    txn = a_transaction(connection)
    store_snapshot(connection, txn, an_answer(a_batch(a_leg(), a_leg("INFY", averagePrice=1575.0900000000001))))

    assert _refresh(connection, txn).changed

    row, lines = _row(connection, txn), _lines(connection, txn)
    assert (row.status, row.broker, row.known, row.final, row.rev) == ("COMPLETED", "kite", True, True, 2)
    assert [(line.symbol, line.average_price) for line in lines] == [
        ("AXISBANK", Decimal("420.100000")),
        ("INFY", Decimal("1575.090000")),
    ]
    assert all(line.plain and line.key and len(line.facts) == 16 for line in lines)


def test_an_answer_that_says_the_same_moves_nothing(connection: Connection) -> None:
    """The rev stays, the lines keep their ids, and the answer is marked as bringing nothing."""
    txn, answer = a_transaction(connection), an_answer(a_batch())
    store_snapshot(connection, txn, answer)
    _refresh(connection, txn)
    before = _row(connection, txn), _lines(connection, txn)

    store_snapshot(connection, txn, answer)
    assert not _refresh(connection, txn).changed

    assert (_row(connection, txn), _lines(connection, txn)) == before
    marks = connection.execute(text("select mark from snapshots order by snapshot_id")).scalars().all()
    assert marks == ["news", "same"]


def test_a_line_keeps_its_id_while_it_goes_on(connection: Connection) -> None:
    """From PLACED to COMPLETE it is one line; a change raises the rev."""
    txn = a_transaction(connection)
    leg = a_leg(status="PLACED", filledQuantity=0, averagePrice=0)
    batch = a_batch(leg, batch_id="B1", status="PLACED", completedDate=None)
    store_snapshot(connection, txn, an_answer(batch, status="PROCESSING"))
    _refresh(connection, txn)
    (first,) = _lines(connection, txn)
    assert not _row(connection, txn).final

    done = leg | {"status": "COMPLETE", "filledQuantity": 10, "averagePrice": 420.1}
    store_snapshot(connection, txn, an_answer(a_batch(done, batch_id="B1")))
    _refresh(connection, txn)

    (second,) = _lines(connection, txn)
    assert (second.line, second.status, _row(connection, txn).rev) == (first.line, "COMPLETE", 3)


def test_an_answer_stored_late_is_marked_and_changes_nothing(connection: Connection) -> None:
    """A slow answer to an earlier question is kept, but it is no news."""
    txn, leg = a_transaction(connection), a_leg()
    late = a_batch(leg | {"status": "PLACED", "filledQuantity": 0}, batch_id="B", status="PLACED")
    store_snapshot(connection, txn, an_answer(a_batch(leg, batch_id="B")), asked_at=NOON)
    _refresh(connection, txn)

    body = an_answer(late, status="PROCESSING")
    store_snapshot(connection, txn, body, asked_at=NOON - timedelta(minutes=1), took=timedelta(minutes=2))
    assert not _refresh(connection, txn).changed

    assert _row(connection, txn).status == "COMPLETED"
    mark = connection.execute(text("select mark from snapshots order by snapshot_id desc limit 1")).scalar_one()
    assert mark == "out-of-order"


def test_nonsense_concludes_nothing(connection: Connection) -> None:
    """A page of HTML with status 200 leaves everything as it was."""
    txn = a_transaction(connection)
    store_snapshot(connection, txn, b"<html>busy</html>", mark="unclear")

    assert not _refresh(connection, txn).changed
    assert _row(connection, txn).known is None


def test_no_such_transaction_is_remembered_with_its_instant(connection: Connection) -> None:
    """Each such answer counts by itself, because only several over a while conclude anything."""
    txn = a_transaction(connection)
    for minutes in (0, 10):
        known_at = NOON + timedelta(minutes=minutes)
        store_snapshot(connection, txn, no_such_transaction(), known_at=known_at, mark="absent")
        _refresh(connection, txn)

    row = _row(connection, txn)
    assert (row.known, row.absent_at) == (False, [NOON, NOON + timedelta(minutes=10)])


def test_an_instrument_is_its_isin_on_the_trade_date(connection: Connection) -> None:
    """A symbol whose ISIN is known on that day is called by it, another by exchange and symbol."""
    connection.execute(
        text(
            "insert into instruments (exchange, symbol, valid_from, valid_to, isin) values"
            " ('NSE', 'AXISBANK', '2020-01-01', '2026-01-01', 'INE0OLD'),"
            " ('NSE', 'AXISBANK', '2026-01-02', null, 'INE238A01034')"
        )
    )
    txn = a_transaction(connection)
    store_snapshot(connection, txn, an_answer(a_batch(a_leg(), a_leg("INFY"))))
    _refresh(connection, txn)

    assert [line.instrument for line in _lines(connection, txn)] == ["INE238A01034", "NSE:INFY"]


def test_a_virtual_broker_is_kept_out_of_the_money(connection: Connection) -> None:
    """A leprechaun broker, or a dummy batch, puts the transaction into the book `test`."""
    books = []
    for number, answer in enumerate([an_answer(a_batch(), broker="kite-leprechaun"), an_answer(a_batch(dummy=True))]):
        txn = a_transaction(connection, f"TRX_{number}")
        answer["data"]["transactionDetails"]["transactionId"] = f"TRX_{number}"
        store_snapshot(connection, txn, answer)
        _refresh(connection, txn)
        books += [_row(connection, txn).book, *(line.book for line in _lines(connection, txn))]

    assert books == ["test"] * 4


def test_what_was_never_begun_ends_with_its_expiry(connection: Connection) -> None:
    """INITIALIZED is at its end only once it was asked for after its expiry."""
    expires = iso(NOON + timedelta(minutes=5))
    answer = an_answer(status="INITIALIZED", expireAt=expires)
    txn = a_transaction(connection)
    store_snapshot(connection, txn, answer, known_at=NOON)
    _refresh(connection, txn)
    early = _row(connection, txn).final

    store_snapshot(connection, txn, answer, known_at=NOON + timedelta(minutes=6))
    _refresh(connection, txn)

    assert (early, _row(connection, txn).final) == (False, True)


def test_order_details_move_the_legs_and_keep_the_rest(connection: Connection) -> None:
    """An answer of the order-details API names batches only; account and broker stay known."""
    txn, leg = a_transaction(connection), a_leg(status="PLACED", filledQuantity=0, averagePrice=0)
    placed = a_batch(leg, batch_id="B", status="PLACED", completedDate=None)
    store_snapshot(connection, txn, an_answer(placed, status="COMPLETED"))
    _refresh(connection, txn)

    done = a_batch(leg | {"status": "COMPLETE", "filledQuantity": 10, "averagePrice": 420.1}, batch_id="B")
    body = {"success": True, "errors": None, "data": [{"transactionId": "TRX_1", "batches": [done]}]}
    store_snapshot(connection, txn, body, kind="orders")
    _refresh(connection, txn)

    row, (line,) = _row(connection, txn), _lines(connection, txn)
    assert (line.status, row.broker, row.final) == ("COMPLETE", "kite", True)
