"""Rupees and quantities as people in India read them: 12,34,567.80."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

PAISE = Decimal("0.01")


def rupees(amount: Decimal | None) -> str:
    """The amount in rupees to two places, grouped by thousand, lakh and crore; "" for None."""
    if amount is None:
        return ""
    rounded = amount.quantize(PAISE, rounding=ROUND_HALF_EVEN)
    whole, _, paise = format(abs(rounded), "f").partition(".")
    return f"{_sign(rounded)}{_grouped(whole)}.{paise}"


def shares(quantity: Decimal | None) -> str:
    """The quantity grouped the same way, without zeros after the point; "" for None."""
    if quantity is None:
        return ""
    whole, _, part = format(abs(quantity), "f").partition(".")
    part = part.rstrip("0")
    return f"{_sign(quantity)}{_grouped(whole)}{'.' + part if part else ''}"


def grouped(count: int) -> str:
    """A count grouped the same way."""
    return f"{'-' if count < 0 else ''}{_grouped(str(abs(count)))}"


def _sign(number: Decimal) -> str:
    return "-" if number < 0 else ""


def _grouped(digits: str) -> str:
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)]
    return ",".join([*reversed(pairs), tail])
