"""A small day put into the tables by hand, for tests of what people see.

It has a line of every kind the pages show, and text that tries to be more than text.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, select, text

from store import schema
from tests import holdings_story

NOW = datetime(2026, 11, 20, 11, 5, tzinfo=UTC)  #: 16:35 IST on a Friday
DAY = date(2026, 11, 20)
GATEWAY = "acme"
TRX = "TRX_0123456789abcdef0123456789abcde{}"
DIFFERS, MISSING, OPEN, HOSTILE = (TRX.format(n) for n in range(4))
BATCH = "65a1b2c3d4e5f60718293a4b"
ACCOUNT = "5f0321b5f3743c31d95abd35"
PARKED_EVENT = UUID("11111111-2222-4333-8444-555555555555")
DONE_EVENT = UUID("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
PRICE_BREAK = UUID("00000000-0000-4000-8000-000000000001")
ATTACK = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
SECRET = "s3cret-of-the-gateway"


def tell(engine: Engine) -> None:
    """Put the whole day into an empty database."""
    with engine.begin() as connection:
        txns = {name: _transaction(connection, name) for name in (DIFFERS, MISSING, OPEN, HOSTILE)}
        _differs(connection, txns[DIFFERS])
        _missing(connection, txns[MISSING])
        _events(connection, txns)
        _service(connection)
        holdings_story.tell(connection, gateway=GATEWAY, now=NOW)


def _put(connection: Connection, table: Any, **values: object) -> Any:
    return connection.execute(insert(table).values(**values)).inserted_primary_key


def _transaction(connection: Connection, name: str) -> int:
    ended = name in {DIFFERS, MISSING}
    row = _put(
        connection,
        schema.transactions,
        gateway=GATEWAY,
        transaction_id=name,
        book="live",
        origin="books",
        registered_at=NOW - timedelta(hours=6),
        account=ACCOUNT,
        broker="kite",
        intent="TRANSACTION",
        status="COMPLETED" if ended else "PROCESSING",
        created_at=NOW - timedelta(hours=6),
        known=True,
        final=ended,
        ask_at=None if ended else NOW - timedelta(minutes=1),
        asks=3,
        generation=2,
        rev=2,
    )
    if ended:
        connection.execute(schema.unjudged.delete().where(schema.unjudged.c.txn == row[0]))
    return int(row[0])


def _differs(connection: Connection, txn: int) -> None:
    _put(
        connection,
        schema.batches,
        txn=txn,
        batch_id=BATCH,
        status="COMPLETED",
        variety="regular",
        quantity=Decimal(12500),
        filled=Decimal(12500),
        buy_amount=Decimal("18906250.25"),
        completed_at=NOW - timedelta(hours=5),
        trade_date=DAY,
    )
    imported = _put(
        connection,
        schema.imports,
        kind="orders",
        gateway=GATEWAY,
        file_name="orders-2026-11-20.csv",
        file_digest=b"f" * 32,
        imported_at=NOW - timedelta(hours=2),
        rows=2,
        new=2,
        changed=0,
        unchanged=0,
        refused=0,
    )[0]
    ours = _our_line(connection, txn, imported, "ORD-1001", Decimal("1512.55"), row=2)
    theirs = _their_line(connection, txn, Decimal("1512.50"), "1100000000012345")
    _verdict(connection, txn, ours, theirs, "price-out")
    exact = _our_line(connection, txn, imported, "ORD-1002", Decimal("1512.50"), row=3)
    equal = _their_line(connection, txn, Decimal("1512.50"), "1100000000012346", position=1)
    _verdict(connection, txn, exact, equal, "matched")
    _finding(
        connection,
        finding_id=PRICE_BREAK,
        txn=txn,
        transaction_id=DIFFERS,
        name="price-out",
        subject="ORD-1001",
        line="ORD-1001",
        field="average_price",
        ours="1512.55",
        theirs="1512.5",
        difference=Decimal("0.05"),
        tolerance=Decimal("0.01"),
        impact_inr=Decimal(625),
        ours_line=ours,
        theirs_line=theirs,
        evidence=[
            {"kind": "event", "ref": str(DONE_EVENT), "says": "COMPLETED, filled 12500"},
            {"kind": "snapshot", "ref": str(_answer(connection, txn)), "says": "average price 1512.5"},
            {"kind": "books", "ref": "ORD-1001 version 1", "says": "average price 1512.55"},
        ],
    )
    for change in ("opened", "changed"):
        _put(
            connection,
            schema.finding_changes,
            finding_id=PRICE_BREAK,
            at=NOW - timedelta(hours=1),
            change=change,
            rev=2,
            ours="1512.55",
            theirs="1512.5",
        )


def _our_line(connection: Connection, txn: int, imported: int, order: str, price: Decimal, *, row: int) -> int:
    line = _put(
        connection,
        schema.our_lines,
        gateway=GATEWAY,
        order_id=order,
        version=1,
        txn=txn,
        account=ACCOUNT,
        broker="kite",
        status="COMPLETE",
        exchange_order_id=f"11000000000123{43 + row}",
        **_instrument(price),
    )[0]
    _put(
        connection,
        schema.line_versions,
        line=line,
        version=1,
        import_id=imported,
        row=row,
        known_at=NOW - timedelta(hours=2),
        digest=b"d" * 32,
        raw={"order_id": order, "symbol": "RELIANCE", "average_price": str(price)},
    )
    return int(line)


def _their_line(connection: Connection, txn: int, price: Decimal, order: str, *, position: int = 0) -> int:
    row = _put(
        connection,
        schema.their_lines,
        txn=txn,
        placed=True,
        position=position,
        status="COMPLETE",
        exchange_order_id=order,
        **_instrument(price),
    )
    return int(row[0])


def _instrument(price: Decimal) -> dict[str, object]:
    return {
        "book": "live",
        "batch_id": BATCH,
        "trade_date": DAY,
        "exchange": "NSE",
        "symbol": "RELIANCE",
        "instrument": "INE002A01018",
        "side": "BUY",
        "quantity": Decimal(12500),
        "filled": Decimal(12500),
        "average_price": price,
        "facts": b"f" * 16,
        "plain": False,
    }


def _verdict(connection: Connection, txn: int, ours: int | None, theirs: int | None, bucket: str) -> None:
    _put(
        connection,
        schema.line_verdicts,
        txn=txn,
        ours=ours,
        theirs=theirs,
        rev=2,
        bucket=bucket,
        rung=1,
        trade_date=DAY,
        book="live",
        rule_set="default",
    )


def _finding(connection: Connection, **values: object) -> None:
    usual: dict[str, object] = {
        "gateway": GATEWAY,
        "book": "live",
        "class": "break",
        "level": "line",
        "critical": False,
        "rule": "prices agree within rounding and slack",
        "rule_set": "default",
        "evidence": [],
        "trade_date": DAY,
        "rev": 2,
        "opened_at": NOW - timedelta(hours=1),
    }
    connection.execute(insert(schema.findings).values({**usual, **values}))


def _missing(connection: Connection, txn: int) -> None:
    theirs = _their_line(connection, txn, Decimal("250.10"), "1100000000099999")
    _verdict(connection, txn, None, theirs, "missing-internal")
    _finding(
        connection,
        finding_id=UUID(int=2),
        txn=txn,
        transaction_id=MISSING,
        name="missing-internal",
        subject="1100000000099999",
        line="1100000000099999",
        field="line",
        ours=None,
        theirs="12500 RELIANCE",
        impact_inr=Decimal(3126250),
        theirs_line=theirs,
        rule="every line of the Gateway has one in the books",
    )
    _finding(
        connection,
        finding_id=UUID(int=3),
        txn=txn,
        transaction_id=MISSING,
        name="partial-residual",
        subject="ORD-1003",
        line="ORD-1003",
        field="filled",
        ours="1",
        theirs="1",
        impact_inr=Decimal(0),
        rule="what is not filled is left over",
        **{"class": "note"},
    )


def _answer(connection: Connection, txn: int) -> int:
    body = json.dumps({"success": True, "data": {"status": "COMPLETED", "averagePrice": 1512.5}}).encode()
    at = NOW - timedelta(hours=5)
    row = connection.execute(
        insert(schema.snapshots)
        .values(
            txn=txn,
            kind="details",
            asked_at=at,
            answered_at=at + timedelta(milliseconds=80),
            known_at=at,
            http_status=200,
            body=body,
            digest=sha256(body).digest(),
            mark="news",
        )
        .returning(schema.snapshots.c.snapshot_id)
    )
    return int(row.scalar_one())


def _events(connection: Connection, txns: dict[str, int]) -> None:
    body = f'{{"transactionId":"{DIFFERS}","status":"COMPLETED","buyAmount":1575.0900000000001,"n":1e2}}'
    _event(connection, DONE_EVENT, DIFFERS, "done", body.encode(), deliveries=2)
    hostile = json.dumps({"transactionId": HOSTILE, "note": ATTACK}).encode() + b"\x00\xff\xe2\x80\xae"
    _event(connection, PARKED_EVENT, HOSTILE, "parked", hostile, reason="unknown-shape")
    for number in range(60):
        state = ("waiting", "received", "claimed")[number % 3]
        reason = "busy" if state == "waiting" else None
        _event(connection, UUID(int=1000 + number), OPEN, state, b"{}", reason=reason, minute=number)
    for outcome in ("claimed", "waiting", "done"):
        connection.execute(
            insert(schema.attempts).values(
                txn=txns[DIFFERS],
                generation=1,
                at=NOW - timedelta(hours=5),
                outcome=outcome,
                reason="busy" if outcome == "waiting" else None,
                detail="503 after 2 tries" if outcome == "waiting" else None,
                http_status=503 if outcome == "waiting" else None,
                took_ms=1200,
                worker="worker@host",
            )
        )


def _event(
    connection: Connection,
    event_id: UUID,
    transaction_id: str,
    state: str,
    body: bytes,
    *,
    reason: str | None = None,
    deliveries: int = 1,
    minute: int = 0,
) -> None:
    received = NOW - timedelta(minutes=65 - minute)
    _put(
        connection,
        schema.events,
        event_id=event_id,
        gateway=GATEWAY,
        book="live",
        family="orders",
        transaction_id=transaction_id,
        batch_id=BATCH,
        account=ACCOUNT,
        key_id="k1",
        received_at=received,
        state=state,
        reason=reason,
        next_attempt_at=text("clock_timestamp() + interval '5 min'") if state == "waiting" else None,
        attempts=1,
    )
    for again in range(deliveries):
        connection.execute(
            insert(schema.deliveries).values(
                event_id=event_id,
                received_at=received + timedelta(minutes=15 * again),
                body=body,
                headers={"user-agent": ATTACK, "content-type": "application/json"},
                signature=b"s" * 16,
                key_id="k1",
                verdict="verified",
                marks=["signature-reused"] if again else [],
            )
        )


def _service(connection: Connection) -> None:
    for kind, name in (("worker", "worker@host"), ("sweep", "sweep"), ("beat", "beat"), ("edge", "edge:41")):
        _put(connection, schema.signs_of_life, kind=kind, name=name, detail={"queues": ["settle", "upkeep"]})
    earlier = text("clock_timestamp() - interval '40 ms'")
    _put(connection, schema.signs_of_life, kind="canary", name="settle", sent_at=earlier)
    _put(
        connection,
        schema.gateway_states,
        gateway=GATEWAY,
        breaker="open",
        reason="keys refused: 401",
        failures=3,
    )
    for number in range(3):
        connection.execute(
            insert(schema.refusals).values(
                gateway=GATEWAY,
                reason="bad-checksum",
                minute=NOW - timedelta(minutes=number + 1),
                count=12 + number,
                last_at=NOW - timedelta(minutes=number, seconds=5),
                sample=ATTACK.encode(),
                headers={},
                detail="no valid key signs this text",
            )
        )
    _put(connection, schema.alerts, name="unknown-shape", gateway=GATEWAY, subject=str(PARKED_EVENT), detail=ATTACK)
    _put(connection, schema.alerts, name="breaker-open", gateway=GATEWAY, subject=GATEWAY, detail="401 from the API")
    assert connection.scalar(select(schema.events.c.event_id).limit(1)) is not None
