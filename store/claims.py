"""What webhooks said of a transaction (W), as it first came: evidence, never a booking."""

from __future__ import annotations

from collections.abc import Sequence

from store.together import Asked, Query

_CLAIMS = Query("""
select t.txn, e.event_id, e.received_at, e.stored_at, d.body
from transactions t
join events e on e.gateway = t.gateway and e.transaction_id = t.transaction_id and e.family = 'orders'
cross join lateral (
  select body, delivery_id from deliveries
  where event_id = e.event_id and received_at >= e.received_at
  order by delivery_id limit 1
) d
where t.txn = any(:txns)
order by t.txn, e.received_at, e.stored_at, d.delivery_id
""")

#: Each with the first whole answer about its account that was asked for after it; quantities as text, to be exact.
_HELD = Query("""
select t.txn, e.event_id, e.received_at, d.body, s.snapshot_id, s.version, s.known_at, s.as_at, l.rows
from transactions t
join events e on e.gateway = t.gateway and e.transaction_id = t.transaction_id and e.family = 'holdings'
cross join lateral (
  select body from deliveries where event_id = e.event_id and received_at >= e.received_at order by delivery_id limit 1
) d
cross join lateral (
  select a.snapshot_id, a.version, a.known_at, coalesce(a.snapshot_date, a.last_update) as as_at, a.lines_in
  from holding_snapshots a
  where a.gateway = e.gateway and a.account = e.account and a.kind = 'equity' and a.source = 'api'
    and a.lines_in is not null and a.updating is not true and a.asked_at > e.stored_at
  order by a.snapshot_id limit 1
) s
cross join lateral (
  select coalesce(jsonb_agg(jsonb_build_object(
    'isin', isin, 'nse_ticker', nse_ticker, 'bse_ticker', bse_ticker, 'held', held::text, 't1', t1::text,
    'nse_quantity', nse_quantity::text, 'bse_quantity', bse_quantity::text, 'transactable', transactable::text,
    'smallcase', smallcase::text, 'collateral', collateral::text) order by position), '[]') as rows
  from holding_lines where snapshot_id = s.lines_in
) l
where t.txn = any(:txns)
order by t.txn, e.received_at, e.event_id
""")


def held_claims(txns: Sequence[int]) -> Asked:
    """The first body of each holdings event of these transactions that was answered, and that answer's rows."""
    return _HELD.of(txns=list(txns))


def claims(txns: Sequence[int]) -> Asked:
    """The first body of each orders event of these transactions, in the order they came."""
    return _CLAIMS.of(txns=list(txns))
