"""The dated table of instruments: which ISIN a symbol stood for on a day."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

Listing = tuple[str, str]  #: exchange and symbol
Period = tuple[date, date | None, str]  #: first day, last day (None: until now), ISIN

_READ_ALL = text("select exchange, symbol, valid_from, valid_to, isin from instruments")
_READ_SOME = text("""
select i.exchange, i.symbol, i.valid_from, i.valid_to, i.isin from instruments i
join unnest(cast(:exchanges as text[]), cast(:symbols as text[])) as wanted (exchange, symbol)
  on wanted.exchange = i.exchange and wanted.symbol = i.symbol
""")


@dataclass(frozen=True, slots=True)
class Master:
    """The instruments as read once, for many lines."""

    periods: dict[Listing, list[Period]] = field(default_factory=dict)

    def isin_at(self, exchange: str, symbol: str, day: date) -> str | None:
        """The ISIN of that listing on that IST date; None when the table does not know."""
        for start, end, isin in self.periods.get((exchange, symbol), ()):
            if start <= day and (end is None or day <= end):
                return isin
        return None

    def instrument_at(self, exchange: str, symbol: str, day: date, isin: str | None = None) -> str:
        """The instrument's identity: ISIN by the table, else the line's own, else EXCHANGE:SYMBOL."""
        return self.isin_at(exchange, symbol, day) or isin or f"{exchange}:{symbol}"


def read_master(connection: Connection, *, listings: Collection[Listing] | None = None) -> Master:
    """The table of instruments, whole or of these (exchange, symbol) only."""
    if listings is None:
        return _master(connection.execute(_READ_ALL))
    pairs = sorted(set(listings))
    wanted = {"exchanges": [pair[0] for pair in pairs], "symbols": [pair[1] for pair in pairs]}
    return _master(connection.execute(_READ_SOME, wanted)) if pairs else Master()


def _master(rows: Iterable[Row[Any]]) -> Master:
    master = Master()
    for row in rows:
        periods = master.periods.setdefault((row.exchange, row.symbol), [])
        periods.append((row.valid_from, row.valid_to, row.isin))
    return master
