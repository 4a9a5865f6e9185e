"""Alerts: one a day for each name and subject, so that what comes again is told again."""

from __future__ import annotations

from sqlalchemy import Connection, text

from tieout.alert import alert


def raised(connection: Connection, subject: str = "creation") -> bool:
    """Whether it was new."""
    return alert(connection, "keys-refused", gateway="acme", subject=subject, detail="401")


def test_the_same_alert_is_raised_once_a_day(connection: Connection) -> None:
    """Whoever fails a thousand times in an hour tells of it once; another subject is another alert."""
    assert [raised(connection), raised(connection), raised(connection, "other")] == [True, False, True]


def test_what_comes_again_on_another_day_is_told_again(connection: Connection) -> None:
    """Keys that were mended and are refused a week later are another row, and another count for the monitor."""
    raised(connection)
    connection.execute(text("update alerts set at = at - interval '7 days', day = day - 7"))

    assert raised(connection)
    assert connection.execute(text("select count(*) from alerts where name = 'keys-refused'")).scalar_one() == 2
