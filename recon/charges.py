"""What a trade costs by a dated schedule: each component recomputed, rounded by its own rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

#: The charges of a trade, as contract notes name them.
COMPONENTS = ("brokerage", "stt", "exchange_charge", "sebi_fee", "stamp_duty", "gst")
SERVICES = ("brokerage", "exchange_charge", "sebi_fee")  #: what GST is due on
#: On what a rate is due: percent of the turnover or of the services, rupees for a share or for an order.
BASES = ("turnover", "services", "quantity", "order")
ROUNDINGS: Mapping[str, str] = {
    "half-up": ROUND_HALF_UP,
    "half-even": ROUND_HALF_EVEN,
    "up": ROUND_CEILING,
    "down": ROUND_DOWN,
}
PERCENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One component's rule, from a day on; an empty broker, exchange or side means any."""

    component: str
    basis: str
    rate: Decimal
    unit: Decimal  #: rupees to whose multiple it is rounded
    rounding: str
    valid_from: date
    valid_to: date | None = None
    broker: str = ""
    exchange: str = ""
    side: str = ""
    least: Decimal | None = None
    most: Decimal | None = None

    def fits(self, *, broker: str, exchange: str, side: str, day: date) -> bool:
        """Whether it is the rule of such a trade on that day."""
        wanted = ((self.broker, broker), (self.exchange, exchange), (self.side, side))
        if any(mine and mine != given for mine, given in wanted):
            return False
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def exact(self, base: Decimal) -> Decimal:
        """The charge before rounding, within its least and most."""
        percent = PERCENT if self.basis in {"turnover", "services"} else Decimal(1)
        charge = base * self.rate * percent
        if self.least is not None:
            charge = max(charge, self.least)
        return charge if self.most is None else min(charge, self.most)

    def rounded(self, charge: Decimal) -> Decimal:
        """The charge as it is stated."""
        return (charge / self.unit).quantize(Decimal(1), rounding=ROUNDINGS[self.rounding]) * self.unit


def rate_of(rates: Iterable[Rate], component: str, *, broker: str, exchange: str, side: str, day: date) -> Rate | None:
    """The rule that counts: what names more of the trade, then what began last; None where none fits."""
    fitting = [
        rate
        for rate in rates
        if rate.component == component and rate.fits(broker=broker, exchange=exchange, side=side, day=day)
    ]
    return max(fitting, key=_precedence, default=None)


def _precedence(rate: Rate) -> tuple[bool, bool, bool, date]:
    return bool(rate.broker), bool(rate.exchange), bool(rate.side), rate.valid_from
