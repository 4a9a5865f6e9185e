"""The tick, and the day's low and high, of what was traded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from store import schema
from store.listings import LISTED
from store.recordset import as_parameter, records
from store.together import Asked, Query, Record

Traded = tuple[str, str, date]  #: exchange, instrument, IST date


class Facts(NamedTuple):
    """What is known of some lines' prices; what is not in it is unknown."""

    ticks: dict[Traded, Decimal]
    spans: dict[Traded, tuple[Decimal, Decimal]]


#: A fact that names the ISIN goes before one that names the symbol; what began later, before what began earlier.
_FACTS = """
select {of} l.exchange, l.instrument, l.trade_date, t.tick, p.low, p.high from ({lines}) l
left join lateral (
  select tick from ticks f where f.replaced_at is null and f.exchange = l.exchange
    and (f.isin = l.instrument or f.symbol = l.symbol)
    and f.valid_from <= l.trade_date and (f.valid_to is null or f.valid_to >= l.trade_date)
  order by (f.isin = l.instrument) is true desc, f.valid_from desc, f.code limit 1
) t on true
left join lateral (
  select low, high from prices f where f.replaced_at is null and f.exchange = l.exchange
    and (f.isin = l.instrument or f.symbol = l.symbol) and f.valid_from = l.trade_date
  order by (f.isin = l.instrument) is true desc, f.code limit 1
) p on true
where t.tick is not null or p.low is not null
order by l.exchange, l.instrument, l.trade_date, l.symbol
"""
_OF_CASES = Query(
    _FACTS.format(
        of="l.txn,",
        lines="""
  select txn, exchange, symbol, instrument, trade_date from their_lines where txn = any(:txns) and filled > 0
  union
  select txn, exchange, symbol, instrument, trade_date from our_lines
  where txn = any(:txns) and filled is distinct from 0
""",
    )
)
_OF_LEGS = Query(
    _FACTS.format(
        of="",
        lines=f"""
  select r.exchange, r.symbol, coalesce(i.isin, r.exchange || ':' || r.symbol) as instrument, r.trade_date
  from {records(schema.their_lines, "exchange", "symbol", "trade_date")}
  left join {LISTED} i on i.exchange = r.exchange and i.symbol = r.symbol
    and i.valid_from <= r.trade_date and (i.valid_to is null or i.valid_to >= r.trade_date)
""",
    )
)


def prices_of(txns: Sequence[int]) -> Asked:
    """What is known of the prices of these transactions' lines, both sides."""
    return _OF_CASES.of(txns=list(txns))


def prices_on(legs: Iterable[tuple[str, str, date]]) -> Asked:
    """The same for legs that are not stored yet, by (exchange, symbol, date)."""
    rows = [{"exchange": e, "symbol": s, "trade_date": day} for e, s, day in sorted(set(legs))]
    return _OF_LEGS.of(rows=as_parameter(rows))


def read_prices(rows: Iterable[Record]) -> Facts:
    """The rows of either question; of two symbols of one instrument the last one speaks."""
    facts = Facts({}, {})
    for row in rows:
        traded = row.exchange, row.instrument, row.trade_date
        if row.tick is not None:
            facts.ticks[traded] = row.tick
        if row.low is not None:
            facts.spans[traded] = row.low, row.high
    return facts
