"""The Gateway's words for legs, batches and transactions: which are known, and how far along each is.

A word that is not here is a break (`unknown-enum`), never a default.
"""

from __future__ import annotations

from functools import lru_cache

CREATED = "CREATED"
PLACED = "PLACED"
PARTIAL = "PARTIAL"
COMPLETE = "COMPLETE"
CANCELLED = "CANCELLED"
UNPLACED = "UNPLACED"
COMPLETED = "COMPLETED"
PARTIALLYFILLED = "PARTIALLYFILLED"
PARTIALLYPLACED = "PARTIALLYPLACED"
UNFILLED = "UNFILLED"
ERROR = "ERROR"
INITIALIZED = "INITIALIZED"
ERRORED = "ERRORED"
EXPIRED = "EXPIRED"

#: Words that say the same as a documented one.
MAPPED = {"OPEN": PLACED, "PENDING": PLACED, EXPIRED: CANCELLED}

CANCELLED_AMO = "CANCELLED AMO"
LEG_ENDS = frozenset({COMPLETE, CANCELLED, "REJECTED", ERROR, CANCELLED_AMO})
LEG_RANK = {CREATED: 0, PLACED: 1, PARTIAL: 2} | dict.fromkeys(LEG_ENDS, 3)

#: Words that only say that somebody repaired or waived the rest: they fit any legs.
CLOSED_BY_HAND = frozenset({"FIXED", "MARKEDCOMPLETE"})
BATCH_ENDS = CLOSED_BY_HAND | {COMPLETED, PARTIALLYFILLED, UNFILLED, UNPLACED, ERROR, CANCELLED}
BATCH_RANK = {PLACED: 1, PARTIALLYPLACED: 2} | dict.fromkeys(BATCH_ENDS, 3)

TRANSACTION_WORDS = frozenset(
    {INITIALIZED, "USED", "PROCESSING", "ACTION_REQUIRED", ERRORED, COMPLETED, EXPIRED, "PENDING"}
)
VARIETIES = frozenset({"REGULAR", "AMO"})
SIDES = frozenset({"BUY", "SELL"})
EXCHANGES = frozenset({"NSE", "BSE"})

_KEPT = lru_cache(maxsize=1024)  #: the same few words are asked for by every line


@_KEPT
def _plain(text: str) -> str:
    return " ".join(text.upper().split())


@_KEPT
def leg_word(text: str) -> str | None:
    """The documented word for what a leg's status says, None when it is unknown."""
    word = _plain(text)
    word = MAPPED.get(word, word)
    return word if word in LEG_RANK else None


@_KEPT
def our_word(text: str) -> str | None:
    """As `leg_word`, for the company's books, which may also say UNPLACED."""
    return UNPLACED if _plain(text) == UNPLACED else leg_word(text)


@_KEPT
def batch_word(text: str) -> str | None:
    """The documented word for what a batch's status says, None when it is unknown."""
    word = _plain(text)
    word = MAPPED.get(word, word)
    return word if word in BATCH_RANK else None


@_KEPT
def transaction_word(text: str) -> str | None:
    """The transaction's status when it is a known word, else None."""
    word = _plain(text)
    return word if word in TRANSACTION_WORDS else None


def is_side(text: str) -> bool:
    """Whether it is a side of the market."""
    return _plain(text) in SIDES


def is_exchange(text: str) -> bool:
    """Whether it is an exchange that the Gateway names."""
    return _plain(text) in EXCHANGES


def is_variety(text: str | None) -> bool:
    """Whether it is an order variety; nothing said counts as known."""
    return text is None or _plain(text) in VARIETIES


def is_amo(text: str | None) -> bool:
    """Whether it is the variety of an after-market order."""
    return text is not None and _plain(text) == "AMO"
