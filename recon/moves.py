"""Which transaction status may follow which; the words themselves are in `recon.words`.

A move that is not here is told to people and changes nothing by itself: what an answer says is kept as it says it,
and a transaction that was COMPLETED stays so (`recon.history`).
"""

from __future__ import annotations

from collections.abc import Mapping

from recon.words import COMPLETED, ERRORED, EXPIRED, INITIALIZED, TRANSACTION_WORDS, transaction_word

USED, PROCESSING, ACTION_REQUIRED, PENDING = "USED", "PROCESSING", "ACTION_REQUIRED", "PENDING"
_UNDER_WAY = frozenset({PROCESSING, ACTION_REQUIRED, PENDING})
_ENDS = frozenset({ERRORED, COMPLETED, EXPIRED})

#: From each word to those that may come next; each may also be said again.
MOVES: Mapping[str, frozenset[str]] = {
    INITIALIZED: TRANSACTION_WORDS - {INITIALIZED},
    USED: _UNDER_WAY | _ENDS,
    PROCESSING: _UNDER_WAY | _ENDS,
    ACTION_REQUIRED: _UNDER_WAY | _ENDS,
    PENDING: _UNDER_WAY | _ENDS,
    # Neither proves that nothing was placed: an order in the queue may still come to its end.
    ERRORED: _UNDER_WAY | {COMPLETED},
    EXPIRED: _UNDER_WAY | {ERRORED, COMPLETED},
    COMPLETED: frozenset(),
}


def may_follow(before: str | None, after: str | None) -> bool:
    """Whether the later word may follow the earlier; nothing said, and an unknown word, forbid nothing."""
    first, then = transaction_word(before or ""), transaction_word(after or "")
    return first is None or then is None or first == then or then in MOVES[first]
