"""Reference data that rules look up: never computed from a price, and unknown where nobody told it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final, Protocol

#: Series in which NSE trades shares, by who they are for and how they settle: a move between them (EQ to BE when a
#: share goes to trade-for-trade) leaves the share, and its ISIN, what they are.
SHARE_SERIES: Final = ("EQ", "BE", "BZ", "SM", "ST", "SZ")


class Market(Protocol):
    """Reference data by IST date; None means unknown, and unknown is never a finding."""

    def tick(self, instrument: str, day: date, exchange: str) -> Decimal | None:
        """The price step of that instrument on that exchange and date, rupees."""
        ...

    def low_high(self, instrument: str, day: date, exchange: str) -> tuple[Decimal, Decimal] | None:
        """The lowest and highest price traded on that exchange and date, rupees."""
        ...

    def lists(self, exchange: str, symbol: str, day: date) -> bool | None:
        """Whether the table of instruments knows that symbol; None where it knows nothing of that exchange."""
        ...


class UnknownMarket:
    """A market of which nothing is known."""

    def tick(self, instrument: str, day: date, exchange: str) -> Decimal | None:  # noqa: ARG002 the protocol's shape
        """Unknown."""
        return None

    def low_high(self, instrument: str, day: date, exchange: str) -> tuple[Decimal, Decimal] | None:  # noqa: ARG002 as above
        """Unknown."""
        return None

    def lists(self, exchange: str, symbol: str, day: date) -> bool | None:  # noqa: ARG002 as above
        """Unknown."""
        return None
