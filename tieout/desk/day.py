"""How one trade date ties out: both sides counted, every line in one bucket, what is left unaccounted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from recon.digest import digest_of
from recon.names import ORDER
from recon.values import Bucket
from store import holding_days
from store.closed_days import Close, standing
from store.days import Scope, book_of, buckets, control_totals, finding_names, lost_lines, tolerance_used
from store.digests import canonical_texts
from tieout.desk.equation import Equation, Figures, equation, exactly
from tieout.desk.equation import as_json as equation_json
from tieout.desk.unchecked import Unchecked, unchecked
from tieout.desk.unchecked import as_json as unchecked_json

__all__ = ["Day", "Equation", "Figures", "Named", "as_json", "day", "digest_of_day", "exactly", "orders_of", "scope_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """How many open findings of the day have one name and class, and what they weigh in rupees."""

    name: str
    finding_class: str
    count: int
    impact_inr: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How many prices that differ were matched all the same, and by what."""

    by_rounding: int = 0  #: rounding alone explains them
    by_slack: int = 0  #: the rule set forgives them
    slack_inr: Decimal = Decimal(0)  #: rupees that it forgave beyond rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One trade date of one gateway, as of an instant."""

    gateway: str
    trade_date: date
    as_of: datetime
    book: str
    orders: Equation
    findings: tuple[Named, ...]  #: breaks, pendings and notes, counted by name
    digest: str | None  #: None if it was not asked for
    holdings: Equation | None = None  #: None until there are any
    close: Close | None = None  #: None while the day is open
    tolerance: Tolerance = Tolerance()
    unchecked: Unchecked = field(default_factory=Unchecked)

    @property
    def ties_out(self) -> bool:
        """Whether every line of both sides lies in exactly one bucket."""
        return not self.orders.unaccounted and not (self.holdings and self.holdings.unaccounted)

    @property
    def changed(self) -> bool:
        """Whether the day says something else than when it was closed; told only with its digest."""
        return self.close is not None and self.digest is not None and self.digest != self.close.digest.hex()

    @property
    def signed(self) -> bool:
        """Whether the day is closed and still says what was signed."""
        return self.close is not None and not self.changed


def day(
    connection: Connection,
    *,
    gateway: str,
    trade_date: date,
    as_of: datetime,
    book: str | None = None,
    with_digest: bool = True,
) -> Day:
    """How that trade date ties out now; `as_of` is the domain's instant it is printed with.

    Without a `book` the live one is meant, unless everything of the gateway is a test.
    """
    scope = scope_of(connection, gateway=gateway, trade_date=trade_date, book=book)
    return Day(
        gateway=gateway,
        trade_date=trade_date,
        as_of=as_of,
        book=scope["book"],
        orders=orders_of(connection, scope),
        holdings=_holdings(connection, scope, as_of),
        findings=_findings(connection, scope),
        digest=digest_of_day(connection, scope) if with_digest else None,
        close=standing(connection, scope),
        tolerance=Tolerance(**tolerance_used(connection, scope)._mapping),
        unchecked=unchecked(connection, scope),
    )


def scope_of(connection: Connection, *, gateway: str, trade_date: date, book: str | None = None) -> Scope:
    """The day that is meant."""
    return Scope(gateway=gateway, trade_date=trade_date, book=book or book_of(connection, gateway))


def digest_of_day(connection: Connection, scope: Scope) -> str:
    """The fingerprint of all that the day says."""
    return digest_of(canonical_texts(connection, scope))


def as_json(day: Day) -> dict[str, object]:
    """The day as `tieout day --json` prints it: decimals as text, what is not there yet as null."""
    return {
        "gateway": day.gateway,
        "trade_date": day.trade_date.isoformat(),
        "as_of": day.as_of,
        **totals_json(day),
        "tolerance": {
            "by_rounding": day.tolerance.by_rounding,
            "by_slack": day.tolerance.by_slack,
            "slack_inr": exactly(day.tolerance.slack_inr),
        },
        "unchecked": unchecked_json(day.unchecked),
        "digest": day.digest,
        "signed": day.signed,
    }


def totals_json(day: Day) -> dict[str, object]:
    """Both kinds of lines as the day prints them and as a close keeps them."""
    holdings = None if day.holdings is None else equation_json(day.holdings)
    return {"orders": equation_json(day.orders), "holdings": holdings}


# ---------------------------------------------------------------- the figures


def orders_of(connection: Connection, scope: Scope) -> Equation:
    """The order lines of a day: totals, buckets, and what is between them."""
    totals = {side: _figures(row) for side, row in control_totals(connection, scope).items()}
    found = [_bucket(row) for row in buckets(connection, scope)]
    return equation(totals, found, lost=lost_lines(connection, scope))


def _holdings(connection: Connection, scope: Scope, as_of: datetime) -> Equation | None:
    if not holding_days.any_judged(connection, scope, as_of=as_of):
        return None
    totals = holding_days.control_totals(connection, scope, as_of=as_of)
    found = [_bucket(row) for row in holding_days.buckets(connection, scope, as_of=as_of)]
    return equation({side: _figures(row) for side, row in totals.items()}, found)


def _figures(row: Row[Any]) -> Figures:
    # `count` of a row is the tuple's method, so it is read by its key
    return Figures(count=int(row._mapping["count"]), quantity=row.quantity, amount=row.amount)


def _bucket(row: Row[Any]) -> Bucket:
    figures = _figures(row)
    return Bucket(name=row.name, side=row.side, count=figures.count, quantity=figures.quantity, amount=figures.amount)


def _findings(connection: Connection, scope: Scope) -> tuple[Named, ...]:
    named = [
        Named(
            name=row.name,
            finding_class=row._mapping["class"],
            count=row._mapping["count"],
            impact_inr=row.impact_inr,
        )
        for row in finding_names(connection, scope)
    ]
    return tuple(sorted(named, key=lambda n: (ORDER.get(n.name, len(ORDER)), n.finding_class)))
