"""The completeness equation: both sides counted from their sources, and the same again from the buckets.

Matched + matched within tolerance + pending + each kind of break + excluded = total, on each side,
in count, quantity and rupees. What is left between the two is unaccounted, and must be nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from recon.names import EXCLUDED, IN_TOLERANCE, MATCHED, ORDER, PENDING
from recon.values import ZERO, Bucket

SIDES = ("ours", "theirs")
_FIRST = (MATCHED, IN_TOLERANCE, PENDING, EXCLUDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A number of lines, the shares on them, and what those are worth in rupees."""

    count: int = 0
    quantity: Decimal = ZERO
    amount: Decimal = ZERO

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.count or self.quantity or self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """One kind of line, such as the orders of a day, on both sides."""

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


def equation(totals: Mapping[str, Figures], buckets: Sequence[Bucket], *, lost: int = 0) -> Equation:
    """Hold each side's total against its buckets; `lost` lines were once counted and are no longer stored."""
    missing = [_apart(totals[side], [b for b in buckets if b.side == side]) for side in SIDES]
    return Equation(
        ours=totals["ours"],
        theirs=totals["theirs"],
        buckets=tuple(sorted(buckets, key=_reading_order)),
        unaccounted=_sum([*missing, Figures(count=lost)]),
    )


def as_json(equation: Equation) -> dict[str, object]:
    """As `tieout day --json` prints it: decimals as text."""
    return {
        "ours": _figures_json(equation.ours),
        "theirs": _figures_json(equation.theirs),
        "buckets": [{"name": b.name, "side": b.side, **_figures_json(b)} for b in equation.buckets],
        "unaccounted": _figures_json(equation.unaccounted),
    }


def exactly(number: Decimal) -> str:
    """All of the number's digits, without zeros at its end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _figures_json(figures: Figures | Bucket) -> dict[str, object]:
    return {"count": figures.count, "quantity": exactly(figures.quantity), "amount": exactly(figures.amount)}


def _apart(total: Figures, parts: Sequence[Bucket]) -> Figures:
    """By how much a total and its buckets differ, absolute."""
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
