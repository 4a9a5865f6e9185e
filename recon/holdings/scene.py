"""One line of descent of one account while its difference is taken apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from recon.holdings.descent import Descent
from recon.holdings.ledger import Account
from recon.holdings.shown import ShownLine
from recon.holdings.values import HoldingsCase, Part, Shown, Trade
from recon.values import ZERO


@dataclass(slots=True)
class Scene:
    """One line of descent of one account, both sides, and what of the difference is not yet explained."""

    case: HoldingsCase
    descent: Descent
    isin: str
    ours: Account
    theirs: ShownLine
    rest: Decimal = ZERO
    parts: list[Part] = field(default_factory=list)

    @property
    def shown(self) -> Shown:
        """The answer."""
        assert self.case.shown
        return self.case.shown

    def within(self, trade: Trade) -> bool:
        """Whether the answer can know of the trade."""
        if trade.at is not None and self.shown.at is not None:
            return trade.at <= self.shown.at
        return trade.trade_date <= self.shown.day
