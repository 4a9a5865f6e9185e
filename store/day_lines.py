"""Each line of a day with the bucket it lies in: what the totals of a day are made of, one by one.

They are the very rows that `store.days` counts, so that a list and its total cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from store.days import COUNTING, OURS, REFUSED, THEIRS, Scope

_LINES = text(f"""
with {OURS}, {THEIRS}, {COUNTING}, lines as (
  select ours, theirs, bucket from counting
  union all select line, null, 'pending' from ours where stale
  union all select null, line, 'pending' from theirs where stale
)
select coalesce(l.ours, 0) as ours, coalesce(l.theirs, 0) as theirs, l.bucket, t.gateway, t.transaction_id,
  o.order_id, coalesce(e.exchange_order_id, o.exchange_order_id) as exchange_order_id,
  coalesce(o.account, t.account) as account, coalesce(o.broker, t.broker) as broker,
  coalesce(o.trade_date, e.trade_date) as trade_date, coalesce(o.exchange, e.exchange) as exchange,
  coalesce(o.symbol, e.symbol) as symbol, coalesce(o.side, e.side) as side,
  o.quantity as our_quantity, o.filled as our_filled, o.average_price as our_price, o.status as our_status,
  e.quantity as their_quantity, e.filled as their_filled, e.average_price as their_price, e.status as their_status
from lines l
left join our_lines o on o.line = l.ours
left join their_lines e on e.line = l.theirs
left join transactions t on t.txn = coalesce(o.txn, e.txn)
where (cast(:bucket as text) is null or l.bucket = :bucket)
  and (coalesce(l.ours, 0), coalesce(l.theirs, 0)) > (:after_ours, :after_theirs)
order by coalesce(l.ours, 0), coalesce(l.theirs, 0) limit :limit
""")
_REFUSED = text(f"""
with {REFUSED}
select distinct on (r.digest) i.file_name, r.row, r.order_id, r.raw, r.problems
from refused_rows r join imports i on i.import_id = r.import_id
where r.trade_date = :trade_date and (r.gateway = :gateway or r.gateway is null) and r.replaced_by is null
  and r.digest in (select digest from refused)
order by r.digest, r.import_id, r.row limit :limit
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """A pair, or a line that stands alone: then the other side's values are None."""

    ours: int  #: 0: the books have none
    theirs: int  #: 0: the Gateway has none
    bucket: str
    gateway: str | None  #: None with transaction_id: the line names no transaction
    transaction_id: str | None
    order_id: str | None
    exchange_order_id: str | None
    account: str | None
    broker: str | None
    trade_date: date
    exchange: str
    symbol: str
    side: str
    our_quantity: Decimal | None
    our_filled: Decimal | None
    our_price: Decimal | None
    our_status: str | None
    their_quantity: Decimal | None
    their_filled: Decimal | None
    their_price: Decimal | None
    their_status: str | None

    @property
    def our_amount(self) -> Decimal | None:
        """Rupees by the books; None where they have no line. What is unknown counts as nothing."""
        return _amount(self.our_filled, self.our_price) if self.ours else None

    @property
    def their_amount(self) -> Decimal | None:
        """Rupees by the Gateway; None where it has no line."""
        return _amount(self.their_filled, self.their_price) if self.theirs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row of a file that could not be read; it lies in `excluded`."""

    file_name: str
    row: int
    order_id: str | None
    raw: Any
    problems: Any  #: [{column, value, problem, fix}]


def lines(
    connection: Connection, scope: Scope, *, bucket: str | None = None, after: tuple[int, int] = (0, 0), limit: int
) -> list[DayLine]:
    """Lines of the day, or of one bucket; `after` is (ours, theirs) of the last one seen."""
    named = {**scope, "bucket": bucket, "after_ours": after[0], "after_theirs": after[1], "limit": limit}
    return [DayLine(**row) for row in connection.execute(_LINES, named).mappings()]


def refused(connection: Connection, scope: Scope, *, limit: int) -> list[RefusedRow]:
    """Rows of imports of that day that could not be read."""
    return [RefusedRow(**row) for row in connection.execute(_REFUSED, {**scope, "limit": limit}).mappings()]


def _amount(filled: Decimal | None, price: Decimal | None) -> Decimal:
    return (filled or Decimal(0)) * (price or Decimal(0))
