"""What a chain of repairs is told by: batches of several transactions, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLeg:
    """What a batch of a chain ordered and filled of one instrument on one side of the market."""

    instrument: str
    side: str
    quantity: Decimal
    filled: Decimal
    average_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBatch:
    """One batch of a chain of repairs, of this or another transaction of the same gateway and account."""

    transaction_id: str
    batch_id: str
    status: str
    repair: bool  #: it re-attempts what an earlier batch left
    final: bool
    iscid: str | None = None
    at: datetime | None = None  #: when it was made, else when it ended
    completed_at: datetime | None = None
    settled: bool = True  #: False while two answers about its transaction disagree
    legs: tuple[ChainLeg, ...] = ()
