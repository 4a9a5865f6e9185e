"""What of a day, a month or everything is to be judged, cut into ranges of transactions."""

from __future__ import annotations

from collections.abc import Sequence
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
(t.judged_rev < t.rev or t.review_at <= :now)
and (cast(:gateway as text) is null or t.gateway = :gateway)
and (cast(:first as date) is null or exists (
  select from our_lines where txn = t.txn and trade_date between :first and :last
  union all
  select from their_lines where txn = t.txn and trade_date between :first and :last
))"""
_RANGES = text(f"""
select min(txn) as low, max(txn) as high, count(*) as due from (
  select t.txn, (row_number() over (order by t.txn) - 1) / :size as part from transactions t where {_DUE}
) due group by part order by part
""")
#: Most of them are quiet, and go back to the database as they came.
_TAKE = text(f"""
with taken as materialized (
  select t.txn, t.quiet, t.judged_rev > 0 as judged from transactions t
  where t.txn between :low and :high and {_DUE}
  order by t.txn for no key update skip locked
)
select coalesce(array_agg(txn) filter (where quiet), '{{}}')::text as quiet, count(*) filter (where quiet) as number,
  coalesce(array_agg(txn) filter (where quiet and judged), '{{}}') as judged,
  coalesce(array_agg(txn) filter (where not quiet), '{{}}') as others
from taken
""")
_COUNT = text(f"select count(*) from transactions t where {_DUE}")
_ALL = text("select count(*) from transactions")


@dataclass(frozen=True, slots=True)
class Taken:
    """Transactions that are due and locked by us."""

    quiet: str = "{}"  #: those of which all there is to say is about their lines; as the database writes an array
    number: int = 0  #: of the quiet
    judged: Sequence[int] = ()  #: of the quiet, those that were judged before, so they have verdicts
    others: Sequence[int] = ()


def ranges(connection: Connection, scope: Scope, *, now: datetime, size: int) -> list[Range]:
    """The due transactions of the scope in ranges of at most `size`; `now` is the domain's instant."""
    named = {**asdict(scope), "now": now, "size": size}
    return [Range(*row) for row in connection.execute(_RANGES, named)]


def take(connection: Connection, scope: Scope, part: Range, *, now: datetime) -> Taken:
    """Lock those transactions of the range that are still due and that nobody else holds."""
    named = {**asdict(scope), "now": now, "low": part.low, "high": part.high}
    return Taken(*connection.execute(_TAKE, named).one())


def count_due(connection: Connection, scope: Scope, *, now: datetime) -> int:
    """How many transactions of the scope are due."""
    return int(connection.execute(_COUNT, {**asdict(scope), "now": now}).scalar_one())


def count_all(connection: Connection) -> int:
    """How many transactions there are."""
    return int(connection.execute(_ALL).scalar_one())
