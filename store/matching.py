"""Pairing by key, for any number of transactions in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, TextClause, text

VERDICTS = "verdicts"

#: Half past five, to the second: instants that lie one zone apart (`zone-shift`) are for the judge.
_ONE_ZONE = "interval '5:29:59.000001' and interval '5:30:00.999999'"

#: A transaction is covered when it is quiet and key and facts pair each plain line of ours with exactly
#: one plain line of theirs. What spoils that is looked for rather than what fulfils it: the planner then
#: hashes the few, whatever it guesses of the many. A key that comes twice spoils it, on either side: there
#: are then more pairs than lines.
_MATCH = """
with scope as materialized (
  select txn, rev, book from transactions where txn = any(:txns) and quiet
), pairs as materialized (
  select coalesce(o.txn, e.txn) as txn, o.line as ours, e.line as theirs, o.trade_date,
    coalesce(o.plain and e.plain and o.facts = e.facts, false)
      and (o.executed_at is null or e.completed_at is null
        or o.executed_at - e.completed_at not between {one_zone}
        and e.completed_at - o.executed_at not between {one_zone}) as same
  from (
    select txn, line, key, facts, plain, trade_date, executed_at from our_lines where {of_them}
  ) o full join (
    select txn, line, key, facts, plain, completed_at from their_lines where {of_them}
  ) e on e.key = o.key and e.txn = o.txn
), spoilt as materialized (
  select txn from pairs where not same
  union all
  select p.txn from (select txn, count(*) as n from pairs group by txn) p
  left join (select txn, count(*) as n from our_lines where {of_them} group by txn) o on o.txn = p.txn
  left join (select txn, count(*) as n from their_lines where {of_them} group by txn) e on e.txn = p.txn
  where (o.n, e.n) is distinct from (p.n, p.n)
), covered as materialized (
  select txn, rev, book from scope
  where txn in (select txn from pairs) and txn not in (select txn from spoilt)
), written as (
  insert into {into} (txn, ours, theirs, rev, bucket, rung, trade_date, book, rule_set)
  select c.txn, p.ours, p.theirs, c.rev, 'matched', 1, p.trade_date, c.book, :rule_set
  from pairs p join covered c on c.txn = p.txn
), judged as (
  update transactions t set judged_rev = c.rev, judged_at = :now, review_at = null
  from covered c where t.txn = c.txn
)
select txn from covered
"""


_AMONG = "txn = any(:txns)"
_BETWEEN = "txn between :low and :high"  #: lines of others are read with them, and no array is searched for each


@cache
def _match(into: str, of_them: str) -> TextClause:
    return text(_MATCH.format(into=into, of_them=of_them, one_zone=_ONE_ZONE))


def match_plain(
    connection: Connection, *, txns: Sequence[int], rule_set: str, now: datetime, into: str = VERDICTS
) -> frozenset[int]:
    """Judge every transaction about which nothing is left to say: its verdicts, and that it is judged; those.

    There is at least one. The caller holds their rows, and their earlier verdicts are gone. `into` is the table
    that takes the verdicts: `verdicts`, or one of `store.staging`. `now` is the domain's instant.
    """
    # Planned for these transactions, not for ten: a plan for any array would look lines up one by one.
    connection.execute(text("set local plan_cache_mode = force_custom_plan"))
    low, high = min(txns), max(txns)
    dense = high - low < 2 * len(txns)
    named = {"txns": list(txns), "rule_set": rule_set, "now": now} | ({"low": low, "high": high} if dense else {})
    return frozenset(connection.execute(_match(into, _BETWEEN if dense else _AMONG), named).scalars())
