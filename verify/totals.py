"""The completeness equation, counted anew: every line of both sides by bucket, against what was signed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from verify.closes import Close
from verify.database import Reader
from verify.report import Report
from verify.texts import PRECISION, plain
from verify.told import Told

Figures = tuple[int, Decimal, Decimal]
NOTHING: Figures = (0, Decimal(0), Decimal(0))
_REFUSED = """
select count(*) from refused_rows
where trade_date = %(day)s and coalesce(gateway, %(gateway)s) = %(gateway)s and replaced_by is null
"""


@dataclass(slots=True)
class Totals:
    """Lines, shares and rupees in each bucket of each side."""

    day: date
    buckets: dict[tuple[str, str], Figures] = field(default_factory=lambda: defaultdict(lambda: NOTHING))

    def add(self, told: Told) -> None:
        """Count the lines of one transaction that lie on the day, each side by its own values."""
        for verdict in told.verdicts:
            if verdict.trade_date != self.day:
                continue
            if verdict.ours in told.ours:
                row = told.ours[verdict.ours]
                self._count(verdict.bucket, "ours", row.filled, row.average_price)
            if verdict.theirs in told.theirs:
                leg = told.leg(verdict.theirs)
                self._count(verdict.bucket, "theirs", leg.filled, leg.price)

    def _count(self, bucket: str, side: str, filled: Decimal | None, price: Decimal | None) -> None:
        count, quantity, amount = self.buckets[bucket, side]
        with localcontext(prec=PRECISION):
            shares = filled or Decimal(0)
            self.buckets[bucket, side] = (count + 1, quantity + shares, amount + shares * (price or Decimal(0)))

    def refused(self, count: int) -> None:
        """Count rows that could not be read: lines of ours of which nothing else is known."""
        if count:
            before, quantity, amount = self.buckets["excluded", "ours"]
            self.buckets["excluded", "ours"] = (before + count, quantity, amount)


def check_totals(reader: Reader, close: Close, totals: Totals, report: Report) -> None:
    """Hold the counts against those that were signed."""
    row = reader.one(_REFUSED, **close.scope)
    totals.refused(int(row[0]) if row else 0)
    signed = close.totals["orders"]
    found = {_words(bucket, side): _shown(figures) for (bucket, side), figures in totals.buckets.items()}
    stated = {_words(b["name"], b["side"]): _stated(b) for b in signed["buckets"]}
    for name in sorted(found.keys() | stated.keys()):
        if found.get(name) != stated.get(name):
            words = f"{stated.get(name)} was signed for {name}, and it is {found.get(name)}"
            report.differs("totals", "closed_days", close.name, words)
    for side in ("ours", "theirs"):
        whole = _shown(_sum([f for (_, of), f in totals.buckets.items() if of == side]))
        if whole != _stated(signed[side]):
            report.differs(
                "totals", "closed_days", close.name, f"{_stated(signed[side])} was signed as {side}: {whole}"
            )
    report.counts["buckets counted anew"] += len(found)


def _words(bucket: str, side: str) -> str:
    return f"{bucket}, {side}"


def _shown(figures: Figures) -> tuple[int, str | None, str | None]:
    return (figures[0], plain(figures[1]), plain(figures[2]))


def _stated(signed: dict[str, Any]) -> tuple[int, str, str]:
    return (signed["count"], signed["quantity"], signed["amount"])


def _sum(parts: list[Figures]) -> Figures:
    with localcontext(prec=PRECISION):
        return (
            sum(part[0] for part in parts),
            sum((part[1] for part in parts), Decimal(0)),
            sum((part[2] for part in parts), Decimal(0)),
        )
