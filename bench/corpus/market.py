"""The corpus's market: its table of instruments, and what is known of ticks and prices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from bench.corpus.draw import HIGH, INSTRUMENTS, LOW, TICK, TICKED
from store.instruments import Master


def _master() -> Master:
    periods: dict[tuple[str, str], list[tuple[date, date | None, str]]] = {}
    for share in INSTRUMENTS:
        periods.setdefault((share.exchange, share.symbol), []).append((share.since, share.until, share.isin))
    return Master(periods, frozenset(share.isin for share in INSTRUMENTS))


MASTER = _master()


class Prices:
    """What is known of the corpus's prices: tick, low and high of one share. Who lists what is not known here."""

    def tick(self, instrument: str, day: date, exchange: str) -> Decimal | None:  # noqa: ARG002 the same on every day
        """The tick of that share."""
        return TICK if instrument == TICKED.isin else None

    def low_high(self, instrument: str, day: date, exchange: str) -> tuple[Decimal, Decimal] | None:  # noqa: ARG002 as above
        """Between what it traded."""
        return (LOW, HIGH) if instrument == TICKED.isin else None

    def lists(self, exchange: str, symbol: str, day: date) -> bool | None:  # noqa: ARG002 the protocol's shape
        """The service's own table tells."""
        return None


class Listed(Prices):
    """The same with the corpus's table of instruments, where there is no database to hold it."""

    def lists(self, exchange: str, symbol: str, day: date) -> bool | None:
        """Whether the table knows that symbol on that day."""
        known = any(share.exchange == exchange for share in INSTRUMENTS)
        return MASTER.isin_at(exchange, symbol, day) is not None if known else None
