"""The exchange's days of a year, held against the yearly list and against what was traded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, Row

from config.calendar import SESSIONS_FILE, exchange_calendar
from config.sessions import CLOSED, SESSION, SpecialDay, special_days
from recon.values import Calendar
from store.traded_days import traded

OURS: Final = "our tables"
_SOURCES: Final = {"gateway": "fills at the Gateway", "books": "fills in the books", "prices": "prices of the exchange"}


def sessions(engine: Engine, year: int, *, file: Path = SESSIONS_FILE) -> list[dict[str, object]]:
    """The days of the year that are not as the others, each with what is doubtful about it. Raises `BadSessionsError`.

    A day that counts as closed and has fills or prices is `contradicted`, whether anybody named it or not.
    A session among days that were traded on which nothing was is doubtful.
    """
    calendar = exchange_calendar(file)
    special = {each.day: each for each in special_days(year, file)}
    days = list(_days(year))
    with engine.connect() as connection:
        known = {row.day: row for row in traded(connection, days)}
    seen = {day: said for day in days if (said := _seen(known[day]))}
    found = [_weighed(special.get(day), day, seen, calendar) for day in days]
    return [asdict(each) for each in found if each is not None]


def _weighed(told: SpecialDay | None, day: date, seen: Mapping[date, str], calendar: Calendar) -> SpecialDay | None:
    is_session = calendar.is_session(day)
    if not is_session and day in seen:
        doubt = f"closed, and there are {seen[day]}: tell the session in {SESSIONS_FILE.name}, or correct their date"
        return replace(told or _unnamed(day, CLOSED), doubt=doubt, contradicted=True)
    if is_session and day not in seen and seen and min(seen) < day < max(seen):
        doubt = f"nothing was traded on this session: was it a holiday that {SESSIONS_FILE.name} should name?"
        return replace(told or _unnamed(day, SESSION), doubt=doubt)
    return told


def _unnamed(day: date, kind: str) -> SpecialDay:
    return SpecialDay(day=day, kind=kind, why=f"{day:%A}", told_by=OURS)


def _seen(row: Row[Any]) -> str:
    return ", ".join(words for name, words in _SOURCES.items() if row._mapping[name])


def _days(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)
