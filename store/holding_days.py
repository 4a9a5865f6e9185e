"""How the holdings of a day tie out: rows of both sides from their sources, buckets from the verdicts.

A verdict names the answer and the date of the books' positions that it was judged by; totals count those sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from store.days import Scope

_ACCOUNTS = """
judged as (
  select account, max(snapshot_id) as snapshot_id, max(opening_as_of) as as_of, max(judged_at) as judged_at
  from holding_verdicts
  where gateway = :gateway and book = :book and trade_date = :trade_date and judged_at <= :as_of
  group by account
)"""
_TOTALS = text(f"""
with {_ACCOUNTS}, ours as (
  select distinct on (p.account, p.isin) p.quantity, p.average_price
  from judged j join positions p on p.gateway = :gateway and p.account = j.account and p.as_of = j.as_of
  where p.known_at <= j.judged_at order by p.account, p.isin, p.version desc
), theirs as (
  select coalesce(l.held, 0) + coalesce(l.t1, 0) + coalesce(l.nse_quantity, 0) + coalesce(l.bse_quantity, 0)
    + coalesce(l.collateral, 0) as quantity, l.held_average as average_price
  from judged j join holding_snapshots s on s.snapshot_id = j.snapshot_id
  join holding_lines l on l.snapshot_id = s.lines_in
)
select 'ours' as side, count(*) as count, coalesce(sum(quantity), 0) as quantity,
  coalesce(sum(quantity * average_price), 0) as amount from ours
union all
select 'theirs', count(*), coalesce(sum(quantity), 0), coalesce(sum(quantity * average_price), 0) from theirs
""")
_BUCKETS = text("""
select 'ours' as side, bucket as name, sum(ours_count) as count, sum(ours_quantity) as quantity,
  sum(ours_amount) as amount
from holding_verdicts where gateway = :gateway and book = :book and trade_date = :trade_date
  and judged_at <= :as_of and ours_count > 0
group by bucket
union all
select 'theirs', bucket, sum(theirs_count), sum(theirs_quantity), sum(theirs_amount)
from holding_verdicts where gateway = :gateway and book = :book and trade_date = :trade_date
  and judged_at <= :as_of and theirs_count > 0
group by bucket
""")
_ANY = text("""
select exists (
  select from holding_verdicts where gateway = :gateway and book = :book and trade_date = :trade_date
    and judged_at <= :as_of)
""")
_LINES = text("""
select account, isin, trade_date, bucket, rule, snapshot_id, opening_as_of, internal, shown, steps, parts
from holding_verdicts
where gateway = :gateway and account = :account and (cast(:isin as text) is null or isin = :isin)
  and trade_date = coalesce(cast(:day as date), (
    select max(trade_date) from holding_verdicts where gateway = :gateway and account = :account))
order by bucket = 'matched', isin
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldStep:
    """One step from the opening to what the books come to."""

    what: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPart:
    """One part of the difference."""

    name: str
    quantity: Decimal
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """One line of descent of one account as it was judged for a day."""

    account: str
    isin: str
    trade_date: date
    bucket: str
    rule: str | None
    snapshot_id: int | None
    opening_as_of: date | None
    internal: Decimal | None
    shown: Decimal | None
    steps: tuple[HeldStep, ...]
    parts: tuple[HeldPart, ...]

    @property
    def difference(self) -> Decimal | None:
        """What is shown less what the books come to."""
        return None if self.internal is None or self.shown is None else self.shown - self.internal


def any_judged(connection: Connection, scope: Scope, *, as_of: datetime) -> bool:
    """Whether any holdings were reconciled for that day, by then."""
    return bool(connection.execute(_ANY, {**scope, "as_of": as_of}).scalar_one())


def control_totals(connection: Connection, scope: Scope, *, as_of: datetime) -> dict[str, Row[Any]]:
    """Count, quantity and amount of each side, from positions and answers themselves."""
    return {row.side: row for row in connection.execute(_TOTALS, {**scope, "as_of": as_of})}


def buckets(connection: Connection, scope: Scope, *, as_of: datetime) -> list[Row[Any]]:
    """Count, quantity and amount of each side's buckets."""
    return list(connection.execute(_BUCKETS, {**scope, "as_of": as_of}))


def lines(
    connection: Connection, *, gateway: str, account: str, isin: str | None = None, day: date | None = None
) -> list[HeldLine]:
    """The lines of an account as judged for that day, or last; what does not agree first."""
    named = {"gateway": gateway, "account": account, "isin": isin, "day": day}
    return [_line(dict(row)) for row in connection.execute(_LINES, named).mappings()]


def _line(row: dict[str, Any]) -> HeldLine:
    steps, parts = row.pop("steps"), row.pop("parts")
    return HeldLine(
        **row,
        steps=tuple(HeldStep(what=each["what"], quantity=Decimal(each["quantity"])) for each in steps),
        parts=tuple(HeldPart(**{**each, "quantity": Decimal(each["quantity"])}) for each in parts),
    )


_STATED = text("""
select distinct name, account, isin from findings
where gateway = :gateway and closed_at is null and txn is null and account is not null
""")


def stated_of_holdings(connection: Connection, *, gateway: str) -> frozenset[tuple[str, str, str | None]]:
    """All open findings about holdings as (name, account, ISIN)."""
    rows = connection.execute(_STATED, {"gateway": gateway})
    return frozenset((row.name, row.account, row.isin) for row in rows)
