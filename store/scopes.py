"""What of a day, a month or everything is to be judged, cut into ranges of transactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which transactions are meant; a field that is None leaves nothing out.

    A transaction is of a day when a line of it on either side is.
    """

    gateway: str | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """Transactions from one `txn` to another, both included, and how many of them were due."""

    low: int
    high: int
    due: int


_DUE = """
(cast(:gateway as text) is null or t.gateway = :gateway)
and (cast(:first as date) is null or exists (
  select from our_lines where txn = t.txn and trade_date between :first and :last
  union all
  select from their_lines where txn = t.txn and trade_date between :first and :last
))"""
_OF_ALL = """
from (
  select txn from unjudged where {among}
  union all
  select txn from transactions t where review_at <= :now and {among}
    and not exists (select from unjudged u where u.txn = t.txn)
) due"""
_OF = f"{_OF_ALL} join transactions t on t.txn = due.txn where {{due}}"
#: Cut by the numbers of the transactions, which takes no count of those before.
_RANGES = """
select min(txn) as low, max(txn) as high, count(*) as due from (select due.txn {of}) due
group by txn / :size order by txn / :size
"""
_RANGES_OF_ALL = text(_RANGES.format(of=_OF_ALL.format(among="true")))
_RANGES_OF_SOME = text(_RANGES.format(of=_OF.format(among="true", due=_DUE)))
#: Most of them are quiet, and go back to the database as they came.
_TAKE = text(f"""
with taken as materialized (
  select t.txn, t.quiet {_OF.format(among="txn between :low and :high", due=_DUE)}
  order by t.txn for no key update of t skip locked
)
select coalesce(array_agg(txn) filter (where quiet), '{{}}')::text as quiet, count(*) filter (where quiet) as number,
  coalesce(array_agg(txn) filter (where quiet and txn in (
    select txn from findings where closed_at is null and txn between :low and :high)), '{{}}') as said,
  coalesce(array_agg(txn) filter (where not quiet), '{{}}') as others
from taken
""")
_COUNT = text(f"select count(*) {_OF.format(among='true', due=_DUE)}")


@dataclass(frozen=True, slots=True)
class Taken:
    """Transactions that are due and locked by us."""

    quiet: str = "{}"  #: those of which all there is to say is about their lines; as the database writes an array
    number: int = 0  #: of the quiet
    said: Sequence[int] = ()  #: of the quiet, those of which something is found that may no longer be so
    others: Sequence[int] = ()


def ranges(connection: Connection, scope: Scope, *, now: datetime, size: int) -> list[Range]:
    """The due transactions of the scope in ranges of at most `size`; `now` is the domain's instant."""
    if scope == Scope():
        found = connection.execute(_RANGES_OF_ALL, {"now": now, "size": size})
    else:
        found = connection.execute(_RANGES_OF_SOME, {**asdict(scope), "now": now, "size": size})
    return list(_joined((Range(*row) for row in found), size))


def _joined(parts: Iterable[Range], size: int) -> Iterator[Range]:
    """Neighbours as one, as long as they are small together."""
    last: Range | None = None
    for part in parts:
        if last is None:
            last = part
        elif last.due + part.due <= size:
            last = Range(last.low, part.high, last.due + part.due)
        else:
            yield last
            last = part
    if last is not None:
        yield last


def take(connection: Connection, scope: Scope, part: Range, *, now: datetime) -> Taken:
    """Lock those transactions of the range that are still due and that nobody else holds."""
    named = {**asdict(scope), "now": now, "low": part.low, "high": part.high}
    return Taken(*connection.execute(_TAKE, named).one())


def count_due(connection: Connection, scope: Scope, *, now: datetime) -> int:
    """How many transactions of the scope are due."""
    return int(connection.execute(_COUNT, {**asdict(scope), "now": now}).scalar_one())
