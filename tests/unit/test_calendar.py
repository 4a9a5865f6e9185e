"""The exchange's sessions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from config.calendar import BadSessionsError, exchange_calendar, ist_date

#: The closures of 2026 by NSE's yearly circular on weekdays; 15 January came later, by its own circular.
CLOSED_2026 = """
2026-01-15 2026-01-26 2026-03-03 2026-03-26 2026-03-31 2026-04-03 2026-04-14 2026-05-01
2026-05-28 2026-06-26 2026-09-14 2026-10-02 2026-10-20 2026-11-10 2026-11-24 2026-12-25
"""


def test_2026_has_the_closures_the_exchange_published() -> None:
    """Sixteen weekdays of 2026 have no session; the package alone knows fifteen of them."""
    calendar = exchange_calendar()
    days = [date.fromordinal(d) for d in range(date(2026, 1, 1).toordinal(), date(2027, 1, 1).toordinal())]

    closed = [day for day in days if day.weekday() < 5 and not calendar.is_session(day)]

    assert closed == [date.fromisoformat(day) for day in CLOSED_2026.split()]


def test_a_budget_sunday_is_a_session() -> None:
    """Sunday 1 February 2026 trades; the Saturday before does not."""
    calendar = exchange_calendar()

    assert calendar.is_session(date(2026, 2, 1))
    assert not calendar.is_session(date(2026, 1, 31))
    assert calendar.session_after(date(2026, 1, 30)) == date(2026, 2, 1)


def test_a_session_keeps_the_hours_of_the_exchange() -> None:
    """09:15 to 15:30 IST is 03:45 to 10:00 UTC; muhurat trading has hours of its own."""
    calendar = exchange_calendar()

    assert calendar.opens_at(date(2026, 11, 23)) == datetime(2026, 11, 23, 3, 45, tzinfo=UTC)
    assert calendar.closes_at(date(2026, 11, 23)) == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert calendar.closes_at(date(2025, 10, 21)) == datetime(2025, 10, 21, 9, 15, tzinfo=UTC)


def test_the_session_after_a_friday_holiday_is_monday() -> None:
    """Good Friday 2026 and its weekend are skipped, on or after and after."""
    calendar = exchange_calendar()

    assert calendar.session_on_or_after(date(2026, 4, 3)) == date(2026, 4, 6)
    assert calendar.session_after(date(2026, 4, 2)) == date(2026, 4, 6)


def test_an_evening_in_utc_is_the_next_day_in_india() -> None:
    """18:30 UTC is midnight IST."""
    assert ist_date(datetime(2026, 1, 1, 18, 29, tzinfo=UTC)) == date(2026, 1, 1)
    assert ist_date(datetime(2026, 1, 1, 18, 30, tzinfo=UTC)) == date(2026, 1, 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[closed]]\ndate = '2026-01-15'\n", "date = 2026-11-08"),
        ("[[session]]\ndate = 2026-11-08\n", "needs opens"),
        (
            "[[closed]]\ndate = 2026-01-15\n[[session]]\ndate = 2026-01-15\nopens = 09:15:00\ncloses = 10:00:00",
            "both",
        ),
        ("[[closed", "sessions.toml"),
    ],
)
def test_a_wrong_file_says_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    """Every mistake in the file names the file and what it should hold."""
    file = tmp_path / "sessions.toml"
    file.write_text(text)

    with pytest.raises(BadSessionsError, match=says):
        exchange_calendar(file)
