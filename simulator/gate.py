"""Whether the API answers at all: so many calls in any sliding second, and not while it is down.

Counted by this process's own clock that only goes forward, never by the simulated one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from simulator.serving import RESET, Reply, refusal

RETRY_AFTER_S = 1
DOWN = ("reset", "503")  #: the ways of being down: the connection is reset, or every answer is 503
_SECOND_NS = 1_000_000_000


class Gate:
    """Stands before the API. Used from one thread."""

    def __init__(self, *, most: int = 0, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Let `most` calls through in any sliding second; 0 lets through all."""
        self.most, self._clock_ns = most, clock_ns
        self._let_through: deque[int] = deque()
        self._came: deque[int] = deque()
        self.refused = 0  #: calls answered 429 for coming too fast
        self.busiest = 0  #: most calls that came in any sliding second, refused ones among them
        self.turned_away = 0  #: calls while it was down
        self.down = ""  #: one of `DOWN`, or empty

    def refuse(self) -> Reply | None:
        """Count a call that comes now; the refusal, or None if it may pass."""
        now = self._clock_ns()
        _forget(self._came, now)
        self._came.append(now)
        self.busiest = max(self.busiest, len(self._came))
        if self.down:
            self.turned_away += 1
            return RESET if self.down == "reset" else refusal(503, "service unavailable")
        return self._too_fast(now)

    def _too_fast(self, now: int) -> Reply | None:
        if not self.most:
            return None
        _forget(self._let_through, now)
        if len(self._let_through) >= self.most:
            self.refused += 1
            return refusal(429, "too many requests", retry_after_s=RETRY_AFTER_S)
        self._let_through.append(now)
        return None

    def status(self) -> dict[str, object]:
        """How it stands, and what it has counted."""
        return {
            "refuse_above": self.most,
            "refused": self.refused,
            "busiest_second": self.busiest,
            "down": self.down,
            "turned_away": self.turned_away,
        }


def _forget(instants: deque[int], now: int) -> None:
    """Drop what is a whole second old."""
    while instants and now - instants[0] >= _SECOND_NS:
        instants.popleft()
