"""What is at its end: a leg, a batch, a line of the books, a transaction."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from recon.values import ZERO, Answer, Batch, Leg, OurLine
from recon.words import (
    BATCH_ENDS,
    CANCELLED,
    COMPLETED,
    ERRORED,
    EXPIRED,
    INITIALIZED,
    LEG_ENDS,
    PARTIAL,
    PARTIALLYPLACED,
    PLACED,
    UNPLACED,
    batch_word,
    leg_word,
    our_word,
    transaction_word,
)

#: Words in an error's message that prove that no order came to be.
EXCLUDING = (
    "user_cancelled",
    "transaction_expired",
    "no_broker",
    "consent_denied",
    "market_closed",
    "insufficient_holdings",
)
#: Words that prove nothing: an order may still exist.
UNCLEAR = ("timed_out", "order_in_queue", "order_pending", "transaction_in_process")
#: Intents that place no order: completed, they hold no line and never will.
WITHOUT_ORDERS = frozenset({"CONNECT", "HOLDINGS_IMPORT", "MF_HOLDINGS_IMPORT", "FETCH_FUNDS", "AUTHORISE_HOLDINGS"})
#: The user closed the tab after logging in: an order may exist, whatever the message says.
AFTER_LOGIN = "1012"


def is_unplaced(leg: Leg, batch: Batch) -> bool:
    """Whether the leg never reached the broker."""
    return not leg.placed or batch_word(batch.status) == UNPLACED


def distinct_legs(batch: Batch) -> tuple[Leg, ...]:
    """The legs of a batch without those told twice: equal in everything, exchange order id included."""
    kept: list[Leg] = []
    told: dict[str, list[Leg]] = {}
    for leg in batch.legs:
        same = told.setdefault(leg.exchange_order_id, []) if leg.exchange_order_id else []
        if leg not in same:
            same.append(leg)
            kept.append(leg)
    return tuple(kept)


def leg_is_final(leg: Leg, batch: Batch, transaction_status: str) -> bool:
    """Whether nothing more will happen to the leg."""
    if is_unplaced(leg, batch) or leg_word(leg.status) in LEG_ENDS:
        return True
    return transaction_word(transaction_status) == COMPLETED and batch_word(batch.status) != PLACED


def batch_is_final(batch: Batch, transaction_status: str = "") -> bool:
    """Whether nothing more will happen to the batch."""
    word = batch_word(batch.status)
    if word == PARTIALLYPLACED and batch.legs:
        return all(leg_is_final(leg, batch, transaction_status) for leg in batch.legs)
    return word in BATCH_ENDS


def filled_of(line: OurLine) -> Decimal:
    """What the books say was filled; nothing said is nothing filled."""
    return ZERO if line.filled is None else line.filled


def ours_is_final(line: OurLine, theirs_filled: Decimal | None = None) -> bool | None:
    """Whether the books hold the line's end; None when their word is unknown.

    PARTIAL is an end in the books once it agrees with the Gateway's filled quantity;
    with no status, a filled quantity speaks for itself.
    """
    if line.status is not None:
        word = our_word(line.status)
        if word is None:
            return None
        agreed = theirs_filled is not None and filled_of(line) == theirs_filled
        return word in LEG_ENDS or word == UNPLACED or (word == PARTIAL and agreed)
    return filled_of(line) > 0 or (line.filled is not None and line.filled == theirs_filled)


def ending(word: str | None, filled: Decimal, quantity: Decimal) -> str | None:
    """The word by which an end is compared: PARTIAL that went no further was cancelled for the rest.

    None when the word says nothing about how it ended.
    """
    if word == PARTIAL:
        return CANCELLED if ZERO < filled < quantity else PARTIAL
    return word if word in LEG_ENDS or word == UNPLACED else None


def excludes_an_order(answer: Answer) -> bool:
    """Whether the transaction's error proves that no order came to be."""
    if transaction_word(answer.status) != ERRORED or answer.error_code == AFTER_LOGIN:
        return False
    message = "_".join((answer.error_message or "").lower().replace("-", " ").split())
    return any(word in message for word in EXCLUDING) and not any(word in message for word in UNCLEAR)


def waits_for_trigger(answer: Answer) -> bool:
    """Whether the user has not begun, so that only its expiry ends it."""
    return transaction_word(answer.status) == INITIALIZED


def has_expired(answer: Answer, expire_at: datetime | None, as_of: datetime) -> bool:
    """Whether it was never begun and no longer can be."""
    if transaction_word(answer.status) == EXPIRED:
        return True
    return waits_for_trigger(answer) and expire_at is not None and as_of > expire_at


def answer_is_final(answer: Answer) -> bool:
    """Whether the answer is the last word on which lines the transaction holds.

    Without any batch it is not, unless its intent places no order: it may come from a place that
    does not list them.
    """
    ended = transaction_word(answer.status) == COMPLETED or excludes_an_order(answer)
    complete = bool(answer.batches) or (answer.intent or "").upper() in WITHOUT_ORDERS
    return ended and complete and all(batch_word(batch.status) != PLACED for batch in answer.batches)
