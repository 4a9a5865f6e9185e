"""Alerts: one a day for each name and subject, so that what comes again is told again."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, Engine, text

from cli.main import tieout
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


@pytest.fixture(name="told")
def _told(engine: Engine) -> None:
    """Three alerts, the newest about a transaction."""
    with engine.begin() as connection:
        raised(connection)
        alert(connection, "no-such-thing", gateway="other", detail="of a name that nobody explains")
        alert(connection, "poison", gateway="acme", subject="TRX_1", detail="five workers died over it")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(tieout, ["alerts", *arguments])


@pytest.mark.usefixtures("told", "clock")
def test_alerts_are_listed_newest_first_with_what_to_do() -> None:
    """People get a table and what to do about each name; one that nobody explains stands for itself."""
    result = _run()
    lines = [line for line in result.stdout.splitlines() if line.strip()]

    for name, line in zip(("poison", "no-such-thing", "keys-refused"), lines[-3:], strict=True):
        assert name in line
    assert "poison: " in result.stderr
    assert "To do: " in result.stderr
    assert "no-such-thing: " not in result.stderr


@pytest.mark.usefixtures("told", "clock")
def test_machines_get_every_alert_whole() -> None:
    """One object a line, or a row of CSV; narrowed by name, gateway and number."""
    rows = [json.loads(line) for line in _run("--json").stdout.splitlines()]
    assert [row["name"] for row in rows] == ["poison", "no-such-thing", "keys-refused"]
    assert rows[0]["to_do"]
    assert (rows[1]["means"], rows[1]["to_do"]) == (None, None)

    for only in (["--name", "poison"], ["--limit", "1"]):
        assert json.loads(_run("--json", *only).stdout)["subject"] == "TRX_1"
    (row,) = csv.DictReader(io.StringIO(_run("--csv", "--gateway", "other").stdout))
    assert row["detail"] == "of a name that nobody explains"


@pytest.mark.usefixtures("told", "clock")
def test_a_name_that_is_none_is_answered_with_those_there_are() -> None:
    """Whoever mistypes it is told the names; where there is nothing, what alerts are."""
    assert "there are" in _run("--name", "posion").output
    assert "breaker-open" in _run("--name", "posion").output
    assert "None." in _run("--name", "breaker-open").output
