"""Verdicts: where each line ended up, and which transactions are judged or due to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, text

from store import schema
from store.recordset import as_parameter, records
from store.together import Asked, Query

Values = Mapping[str, object]

SAMPLED = 25  #: for the planner: a quarter of the usual, so that a run waits less at its end

_COLUMNS = ("txn", "ours", "theirs", "rev", "bucket", "rung", "rule", "trade_date", "book", "rule_set", "members")
_JUDGED = ("txn", "review_at", "quiet")

#: A line that moved to another transaction takes its old verdict with it. Two statements, one index each:
#: asked for together they would read every verdict there is.
#: The insert reads `gone`, so the lines are free before they are taken anew.
_WRITE = Query(f"""
with gone as (
  delete from line_verdicts where txn = any(:txns) returning txn
), untied as (
  delete from tied_out where txn = any(:txns)
), moved as (
  delete from line_verdicts v using our_lines o
  where o.txn = any(:txns) and v.ours = o.line and v.txn is distinct from o.txn returning v.txn
), marked as (
  update transactions t set review_at = r.review_at, quiet = r.quiet
  from {records(schema.transactions, *_JUDGED, parameter="judged")} where t.txn = r.txn
    and (t.review_at, t.quiet) is distinct from (r.review_at, r.quiet)
), judged as (
  delete from unjudged where txn = any(:txns)
)
insert into line_verdicts ({", ".join(_COLUMNS)})
select {", ".join(_COLUMNS)} from {records(schema.line_verdicts, *_COLUMNS)}
where (select count(*) from gone) + (select count(*) from moved) >= 0
""")
_EXCLUDE = text("""
insert into line_verdicts as was (txn, ours, rev, bucket, rule, trade_date, book, rule_set)
select null, line, version, 'excluded', :rule, trade_date, book, :rule_set
from our_lines where line = any(:lines) and txn is null
on conflict (ours) where ours is not null do update
set (txn, theirs, rev, bucket, rung, rule, trade_date, book, rule_set)
  = (null, null, excluded.rev, excluded.bucket, null, excluded.rule, excluded.trade_date, excluded.book,
     excluded.rule_set)
""")
_DUE = text("""
select txn from (
  select txn from unjudged
  union
  select txn from transactions where review_at <= :now
) due
where txn > :after
order by txn limit :limit
""")
_DUE_OF = text("""
select txn from (
  select txn from unjudged join transactions t using (txn) where t.gateway = :gateway
  union
  select txn from transactions where review_at <= :now and gateway = :gateway
) due
where txn > :after
order by txn limit :limit
""")
_TAKE = text("""
select txn from transactions where txn = any(:txns) and (
  review_at <= :now or exists (select from unjudged u where u.txn = transactions.txn))
order by txn for no key update skip locked
""")
#: Rules of another kind may find something in a transaction that said nothing but of its lines.
#: A closed day stands by the rules under which it was signed, until it is reopened.
_AGAIN = text("""
with closed as materialized (
  select distinct o.txn from closed_days c
  join our_lines o on o.gateway = c.gateway and o.trade_date = c.trade_date and o.txn is not null
  where c.reopened_at is null
  union
  select e.txn from closed_days c
  join their_lines e on e.trade_date = c.trade_date join transactions t on t.txn = e.txn and t.gateway = c.gateway
  where c.reopened_at is null
)
update transactions set rev = rev + 1, quiet = false
where txn not in (select txn from closed)
  and (cast(:gateway as text) is null or gateway = :gateway)
  and (cast(:first as date) is null
    or txn in (select txn from our_lines where trade_date between :first and :last)
    or txn in (select txn from their_lines where trade_date between :first and :last))
""")
#: Never looked at, or half as large again as when it was.
_GROWN = text("""
select relname from pg_class
where relnamespace = current_schema()::regnamespace and relname in ('transactions', 'our_lines', 'their_lines')
  and (reltuples < 0 or pg_relation_size(oid) * 2 > relpages::bigint * 3 * current_setting('block_size')::int)
""")
_UNJUDGED = text("""
insert into alerts as was (name, gateway, subject, detail)
select 'not-judged', gateway, transaction_id, :detail from transactions where txn = :txn
on conflict (name, gateway, subject, day) do update set at = clock_timestamp(), detail = excluded.detail
""")


def verdicts_over(judged: Sequence[Values], *, rows: Sequence[Values]) -> Asked:
    """Write verdicts in place of those of these transactions, which are judged then.

    A line that keeps a verdict elsewhere is refused by the table's unique indexes. `judged` says of
    each transaction when time alone may change what was judged, and whether it is quiet.
    """
    txns = [each["txn"] for each in judged]
    return _WRITE.of(txns=txns, rows=as_parameter(rows), judged=as_parameter(judged))


def exclude(connection: Connection, *, lines: Sequence[int], rule: str, rule_set: str) -> None:
    """Put these lines of ours, which name no transaction, into the bucket `excluded`."""
    connection.execute(_EXCLUDE, {"lines": list(lines), "rule": rule, "rule_set": rule_set})


def due(connection: Connection, *, now: datetime, after: int, limit: int, gateway: str | None) -> list[int]:
    """The first transactions beyond `after` that are stale or whose time has come."""
    named = {"now": now, "after": after, "limit": limit}
    if gateway is None:
        return list(connection.execute(_DUE, named).scalars())
    return list(connection.execute(_DUE_OF, {**named, "gateway": gateway}).scalars())


def take_due(connection: Connection, *, txns: Sequence[int], now: datetime) -> list[int]:
    """Lock those of these transactions that are still due and that nobody else holds."""
    return list(connection.execute(_TAKE, {"txns": list(txns), "now": now}).scalars())


def judge_again(
    connection: Connection, *, gateway: str | None = None, first: date | None = None, last: date | None = None
) -> int:
    """Make every judgement of the gateway and of these dates stale, as after a change of the rules; how many."""
    return connection.execute(_AGAIN, {"gateway": gateway, "first": first, "last": last}).rowcount


def report_unjudged(connection: Connection, *, txn: int, detail: str) -> None:
    """Raise an alert: judging this transaction failed, its lines stay pending."""
    connection.execute(_UNJUDGED, {"txn": txn, "detail": detail})


def analyze(connection: Connection) -> None:
    """Let the planner know what was judged, before the database looks by itself."""
    connection.execute(text(f"set local default_statistics_target = {SAMPLED}"))
    connection.execute(text("analyze line_verdicts, tied_out (txn, trade_date)"))


def analyze_grown(connection: Connection) -> None:
    """Let the planner know how many lines there are by now; it would plan a large new day as an empty one."""
    for table in connection.execute(_GROWN).scalars():
        connection.execute(text(f"analyze {table}"))
