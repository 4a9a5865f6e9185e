"""The canonical texts of a day's digest, written and sorted by PostgreSQL and streamed from it.

`recon.digest` says what they are; both must write the same characters.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

from store.days import COUNTING, OURS, REFUSED, THEIRS, Scope

CHUNK = 2000  #: texts held at a time


def _number(column: str) -> str:
    return f"trim_scale({column})::text"


_OUR_TEXT = f"""
case when o.line is null then '[]'::json else json_build_array(
  o.order_id, o.account, o.broker, o.trade_date::text, o.exchange, o.symbol, o.instrument, o.side,
  {_number("o.quantity")}, {_number("o.filled")}, {_number("o.average_price")}, o.status) end"""
_THEIR_TEXT = f"""
case when e.line is null then '[]'::json else json_build_array(
  t.transaction_id, e.batch_id, case when e.placed then 'placed' else 'unplaced' end, e.exchange,
  e.exchange_order_id, e.trade_date::text, e.symbol, e.instrument, e.side,
  {_number("e.quantity")}, {_number("e.filled")}, {_number("e.average_price")}, e.status) end"""
_SAID = f"json_build_array(f.name, f.field, f.ours, f.theirs, {_number('f.tolerance')})"

_TEXTS = text(f"""
with {OURS}, {THEIRS}, {REFUSED}, {COUNTING}, judged as (
  select ours, theirs, bucket, rule_set from counting
  union all select line, null, 'pending', null from ours where stale
  union all select null, line, 'pending', null from theirs where stale
), open as materialized (
  select f.*, coalesce(f.ours_line, 0) as o, coalesce(f.theirs_line, 0) as e from findings f
  where f.gateway = :gateway and f.book = :book and f.trade_date = :trade_date and f.closed_at is null
    and f.txn is not null
), said as (
  select o, e, json_agg(said order by said collate "C") as texts
  from (select o, e, {_SAID}::text as said from open f where level = 'line') each group by o, e
), texts as (
  select json_build_array('line', {_OUR_TEXT}, {_THEIR_TEXT}, j.bucket, j.rule_set,
    coalesce(s.texts, '[]'::json))::text as canonical
  from judged j
  left join our_lines o on o.line = j.ours
  left join their_lines e on e.line = j.theirs
  left join transactions t on t.txn = e.txn
  left join said s on s.o = coalesce(j.ours, 0) and s.e = coalesce(j.theirs, 0)
  union all
  select json_build_array('line', json_build_array('refused', encode(digest, 'hex')), '[]'::json, 'excluded', null,
    '[]'::json)::text
  from refused
  union all
  select json_build_array('finding', f.level, f.transaction_id, f.subject, {_SAID})::text from open f
  where f.level <> 'line' or not exists (
    select from judged j where coalesce(j.ours, 0) = f.o and coalesce(j.theirs, 0) = f.e
  )
)
select canonical from texts order by canonical collate "C"
""")


def canonical_texts(connection: Connection, scope: Scope) -> Iterator[str]:
    """One text for each line, refused row and finding of the day, sorted by their characters."""
    found = connection.execute(_TEXTS, dict(scope), execution_options={"yield_per": CHUNK})
    yield from found.scalars()
