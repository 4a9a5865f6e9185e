"""A company's backend beside the console's own process and a simulated Gateway, for proofs over real HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests
from sqlalchemy import Engine

from config.servers import open_servers
from config.settings import Settings, child_environment
from store.engine import connect
from store.migrate import migrate
from tieout.callers import SCOPES, make

BOUND_S = 60.0
NAMES = ("SIMULATED_JWT", "SIMULATED_API", "SECOND_JWT", "SECOND_API")
SECRETS = {name: f"{name.lower()}-{uuid4().hex}{uuid4().hex}" for name in NAMES}
GATEWAYS = """
[[gateway]]
name = "simulated"
url = "{url}"
secrets_setting = "SIMULATED_JWT"
api_secrets_setting = "SIMULATED_API"
book = "test"
rate = 1000  # unlimited

[[gateway]]
name = "second"
url = "{url}"
secrets_setting = "SECOND_JWT"
api_secrets_setting = "SECOND_API"
book = "test"
rate = 1000  # unlimited

[[gateway]]
name = "crossed"
url = "{url}"
secrets_setting = "SIMULATED_API"
api_secrets_setting = "SIMULATED_JWT"
book = "test"
rate = 1000  # unlimited
"""


@dataclass
class Company:
    """A backend that calls, and everything secret that it ever sent or got."""

    url: str
    far_side: str
    engine: Engine
    token: str
    log: Path
    secrets: list[str] = field(default_factory=list)

    def post(self, path: str, document: object, *, token: str | None = None, key: str = "") -> requests.Response:
        """One call with a body."""
        bearer = self.token if token is None else token
        self.secrets.append(bearer.partition(".")[2])
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers |= {"Idempotency-Key": key} if key else {}
        return requests.post(f"{self.url}/api/v1{path}", json=document, headers=headers, timeout=30)

    def link(self, token: str, user: str = "user-2") -> requests.Response:
        """Link by an SDK token."""
        self.secrets.append(token)
        return self.post("/accounts/link", {"gateway": "simulated", "user": user, "smallcaseAuthToken": token})

    def mint(self, **more: str) -> requests.Response:
        """Ask for a connected token."""
        return self.post("/tokens", {"gateway": "simulated", "kind": "connected", **more})

    def create(self, key: str, gateway: str = "simulated") -> requests.Response:
        """Create a transaction."""
        return self.post("/transactions", {"gateway": gateway, "intent": "CONNECT", "user": "user-1"}, key=key)

    def key(self, *scopes: str) -> str:
        """A further API key."""
        with self.engine.begin() as connection:
            return make(connection, client="backend", scopes=scopes or list(SCOPES)).token


@contextmanager
def company_beside(folder: Path) -> Iterator[Company]:
    """A console, a database and a simulated Gateway in that folder, and a backend with a key for everything."""
    with ExitStack() as stack:
        far_side = stack.enter_context(_simulator(folder))
        settings = Settings(_env_file=None, home=folder / "home")
        servers = stack.enter_context(open_servers(settings))
        engine = connect(servers.database_url)
        stack.callback(engine.dispose)
        migrate(engine)
        with engine.begin() as connection:
            token = make(connection, client="backend", scopes=list(SCOPES)).token
        (folder / "gateways.toml").write_text(GATEWAYS.format(url=far_side))
        port, log = _free_port(), folder / "console.log"
        env = {f"TIEOUT_{name}": value for name, value in {
            "DATABASE_URL": servers.database_url, "BROKER_URL": servers.broker_url, "CONSOLE_PORT": str(port),
            "GATEWAYS_FILE": str(folder / "gateways.toml"), "HOME": str(folder / "home"),
        }.items()}  # fmt: skip
        keys = {name: f"k1:{secret}" for name, secret in SECRETS.items()}
        url = stack.enter_context(_running("console", [], {**env, **keys}, log, f"http://127.0.0.1:{port}", "/livez"))
        yield Company(url, far_side, engine, token, log)


@contextmanager
def _simulator(folder: Path) -> Iterator[str]:
    port = _free_port()
    options = {"port": port, "home": folder / "simulator", "clock": folder / "clock", "transactions": 5}
    options |= {"webhook-url": "http://127.0.0.1:1/", "date": "2024-01-17"}
    arguments = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    env = {"SIMULATOR_JWT_SECRET": SECRETS["SIMULATED_JWT"], "SIMULATOR_API_SECRET": SECRETS["SIMULATED_API"]}
    url = f"http://127.0.0.1:{port}"
    with _running("simulator", arguments, env, folder / "simulator.log", url, "/control/status") as up:
        yield up


@contextmanager
def _running(
    module: str, arguments: Sequence[str], env: Mapping[str, str], log: Path, url: str, live: str
) -> Iterator[str]:
    """A process of ours that answers, ended at the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 our own programs, no shell
            [sys.executable, "-m", module, *arguments], env=child_environment(env, own=False), stdout=out, stderr=out
        )
    try:
        _await(process, url + live, log)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _await(process: subprocess.Popen[Any], url: str, log: Path) -> None:
    until = time.monotonic() + BOUND_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise RuntimeError(f"it does not answer at {url}: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
