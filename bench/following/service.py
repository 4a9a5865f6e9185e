"""A whole service with the simulator before it, on servers of its own, steered from outside."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine, text

from config.clock import FileClock
from config.embedded import free_port
from config.leash import Leash
from config.servers import Servers, open_servers, remove_home
from config.settings import PREFIX, SECRETS, Settings, child_environment
from store.engine import connect
from store.migrate import migrate
from store.progress import OpenWork, open_work
from tieout import imports
from tieout.rules import rules_from

GATEWAY = "simulated"
_LEFT = text("""
select (select count(*) from events where gateway = :gateway and (state in ('received', 'claimed')
          or state = 'waiting' and (next_attempt_at <= clock_timestamp() or reason not in ('busy', 'gateway-busy'))))
     + count(*) filter (where lease_until is not null or review_at <= :now
       or exists (select from unjudged u where u.txn = transactions.txn)
          or ask_at <= :now and (retries = 0 or announce_at is null or announce_at <= clock_timestamp()))
from transactions where gateway = :gateway
""")
READY_S, STUCK_S, STOP_S, CALL_S = 60.0, 120.0, 30.0, 10.0
LOOK_AGAIN_S = 0.05
FREE = "5000"  #: calls a second: not limited
Say = Callable[[str], None]


class StuckError(Exception):
    """The service did not come where it should in time; the message says where its logs are."""


@dataclass(slots=True, kw_only=True)
class Service:
    """The running service and its simulator."""

    home: Path
    settings: Settings
    servers: Servers
    engine: Engine
    leash: Leash
    env: dict[str, str]
    say: Say
    seed: int
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # ------------------------------------------------------------ its processes

    def start(self, name: str, *arguments: str, **env: str) -> None:
        """Start a program; its output goes to its own log."""
        with (self.home / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 our own programs, no shell
                [sys.executable, "-m", *arguments],
                env=child_environment({**self.env, **env}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.children[name] = child
        self.leash.hold(child.pid)

    def stop(self, name: str) -> None:
        """End a program and wait."""
        child = self.children.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        self.leash.release(child.pid)

    def start_worker(self, *, rate: str = FREE, **env: str) -> None:
        """Start the worker and beat, which keep to that many calls a second."""
        limits = {"TIEOUT_GATEWAY_RATE": rate, "REMAP_SIGTERM": "SIGQUIT", **env}
        self.start("worker", "worker", **limits)
        self.start("beat", "worker", "beat", **limits)

    def stop_worker(self) -> None:
        """Stop both."""
        self.stop("beat")
        self.stop("worker")

    # ------------------------------------------------------------ the simulator

    def simulator(self, what: str) -> dict[str, Any]:
        """One of the simulator's pages."""
        return dict(self._get(what).json())

    def lines(self, what: str) -> list[dict[str, Any]]:
        """One of the simulator's lists: JSON lines."""
        return [json.loads(line) for line in self._get(what).text.splitlines()]

    def steer(self, what: str) -> None:
        """Tell the simulator something."""
        answer = requests.post(f"{self.settings.gateway_url}/control/{what}", timeout=CALL_S)
        if not answer.ok:
            raise StuckError(f"the simulator refused {what}: {answer.text}")

    def advance(self, until: datetime) -> None:
        """Let the simulated day go on until then."""
        self.steer(f"advance?to={until.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}")
        wait_until(lambda: not self.simulator("status")["advancing"], "the simulated day", self.home)

    def now(self) -> datetime:
        """The domain's instant."""
        assert self.settings.clock_file is not None  # set below
        return FileClock(self.settings.clock_file).now()

    # ------------------------------------------------------------ the service

    def work(self) -> OpenWork:
        """What is still to do as of now."""
        with self.engine.connect() as connection:
            return open_work(connection, gateway=GATEWAY, now=self.now())

    def until_idle(self) -> None:
        """Wait until nothing is left to do but by time going on."""
        wait_until(lambda: self.work().idle, "the service to be idle", self.home)

    def until_quiet(self) -> None:
        """Wait until nothing is left to do now: what failed and is to be tried again later may wait."""
        wait_until(lambda: self._left() == 0, "the service to be quiet", self.home)

    def _left(self) -> int:
        with self.engine.connect() as connection:
            named = {"gateway": GATEWAY, "now": self.now()}
            return int(connection.execute(_LEFT, named).scalar_one())

    def bring_in(self, kind: str, content: str) -> None:
        """Import a file with that text."""
        file = self.home / f"{kind}-in.csv"
        file.write_text(content)
        report = imports.import_file(
            self.engine,
            kind=kind,
            file=file,
            gateways=self.settings.gateways(),
            now=self.now(),
            rules=rules_from(self.settings),
        )
        if report.refused:
            raise StuckError(f"{report.refused} rows of {file} were refused")

    def tieout(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command prints as JSON lines."""
        done = subprocess.run(  # noqa: S603 our own program
            [sys.executable, "-m", "cli.main", *arguments, "--json"],
            env=child_environment(self.env),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StuckError(f"tieout {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-300:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _get(self, what: str) -> requests.Response:
        answer = requests.get(f"{self.settings.gateway_url}/control/{what}", timeout=CALL_S)
        answer.raise_for_status()
        return answer


@contextmanager
def service(
    home: Path, *, transactions: int, seed: int, withhold: str, say: Say, plot: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """A service without a worker yet, its simulator ready; all of it ended at the end.

    `plot` are further options of the simulator, such as people or a scenario.
    """
    remove_home(home)
    home.mkdir(parents=True)
    env = _environment(home)
    with open_servers(_settings(env)) as servers, Leash() as leash:
        env |= {"TIEOUT_DATABASE_URL": servers.database_url, "TIEOUT_BROKER_URL": servers.broker_url}
        own = Service(
            home=home,
            settings=_settings(env),
            servers=servers,
            engine=connect(servers.database_url, application="tieout-bench"),
            leash=leash,
            env=env,
            say=say,
            seed=seed,
        )
        try:
            migrate(own.engine)
            _begin(own, transactions=transactions, withhold=withhold, plot=plot or {})
            yield own
        finally:
            for name in reversed(list(own.children)):
                own.stop(name)
            own.engine.dispose()


def wait_until(condition: Callable[[], bool], what: str, home: Path, *, limit_s: float = STUCK_S) -> None:
    """Wait for a condition. Raises `StuckError` after the limit."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise StuckError(f"waited {limit_s:.0f} s for {what}: see the logs in {home}")
        time.sleep(LOOK_AGAIN_S)


def _settings(env: Mapping[str, str]) -> Settings:
    """What the service's processes read from their environment; that of this process stays as it is."""
    return Settings(**{name.removeprefix(PREFIX).lower(): value for name, value in env.items()})  # type: ignore[arg-type]


def _environment(home: Path) -> dict[str, str]:
    edge, gateway = free_port(), free_port()
    return {
        **{f"{PREFIX}{name.upper()}_FILE": "" for name in SECRETS},  # a file would count more than what follows
        "TIEOUT_HOME": str(home.resolve()),
        "TIEOUT_DATABASE_URL": "",  # servers of its own, whatever this process has
        "TIEOUT_BROKER_URL": "",
        "TIEOUT_SIMULATED": "true",
        "TIEOUT_CLOCK_FILE": str((home / "clock").resolve()),
        "TIEOUT_GATEWAY_NAME": GATEWAY,
        "TIEOUT_GATEWAY_URL": f"http://127.0.0.1:{gateway}",
        "TIEOUT_GATEWAY_ORDERS_PATH": "",
        "TIEOUT_GATEWAY_SECRETS": f"j1:{secrets.token_hex(24)}",
        "TIEOUT_GATEWAY_API_SECRETS": f"a1:{secrets.token_hex(24)}",
        "TIEOUT_GATEWAYS_FILE": str(home / "no-other-gateways.toml"),
        "TIEOUT_SIMULATOR_PORT": str(gateway),
        "TIEOUT_EDGE_PORT": str(edge),
        "TIEOUT_ASK_PAUSE_S": "0",
        "TIEOUT_SWEEP_S": "0.2",
        "TIEOUT_FIRST_ANNOUNCE_S": "5",
    }


def _begin(own: Service, *, transactions: int, withhold: str, plot: Mapping[str, str]) -> None:
    port, edge = own.settings.simulator_port, own.settings.edge_port
    url = f"http://127.0.0.1:{edge}/webhooks/{GATEWAY}"
    options = {"transactions": str(transactions), "seed": str(own.seed), "withhold": withhold, "webhook-url": url}
    place = {"port": str(port), "home": str(own.home / "simulator"), "clock": str(own.settings.clock_file)}
    start_simulator(own, "simulator", {**place, **options, **plot})
    own.start("edge", "webhook")
    wait_until(lambda: _answers(f"http://127.0.0.1:{port}/control/status"), "the simulator", own.home)
    wait_until(lambda: _answers(f"http://127.0.0.1:{edge}/readyz"), "the edge", own.home)


def start_simulator(own: Service, name: str, options: Mapping[str, str]) -> None:
    """Start a simulator with the service's keys."""
    keys = {
        "SIMULATOR_JWT_SECRET": own.env["TIEOUT_GATEWAY_SECRETS"].partition(":")[2],
        "SIMULATOR_API_SECRET": own.env["TIEOUT_GATEWAY_API_SECRETS"].partition(":")[2],
    }
    words = [word for option, value in options.items() for word in (f"--{option}", value)]
    own.start(name, "simulator", *words, **keys)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def seconds(span: timedelta) -> float:
    """A span in seconds, for people."""
    return round(span.total_seconds(), 1)
