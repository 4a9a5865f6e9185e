"""The Gateway's words for how an order ended, as far as plain lines need them."""

from __future__ import annotations

from decimal import Decimal

SAME = {"OPEN": "PLACED", "PENDING": "PLACED", "EXPIRED": "CANCELLED"}
ENDS = frozenset({"COMPLETE", "CANCELLED", "CANCELLED AMO", "REJECTED", "ERROR"})
UNPLACED = "UNPLACED"


def word(text: str | None) -> str:
    """The word in upper case with single blanks, and one for words that say the same."""
    found = " ".join((text or "").upper().split())
    return SAME.get(found, found)


def end_of(text: str | None, filled: Decimal, quantity: Decimal) -> str | None:
    """How an order ended; None while it has not, or nothing says so."""
    if text is None:
        return "COMPLETE" if filled == quantity else None
    found = word(text)
    if found == "PARTIAL":
        return "CANCELLED" if 0 < filled < quantity else None
    return found if found in ENDS else None
