"""Orders as the Gateway tells them: legs, batches, and what its answer says from an instant on.

Prices are whole paise inside and binary floats in JSON: the Gateway's amounts carry float noise
(420.1 + 1154.99 = 1575.0900000000001), and so do these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.day import instant_text
from simulator.shares import Share

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One order leg in its state at some instant."""

    share: Share
    side: str
    quantity: int
    filled: int
    price: int  #: true average price, in paise
    status: str
    exchange_id: str | None
    placed: bool = True
    shown_price: int | None = None  #: what the Gateway says instead of the true price, in paise
    order_type: str = "MARKET"

    def said(self) -> Json:
        """The leg as JSON."""
        shown = self.price if self.shown_price is None else self.shown_price
        leg: Json = {
            "status": self.status,
            "tradingsymbol": self.share.symbol,
            "exchange": "NSE",
            "transactionType": self.side,
            "orderType": self.order_type,
            "product": "CNC",
            "quantity": self.quantity,
            "filledQuantity": self.filled,
            "averagePrice": number(shown / 100) if self.filled else 0,
        }
        return leg | {"exchangeOrderId": self.exchange_id} if self.exchange_id else leg


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One order batch in its state at some instant; the `odd_` fields are planted faults."""

    batch_id: str
    status: str
    variety: str
    legs: Sequence[Leg]
    completed_at: datetime | None = None
    odd_filled: int = 0
    odd_amount: float = 0.0
    invested: str = ""  #: iscid, of a smallcase
    label: str = ""  #: what an order of a smallcase is for

    def said(self) -> Json:
        """The batch as JSON, without the ids of its transaction."""
        batch: Json = {
            "batchId": self.batch_id,
            "status": self.status,
            "variety": self.variety,
            "quantity": sum(leg.quantity for leg in self.legs),
            "filled": sum(leg.filled for leg in self.legs) + self.odd_filled,
            "buyAmount": self._amount("BUY"),
            "sellAmount": self._amount("SELL"),
            "completedDate": instant_text(self.completed_at) if self.completed_at else None,
            "orders": [leg.said() for leg in self.legs if leg.placed],
            "unplaced": [leg.said() for leg in self.legs if not leg.placed],
        }
        return batch | {"iscid": self.invested, "label": self.label} if self.invested else batch

    def _amount(self, side: str) -> float | int:
        amount = 0.0
        for leg in self.legs:
            if leg.side == side:
                amount += leg.filled * (leg.price / 100)
        return number(amount + self.odd_amount if amount else amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What an API answer says from this instant until the next picture."""

    since: datetime
    status: str
    batch: Batch | None = None
    error: Mapping[str, object] | None = None
    expired: bool = False
    success: Mapping[str, object] | None = None  #: what the flow gave besides orders


def number(value: float) -> float | int:
    """As JavaScript prints it: a whole number without `.0`."""
    return int(value) if value.is_integer() else value
