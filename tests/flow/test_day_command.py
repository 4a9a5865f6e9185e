"""`tieout day` and `tieout reconcile`, as one calls them."""

import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from cli.day import day
from cli.reconcile import reconcile
from tests.answered import agreed
from tests.builders import a_leg

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(name="txn")
def _txn(engine: Engine) -> int:
    """One transaction that agrees with the books, stored and not yet judged."""
    with engine.begin() as connection:
        return agreed(connection, a_leg())


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(day, arguments)


def test_the_day_is_judged_first_and_ties_out(txn: int) -> None:
    """What is due is judged before the table is printed, with rupees grouped the Indian way."""
    result = _run("2026-11-20")

    assert (result.exit_code, result.exception) == (0, None)
    assert "matched" in result.output
    assert "4,201.00" in result.output
    assert "Every line of both sides is accounted for" in result.output
    assert "could not be checked for plausibility: 1 of ours and 1 of theirs" in result.output
    assert "tieout import ticks FILE" in result.output


def test_without_a_date_it_is_today_by_the_services_clock(txn: int) -> None:
    """In IST: at 20:30 there it is still the twentieth."""
    result = _run("--json")

    told = json.loads(result.output)
    assert (told["trade_date"], told["as_of"]) == ("2026-11-20", "2026-11-20T15:00:00Z")
    assert told["orders"]["buckets"][0] == {
        "name": "matched",
        "side": "ours",
        "count": 1,
        "quantity": "10",
        "amount": "4201",
    }


def test_a_day_that_does_not_tie_out_ends_with_1(engine: Engine, txn: int) -> None:
    """A verdict that is gone is unaccounted for, in words and in the exit code."""
    assert _run("2026-11-20").exit_code == 0
    with engine.begin() as connection:
        connection.execute(text("delete from line_verdicts"))
    result = _run("2026-11-20")

    assert result.exit_code == 1
    assert "Unaccounted: 2 lines, 20 shares, 8,402.00 rupees" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["20-11-2026"], "write it as 2026-11-20"), (["--gateway", "other"], "there is acme")],
)
def test_a_wrong_call_ends_with_2_and_says_how_to_call_it(arguments: list[str], words: str) -> None:
    """A date in another order, a gateway that is not set up."""
    result = _run(*arguments)

    assert result.exit_code == 2
    assert words in result.output


def test_reconcile_judges_what_is_stale_and_shows_the_day(engine: Engine, txn: int) -> None:
    """And again, all of it, when asked to."""
    results = [CliRunner().invoke(reconcile, arguments) for arguments in (["2026-11-20"], ["--again"], [])]

    assert [result.exit_code for result in results] == [0, 0, 0]
    counts = ["1 transactions judged", "1 transactions judged", "0 transactions judged"]
    assert all(words in result.output for words, result in zip(counts, results, strict=True))
    assert "Every line of both sides is accounted for" in results[0].output


def test_reconcile_takes_a_month_or_every_gateway(engine: Engine, txn: int) -> None:
    """Another month's run leaves what is stale alone; one over every gateway finds what is left."""
    results = [
        CliRunner().invoke(reconcile, arguments)
        for arguments in (["--month", "2026-10"], ["--month", "2026-11", "--workers", "1"], ["--all"])
    ]

    counts = [f"{number} transactions judged" for number in (0, 1, 0)]
    assert [result.exit_code for result in results] == [0, 0, 0]
    assert all(words in result.output for words, result in zip(counts, results, strict=True))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["2026-11-20", "--month", "2026-11"], "a day or a month"),
        (["--all", "--date", "2026-11-20"], "--all means every gateway"),
        (["--month", "November"], "write it as 2026-11"),
    ],
)
def test_reconcile_says_what_does_not_go_together(arguments: list[str], words: str) -> None:
    """A wrong call ends with 2 before anything is judged."""
    result = CliRunner().invoke(reconcile, arguments)

    assert (result.exit_code, words in result.output) == (2, True)
