"""On which dates anything was traded, as our own tables have it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

_TRADED = text("""
select d.day, exists (select from their_lines e where e.trade_date = d.day and e.filled > 0) as gateway,
  exists (select from our_lines o where o.trade_date = d.day and o.filled > 0) as books,
  d.day in (select valid_from from prices where replaced_at is null and valid_from = any(:days)) as prices
from unnest(cast(:days as date[])) as d (day) order by d.day
""")


def traded(connection: Connection, days: Sequence[date]) -> Sequence[Row[Any]]:
    """Of each day whether the Gateway or the books have a fill on it, and whether anybody told a price of it."""
    return connection.execute(_TRADED, {"days": list(days)}).all()
