"""`tieout close`, `reopen`, `verify`, `asof` and `--as-of`, as one calls them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from cli.main import tieout
from tests.builders import EVENING, a_leg
from tests.settled_day import import_rows, judge, ours

pytestmark = pytest.mark.usefixtures("clock")

BY = ("2026-11-20", "--by", "Asha Rao")


@pytest.fixture(name="database_url")
def _database_url(settled_url: str) -> str:
    """A copy of the small day, told and judged."""
    return settled_url


@pytest.fixture(name="told")
def _told(engine: Engine) -> Engine:
    """The small day, judged."""
    return engine


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(tieout, arguments)


def test_a_day_is_closed_verified_and_reopened(told: Engine) -> None:
    """The root that closing prints is what verifying holds the day against."""
    closed = json.loads(_run("close", *BY, "--json").stdout)
    assert (closed["closed_by"], closed["version"], closed["reopened_at"]) == ("Asha Rao", 1, None)
    assert json.loads(_run("day", "2026-11-20", "--json").stdout)["signed"] is True
    assert f"closed by Asha Rao, 20 Nov 2026 20:30 IST; root {closed['root']}" in _run("day", "2026-11-20").output

    verified = _run("verify", "2026-11-20", "--root", closed["root"])
    assert (verified.exit_code, verified.output.splitlines()[0][:4]) == (0, "YES:")

    assert _run("reopen", *BY, "--why", "a late file").exit_code == 0
    assert json.loads(_run("day", "2026-11-20", "--json").stdout)["signed"] is False


def test_what_cannot_be_closed_ends_with_1_and_every_reason(told: Engine) -> None:
    """And what a reason given would forgive is said to be so."""
    with told.begin() as connection:
        connection.execute(text("update events set state = 'parked', reason = 'poison' where batch_id = 'B-0'"))
    refused = _run("close", *BY)

    assert refused.exit_code == 1
    assert "2026-11-20 cannot be closed:\n  - 1 webhooks of the day are not settled" in refused.output
    assert "--despite" in refused.output
    assert _run("close", *BY, "--despite", "seen by hand").exit_code == 0
    assert _run("close", *BY).exit_code == 1


def test_a_day_that_is_not_what_was_signed_ends_with_1_and_names_the_row(told: Engine) -> None:
    """For people and for machines."""
    assert _run("close", *BY).exit_code == 0
    with told.begin() as connection:
        connection.execute(text("update our_lines set filled = 9 where order_id = 'O-0'"))
    found = _run("verify", "2026-11-20")
    told_json = json.loads(_run("verify", "2026-11-20", "--json").stdout)

    assert found.exit_code == 1
    assert "our_lines O-0: is not what it was when the day was closed" in found.output
    assert (told_json["holds"], told_json["first"][0]["key"]) == (False, "O-0")
    assert "it has changed since" in _run("day", "2026-11-20").output


def test_an_open_day_cannot_be_verified_or_reopened(told: Engine) -> None:
    """Both are wrong calls, and say what to do."""
    for arguments in (("verify", "2026-11-20"), ("reopen", *BY, "--why", "x")):
        assert _run(*arguments).exit_code == 2


def test_a_day_is_shown_as_it_was_known(told: Engine, tmp_path: Path, clock: Path) -> None:
    """With what differs now and why; the breaks of then are listed as well."""
    assert _run("reconcile", "--again").exit_code == 0  # by the settings' rule set, as looking back does
    before = json.loads(_run("day", "2026-11-20", "--json").stdout)
    later = EVENING + timedelta(days=1)
    import_rows(told, tmp_path, [ours(a_leg(exchangeOrderId="1000"), 0, average_price="420.20")], now=later)
    judge(told, later)
    clock.write_text(later.isoformat())

    then = json.loads(_run("day", "2026-11-20", "--as-of", "2026-11-20T20:30", "--json").stdout)
    assert then == before
    rows = [
        json.loads(line) for line in _run("asof", *BY[:1], "--at", "2026-11-20T20:30", "--json").stdout.splitlines()
    ]
    assert {(row["side"], row["then"], row["now"]) for row in rows} == {
        ("ours", "matched", "price-out"),
        ("theirs", "matched", "price-out"),
    }
    assert rows[0]["why"][0]["says"].startswith("version 2 came with orders")
    for form in ((), ("--csv",)):
        assert "version 2 came with" in _run("asof", "2026-11-20", "--at", "2026-11-20T20:30", *form).stdout
    told_in_words = _run("asof", "2026-11-20", "--at", "2026-11-20T20:30").stdout
    alike = told_in_words.split("What is said otherwise now:")[1].split("Line by line:")[0]
    assert len(alike.splitlines()) == 4, "both lines changed alike: one row below the heading"
    names = [_names(*more) for more in ((), ("--as-of", "2026-11-20T15:00Z"))]
    assert names[0].count("price-out") == names[1].count("price-out") + 1


def _names(*more: str) -> list[str]:
    listed = _run("breaks", "--date", "2026-11-20", "--json", *more)
    return [json.loads(line)["name"] for line in listed.stdout.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("asof", "2026-11-20", "--at", "2026-11-20"), "name the hour as well"),
        (("asof", "2026-11-20", "--at", "2027-01-01T00:00"), "lies ahead"),
        (("breaks", "--as-of", "2026-11-20T20:00"), "--date"),
        (("day", "--as-of", "yesterday"), "write it as 2026-11-20T18:30"),
    ],
)
def test_a_wrong_instant_ends_with_2(arguments: tuple[str, ...], words: str) -> None:
    """The message says how to name one."""
    result = _run(*arguments)

    assert result.exit_code == 2
    assert words in result.output
