"""The orders of the books that led to what an account holds of one ISIN."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

#: A person looks at one line of one account, so no index is kept for it.
_ORDERS = text("""
select order_id, case side when 'SELL' then -filled else filled end as quantity, average_price, trade_date
from our_lines
where gateway = :gateway and account = :account and filled > 0 and trade_date <= :until
  and case when instrument like '%:%' then coalesce(isin, instrument) else instrument end = :isin
order by trade_date, order_id
""")


def orders(connection: Connection, *, gateway: str, account: str, isin: str, until: date) -> Sequence[Row[Any]]:
    """Each as far as it is filled, bought above zero, up to that day."""
    named = {"gateway": gateway, "account": account, "isin": isin, "until": until}
    return connection.execute(_ORDERS, named).all()
