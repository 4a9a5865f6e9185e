"""When the exchange trades and when trades settle: sessions, holidays, T+1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from simulator.day import FRIDAY, IST

OPENS, CLOSES = time(9, 15), time(15, 30)
_ONE_DAY = timedelta(days=1)

#: The exchange's closed weekdays of 2026, from its own list.
HOLIDAYS = frozenset(
    date.fromisoformat(f"2026-{day}")
    for day in (
        "01-26", "03-03", "03-26", "03-31", "04-03", "04-14", "05-01", "05-28", "06-26", "09-14",
        "10-02", "10-20", "11-10", "11-24", "12-25",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exchange:
    """The calendar of one exchange; dates are Indian, instants UTC."""

    holidays: frozenset[date] = HOLIDAYS

    def is_session(self, day: date) -> bool:
        """Whether it trades on that date."""
        return day.weekday() <= FRIDAY and day not in self.holidays

    def next_session(self, day: date) -> date:
        """The first session after that date."""
        day += _ONE_DAY
        while not self.is_session(day):
            day += _ONE_DAY
        return day

    def session_before(self, day: date) -> date:
        """The last session before that date."""
        day -= _ONE_DAY
        while not self.is_session(day):
            day -= _ONE_DAY
        return day

    def settles_on(self, trade_date: date) -> date:
        """T+1: the session after the one of the trade."""
        return self.next_session(trade_date)

    def is_open(self, instant: datetime) -> bool:
        """Whether it trades at that instant."""
        local = instant.astimezone(IST)
        return self.is_session(local.date()) and OPENS <= local.time() < CLOSES

    def opening_after(self, instant: datetime) -> datetime:
        """When the next session opens; that of the same date if it is still to come."""
        local = instant.astimezone(IST)
        today = self.is_session(local.date()) and local.time() < OPENS
        day = local.date() if today else self.next_session(local.date())
        return datetime.combine(day, OPENS, IST).astimezone(UTC)

    def closing_after(self, instant: datetime) -> datetime:
        """When the session that is on, or else the next one, closes."""
        local = instant.astimezone(IST)
        on = self.is_session(local.date()) and local.time() < CLOSES
        day = local.date() if on else self.next_session(local.date())
        return datetime.combine(day, CLOSES, IST).astimezone(UTC)


def date_in_india(instant: datetime) -> date:
    """The Indian date of that instant."""
    return instant.astimezone(IST).date()


def midnight(day: date) -> datetime:
    """The instant at which that Indian date begins."""
    return datetime.combine(day, time(), IST).astimezone(UTC)
