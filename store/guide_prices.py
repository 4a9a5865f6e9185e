"""What a share last cost, to weigh what is asked for before it has a price. Never used in a comparison."""

from __future__ import annotations

from sqlalchemy import Connection, text

_REFRESH = text("""
with priced as (
  select exchange, symbol, trade_date, average_price from their_lines where average_price > 0
    and trade_date >= (select max(trade_date) from their_lines) - 7
  union all
  select exchange, symbol, trade_date, average_price from our_lines where average_price > 0
    and trade_date >= (select max(trade_date) from our_lines) - 7
), newest as (
  select distinct on (exchange, symbol) exchange, symbol, average_price, trade_date
  from priced order by exchange, symbol, trade_date desc, average_price
)
insert into guide_prices as g (exchange, symbol, price, trade_date)
select exchange, symbol, average_price, trade_date from newest
on conflict (exchange, symbol) do update set price = excluded.price, trade_date = excluded.trade_date
where g.trade_date <= excluded.trade_date and g.price <> excluded.price
""")


def refresh_guide_prices(connection: Connection) -> int:
    """Take the newest prices of both sides' lines of the last week that has any; how many changed."""
    return connection.execute(_REFRESH).rowcount
