"""Pairing by key, for any number of transactions in one statement."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

#: A transaction is covered when it is quiet, all its lines are plain, and key and facts pair each
#: line of ours with exactly one of theirs. Counting distinct lines on both sides keeps a key that
#: comes twice out of it. Instants that lie one zone apart (`zone-shift`) are for the judge.
_MATCH = text("""
with scope as materialized (
  select txn, rev, book from transactions where txn = any(:txns) and quiet
), ours as (
  select o.txn, count(*) as n from our_lines o join scope s on s.txn = o.txn group by o.txn
), theirs as (
  select e.txn, count(*) as n from their_lines e join scope s on s.txn = e.txn group by e.txn
), pairs as materialized (
  select s.txn, s.rev, s.book, o.line as ours, e.line as theirs, o.trade_date
  from scope s
  join our_lines o on o.txn = s.txn
  join their_lines e on e.txn = o.txn and e.key = o.key
  where o.plain and e.plain and o.facts = e.facts
    and (o.executed_at - e.completed_at not between interval '5:29:59.000001' and interval '5:30:00.999999'
      and e.completed_at - o.executed_at not between interval '5:29:59.000001' and interval '5:30:00.999999'
      or o.executed_at is null or e.completed_at is null)
), covered as (
  select p.txn from pairs p join ours on ours.txn = p.txn join theirs on theirs.txn = p.txn
  group by p.txn, ours.n, theirs.n
  having count(*) = ours.n and count(*) = theirs.n
    and count(distinct p.ours) = ours.n and count(distinct p.theirs) = theirs.n
), written as (
  insert into verdicts (txn, ours, theirs, rev, bucket, rung, trade_date, book, rule_set)
  select p.txn, p.ours, p.theirs, p.rev, 'matched', 1, p.trade_date, p.book, :rule_set
  from pairs p join covered c on c.txn = p.txn
)
select txn from covered
""")


def match_plain(connection: Connection, *, txns: Sequence[int], rule_set: str) -> frozenset[int]:
    """Write the verdicts of every transaction about which nothing is left to say; those transactions.

    Their earlier verdicts must be gone.
    """
    return frozenset(connection.execute(_MATCH, {"txns": list(txns), "rule_set": rule_set}).scalars())
