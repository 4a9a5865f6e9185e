"""The simulated instant, and the file that tells it to the service.

It stands still and leaps, or runs so many times as fast as the wall's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from simulator.company import replace_file
from simulator.day import instant_text

TICK_S = 0.05  #: how often a running clock writes its file


class MovingClock:
    """Holds the instant; moving it replaces the file whole, so that a reader never sees half of it."""

    def __init__(self, path: Path, start: datetime, *, wall: Callable[[], float] = time.monotonic) -> None:
        """Tell `start` at once."""
        self._path, self._instant, self._wall = path, start, wall
        self._lock = threading.Lock()
        self._since = 0.0
        self.speed = 0.0  #: 0 stands still
        path.parent.mkdir(parents=True, exist_ok=True)
        self.move(start)

    @property
    def instant(self) -> datetime:
        """The simulated instant, UTC."""
        with self._lock:
            return self._now()

    def move(self, instant: datetime) -> None:
        """It is then; a running clock that is already past it stays."""
        with self._lock:
            if self.speed and instant <= self._now():
                return
            self._instant, self._since = instant, self._wall()
            self._tell(instant)

    def run(self, speed: float) -> None:
        """From now on so many seconds pass in each; 0 stands still."""
        with self._lock:
            self._instant, self._since, self.speed = self._now(), self._wall(), speed
            self._tell(self._instant)

    def tick(self) -> None:
        """Tell the instant of a running clock."""
        with self._lock:
            if self.speed:
                self._tell(self._now())

    def wait_s(self, instant: datetime) -> float:
        """How long a running clock takes until then, in seconds of the wall; 0 if it is past or stands still."""
        with self._lock:
            return max(0.0, (instant - self._now()).total_seconds() / self.speed) if self.speed else 0.0

    def _now(self) -> datetime:
        if not self.speed:
            return self._instant
        return self._instant + timedelta(seconds=(self._wall() - self._since) * self.speed)

    def _tell(self, instant: datetime) -> None:
        replace_file(self._path, instant_text(instant).encode())
