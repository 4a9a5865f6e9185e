"""The exchange's sessions: NSE's yearly holidays, and a dated file for what came by circular."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from recon.values import Calendar

IST = ZoneInfo("Asia/Kolkata")
OPENS, CLOSES = time(9, 15), time(15, 30)
SESSIONS_FILE = Path(__file__).with_name("sessions.toml")
_SATURDAY = 5
_DAY = timedelta(days=1)
_LONGEST_CLOSURE = 366  #: days looked at before the file is held to be wrong


class BadSessionsError(ValueError):
    """The file of special sessions cannot be understood; the message names the entry and the fix."""


@dataclass(frozen=True, slots=True)
class ExchangeCalendar:
    """NSE's sessions: weekdays less holidays, then as the file of special days says."""

    closed: frozenset[date]
    special: Mapping[date, tuple[time, time]]  #: IST hours of sessions unlike the others

    def is_session(self, day: date) -> bool:
        """Whether the exchange trades on that IST date."""
        if day in self.special or day in self.closed:
            return day in self.special
        return day.weekday() < _SATURDAY and day not in holidays_of(day.year)

    def session_on_or_after(self, day: date) -> date:
        """The first session not before that day."""
        for ahead in range(_LONGEST_CLOSURE):
            if self.is_session(day + ahead * _DAY):
                return day + ahead * _DAY
        raise BadSessionsError(f"no session within a year of {day}: take closed days out of {SESSIONS_FILE.name}")

    def session_after(self, day: date) -> date:
        """The first session after that day."""
        return self.session_on_or_after(day + _DAY)

    def opens_at(self, day: date) -> datetime:
        """When that session opens, UTC; the usual hour for a day that is none."""
        return _instant(day, self.special.get(day, (OPENS, CLOSES))[0])

    def closes_at(self, day: date) -> datetime:
        """When that session closes, UTC; the usual hour for a day that is none."""
        return _instant(day, self.special.get(day, (OPENS, CLOSES))[1])


@lru_cache(maxsize=8)
def exchange_calendar(file: Path = SESSIONS_FILE) -> Calendar:
    """The calendar, read once a process. Raises `BadSessionsError`."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSessionsError(f"{file}: {error}") from None
    closed = frozenset(_day(entry, file) for entry in tables.get("closed", []))
    special = {_day(entry, file): _hours(entry, file) for entry in tables.get("session", [])}
    if both := closed & special.keys():
        raise BadSessionsError(f"{file}: {min(both)} is both closed and a session: keep one of the two")
    return ExchangeCalendar(closed, special)


@lru_cache(maxsize=32)
def holidays_of(year: int) -> frozenset[date]:
    """NSE's holidays of that year, as the yearly list has them."""
    from holidays import financial_holidays  # noqa: PLC0415 -- its import takes a quarter of a second

    return frozenset(financial_holidays("XNSE", years=year))


def ist_date(instant: datetime) -> date:
    """The IST date of an aware instant."""
    return instant.astimezone(IST).date()


def _instant(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, IST).astimezone(UTC)


def _day(entry: Mapping[str, Any], file: Path) -> date:
    day = entry.get("date")
    if type(day) is not date:
        raise BadSessionsError(f"{file}: an entry has the date {day!r}: write it as date = 2026-11-08")
    return day


def _hours(entry: Mapping[str, Any], file: Path) -> tuple[time, time]:
    opens, closes = entry.get("opens"), entry.get("closes")
    if not (isinstance(opens, time) and isinstance(closes, time) and opens < closes):
        raise BadSessionsError(f"{file}: the session of {entry['date']} needs opens = 09:15:00 and a later closes")
    return opens, closes
