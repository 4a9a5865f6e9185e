"""Canonical texts: what a seal is a digest of, and numbers as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from hashlib import sha256

PLACES = Decimal("0.000001")
PRECISION = 60  #: digits: a product of two amounts is exact


def canonical(names: Sequence[str], values: Sequence[str | None]) -> str:
    """The text over which a row is sealed: each name with the length and the text of its value."""
    return "".join(f"{name}:{_value(value)}," for name, value in zip(names, values, strict=True))


def row_digest(names: Sequence[str], values: Sequence[str | None]) -> str:
    """The digest of a row, in hex."""
    return sha256(canonical(names, values).encode()).hexdigest()


def _value(value: str | None) -> str:
    return "-" if value is None else f"{len(value.encode())}:{value}"


def exact(text: object) -> Decimal | None:
    """A finite number rounded half-even to six places; None when it is none."""
    try:
        with localcontext(prec=PRECISION):
            number = Decimal(text).quantize(PLACES, rounding=ROUND_HALF_EVEN)  # type: ignore[arg-type]
    except (InvalidOperation, TypeError, ValueError):
        return None
    return number if number.is_finite() else None


def plain(number: Decimal | None) -> str | None:
    """The number without zeros at its end: 10, 1500.05."""
    if number is None:
        return None
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
