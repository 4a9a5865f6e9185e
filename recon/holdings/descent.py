"""Lines of descent: which ISINs are one security, by the corporate actions that led from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from recon.holdings.values import Action

#: Kinds by which shares of one ISIN become shares of another.
BECOMES = ("split", "merger")


class Descent:
    """The actions of a case up to its day, and what they make of an ISIN."""

    def __init__(self, actions: Iterable[Action], day: date) -> None:
        """Take the actions; those whose ex-date is not reached do nothing yet."""
        self.actions = sorted(
            (a for a in actions if a.ex_date <= day), key=lambda a: (a.ex_date, a.kind, a.isin, a.new_isin or "")
        )
        self._temporary = {a.temporary_isin: a.isin for a in self.actions if a.temporary_isin}
        self._becomes = {a.isin: a for a in self.actions if a.kind in BECOMES and a.new_isin}

    def newest(self, isin: str) -> str:
        """The ISIN that shares of this one have now."""
        return self.path(isin)[-1].new_isin or isin if self.path(isin) else self._temporary.get(isin, isin)

    def path(self, isin: str) -> Sequence[Action]:
        """The actions that lead from this ISIN to the newest, in order."""
        found: list[Action] = []
        at = self._temporary.get(isin, isin)
        while (action := self._becomes.get(at)) and action not in found:
            found.append(action)
            at = action.new_isin or at
        return found

    def is_temporary(self, isin: str) -> bool:
        """Whether a bonus lies under this ISIN until it is listed."""
        return isin in self._temporary


def times(quantity: Decimal, action: Action) -> Decimal:
    """What becomes of so many shares, or comes for them; a fraction is paid in cash."""
    return whole(quantity * action.ratio_to / action.ratio_from)


def whole(quantity: Decimal) -> Decimal:
    """The whole shares of it, towards less."""
    return quantity.to_integral_value(ROUND_FLOOR)
