"""What is known of a transaction beside its two sides: decisions, answers that cannot be read, its chain."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from store.together import Asked, Query

#: One row for each transaction of which there is anything to say.
_BESIDE = Query("""
select * from (
  select t.txn,
    (select json_agg(json_build_object('ref', d.decision_id, 'ruling', d.kind, 'ours', d.ours, 'theirs', d.theirs,
       'who', d.who, 'why', d.why) order by d.decision_id)
     from decisions d where d.txn = t.txn and d.undone_at is null) as decisions,
    (select case when a.outcome = 'parked' and a.reason = 'nonsense' then
       json_build_object('ref', a.attempt_id::text, 'says', left(coalesce(a.detail, ''), 200)) end
     from attempts a where a.txn = t.txn and a.outcome in ('done', 'parked') order by a.at desc limit 1) as unreadable,
    exists(select from batches b where b.txn = t.txn and b.iscid is not null) as chained
  from unnest(cast(:txns as bigint[])) as t (txn)
) known where decisions is not null or unreadable is not null or chained
""")
#: Legs of every batch that shares an invested smallcase with one of these transactions, at the same
#: gateway and for the same account; a batch without legs is one row without a symbol.
_SIBLINGS = Query("""
select m.txn, b.txn as sibling, t.transaction_id, t.status as transaction_status, t.settled, b.batch_id,
  b.status as batch_status, b.repair, b.iscid, b.created_at, b.completed_at, e.line, e.placed, e.exchange, e.symbol,
  e.instrument, e.side, e.quantity, e.filled, e.average_price, e.status, e.exchange_order_id, e.order_type, e.product,
  e.trade_date
from (
  select distinct o.txn, o.iscid, k.gateway, k.account from batches o join transactions k on k.txn = o.txn
  where o.txn = any(:txns) and o.iscid is not null
) m
join batches b on b.iscid = m.iscid and b.txn <> m.txn
join transactions t on t.txn = b.txn and t.gateway = m.gateway and t.account is not distinct from m.account
left join their_lines e on e.txn = b.txn and e.batch_id = b.batch_id
order by m.txn, b.txn, b.batch_id, e.placed desc, e.position
""")
#: The links of the chain in which the transaction stands, and the one before each: what joins a link left another.
_RAISE = text("""
with mine as (
  select distinct b.iscid, t.gateway, t.account from batches b join transactions t on t.txn = b.txn
  where b.txn = :txn and b.iscid is not null
), chain as (
  select b.txn, b.iscid, sum((not b.repair)::int) over (
    partition by b.iscid
    order by coalesce(b.created_at, b.completed_at,
        case when b.repair then timestamptz 'infinity' else timestamptz '-infinity' end),
      b.repair, t.transaction_id, b.batch_id
  ) as link
  from mine m
  join batches b on b.iscid = m.iscid
  join transactions t on t.txn = b.txn and t.gateway = m.gateway and t.account is not distinct from m.account
), touched as (
  select distinct c.txn from chain c join chain o on o.iscid = c.iscid and o.txn = :txn
  where c.link between o.link - 1 and o.link and c.txn <> :txn
), held as (
  select txn from transactions where txn in (select txn from touched) order by txn for no key update
)
update transactions set rev = rev + 1, quiet = false where txn in (select txn from held)
""")
_ANEW = text("update transactions set rev = rev + 1, quiet = false where txn = :txn")
_UNQUIET = text("update transactions set quiet = false where quiet and txn = any(:txns)")


def beside(txns: Sequence[int]) -> Asked:
    """What there is beside both sides: counting decisions, what last could not be read, whether it has a chain."""
    return _BESIDE.of(txns=list(txns))


def siblings(txns: Sequence[int]) -> Asked:
    """The batches of other transactions that share a chain with these, leg by leg."""
    return _SIBLINGS.of(txns=list(txns))


def raise_siblings(connection: Connection, *, txn: int) -> int:
    """Raise the rev of the transactions whose link of a chain this one stands in or next to; how many."""
    return connection.execute(_RAISE, {"txn": txn}).rowcount


def judge_anew(connection: Connection, *, txn: int) -> None:
    """Make the judgement of one transaction stale."""
    connection.execute(_ANEW, {"txn": txn})


def leave_to_the_judge(connection: Connection, *, txns: Sequence[int]) -> None:
    """Keep these from the one statement that pairs by key: something came that only the judge compares."""
    connection.execute(_UNQUIET, {"txns": list(txns)})
