"""How one trade date ties out: totals from the source tables, buckets from the verdicts that count.

A verdict counts while it judged its transaction's present rev. A pair lies on our date, any other
line on its own; lines whose transaction is not judged at its rev are `pending` on their own date.
"""

from __future__ import annotations

from datetime import date
from typing import Any, TypedDict

from sqlalchemy import Connection, Row, text


class Scope(TypedDict):
    """Which day of which gateway in which book."""

    gateway: str
    trade_date: date
    book: str


_BOOK = text("""
select case when exists (select from transactions where gateway = :gateway and book = 'live')
  or exists (select from our_lines where gateway = :gateway and book = 'live' and txn is null)
  then 'live' else 'test' end
""")

#: Verdicts of the transactions of the day alone; without `offset 0` the planner would read every verdict there is.
#: The date of a pair is ours; a second verdict on one line, which the indexes refuse, moves no line twice.
THEIRS = """
pairs as materialized (
  select v.txn, v.rev, v.theirs, o.trade_date
  from (
    select txn from our_lines where trade_date = :trade_date
    union
    select txn from their_lines where trade_date = :trade_date
  ) d
  cross join lateral (select txn, rev, ours, theirs from verdicts where txn = d.txn offset 0) v
  join our_lines o on o.line = v.ours
), theirs as (
  select e.line, e.filled, e.average_price, exists (select from unjudged u where u.txn = t.txn) as stale
  from their_lines e join transactions t on t.txn = e.txn and t.gateway = :gateway and t.book = :book
  where e.trade_date = :trade_date and not exists (
    select from pairs p where p.theirs = e.line and p.rev = t.rev and p.trade_date <> :trade_date
  )
  union
  select e.line, e.filled, e.average_price, false
  from pairs p join their_lines e on e.line = p.theirs
  join transactions t on t.txn = p.txn and p.rev = t.rev and t.gateway = :gateway and t.book = :book
  where p.trade_date = :trade_date
)"""
OURS = """
ours as (
  select o.line, o.filled, o.average_price, exists (select from unjudged u where u.txn = t.txn) as stale
  from our_lines o left join transactions t on t.txn = o.txn
  where o.trade_date = :trade_date and o.gateway = :gateway and coalesce(t.book, o.book) = :book
)"""
REFUSED = """
refused as (
  select digest from refused_rows
  where trade_date = :trade_date and (gateway = :gateway or gateway is null) and replaced_by is null
)"""
_FIGURES = """
count(*) as count, coalesce(sum(filled), 0) as quantity, coalesce(sum(filled * average_price), 0) as amount"""

_TOTALS = text(f"""
with {OURS}, {THEIRS}, {REFUSED}
select 'ours' as side, {_FIGURES} from (
  select filled, average_price from ours union all select null, null from refused
) lines
union all
select 'theirs', {_FIGURES} from theirs
""")
COUNTING = """
counting as (
  select v.ours, v.theirs, v.bucket, v.rule_set from verdicts v
  join transactions t on t.txn = v.txn and t.rev = v.rev and t.gateway = :gateway and t.book = :book
  where v.trade_date = :trade_date
  union all
  select v.ours, v.theirs, v.bucket, null from verdicts v -- excluded by every rule set
  join our_lines o on o.line = v.ours and o.txn is null and o.gateway = :gateway
  where v.trade_date = :trade_date and v.txn is null and v.book = :book
)"""
_BUCKETS = text(f"""
with {OURS}, {THEIRS}, {REFUSED}, {COUNTING}, lines as (
  select 'ours' as side, c.bucket, o.filled, o.average_price
  from counting c join our_lines o on o.line = c.ours
  union all select 'theirs', c.bucket, e.filled, e.average_price
  from counting c join their_lines e on e.line = c.theirs
  union all select 'ours', 'pending', filled, average_price from ours where stale
  union all select 'theirs', 'pending', filled, average_price from theirs where stale
  union all select 'ours', 'excluded', null, null from refused
)
select side, bucket as name, {_FIGURES} from lines group by side, bucket
""")

#: Imports that brought lines of this day and of whose rows not every line is still there.
_LOST = text("""
select coalesce(sum(abs(i.new + i.changed - n.versions)), 0) from imports i
join lateral (select count(*) as versions from line_versions v where v.import_id = i.import_id) n on true
where i.kind = 'orders' and i.import_id in (
  select v.import_id from line_versions v join our_lines o on o.line = v.line
  where o.trade_date = :trade_date and o.gateway = :gateway
)
""")
_NAMES = text("""
select name, class, count(*) as count, coalesce(sum(impact_inr), 0) as impact_inr from findings
where gateway = :gateway and book = :book and trade_date = :trade_date and closed_at is null
group by name, class order by name, class
""")
_TOLERANCE = text("""
select count(*) filter (where slack_inr = 0) as by_rounding, count(*) filter (where slack_inr > 0) as by_slack,
  coalesce(sum(slack_inr), 0) as slack_inr
from findings
where gateway = :gateway and book = :book and trade_date = :trade_date and closed_at is null and name = 'price-in-tol'
""")


def be_patient(connection: Connection) -> None:
    """Let every statement of this database transaction take its time: a day may have a million lines."""
    connection.execute(text("set local statement_timeout = 0"))


def book_of(connection: Connection, gateway: str) -> str:
    """The book in which a gateway's money lies: live, unless everything of it is a test."""
    return str(connection.execute(_BOOK, {"gateway": gateway}).scalar_one())


def control_totals(connection: Connection, scope: Scope) -> dict[str, Row[Any]]:
    """Count, quantity and amount of each side, from the lines themselves."""
    return {row.side: row for row in connection.execute(_TOTALS, dict(scope))}


def lost_lines(connection: Connection, scope: Scope) -> int:
    """How many lines that imports of this day brought are not stored any more."""
    return int(connection.execute(_LOST, {"trade_date": scope["trade_date"], "gateway": scope["gateway"]}).scalar_one())


def buckets(connection: Connection, scope: Scope) -> list[Row[Any]]:
    """Count, quantity and amount of each side's buckets."""
    return list(connection.execute(_BUCKETS, dict(scope)))


def finding_names(connection: Connection, scope: Scope) -> list[Row[Any]]:
    """The open findings of the day by name and class, with how many and what they weigh."""
    return list(connection.execute(_NAMES, dict(scope)))


def tolerance_used(connection: Connection, scope: Scope) -> Row[Any]:
    """Prices that differ and match: by_rounding and by_slack how many, slack_inr what the slack forgave."""
    return connection.execute(_TOLERANCE, dict(scope)).one()
