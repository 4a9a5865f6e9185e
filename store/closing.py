"""What stands in the way of closing a day."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from store.days import Scope
from store.holding_units import UNLINKED
from store.sealed import DAY

HOLDINGS_MISSING: Final = "holdings-missing"
HOLDINGS_PENDING: Final = "holdings-pending"
HOLDINGS_STALE: Final = "holdings-stale"

_UNJUDGED = text(f"""
with {DAY}
select count(*) from transactions t join day_txns d on d.txn = t.txn
where t.review_at <= :now or exists (select from unjudged u where u.txn = t.txn)
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
#: Accounts that are followed and whose positions the books knew that day, or which traded and were judged: what
#: of them is not there. What only settles on the next session is there: both sides show it.
_HELD = text(f"""
with known as (
  select h.account, h.judged_rev < h.rev and h.judged_for = :trade_date as changed,
    exists (
      select from positions p where p.gateway = h.gateway and p.account = h.account
        and p.as_of <= :trade_date and p.known_at < :ends) as in_books
  from holding_accounts h
  where h.gateway = :gateway and h.book = :book and h.state <> '{UNLINKED}'
), judged as (
  select v.account, bool_or(v.rule is not null or v.findings @> '[{{"name": "snapshot-age"}}]') as waits,
    min(coalesce(s.snapshot_date, s.last_update, s.known_at)) < :closes as old
  from holding_verdicts v left join holding_snapshots s on s.snapshot_id = v.snapshot_id
  where v.gateway = :gateway and v.book = :book and v.trade_date = :trade_date
  group by v.account
), standing as (
  select case when j.account is null or k.changed then '{HOLDINGS_MISSING}' when j.waits then '{HOLDINGS_PENDING}'
    when j.old then '{HOLDINGS_STALE}' end as name
  from known k left join judged j on j.account = k.account
  where k.in_books or j.account is not null and exists (
    select from our_lines o where o.gateway = :gateway and o.account = k.account and o.trade_date = :trade_date)
)
select name, count(*) as number from standing where name is not null group by name order by name
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


def held_back(connection: Connection, scope: Scope, *, closes: datetime, ends: datetime) -> dict[str, int]:
    """Accounts whose holdings of the day are missing, pending or stale, by that name; none where no books hold any.

    `closes` is when the day's session closed: an older answer is stale. `ends` is when the IST day ended: an
    account whose first positions came later is none of that day's.
    """
    rows = connection.execute(_HELD, {**scope, "closes": closes, "ends": ends})
    return {row.name: row.number for row in rows}
