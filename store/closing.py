"""What stands in the way of closing a day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from store.days import Scope
from store.sealed import DAY

_UNJUDGED = text(f"""
with {DAY}
select count(*) from transactions t join day_txns d on d.txn = t.txn
where t.judged_rev < t.rev or t.review_at <= :now
""")
_UNSETTLED = text(f"""
with {DAY}
select count(*) from events e
join transactions t on t.gateway = e.gateway and t.transaction_id = e.transaction_id
join day_txns d on d.txn = t.txn
where e.state <> 'done'
""")
_COMPLETE = text("""
select exists (
  select from imports where kind = 'orders' and complete_for = :trade_date and (gateway is null or gateway = :gateway)
)
""")
_PENDING = text("""
select name, count(*) as number from findings
where gateway = :gateway and book = :book and trade_date = :trade_date and closed_at is null and class = 'pending'
  and level <> 'line' and txn is not null
group by name order by name
""")


def unjudged(connection: Connection, scope: Scope, *, now: datetime) -> int:
    """Transactions of the day that changed since they were judged, or whose time has come."""
    return int(connection.execute(_UNJUDGED, {**scope, "now": now}).scalar_one())


def unsettled_events(connection: Connection, scope: Scope) -> int:
    """Webhooks about the day's transactions that are not done, parked ones too."""
    return int(connection.execute(_UNSETTLED, dict(scope)).scalar_one())


def declared_complete(connection: Connection, scope: Scope) -> bool:
    """Whether an import said that the day's books are all in."""
    return bool(connection.execute(_COMPLETE, dict(scope)).scalar_one())


def pending_findings(connection: Connection, scope: Scope) -> dict[str, int]:
    """Open findings of batches and transactions that only wait, by name."""
    return {row.name: row.number for row in connection.execute(_PENDING, dict(scope))}
