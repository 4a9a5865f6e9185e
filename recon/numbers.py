"""Exact numbers: the one door by which money and quantities come in."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

PLACES = Decimal("0.000001")
LIMIT = Decimal(10) ** 14  #: NUMERIC(20,6) holds less than this

PRECISION = 60  #: digits: a product of two money columns is exact

_WIDE = Context(prec=PRECISION)


class NotANumberError(ValueError):
    """The text is no finite decimal number below 10^14."""


def _decimal(value: object) -> Decimal:
    if isinstance(value, (bool, float)) or not isinstance(value, (str, int, Decimal)):
        raise TypeError(f"money never comes as {type(value).__name__}")
    try:
        return Decimal(value)
    except InvalidOperation:
        raise NotANumberError(f"not a number: {str(value)[:40]!r}") from None


def exact(value: str | int | Decimal) -> Decimal:
    """The value as Decimal, rounded half-even to six places, which takes float noise away.

    Raises `NotANumberError`; a float is a programming error and raises TypeError.
    """
    number = value if type(value) is Decimal else _decimal(value)
    # copy_abs and comparing never round, so that a million digits cannot overflow the context
    if number.is_finite() and number.copy_abs() < LIMIT:
        rounded = number.quantize(PLACES, rounding=ROUND_HALF_EVEN, context=_WIDE)
        if rounded.copy_abs() < LIMIT:
            return rounded
    raise NotANumberError(f"not a number below 10^14: {str(value)[:40]!r}")
