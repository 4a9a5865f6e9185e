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


def claims(txns: Sequence[int]) -> Asked:
    """The first body of each orders event of these transactions, in the order they came."""
    return _CLAIMS.of(txns=list(txns))
