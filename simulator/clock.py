"""The simulated instant, and the file that tells it to the service."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from simulator.company import replace_file
from simulator.day import instant_text


class MovingClock:
    """Holds the instant; moving it replaces the file whole, so that a reader never sees half of it."""

    def __init__(self, path: Path, start: datetime) -> None:
        """Tell `start` at once."""
        self._path, self._instant = path, start
        path.parent.mkdir(parents=True, exist_ok=True)
        self.move(start)

    @property
    def instant(self) -> datetime:
        """The simulated instant, UTC."""
        return self._instant

    def move(self, instant: datetime) -> None:
        """It is then."""
        replace_file(self._path, instant_text(instant).encode())
        self._instant = instant
