"""Which transaction status may follow which."""

from __future__ import annotations

import pytest

from recon.moves import MOVES, may_follow
from recon.words import TRANSACTION_WORDS


def test_every_documented_word_has_its_moves() -> None:
    """No word is without a row, and no row leads to a word that nobody knows."""
    assert set(MOVES) == TRANSACTION_WORDS
    assert all(after <= TRANSACTION_WORDS for after in MOVES.values())


@pytest.mark.parametrize(
    ("before", "after", "may"),
    [
        (None, "COMPLETED", True),
        ("INITIALIZED", "COMPLETED", True),
        ("INITIALIZED", "initialized", True),
        ("USED", "INITIALIZED", False),
        ("PROCESSING", "ACTION_REQUIRED", True),
        ("PROCESSING", "USED", False),
        ("ERRORED", "COMPLETED", True),
        ("EXPIRED", "PROCESSING", True),
        ("EXPIRED", "INITIALIZED", False),
        ("COMPLETED", "PROCESSING", False),
        ("COMPLETED", "COMPLETED", True),
        ("SOMETHING_NEW", "INITIALIZED", True),
        ("COMPLETED", "SOMETHING_NEW", True),
    ],
)
def test_a_status_moves_forward(before: str | None, after: str, may: bool) -> None:  # noqa: FBT001 a column of the table
    """Back only from an end that proves nothing; a word that nobody knows forbids nothing."""
    assert may_follow(before, after) is may
