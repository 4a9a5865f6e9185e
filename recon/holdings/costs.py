"""What the shares that are held have cost, by the two methods in use: weighted, and first in first out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from recon.holdings.values import Trade
from recon.numbers import PLACES, PRECISION
from recon.values import ZERO

COST_BOUND = Decimal("0.01")  #: half a paisa on each side


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Rupees a share, by each method."""

    weighted: Decimal
    first_in_first_out: Decimal

    def methods(self, stated: Decimal) -> tuple[str, ...]:
        """Those that give what somebody states, to the paisa."""
        named = (("weighted", self.weighted), ("first in first out", self.first_in_first_out))
        return tuple(name for name, cost in named if abs(cost - stated) <= COST_BOUND)


def cost_of(trades: Iterable[Trade], quantity: Decimal) -> Cost | None:
    """By the trades that led to so many shares, those of a day bought before sold.

    None where they do not lead there, sell what was not there, or do not all name a price.
    """
    lots: deque[tuple[Decimal, Decimal]] = deque()  #: shares and their price, the oldest first
    held = spent = ZERO
    with localcontext(prec=PRECISION):
        for trade in sorted(trades, key=lambda t: (t.trade_date, t.quantity < 0, t.ref)):
            if trade.price is None or held + trade.quantity < 0:
                return None
            if trade.quantity > 0:
                lots.append((trade.quantity, trade.price))
                spent += trade.quantity * trade.price
            else:
                spent += trade.quantity * (spent / held)
                _sell(lots, -trade.quantity)
            held += trade.quantity
        if held != quantity or not held:
            return None
        kept = sum((shares * price for shares, price in lots), ZERO)
        return Cost(weighted=(spent / held).quantize(PLACES), first_in_first_out=(kept / held).quantize(PLACES))


def _sell(lots: deque[tuple[Decimal, Decimal]], quantity: Decimal) -> None:
    """Take so many shares from the oldest lots; there are as many."""
    while quantity:
        shares, price = lots.popleft()
        if shares > quantity:
            lots.appendleft((shares - quantity, price))
        quantity -= min(shares, quantity)
