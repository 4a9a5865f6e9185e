"""Events and breaks on the command line, as people and as machines read them."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from cli import context
from cli.main import tieout
from tests import desk_story
from tests.desk_story import DAY, DIFFERS, DONE_EVENT, NOW, OPEN, PARKED_EVENT

EVENT = {
    "event", "gateway", "family", "state", "transaction_id", "batch_id", "received_at", "deliveries", "attempts",
    "key_id", "reason",
}  # fmt: skip
BREAK = {
    "break", "name", "severity", "state", "transaction_id", "line", "field", "ours", "theirs", "difference",
    "impact_inr", "rule", "opened_at",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _settings(told_url: str, broker_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings that lead the command line to a told day."""
    clock = tmp_path / "clock"
    clock.write_text(NOW.isoformat())
    named = {"DATABASE_URL": told_url, "BROKER_URL": broker_url, "CLOCK_FILE": str(clock)}
    for name, value in named.items():
        monkeypatch.setenv(f"TIEOUT_{name}", value)
    context.settings.cache_clear()


def _run(*words: str) -> Result:
    return CliRunner().invoke(tieout, words)


def _objects(*words: str) -> list[dict[str, Any]]:
    result = _run(*words)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_events_for_machines_are_all_of_them_in_the_promised_form() -> None:
    """One object a line with exactly the promised names; instants are UTC, absent is null."""
    rows = _objects("events", "--json")
    assert len(rows) == 62
    assert all(set(row) == EVENT for row in rows)
    done = next(row for row in rows if row["event"] == str(DONE_EVENT))
    assert (done["received_at"], done["reason"], done["deliveries"]) == ("2026-11-20T10:00:00Z", None, 2)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--state", "parked"), 1),
        (("--transaction", OPEN), 60),
        (("--limit", "7"), 7),
        (("--reason", "busy"), 20),
        (("--family", "holdings"), 0),
        (("--from", "2026-11-21"), 0),
        (("--to", "2026-11-20"), 62),
        (("--gateway", "other"), 0),
    ],
)
def test_events_are_narrowed_by_options(words: tuple[str, ...], count: int) -> None:
    """Each option narrows the list, also under the name `list`."""
    assert len(_objects("events", *words, "--json")) == count
    assert len(_objects("events", "list", *words, "--json")) == count


def test_refusals_are_listed_beside_events() -> None:
    """What was refused is no event and has its own listing."""
    rows = _objects("events", "--refused", "--json")
    assert [row["count"] for row in rows] == [12, 13, 14]
    assert {row["reason"] for row in rows} == {"bad-checksum"}


def test_refusals_are_narrowed_by_what_they_have() -> None:
    """Dates and reasons narrow them; what only an event has is refused and not passed over."""
    assert _objects("events", "--refused", "--from", "2026-11-21", "--json") == []
    assert len(_objects("events", "--refused", "--reason", "bad-checksum", "--to", "2026-11-20", "--json")) == 3
    wrong = _run("events", "--refused", "--state", "parked")
    assert (wrong.exit_code, "--state" in wrong.stderr) == (2, True)


def test_people_read_indian_time() -> None:
    """In a table and for one event; machines get UTC."""
    assert re.search(r"20 Nov 2026 \d\d:\d\d:\d\d IST", _run("events", "--limit", "1").stdout)
    assert "IST" in _run("events", "show", str(DONE_EVENT)).stdout


def test_one_event_is_shown_with_its_bytes_and_attempts() -> None:
    """The body as it came, each delivery, each attempt."""
    shown = _objects("events", "show", str(DONE_EVENT), "--json")[0]
    assert "1575.0900000000001" in shown["arrivals"][0]["body"]
    assert [step["outcome"] for step in shown["timeline"]] == ["claimed", "waiting", "done"]
    assert "1575.0900000000001" in _run("events", "show", str(DONE_EVENT)).stdout


def test_an_event_that_is_not_there_is_a_wrong_call() -> None:
    """Exit status 2 and where to find it."""
    result = _run("events", "show", "00000000-0000-4000-8000-00000000ffff")
    assert result.exit_code == 2
    assert "tieout events --transaction" in result.stderr


def test_breaks_for_machines_are_in_the_promised_form() -> None:
    """Largest impact first; decimals are strings without float; pending and notes only with --all."""
    rows = _objects("breaks", "--json")
    assert [row["name"] for row in rows] == ["missing-internal", "price-out"]
    assert all(set(row) == BREAK for row in rows)
    assert (rows[1]["difference"], rows[1]["impact_inr"], rows[1]["severity"]) == ("0.05", "625", "low")
    assert [row["state"] for row in _objects("breaks", "--json", "--all")] == ["break", "break", "note"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--name", "price-out"), ["price-out"]),
        (("--severity", "critical"), ["missing-internal"]),
        (("--transaction", DIFFERS), ["price-out"]),
        (("--date", str(DAY)), ["missing-internal", "price-out"]),
        (("--date", "2026-11-19"), []),
        (("--limit", "1"), ["missing-internal"]),
        (("--severity", "low", "--limit", "1"), ["price-out"]),
    ],
)
def test_breaks_are_narrowed_by_options(words: tuple[str, ...], names: list[str]) -> None:
    """Each option narrows the list; a limit counts what is shown, not what is looked at."""
    assert [row["name"] for row in _objects("breaks", "--json", *words)] == names


def test_listings_are_csv_when_asked() -> None:
    """A header row with the promised names, then one row each."""
    for words, names in ((("events",), EVENT), (("breaks",), BREAK)):
        rows = list(csv.DictReader(io.StringIO(_run(*words, "--csv").stdout)))
        assert rows
        assert set(rows[0]) == names


def test_a_replay_is_previewed_and_then_done_once(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The preview changes nothing; --yes puts it back; asking again changes nothing and says so."""
    desk_story.tell(engine)
    monkeypatch.setenv("TIEOUT_DATABASE_URL", database_url)
    context.settings.cache_clear()
    named = ("events", "replay", "--parked", "--why", "shape known now")
    preview = _run(*named, "--dry-run")
    assert "1 parked unknown-shape: put back to work" in preview.stderr
    assert _state(engine) == "parked"
    assert _run(*named).exit_code == 2
    assert _state(engine) == "parked"
    assert "1 put back" in _run(*named, "--yes").stdout
    assert _state(engine) == "received"
    again = _run("events", "replay", str(DONE_EVENT), "--why", "again", "--yes")
    assert "already done, nothing changed" in again.stdout


def test_a_replay_of_what_is_not_there_is_a_wrong_call() -> None:
    """Nothing is changed, and the person who typed a wrong id is told."""
    gone = "00000000-0000-4000-8000-00000000ffff"
    result = _run("events", "replay", gone, "--why", "x", "--yes")
    assert (result.exit_code, "no such event" in result.stderr) == (2, True)
    assert "1 not there" in _run("events", "replay", gone, str(DONE_EVENT), "--why", "x", "--dry-run").stderr


def test_a_replay_of_everything_and_nothing_is_a_wrong_call() -> None:
    """Either events are named or --parked is said, and there is always a reason."""
    assert _run("events", "replay", "--why", "x").exit_code == 2
    assert _run("events", "replay", str(PARKED_EVENT)).exit_code == 2
    assert _run("events", "replay", str(PARKED_EVENT), "--reason", "x", "--why", "x").exit_code == 2


def _state(engine: Engine) -> str:
    with engine.connect() as connection:
        found = connection.execute(text("select state from events where event_id = :id"), {"id": PARKED_EVENT})
        return str(found.scalar_one())
