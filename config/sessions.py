"""Every day of a year on which the exchange does not do as on other days: who says so, and what of it is doubtful."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, Final

from config.calendar import CLOSES, OPENS, SESSIONS_FILE, exchange_calendar

HOLIDAY, CLOSED, SESSION = "holiday", "closed", "session"
LIST: Final = "the yearly list"
_SATURDAY: Final = 5
_ESTIMATED: Final = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """One IST date with what it is, in whose words, and, in `doubt`, what to look at; None if nothing."""

    day: date
    kind: str  #: holiday, closed or session
    why: str
    told_by: str  #: the yearly list, or the file of sessions
    opens: time | None = None
    closes: time | None = None
    doubt: str | None = None
    contradicted: bool = False  #: by what was traded


def special_days(year: int, file: Path = SESSIONS_FILE) -> list[SpecialDay]:
    """Holidays on weekdays, days closed by circular and sessions unlike the others, by date. Raises `BadSessionsError`.

    Each entry of the file is held against the list: one that says what holds without it is doubtful, and so is a
    holiday whose date the list only estimates, until the file names the day.
    """
    exchange_calendar(file)  # says what is wrong with the file
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    listed = _listed(year)
    told = [*_told(tables, CLOSED, listed, file), *_told(tables, SESSION, listed, file)]
    named = {each.day for each in told}
    days = [each for each in told if each.day.year == year]
    days += [_holiday(day, name) for day, name in listed.items() if day not in named and day.weekday() < _SATURDAY]
    return sorted(days, key=lambda each: each.day)


def _listed(year: int) -> dict[date, str]:
    from holidays import financial_holidays  # noqa: PLC0415 -- its import takes a quarter of a second

    return dict(financial_holidays("XNSE", years=year).items())


def _holiday(day: date, name: str) -> SpecialDay:
    doubt = None
    if _ESTIMATED in name:
        doubt = f"the list only estimates it: look up the exchange's circular, and name the day in {SESSIONS_FILE.name}"
    return SpecialDay(day=day, kind=HOLIDAY, why=name, told_by=LIST, doubt=doubt)


def _told(tables: dict[str, Any], kind: str, listed: dict[date, str], file: Path) -> Iterator[SpecialDay]:
    for entry in tables.get(kind, ()):
        day = entry["date"]
        yield SpecialDay(
            day=day,
            kind=kind,
            why=str(entry.get("why", "")),
            told_by=file.name,
            opens=entry.get("opens"),
            closes=entry.get("closes"),
            doubt=_idle(day, kind, (entry.get("opens"), entry.get("closes")), listed.get(day)),
        )


def _idle(day: date, kind: str, hours: tuple[time | None, time | None], listed: str | None) -> str | None:
    """Why an entry says nothing that would not hold without it; None where it does."""
    if kind == CLOSED and day.weekday() >= _SATURDAY:
        return "a weekend is closed without this entry: is it the right day?"
    if kind == CLOSED and listed and _ESTIMATED not in listed:
        return f"the list has it, too ({listed}): the entry may go"
    if kind == SESSION and day.weekday() < _SATURDAY and not listed and hours == (OPENS, CLOSES):
        return "a usual day with the usual hours: is it the right day?"
    return None
