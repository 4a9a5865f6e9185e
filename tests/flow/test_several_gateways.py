"""Two gateways in one service: each with its own address, keys, limit, breaker, listings and day."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from sqlalchemy import Engine

from cli import context
from cli.main import tieout
from config.embedded import free_port
from tests.edges import GATEWAY, RunningEdge, edge, order, rows, signed, until
from tests.playing import Running, answers, command, wait_for

pytestmark = pytest.mark.timeout(120)

DAY = "2026-11-18"
NAMES, RATES = (GATEWAY, "trial"), {GATEWAY: 900, "trial": 30}
ROOT = Path(__file__).parents[2]
FILE = """
[[gateway]]
name = "{name}"
url = "{url}"
secrets_setting = "{name}_jwt"
api_secrets_setting = "{name}_api"
rate = {rate}
book = "test"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """One edge and one worker, and a simulator for each gateway."""

    edge: RunningEdge
    simulators: dict[str, Running]
    engine: Engine

    def post(self, name: str, number: int, *, signed_by: str) -> requests.Response:
        """Post a webhook of a transaction that nobody knows to that gateway's address."""
        url = f"http://127.0.0.1:{self.edge.port}/webhooks/{name}"
        body = json.dumps(signed(order(number), secret=secret("api", signed_by)))
        return requests.post(url, data=body, timeout=10)

    def count(self, query: str) -> dict[Any, Any]:
        """What a query of two columns finds."""
        return dict(rows(self.engine, query))  # type: ignore[arg-type]


def secret(kind: str, name: str) -> str:
    """The secret of that kind that only that gateway has."""
    return f"{kind}-secret-of-{name}-0123456789"


@contextmanager
def simulator(folder: Path, name: str, *, port: int, edge_port: int) -> Iterator[Running]:
    """A simulator with a gateway's own name, keys and day, holding still until it is told to play."""
    url = f"http://127.0.0.1:{edge_port}/webhooks/{name}"
    more = ("--gateway", name, "--transactions", "10", "--seed", str(NAMES.index(name) + 1))
    keys = {"SIMULATOR_JWT_SECRET": secret("jwt", name), "SIMULATOR_API_SECRET": secret("api", name)}
    folder.mkdir()
    process = subprocess.Popen(command(folder, port, url, *more), env={**os.environ, **keys})
    running = Running(f"http://127.0.0.1:{port}", folder / "home", process)
    try:
        wait_for(lambda: answers(running))
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.fixture(name="both")
def _both(
    engine: Engine, database_url: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Both]:
    """The whole service over both gateways, by the file alone; the settings of this process, too."""
    ports = {name: free_port() for name in NAMES}
    file = tmp_path / "gateways.toml"
    tables = (FILE.format(name=n, url=f"http://127.0.0.1:{ports[n]}", rate=RATES[n]) for n in NAMES)
    file.write_text("".join(tables))
    named = {
        **{f"{name}_jwt": f"j-{name}:{secret('jwt', name)}" for name in NAMES},
        **{f"{name}_api": f"a-{name}:{secret('api', name)}" for name in NAMES},
        "TIEOUT_GATEWAYS_FILE": str(file),
        "TIEOUT_GATEWAY_NAME": "",
        "TIEOUT_WEBHOOK_MAX_AGE": str(10**9),
        "TIEOUT_DATABASE_URL": database_url,
        "TIEOUT_BROKER_URL": broker_url,
        "TIEOUT_ASK_PAUSE_S": "0",
        "TIEOUT_SWEEP_S": "0.3",
    }
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    context.settings.cache_clear()
    with ExitStack() as stack:
        settings = {name: value for name, value in named.items() if not name.endswith(("DATABASE_URL", "BROKER_URL"))}
        door = stack.enter_context(edge(tmp_path, database_url=database_url, broker_url=broker_url, **settings))
        stack.enter_context(_worker(tmp_path))
        simulators = {
            name: stack.enter_context(simulator(tmp_path / name, name, port=ports[name], edge_port=door.port))
            for name in NAMES
        }
        yield Both(edge=door, simulators=simulators, engine=engine)
    context.settings.cache_clear()


@contextmanager
def _worker(folder: Path) -> Iterator[None]:
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker"],
            env={**os.environ, "TMPDIR": str(folder)},  # a worker that is killed leaves a folder there
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _objects(*words: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(tieout, words)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_two_gateways_share_a_service_and_nothing_else(both: Both) -> None:
    """Each one's webhooks verify by its own key, each is asked with its own, and one that fails stops alone."""
    for running in both.simulators.values():
        running.play_all()
    until(lambda: not rows(both.engine, "select 1 from events where state not in ('done', 'parked')"))

    _each_has_its_own_keys(both)
    _each_has_its_own_day(both)
    _one_that_is_down_stops_alone(both)


def _each_has_its_own_keys(both: Both) -> None:
    keys = rows(both.engine, "select distinct gateway, key_id from events order by gateway")
    assert keys == [(name, f"a-{name}") for name in NAMES]
    assert rows(both.engine, "select 1 from attempts where reason = 'ours'") == []
    ended = both.count("select gateway, count(*) from transactions where final group by gateway")
    assert ended.keys() == set(NAMES)
    assert both.post(GATEWAY, 1, signed_by="trial").status_code == 401
    assert both.post("other", 1, signed_by=GATEWAY).json()["reason"] == "unknown-gateway"


def _each_has_its_own_day(both: Both) -> None:
    lines = both.count("""
        select t.gateway, count(*) from their_lines join transactions t using (txn)
        where trade_date = '2026-11-18' group by t.gateway""")
    for name in NAMES:
        (day,) = _objects("day", DAY, "--gateway", name, "--json")
        assert day["orders"]["theirs"]["count"] == lines[name]
        assert day["orders"]["unaccounted"]["count"] == 0
        assert {event["gateway"] for event in _objects("events", "--gateway", name, "--json")} == {name}
    asked = CliRunner().invoke(tieout, ["day", DAY])
    assert (asked.exit_code, "which gateway?" in asked.stderr) == (2, True)


def _one_that_is_down_stops_alone(both: Both) -> None:
    both.simulators["trial"].process.send_signal(signal.SIGTERM)
    both.simulators["trial"].process.wait(10)
    for number in range(100, 106):
        assert both.post("trial", number, signed_by="trial").status_code == 200
    breaker = "select breaker from gateway_states where gateway = 'trial' and breaker <> 'closed'"
    until(lambda: bool(rows(both.engine, breaker)))
    assert both.post(GATEWAY, 200, signed_by=GATEWAY).status_code == 200
    answered = f"select 1 from events where transaction_id = 'TRX_{200:032x}' and reason = 'unknown-transaction'"
    until(lambda: bool(rows(both.engine, answered)))
    acme, trial = _objects("gateways", "--json")
    assert (acme["gateway"], acme["calls"], acme["rate_per_s"]) == (GATEWAY, "go out", 900)
    assert (trial["gateway"], trial["breaker"] == "closed", trial["rate_per_s"]) == ("trial", False, 30)
