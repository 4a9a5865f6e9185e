"""The queue for whoever is on duty: what is in its way, who is missed, and how fast it is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from cli import context
from cli.main import tieout
from config.settings import child_environment
from store import life
from tests.builders import NOON
from tieout.desk.broker import BrokerWatch
from tieout.desk.queue import QueueNow, queue_now
from tieout.desk.troubles import troubles

AWAY = "redis://127.0.0.1:1/0"
_EVENT = text("""
insert into events (event_id, gateway, book, family, transaction_id, key_id, received_at, state, reason, done_at,
  next_attempt_at, stored_at)
values (gen_random_uuid(), 'acme', 'live', 'orders', :id, 'k1', :at, :state, :reason,
  case when :state = 'done' then clock_timestamp() end,
  case when :state = 'received' then clock_timestamp() - interval '5 min' end, clock_timestamp() - interval '2 s')
""")

_STOPPED = text("""
insert into gateway_states (gateway, breaker, reason, failures, changed_at)
values ('acme', 'open', 'gateway-down', 5, clock_timestamp())
""")


def _event(engine: Engine, state: str, *, reason: str | None = None) -> None:
    with engine.begin() as connection:
        connection.execute(_EVENT, {"id": f"TRX_{state}", "at": NOON, "state": state, "reason": reason})


def _sign(engine: Engine, kind: str, name: str, *, age: str) -> None:
    with engine.begin() as connection:
        life.seen(connection, kind=kind, name=name)
        moved = text(f"update signs_of_life set seen_at = seen_at - interval '{age}' where name = :name")
        connection.execute(moved, {"name": name})


def _now(engine: Engine, broker_url: str) -> QueueNow:
    return queue_now(engine, BrokerWatch(broker_url), now=NOON + timedelta(minutes=1))


def _names(now: QueueNow) -> list[str]:
    return [trouble.name for trouble in troubles(now)]


def test_what_is_in_the_way_is_told_first_and_with_the_way_out(engine: Engine) -> None:
    """No worker and no broker are two troubles; neither ends by itself."""
    found = troubles(_now(engine, AWAY))

    assert [trouble.name for trouble in found] == ["no-worker", "broker-away"]
    assert all(trouble.todo and not trouble.passes for trouble in found)


def test_work_of_a_stopped_gateway_is_not_taken_for_forgotten(engine: Engine, broker_url: str) -> None:
    """It waits on purpose: the gateway is named, and the sweep is not suspected."""
    with redis.Redis.from_url(broker_url) as broker:
        broker.flushall()  # messages of an earlier test would stand there unread
    _sign(engine, "worker", "vm:1", age="1 s")
    _sign(engine, "sweep", "settle", age="1 s")
    _event(engine, "received")
    with engine.begin() as connection:
        connection.execute(_STOPPED)
    now = _now(engine, broker_url)

    assert _names(now) == ["gateway-stopped"]
    assert (now.units.held, now.units.due) == (1, 0)


def test_a_worker_that_ended_long_ago_is_not_missed(engine: Engine, broker_url: str) -> None:
    """The last of its kind stays to be seen; one of long ago does not stand beside those that live."""
    _sign(engine, "worker", "vm:1", age="1 s")
    _sign(engine, "worker", "vm:2", age="2 hours")
    _sign(engine, "beat", "vm:3", age="2 hours")

    assert [(sign.kind, sign.name) for sign in _now(engine, broker_url).parts] == [("beat", "vm:3"), ("worker", "vm:1")]


def test_the_pace_is_that_of_the_last_minutes(engine: Engine) -> None:
    """How many came, and within what time half of those that are done were settled."""
    _event(engine, "done")
    _event(engine, "parked", reason="refused")
    pace = _now(engine, AWAY).pace

    assert (pace.came, pace.done) == (2, 1)
    assert pace.median_ms is not None
    assert 2_000 <= pace.median_ms < 60_000


@pytest.fixture(name="_installed")
def _installed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation with a database of its own and a broker that is away."""
    monkeypatch.setenv("TIEOUT_DATABASE_URL", database_url)
    monkeypatch.setenv("TIEOUT_BROKER_URL", AWAY)
    context.settings.cache_clear()
    yield
    context.settings.cache_clear()


def _run(*words: str) -> Result:
    return CliRunner().invoke(tieout, words)


@pytest.mark.usefixtures("_installed")
def test_the_command_tells_it_to_people_and_to_machines(engine: Engine) -> None:
    """With --check it fails while something is in the way; the figures are those of the overview."""
    _event(engine, "parked", reason="refused")
    told, machine = _run("queue"), _run("queue", "--json", "--check")
    found: dict[str, Any] = json.loads(machine.stdout)

    assert (told.exit_code, machine.exit_code) == (0, 1)
    assert "No worker is alive" in told.stdout
    assert (found["parked"], found["reasons"][0]["reason"]) == (1, "refused")
    assert [trouble["name"] for trouble in found["troubles"]] == ["no-worker", "broker-away"]


@pytest.mark.usefixtures("_installed")
def test_what_is_stored_can_be_looked_at_while_the_broker_is_away(engine: Engine) -> None:
    """Events lie in the database: no listing asks for the broker."""
    _event(engine, "parked", reason="refused")

    assert _run("events", "--json").exit_code == 0


def test_a_worker_refuses_a_schema_that_is_not_its_own(engine: Engine, database_url: str) -> None:
    """After an upgrade without its migration it would fail at every unit; it ends with 3 and the command instead."""
    with engine.begin() as connection:
        connection.execute(text("delete from alembic_version"))
    env = child_environment({"TIEOUT_DATABASE_URL": database_url, "TIEOUT_BROKER_URL": AWAY}, own=False)
    ended = subprocess.run(
        [sys.executable, "-m", "worker"], env=env, capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, "tieout db migrate" in ended.stderr) == (3, True)
