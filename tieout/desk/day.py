"""How one trade date ties out: both sides counted, every line in one bucket, what is left unaccounted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from recon.digest import Said, TiedFinding, TiedLine, digest
from recon.names import EXCLUDED, IN_TOLERANCE, MATCHED, ORDER, PENDING
from recon.values import ZERO, Bucket
from store.days import (
    Scope,
    book_of,
    buckets,
    control_totals,
    finding_names,
    judged_lines,
    lost_lines,
    open_findings,
    refused_digests,
)

_FIRST = (MATCHED, IN_TOLERANCE, PENDING, EXCLUDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A number of lines, the shares filled on them, and what those are worth in rupees."""

    count: int = 0
    quantity: Decimal = ZERO
    amount: Decimal = ZERO

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.count or self.quantity or self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """How many open findings of the day have one name and class, and what they weigh in rupees."""

    name: str
    finding_class: str
    count: int
    impact_inr: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The orders of a day on both sides."""

    ours: Figures
    theirs: Figures
    buckets: tuple[Bucket, ...]
    unaccounted: Figures

    def bucket(self, name: str, side: str) -> Bucket:
        """That bucket of that side, empty if nothing lies in it."""
        empty = Bucket(name=name, side=side, count=0)
        return next((b for b in self.buckets if (b.name, b.side) == (name, side)), empty)

    @property
    def bucket_names(self) -> tuple[str, ...]:
        """The buckets that either side fills, in the order in which one reads them."""
        return tuple(dict.fromkeys(bucket.name for bucket in self.buckets))


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One trade date of one gateway, as of an instant."""

    gateway: str
    trade_date: date
    as_of: datetime
    book: str
    orders: Orders
    findings: tuple[Named, ...]  #: breaks, pendings and notes, counted by name
    digest: str | None  #: None if it was not asked for

    @property
    def ties_out(self) -> bool:
        """Whether every line of both sides lies in exactly one bucket."""
        return not self.orders.unaccounted


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
    scope = Scope(gateway=gateway, trade_date=trade_date, book=book or book_of(connection, gateway))
    return Day(
        gateway=gateway,
        trade_date=trade_date,
        as_of=as_of,
        book=scope["book"],
        orders=_orders(connection, scope),
        findings=_findings(connection, scope),
        digest=_digest(connection, scope) if with_digest else None,
    )


def as_json(day: Day) -> dict[str, object]:
    """The day as `tieout day --json` prints it: decimals as text, what is not there yet as null."""
    return {
        "gateway": day.gateway,
        "trade_date": day.trade_date.isoformat(),
        "as_of": day.as_of,
        "orders": {
            "ours": _figures_json(day.orders.ours),
            "theirs": _figures_json(day.orders.theirs),
            "buckets": [
                {
                    "name": b.name,
                    "side": b.side,
                    **_figures_json(Figures(count=b.count, quantity=b.quantity, amount=b.amount)),
                }
                for b in day.orders.buckets
            ],
            "unaccounted": _figures_json(day.orders.unaccounted),
        },
        "holdings": None,
        "digest": day.digest,
        "signed": False,
    }


def _figures_json(figures: Figures) -> dict[str, object]:
    return {
        "count": figures.count,
        "quantity": exactly(figures.quantity),
        "amount": exactly(figures.amount),
    }


def exactly(number: Decimal) -> str:
    """All of the number's digits, without zeros at its end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# ---------------------------------------------------------------- the figures


def _orders(connection: Connection, scope: Scope) -> Orders:
    totals = {side: _figures(row) for side, row in control_totals(connection, scope).items()}
    found = sorted((_bucket(row) for row in buckets(connection, scope)), key=_reading_order)
    missing = [_apart(totals[side], [b for b in found if b.side == side]) for side in ("ours", "theirs")]
    missing.append(Figures(count=lost_lines(connection, scope)))
    return Orders(
        ours=totals["ours"],
        theirs=totals["theirs"],
        buckets=tuple(found),
        unaccounted=_sum(missing),
    )


def _figures(row: Row[Any]) -> Figures:
    # `count` of a row is the tuple's method, so it is read by its key
    return Figures(count=row._mapping["count"], quantity=row.quantity, amount=row.amount)


def _bucket(row: Row[Any]) -> Bucket:
    figures = _figures(row)
    return Bucket(name=row.name, side=row.side, count=figures.count, quantity=figures.quantity, amount=figures.amount)


def _apart(total: Figures, parts: Iterable[Bucket]) -> Figures:
    """By how much a total and its buckets differ, absolute."""
    parts = list(parts)
    return Figures(
        count=abs(total.count - sum(b.count for b in parts)),
        quantity=abs(total.quantity - sum((b.quantity for b in parts), ZERO)),
        amount=abs(total.amount - sum((b.amount for b in parts), ZERO)),
    )


def _sum(parts: Iterable[Figures]) -> Figures:
    parts = list(parts)
    return Figures(
        count=sum(p.count for p in parts),
        quantity=sum((p.quantity for p in parts), ZERO),
        amount=sum((p.amount for p in parts), ZERO),
    )


def _reading_order(bucket: Bucket) -> tuple[int, int, str]:
    """Matched first, then each kind of break in the order of docs/breaks.md; ours before theirs."""
    first = _FIRST.index(bucket.name) if bucket.name in _FIRST else len(_FIRST)
    return (first, ORDER.get(bucket.name, len(ORDER)), bucket.side)


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


# ---------------------------------------------------------------- the fingerprint


def _digest(connection: Connection, scope: Scope) -> str:
    by_line: defaultdict[tuple[int | None, int | None], list[Said]] = defaultdict(list)
    others: list[TiedFinding] = []
    for row in open_findings(connection, scope):
        if row.level == "line":
            by_line[row.ours_line, row.theirs_line].append(_said(row))
        else:
            others.append(_tied_finding(row))
    lines = [_tied_line(row, by_line) for row in judged_lines(connection, scope)]
    lines += [_refused_line(raw) for raw in refused_digests(connection, scope)]
    return digest(lines, others)


def _tied_line(row: Row[Any], by_line: dict[tuple[int | None, int | None], list[Said]]) -> TiedLine:
    keys = {(row.ours, row.theirs), (row.ours, None), (None, row.theirs)} - {(None, None)}
    said = [s for key in keys for s in by_line.get(key, ())]
    return TiedLine(
        ours=(row.order_id,) if row.ours else (),
        theirs=_their_key(row),
        bucket=row.bucket,
        findings=tuple(said),
    )


def _their_key(row: Row[Any]) -> tuple[str, ...]:
    if not row.theirs:
        return ()
    placed = "placed" if row.placed else "unplaced"
    number = row.exchange_order_id or ""
    return (row.transaction_id, row.batch_id, placed, row.exchange, number, row.symbol, row.side)


def _refused_line(raw: bytes) -> TiedLine:
    return TiedLine(ours=("refused", raw.hex()), theirs=(), bucket=EXCLUDED)


def _tied_finding(row: Row[Any]) -> TiedFinding:
    return TiedFinding(transaction_id=row.transaction_id, level=row.level, subject=row.subject, said=_said(row))


def _said(row: Row[Any]) -> Said:
    return Said(name=row.name, field=row.field, ours=row.ours, theirs=row.theirs, tolerance=row.tolerance)
