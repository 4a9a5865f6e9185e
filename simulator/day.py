"""The simulated trading day: Indian times as UTC instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

IST = timezone(timedelta(hours=5, minutes=30), "IST")
FRIDAY = 4


class BadDayError(ValueError):
    """That date cannot be played; the message says what to choose instead."""


def instant_text(instant: datetime) -> str:
    """As the Gateway writes instants: ISO 8601, UTC, milliseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Day:
    """One trade date and the instants that structure it."""

    trade_date: date

    def __post_init__(self) -> None:
        """Refuse a weekend."""
        if self.trade_date.weekday() > FRIDAY:
            raise BadDayError(f"{self.trade_date} is no trading day: choose a weekday that is no exchange holiday")

    def at(self, hour: int, minute: int = 0, second: float = 0) -> datetime:
        """The UTC instant of that Indian time on this day."""
        start = datetime.combine(self.trade_date, time(hour, minute), IST)
        return (start + timedelta(seconds=second)).astimezone(UTC)

    @property
    def start(self) -> datetime:
        """When playing begins: 09:00."""
        return self.at(9)

    @property
    def close(self) -> datetime:
        """The first hold, after the close: 15:45."""
        return self.at(15, 45)

    @property
    def evening(self) -> datetime:
        """The second hold, when the books are due: 20:05."""
        return self.at(20, 5)

    @property
    def next_date(self) -> date:
        """The weekday that follows; the date is to be chosen so that it is no holiday either."""
        return self.trade_date + timedelta(days=3 if self.trade_date.weekday() == FRIDAY else 1)
