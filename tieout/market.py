"""Reference data for the cases at hand, read at once: what the rules look up is in memory when they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from recon.market import Market
from recon.values import Case
from store.lines import isins_on
from store.prices import Facts

Listing = tuple[str, str, date]  #: exchange, symbol, IST date
Traded = tuple[str, str, date]  #: exchange, instrument, IST date


@dataclass(frozen=True, slots=True)
class Looked:
    """A market with what was looked up for some lines; the rest is as in the market below it."""

    below: Market
    listings: Mapping[Listing, bool]
    ticks: Mapping[Traded, Decimal] = field(default_factory=dict)
    spans: Mapping[Traded, tuple[Decimal, Decimal]] = field(default_factory=dict)

    def tick(self, instrument: str, day: date, exchange: str) -> Decimal | None:
        """The price step of that instrument on that exchange and date, rupees."""
        return self.ticks.get((exchange, instrument, day)) or self.below.tick(instrument, day, exchange)

    def low_high(self, instrument: str, day: date, exchange: str) -> tuple[Decimal, Decimal] | None:
        """The lowest and highest price traded on that exchange and date, rupees."""
        return self.spans.get((exchange, instrument, day)) or self.below.low_high(instrument, day, exchange)

    def lists(self, exchange: str, symbol: str, day: date) -> bool | None:
        """Whether the table of instruments knows that symbol; None where it knows nothing of that exchange."""
        found = self.listings.get((exchange, symbol, day))
        return self.below.lists(exchange, symbol, day) if found is None else found


def market_of(connection: Connection, cases: Iterable[Case], market: Market, prices: Facts) -> Market:
    """The market with what these cases need of it, and with the prices that were read with them."""
    found = isins_on(connection, {named for case in cases for named in _unnamed(case)})
    listings = {named: isin is not None for named, isin in found.items()}
    return Looked(market, listings, *prices) if listings or any(prices) else market


def _unnamed(case: Case) -> Iterable[Listing]:
    """The listings of lines that have no ISIN: all others are known to be listed."""
    for ours in case.ours:
        if ours.instrument == f"{ours.exchange}:{ours.symbol}":
            yield ours.exchange, ours.symbol, ours.trade_date
    for theirs in case.theirs:
        leg = theirs.leg
        if theirs.instrument == f"{leg.exchange}:{leg.symbol}":
            yield leg.exchange, leg.symbol, theirs.trade_date
