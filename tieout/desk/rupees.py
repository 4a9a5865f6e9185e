"""Rupees and quantities as people in India read them: 12,34,567.80."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

PAISE = Decimal("0.01")
#: Fields of findings that are rupees in all, not of one share.
RUPEES = frozenset(
    {"buy_amount", "sell_amount", "net", "net_amount", "brokerage", "stt", "gst", "stamp_duty", "sebi_fee"}
    | {"exchange_charge", "charge"}
)


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


def told(field: str, value: str | Decimal | None) -> str:
    """A finding's value as people read it: rupees, prices and shares by what the field is, words as they are."""
    if value is None:
        return ""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(value)
    return (rupees if field in RUPEES else price if field.endswith("price") else shares)(number)


def price(value: Decimal | None) -> str:
    """A price with all the places it has, at least two; "" for None."""
    if value is None:
        return ""
    whole, _, part = format(abs(value), "f").partition(".")
    return f"{'-' if value < 0 else ''}{grouped(int(whole))}.{part.rstrip('0'):0<2}"


def _sign(number: Decimal) -> str:
    return "-" if number < 0 else ""


def _grouped(digits: str) -> str:
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)]
    return ",".join([*reversed(pairs), tail])
