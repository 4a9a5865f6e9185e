"""Pairing by key, for any number of transactions in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
  select txn, rev, book from transactions where txn = any(cast(:txns as bigint[])) and quiet
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
), counted as materialized (
  select txn, count(*) as n from pairs group by txn
), spoilt as materialized (
  select txn from pairs where not same
  union all
  select p.txn from counted p
  left join (select txn, count(*) as n from our_lines where {of_them} group by txn) o on o.txn = p.txn
  left join (select txn, count(*) as n from their_lines where {of_them} group by txn) e on e.txn = p.txn
  where (o.n, e.n) is distinct from (p.n, p.n)
), covered as materialized (
  select txn, rev, book from scope
  where txn in (select txn from counted) and txn not in (select txn from spoilt)
), written as (
  insert into {into} (txn, ours, theirs, rev, bucket, rung, trade_date, book, rule_set)
  select c.txn, p.ours, p.theirs, c.rev, 'matched', 1, p.trade_date, c.book, :rule_set
  from pairs p join covered c on c.txn = p.txn
), judged as (
  update transactions t set judged_rev = c.rev, judged_at = :now, review_at = null
  from covered c where t.txn = c.txn
)
select txn from unnest(cast(:txns as bigint[])) as txn where txn not in (select txn from covered)
"""


_AMONG = "txn = any(cast(:txns as bigint[]))"
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
    among = Among(list(txns), len(txns), min(txns), max(txns))
    return frozenset(txns).difference(left_by_match(connection, among=among, rule_set=rule_set, now=now, into=into))


@dataclass(frozen=True, slots=True)
class Among:
    """Transactions to be paired."""

    txns: Sequence[int] | str  #: or as the database writes an array: it only goes back there
    number: int
    low: int  #: the least of them, or less
    high: int  #: the greatest, or more


def left_by_match(
    connection: Connection, *, among: Among, rule_set: str, now: datetime, into: str = VERDICTS
) -> list[int]:
    """As `match_plain`, and those of them that it did not judge."""
    # Planned for these transactions, not for ten: a plan for any array would look lines up one by one.
    connection.execute(text("set local plan_cache_mode = force_custom_plan"))
    dense = among.high - among.low < 2 * among.number
    named: dict[str, object] = {"txns": among.txns, "rule_set": rule_set, "now": now}
    if dense:
        named |= {"low": among.low, "high": among.high}
    return list(connection.execute(_match(into, _BETWEEN if dense else _AMONG), named).scalars())
