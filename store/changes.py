"""What a day says line by line, and what became known about its transactions after an instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from store.days import COUNTING, OURS, THEIRS, Scope

_PLACE = (
    "t.transaction_id || '/' || e.batch_id || '/' || case when e.placed then 'placed' else 'unplaced' end"
    " || '/' || e.position"
)
#: One row for each line of either side, and for each thing about which there is a finding of its own.
_SAID = text(f"""
with {OURS}, {THEIRS}, {COUNTING}, judged as (
  select ours, theirs, bucket from counting
  union all select line, null, 'pending' from ours where stale
  union all select null, line, 'pending' from theirs where stale
), open as materialized (
  select f.*, coalesce(f.ours_line, 0) as o, coalesce(f.theirs_line, 0) as e from findings f
  where f.gateway = :gateway and f.book = :book and f.trade_date = :trade_date and f.closed_at is null
), named as (
  select o, e, array_agg(name order by name collate "C") as names,
    string_agg(concat_ws(' ', name, field, 'ours', ours, 'theirs', theirs), '; ' order by name, field, ours, theirs)
      as says
  from open where level = 'line' group by o, e
)
select * from (
select 'ours' as side, o.order_id as line, o.order_id, t.transaction_id, j.bucket, n.names, n.says
from judged j join our_lines o on o.line = j.ours left join transactions t on t.txn = o.txn
left join named n on n.o = coalesce(j.ours, 0) and n.e = coalesce(j.theirs, 0)
union all
select 'theirs', {_PLACE}, o.order_id, t.transaction_id, j.bucket, n.names, n.says
from judged j join their_lines e on e.line = j.theirs join transactions t on t.txn = e.txn
left join our_lines o on o.line = j.ours
left join named n on n.o = coalesce(j.ours, 0) and n.e = coalesce(j.theirs, 0)
union all
select level, subject, null, transaction_id, null, array_agg(name order by name collate "C"),
  string_agg(concat_ws(' ', name, field, 'ours', ours, 'theirs', theirs), '; ' order by name, field, ours, theirs)
from open where level <> 'line' group by level, subject, transaction_id
) said order by side collate "C", line collate "C"
""")
#: Facts about these transactions, or about lines that name none, known after one instant and by another.
_FACTS = text("""
select t.transaction_id, null as line, s.known_at as at, 'answer' as kind,
  'answer ' || s.snapshot_id || ' of the Gateway (' || s.mark || ')' as says
from snapshots s join transactions t on t.txn = s.txn
where t.gateway = :gateway and t.transaction_id = any(:ids) and s.known_at > :since and s.known_at <= :until
  and s.mark <> 'same'
union all
select t.transaction_id, o.order_id, v.known_at, 'import',
  case when v.version = 1 then 'it came with ' else 'version ' || v.version || ' came with ' end || i.file_name
from our_lines o join line_versions v on v.line = o.line join imports i on i.import_id = v.import_id
left join transactions t on t.txn = o.txn
where o.gateway = :gateway and (t.transaction_id = any(:ids) or o.order_id = any(:lines))
  and v.known_at > :since and v.known_at <= :until
union all
select e.transaction_id, null, e.received_at, 'webhook', 'a webhook of ' || coalesce(e.batch_id, 'no batch') || ' came'
from events e
where e.gateway = :gateway and e.transaction_id = any(:ids) and e.received_at > :since and e.received_at <= :until
union all
select t.transaction_id, null, d.at, 'decision', d.who || ' decided: ' || d.kind || ', ' || d.why
from decisions d join transactions t on t.txn = d.txn
where t.gateway = :gateway and t.transaction_id = any(:ids) and d.at > :since and d.at <= :until
union all
select t.transaction_id, null, d.undone_at, 'decision', d.undone_by || ' took back a decision: ' || d.undone_why
from decisions d join transactions t on t.txn = d.txn
where t.gateway = :gateway and t.transaction_id = any(:ids) and d.undone_at > :since and d.undone_at <= :until
order by 1, 3, 4, 5
""")
_COMPLETED = text("""
select imported_at, file_name from imports
where kind = 'orders' and complete_for = :trade_date and (gateway is null or gateway = :gateway)
  and imported_at > :since and imported_at <= :until order by imported_at limit 1
""")


def said_of(connection: Connection, scope: Scope) -> Iterator[Row[Any]]:
    """What is said of each line, batch and transaction of the day: side, line, transaction_id, bucket, names, says.

    `order_id` is the line of the books, or the one with which a line of the Gateway is paired.
    """
    yield from connection.execute(_SAID, dict(scope), execution_options={"yield_per": 2000})


def facts_between(
    connection: Connection,
    scope: Scope,
    *,
    transactions: Sequence[str],
    lines: Sequence[str],
    since: datetime,
    until: datetime,
) -> list[Row[Any]]:
    """What became known: transaction_id, line or null, at, kind, says; oldest first within a transaction."""
    named = {"gateway": scope["gateway"], "ids": list(transactions), "lines": list(lines)}
    return list(connection.execute(_FACTS, {**named, "since": since, "until": until}))


def declared_between(connection: Connection, scope: Scope, *, since: datetime, until: datetime) -> Row[Any] | None:
    """The import that said between the two instants that the day's books are all in."""
    return connection.execute(_COMPLETED, {**scope, "since": since, "until": until}).one_or_none()
