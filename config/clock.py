"""The one clock of the domain: the system's, or a file that the simulator moves.

Leases and retry delays do not use it: they use the database's clock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the instant, aware and UTC."""

    def now(self) -> datetime:
        """The current instant."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for a report as of an instant and for tests."""

    at: datetime

    def now(self) -> datetime:
        """Always the same instant."""
        return self.at


@dataclass(frozen=True, slots=True)
class FileClock:
    """A clock read from a file that holds one ISO 8601 instant; the simulator moves it."""

    path: Path

    def now(self) -> datetime:
        """The instant in the file. It is replaced whole, so a read is never torn."""
        return datetime.fromisoformat(self.path.read_text().strip())


def clock_from(clock_file: Path | None) -> Clock:
    """The file's clock if a file is named, else the system's."""
    return FileClock(clock_file) if clock_file else SystemClock()


def since_start() -> timedelta:
    """This process's clock that only goes forward, for how long something takes; its zero means nothing."""
    return timedelta(microseconds=time.monotonic_ns() // 1000)
