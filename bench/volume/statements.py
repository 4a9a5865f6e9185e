"""What a run is compared with, and what it must have left behind."""

from __future__ import annotations

#: The compared columns of both sides; account and broker are compared with the batch, not with the leg.
_COMPARED = ("instrument", "symbol", "side", "quantity", "filled", "average_price", "status", "trade_date")


def _of(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in _COMPARED)


#: One FULL JOIN on the same key that reads the compared columns and counts the lines of each class.
COUNTING_JOIN = f"""
select count(*) filter (where e.line is null) as ours_alone,
  count(*) filter (where o.line is null) as theirs_alone,
  count(*) filter (where o.line is not null and e.line is not null
    and ({_of("o")}) is not distinct from ({_of("e")})) as equal,
  count(*) filter (where o.line is not null and e.line is not null
    and ({_of("o")}) is distinct from ({_of("e")})) as different
from our_lines o full join their_lines e on e.key = o.key
"""  # noqa: S608 our own names
PLAIN_COUNT = "select count(*) from our_lines o join their_lines e on e.key = o.key"
PAIR_IDS = """
create table pair_ids as
select o.line as ours, e.line as theirs from our_lines o full join their_lines e on e.key = o.key
"""
DROP_PAIR_IDS = "drop table pair_ids"

_FIGURES = (
    "count({0}.line) as {1}_count, coalesce(sum({0}.filled), 0) as {1}_quantity,\n"
    "  coalesce(sum({0}.filled * {0}.average_price), 0) as {1}_amount"
)
#: Lines by bucket, of the verdicts that count, and the lines themselves: what every run adds up.
COUNTS = """
select bucket, sum(ours) as ours, sum(theirs) as theirs from (
  select 'matched' as bucket, cardinality(d.ours) as ours, cardinality(d.theirs) as theirs
  from tied_out d where not exists (select from transactions t where t.txn = d.txn and t.rev <> d.rev)
  union all
  select v.bucket, (v.ours is not null)::int, (v.theirs is not null)::int
  from line_verdicts v join transactions t on t.txn = v.txn and t.rev = v.rev
) each group by bucket
"""
LINES = "select (select count(*) from our_lines) as ours, (select count(*) from their_lines) as theirs"
#: The same in shares and rupees, too, as a day's page shows them. Counted from the lines themselves.
SOURCES = f"""
select * from (select {_FIGURES.format("o", "ours")} from our_lines o) ours,
  (select {_FIGURES.format("e", "theirs")} from their_lines e) theirs
"""  # noqa: S608 our own names
#: Counted from the verdicts that count.
BUCKETS = f"""
select v.bucket, {_FIGURES.format("o", "ours")}, {_FIGURES.format("e", "theirs")}
from verdicts v join transactions t on t.txn = v.txn and t.rev = v.rev
left join our_lines o on o.line = v.ours left join their_lines e on e.line = v.theirs
group by v.bucket order by v.bucket
"""  # noqa: S608 our own names
FINDINGS = "select name, count(*) as number from findings where closed_at is null group by name"

#: Lines of a sample that no verdict is found by; each is looked up by itself.
NOT_FOUND = """
select count(*) from (select txn, line from {table} where txn is not null order by line % 997, line limit 1000) sample
where not exists (select from verdicts v where v.txn = sample.txn and v.{side} = sample.line)
"""
#: Transactions from all over, one that agrees as well as one that does not.
SAMPLE = "select txn from transactions order by txn % 991, txn limit :number"
