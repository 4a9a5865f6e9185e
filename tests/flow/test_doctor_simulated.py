"""`tieout doctor` on a simulated day: what the day plants is expected, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cli.simulated import planted_alerts
from config.settings import Settings
from simulator.day import Day
from simulator.plan import plan_day
from tests.builders import DAY
from tieout.alert import alert
from tieout.alert_check import alert_check

STRANGER = "TRX_00000000000000000000000000000001"


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> Path:
    """The home of a simulated day that told its truth."""
    folder = tmp_path / "simulator"
    folder.mkdir()
    planted = [{"name": "unknown-transaction", "subject": STRANGER}]
    (folder / "truth.json").write_text(json.dumps({"alerts": planted}))
    return tmp_path


def settings(home: Path, *, simulated: bool) -> Settings:
    """Settings with that home."""
    return Settings(_env_file=None, home=home, simulated=simulated)


def raised(engine: Engine, name: str, subject: str) -> None:
    """That alert is raised."""
    with engine.begin() as connection:
        alert(connection, name, gateway="simulated", subject=subject)


def test_a_planted_alert_is_expected(engine: Engine, home: Path) -> None:
    """It is counted and said to be planted; the day is well."""
    raised(engine, "unknown-transaction", STRANGER)
    check = alert_check(engine, planted_alerts(settings(home, simulated=True)))
    assert (check.ok, check.detail) == (True, "1 in the last day, 1 of them planted in the simulated day")


@pytest.mark.parametrize(("name", "subject"), [("poison", STRANGER), ("unknown-transaction", "TRX_2")])
def test_any_other_alert_of_a_simulated_day_is_told(engine: Engine, home: Path, name: str, subject: str) -> None:
    """Another name, or the same of another transaction, beside the planted one."""
    raised(engine, "unknown-transaction", STRANGER)
    raised(engine, name, subject)
    check = alert_check(engine, planted_alerts(settings(home, simulated=True)))
    assert (check.ok, f"the latest: {name} {subject}" in check.detail) == (False, True)


def test_nothing_is_planted_in_a_real_day(engine: Engine, home: Path) -> None:
    """Whatever lies in its home."""
    raised(engine, "unknown-transaction", STRANGER)
    assert not alert_check(engine, planted_alerts(settings(home, simulated=False))).ok


def test_the_simulator_tells_which_alerts_its_day_raises() -> None:
    """One for each id in a webhook that no transaction has, and for each status that moves back."""
    plan = plan_day(Day(DAY), seed=1, transactions=2000, gateway="simulated")
    truth = plan.truth()
    told = [(each["name"], each["subject"]) for each in truth["alerts"]]  # type: ignore[attr-defined]
    ids = {story.transaction_id for story in plan.stories}
    strangers = {subject for name, subject in told if name == "unknown-transaction"}
    assert len(strangers) == plan.events()["parked"] > 0
    assert not strangers & ids
    moved = {finding["transaction_id"] for finding in truth["findings"] if finding["name"] == "regression"}  # type: ignore[attr-defined]
    assert {subject for name, subject in told if name == "status-moved-back"} == moved
