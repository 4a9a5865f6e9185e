"""The exchange's days of a year as people look them up: who says so, and what contradicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import Engine

from cli import context
from cli.main import tieout
from config.clock import FixedClock
from config.sessions import special_days
from config.settings import Settings
from console.app import create_app
from tests.builders import EVENING, rules
from tieout.desk.broker import BrokerWatch
from tieout.desk.reference import facts
from tieout.desk.sessions import sessions
from tieout.imports import import_file
from tieout.rules import rules_from

PRICES = "exchange,symbol,date,low,high"


def bring(engine: Engine, folder: Path, kind: str, *lines: str, later: int = 0) -> None:
    """Import these lines, the first of which is the header."""
    file = folder / f"{kind}.csv"
    file.write_text("\n".join(lines) + "\n")
    now = EVENING + timedelta(hours=later)
    assert not import_file(engine, kind=kind, file=file, gateways=[], now=now, rules=rules()).problems


def test_a_year_lists_holidays_circulars_and_special_sessions_by_date() -> None:
    """2026: fifteen holidays of the list, one day closed by circular, one Sunday that trades; nothing doubtful."""
    days = special_days(2026)

    assert [each.kind for each in days].count("holiday") == 15
    told = {each.day: (each.kind, each.told_by) for each in days if each.kind != "holiday"}
    assert told == {
        date(2026, 1, 15): ("closed", "sessions.toml"),
        date(2026, 2, 1): ("session", "sessions.toml"),
    }
    assert not any(each.doubt for each in days)


def test_what_the_list_only_estimates_is_doubtful_until_the_file_names_the_day(tmp_path: Path) -> None:
    """The package computes dates by the moon where the exchange has not published them."""
    (estimated, *_) = [each.day for each in special_days(2027) if each.doubt]
    file = tmp_path / "sessions.toml"
    file.write_text(f'[[closed]]\ndate = {estimated}\nwhy = "by circular"\n')

    named = {each.day: each for each in special_days(2027, file)}

    assert (named[estimated].kind, named[estimated].doubt) == ("closed", None)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('[[closed]]\ndate = 2026-01-26\nwhy = "x"\n', "the list has it, too (Republic Day)"),
        ('[[closed]]\ndate = 2026-01-24\nwhy = "x"\n', "a weekend is closed without this entry"),
        ("[[session]]\ndate = 2026-01-27\nopens = 09:15:00\ncloses = 15:30:00\n", "a usual day with the usual hours"),
    ],
)
def test_an_entry_that_changes_nothing_is_doubtful(tmp_path: Path, entry: str, words: str) -> None:
    """It was meant for another day, or may go."""
    file = tmp_path / "sessions.toml"
    file.write_text(entry)

    (doubt,) = [each.doubt for each in special_days(2026, file) if each.doubt]
    assert words in doubt


def test_what_was_traded_contradicts_a_closed_day_and_asks_after_an_empty_session(
    engine: Engine, tmp_path: Path
) -> None:
    """A price on Republic Day and one on a Saturday; between them a session without any."""
    traded = [f"NSE,TCS,{day},1,2" for day in ("2026-01-22", "2026-01-24", "2026-01-26", "2026-01-28")]
    bring(engine, tmp_path, "prices", PRICES, *traded)

    told = {row["day"]: row for row in sessions(engine, 2026) if row["doubt"]}

    assert {day: (row["kind"], row["contradicted"]) for day, row in told.items()} == {
        date(2026, 1, 23): ("session", False),
        date(2026, 1, 24): ("closed", True),
        date(2026, 1, 26): ("holiday", True),
        date(2026, 1, 27): ("session", False),
    }
    assert "prices of the exchange" in str(told[date(2026, 1, 26)]["doubt"])


def console_client(engine: Engine) -> FlaskClient:
    """The console over this test's database."""
    settings = Settings()
    app = create_app(
        settings,
        engine=engine,
        watch=BrokerWatch("redis://127.0.0.1:1/0"),
        clock=FixedClock(EVENING),
        rules=rules_from(settings),
    )
    return app.test_client()


@pytest.fixture(name="commands")
def _commands(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """The commands on this test's database."""
    monkeypatch.setenv("TIEOUT_DATABASE_URL", engine.url.render_as_string(hide_password=False))
    context.settings.cache_clear()
    yield CliRunner()
    context.settings.cache_clear()


def test_the_command_ends_with_1_where_something_contradicts(
    engine: Engine, tmp_path: Path, commands: CliRunner
) -> None:
    """Else with 0; as JSON one object a day."""
    asked = ["reference", "sessions", "2026", "--json"]
    clean = commands.invoke(tieout, asked)
    assert (clean.exit_code, len(clean.stdout.splitlines())) == (0, 17)

    bring(engine, tmp_path, "prices", PRICES, "NSE,TCS,2026-01-26,1,2")
    wrong = commands.invoke(tieout, asked)

    assert wrong.exit_code == 1
    assert [json.loads(line)["day"] for line in wrong.stdout.splitlines() if '"contradicted": true' in line] == [
        "2026-01-26"
    ]


def test_corporate_actions_are_listed_with_their_versions(engine: Engine, tmp_path: Path) -> None:
    """What was said earlier stays, with the instant at which it was replaced; a date shows what it has reached."""
    head = "kind,isin,ex_date,ratio_from,ratio_to,new_isin"
    split = "split,INE237A01028,2026-01-14,1,{},INE237A01036"
    bring(engine, tmp_path, "corporate-actions", head, split.format(2))
    bring(engine, tmp_path, "corporate-actions", head, split.format(5), later=1)

    told = facts(engine, "corporate-actions", about="INE237A01036", versions=True)
    assert [(int(str(row["ratio_to"]).split(".")[0]), row["replaced_at"] is None) for row in told] == [
        (2, False),
        (5, True),
    ]
    assert facts(engine, "corporate-actions", day=date(2026, 1, 13)) == []
    assert len(facts(engine, "corporate-actions", day=date(2026, 1, 14))) == 1


def test_the_pages_show_what_is_known_and_what_contradicts(engine: Engine, tmp_path: Path) -> None:
    """One page for the facts by kind, day and name; one for the days of a year; a wrong date or kind is told."""
    bring(engine, tmp_path, "instruments", "exchange,symbol,series,isin,from", "NSE,TCS,BE,INE467B01029,2026-01-01")
    bring(engine, tmp_path, "prices", PRICES, "NSE,TCS,2026-01-26,1.50,2")
    client = console_client(engine)

    def page(path: str) -> str:
        return client.get(path, headers={"Host": "localhost:8081"}).text

    assert all(words in page("/reference") for words in ("INE467B01029", '<td class="nowrap">BE</td>'))
    assert "Nothing is known of that" in page("/reference?date=2025-12-31")
    assert ">1.5<" in page("/reference?kind=prices&q=TCS&versions=1")
    assert "fills" not in page("/sessions?year=2026")
    assert all(words in page("/sessions?year=2026") for words in ("contradicted", "prices of the exchange"))
    assert "is no date" in page("/reference?date=x")
    assert "no reference data called" in page("/reference?kind=x")
