"""Pairing by key, for any number of transactions in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

#: Half past five, to the second: instants that lie one zone apart (`zone-shift`) are for the judge.
_ONE_ZONE = "interval '5:29:59.000001' and interval '5:30:00.999999'"

_THESE = "{of_them} and txn in (select unnest(cast(:txns as bigint[])))"

_DROP = f"""
with gone as (
  delete from line_verdicts where {_THESE}
)
delete from tied_out where {_THESE}
"""
#: A transaction ties out when it is quiet and key and facts pair each line of ours with exactly one of theirs,
#: both plain, all on one date. No two transactions share a key: their ids go into it. What is plain of theirs has a
#: key that no other of their lines has; one that comes twice in the books makes more pairs than there are legs.
_MATCH = f"""
with scope as materialized (
  select txn, rev, book, legs from transactions where {_THESE} and quiet
), paired as (
  select coalesce(o.txn, e.txn) as txn, count(*) as pairs, array_agg(o.line) as ours, array_agg(e.line) as theirs,
    min(o.trade_date) as trade_date, max(o.trade_date) as last,
    bool_and(coalesce(o.plain and e.plain and o.facts = e.facts, false)
      and (o.executed_at is null or e.completed_at is null
        or o.executed_at - e.completed_at not between {_ONE_ZONE}
        and e.completed_at - o.executed_at not between {_ONE_ZONE})) as same
  from (
    select txn, line, key, facts, plain, trade_date, executed_at from our_lines where {{of_them}}
  ) o full join (
    select txn, line, key, facts, plain, completed_at from their_lines where {{of_them}}
  ) e on e.key = o.key
  group by coalesce(o.txn, e.txn)
), tied as materialized (
  select s.txn, s.rev, p.ours, p.theirs, p.trade_date, s.book
  from scope s join paired p on p.txn = s.txn
  where p.same and p.pairs = s.legs and p.trade_date = p.last
), written as (
  insert into tied_out (txn, rev, ours, theirs, trade_date, book, rule_set)
  select txn, rev, ours, theirs, trade_date, book, :rule_set from tied
), judged as (
  delete from unjudged where txn in (select txn from tied) and {{of_them}}
), waiting_no_more as (
  update transactions t set review_at = null from tied where t.txn = tied.txn and t.review_at is not null
)
select txn from unnest(cast(:txns as bigint[])) as txn where txn not in (select txn from tied)
"""
#: Lines of others are read with them in a range, and no array is searched for each.
_OF_THEM = {True: "txn between :low and :high", False: "txn = any(cast(:txns as bigint[]))"}
_DROPS = {dense: text(_DROP.format(of_them=of_them)) for dense, of_them in _OF_THEM.items()}
_MATCHES = {dense: text(_MATCH.format(of_them=of_them)) for dense, of_them in _OF_THEM.items()}

#: Planned for these transactions, not for ten: a plan for any array would look lines up one by one. Nor does the
#: planner know how few of them are spoilt: it would look through all of them for each.
_PLAN = text("""
select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_nestloop', :nested, true)
""")


@dataclass(frozen=True, slots=True)
class Among:
    """Transactions to be paired."""

    txns: Sequence[int] | str  #: or as the database writes an array: it only goes back there
    number: int
    low: int  #: the least of them, or less
    high: int  #: the greatest, or more


def match_plain(connection: Connection, *, txns: Sequence[int], rule_set: str) -> frozenset[int]:
    """Judge every transaction about which nothing is left to say: its verdicts, and that it is judged; those.

    There is at least one. The caller holds their rows; the earlier verdicts of all of them go.
    """
    among = Among(list(txns), len(txns), min(txns), max(txns))
    return frozenset(txns).difference(left_by_match(connection, among=among, rule_set=rule_set))


def left_by_match(connection: Connection, *, among: Among, rule_set: str) -> list[int]:
    """As `match_plain`, and those of them that it did not judge."""
    named: dict[str, object] = {"txns": among.txns}
    dense = among.high - among.low < 2 * among.number
    if dense:
        named |= {"low": among.low, "high": among.high}
    connection.execute(_PLAN, {"nested": "off"})
    connection.execute(_DROPS[dense], named)
    left = list(connection.execute(_MATCHES[dense], {**named, "rule_set": rule_set}).scalars())
    connection.execute(_PLAN, {"nested": "on"})
    return left
