"""One transaction as the company's backend reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedBatch:
    """A batch as the Gateway's API says it; amounts in rupees before charges."""

    batch_id: str
    status: str
    quantity: Decimal | None
    filled: Decimal | None
    buy_amount: Decimal | None
    sell_amount: Decimal | None
    trade_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What is known of a transaction; None where nobody said it."""

    gateway: str
    transaction_id: str
    origin: str
    user_ref: str | None
    account: str | None
    broker: str | None
    intent: str | None
    status: str | None  #: the Gateway's word
    known: bool | None  #: does the API know it; None until it answered
    final: bool
    created_at: datetime | None
    expire_at: datetime | None
    registered_at: datetime
    error_code: str | None
    error_message: str | None
    requested: list[dict[str, Any]] | None
    batches: tuple[CreatedBatch, ...] = ()


_ROW = text("""
select txn, gateway, transaction_id, origin, user_ref, account, broker, intent, status, known, final, created_at,
  expire_at, registered_at, error_code, error_message, requested
from transactions where transaction_id = :transaction_id and gateway = any(:gateways) order by gateway limit 1
""")
_BATCHES = text("""
select batch_id, status, quantity, filled, buy_amount, sell_amount, trade_date
from batches where txn = :txn order by created_at, batch_id
""")


def created(connection: Connection, *, transaction_id: str, gateways: Sequence[str]) -> Created | None:
    """The transaction in one of these gateways; None if none of them has it."""
    row = connection.execute(_ROW, {"transaction_id": transaction_id, "gateways": list(gateways)}).mappings().first()
    if row is None:
        return None
    facts = dict(row)
    found = connection.execute(_BATCHES, {"txn": facts.pop("txn")}).mappings()
    return Created(**facts, batches=tuple(CreatedBatch(**batch) for batch in found))
