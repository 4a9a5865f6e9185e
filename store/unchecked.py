"""Which filled lines of a day could not be checked for plausibility, for want of a tick or a low and high."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from store.days import Scope

#: Lines are counted by share first, so that facts are looked up once for each share and not once for each line.
_UNCHECKED = text("""
with filled as (
  select txn, exchange, instrument, symbol, 1 as ours, 0 as theirs from our_lines
  where trade_date = :trade_date and filled > 0 and average_price > 0
  union all
  select txn, exchange, instrument, symbol, 0, 1 from their_lines
  where trade_date = :trade_date and filled > 0 and average_price > 0
), traded as materialized (
  select l.exchange, l.instrument, array_agg(distinct l.symbol) as symbols, sum(l.ours) as ours, sum(l.theirs) as theirs
  from (
    select f.exchange, f.instrument, f.symbol, sum(f.ours) as ours, sum(f.theirs) as theirs
    from filled f join transactions t on t.txn = f.txn and t.gateway = :gateway and t.book = :book
    group by f.exchange, f.instrument, f.symbol
  ) l group by l.exchange, l.instrument
), looked_up as (
  select t.*, exists (
      select from ticks f where f.replaced_at is null and f.exchange = t.exchange and f.isin = t.instrument
        and f.valid_from <= :trade_date and (f.valid_to is null or f.valid_to >= :trade_date)
    ) or exists (
      select from ticks f where f.replaced_at is null and f.exchange = t.exchange and f.symbol = any(t.symbols)
        and f.valid_from <= :trade_date and (f.valid_to is null or f.valid_to >= :trade_date)
    ) as tick, exists (
      select from prices f where f.replaced_at is null and f.exchange = t.exchange and f.isin = t.instrument
        and f.valid_from = :trade_date
    ) or exists (
      select from prices f where f.replaced_at is null and f.exchange = t.exchange and f.symbol = any(t.symbols)
        and f.valid_from = :trade_date
    ) as low_high
  from traded t
)
select exchange, symbols[1] as symbol, ours, theirs, tick, low_high from looked_up where not (tick and low_high)
order by ours + theirs desc, exchange, symbol
""")


def unchecked_shares(connection: Connection, scope: Scope) -> Sequence[Row[Any]]:
    """The shares of which a fact is missing: exchange, symbol, filled lines of `ours` and `theirs`, and what is known.

    `tick` and `low_high` say whether that is known; most lines first.
    """
    return connection.execute(_UNCHECKED, dict(scope)).all()
