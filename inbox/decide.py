"""What to do after a failure: a pure table, no clock, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

FIRST_PAUSE: Final = timedelta(seconds=2)
BUSY_PAUSE: Final = timedelta(minutes=10)
UNCLEAR_PAUSE: Final = timedelta(hours=1)
OURS_PAUSE: Final = timedelta(seconds=30)
TRIES: Final = 5  #: of what makes no sense, and of our own errors
UNCLEAR_FOR: Final = timedelta(days=1)


class Failure(Protocol):
    """An error that says what kind it is: busy, ours, refused, unclear, unknown, nonsense; else a bug."""

    @property
    def kind(self) -> str:
        """What to do, in one word."""
        ...

    @property
    def retry_after(self) -> timedelta | None:
        """The pause that the other side asked for."""
        ...


@dataclass(frozen=True, slots=True)
class RetryIn:
    """Ask again after that pause by the database's clock; until then it waits for that reason."""

    pause: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Park it for that reason: people decide."""

    reason: str


def decide(error: Failure, attempts: int, age: timedelta) -> RetryIn | GiveUp:
    """What to do after the `attempts`-th failure in a row, `age` after the first of them."""
    match error.kind:
        case "busy" | "no-turn":
            return RetryIn(max(pause(attempts, BUSY_PAUSE), error.retry_after or timedelta(0)), error.kind)
        case "ours":
            return RetryIn(max(OURS_PAUSE, pause(attempts, BUSY_PAUSE)), "ours")
        case "refused":
            return GiveUp("refused")
        case "unknown":
            return GiveUp("unknown-transaction")
        case "unclear" if age < UNCLEAR_FOR:
            return RetryIn(pause(attempts, UNCLEAR_PAUSE), "unclear")
        case "unclear":
            return GiveUp("unclear")
        case kind if attempts < TRIES:
            return RetryIn(pause(attempts, BUSY_PAUSE), kind)
        case kind:
            return GiveUp(kind)


def pause(attempts: int, most: timedelta) -> timedelta:
    """Doubling from two seconds, at most `most`."""
    return min(most, FIRST_PAUSE * (1 << min(max(attempts, 1) - 1, 30)))
