"""What to do after a failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from inbox.decide import GiveUp, RetryIn, decide

S, H, D = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NO = timedelta(0)


@dataclass(frozen=True)
class _Error:
    kind: str
    retry_after: timedelta | None = None


@pytest.mark.parametrize(
    ("error", "attempts", "age", "decision"),
    [
        (_Error("busy"), 1, NO, RetryIn(2 * S, "busy")),
        (_Error("busy"), 4, 14 * S, RetryIn(16 * S, "busy")),
        (_Error("busy"), 1000, 30 * D, RetryIn(600 * S, "busy")),
        (_Error("busy", retry_after=90 * S), 1, NO, RetryIn(90 * S, "busy")),
        (_Error("busy", retry_after=1 * S), 3, NO, RetryIn(8 * S, "busy")),
        (_Error("ours"), 1, NO, RetryIn(30 * S, "ours")),
        (_Error("ours"), 1000, 30 * D, RetryIn(600 * S, "ours")),
        (_Error("refused"), 1, NO, GiveUp("refused")),
        (_Error("unknown"), 1, NO, GiveUp("unknown-transaction")),
        (_Error("unclear"), 1, NO, RetryIn(2 * S, "unclear")),
        (_Error("unclear"), 40, 23 * H, RetryIn(1 * H, "unclear")),
        (_Error("unclear"), 2, 1 * D, GiveUp("unclear")),
        (_Error("nonsense"), 1, NO, RetryIn(2 * S, "nonsense")),
        (_Error("nonsense"), 4, NO, RetryIn(16 * S, "nonsense")),
        (_Error("nonsense"), 5, NO, GiveUp("nonsense")),
        (_Error("error"), 4, NO, RetryIn(16 * S, "error")),
        (_Error("error"), 5, NO, GiveUp("error")),
    ],
)
def test_a_failure_says_what_to_do(error: _Error, attempts: int, age: timedelta, decision: RetryIn | GiveUp) -> None:
    """Only what proves that asking is useless is given up; what is busy never is."""
    assert decide(error, attempts, age) == decision
