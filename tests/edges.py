"""A real edge process for tests: started, spoken to over HTTP, stopped; and what it stored."""

from __future__ import annotations

import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests
from sqlalchemy import Engine, text

from config.embedded import free_port

GATEWAY = "acme"
SECRET = "api-secret-of-the-tests-0123456789"
JWT_SECRET = "jwt-secret-of-the-tests-9876543210"
BOUND_S = 30.0
ACCOUNT = "5f0321b5f3743c31d95abd35"


def order(number: int = 1, **more: object) -> dict[str, object]:
    """The content of an order webhook of its own transaction."""
    return {
        "batchId": f"{number:024x}",
        "transactionId": f"TRX_{number:032x}",
        "smallcaseAuthId": ACCOUNT,
        "status": "COMPLETED",
        "orders": [],
        **more,
    }


def signed(content: Mapping[str, object], *, stamp: object = None, secret: str = SECRET) -> dict[str, object]:
    """The content with a timestamp of now and its checksum."""
    stamp = datetime.now(UTC).isoformat() if stamp is None else stamp
    over = content.get("smallcaseAuthId", content.get("transactionId"))
    return {
        **content,
        "timestamp": stamp,
        "checksum": hmac.digest(secret.encode(), f"{stamp}{over}".encode(), "sha256").hex(),
    }


@dataclass(frozen=True, slots=True)
class RunningEdge:
    """An edge that answers on a loopback port."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """Where its gateway's webhooks go."""
        return f"http://127.0.0.1:{self.port}/webhooks/{GATEWAY}"

    def post(self, content: Mapping[str, object] | bytes, **options: object) -> requests.Response:
        """Post one webhook."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return requests.post(self.url, data=body, timeout=BOUND_S, **options)  # type: ignore[arg-type]

    def get(self, path: str) -> requests.Response:
        """Ask for a path of the edge."""
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=BOUND_S)

    def said(self) -> str:
        """Its log."""
        return self.log.read_text("utf-8", "replace")


@contextmanager
def edge(folder: Path, *, database_url: str, broker_url: str, **settings: str) -> Iterator[RunningEdge]:
    """Run an edge with these settings, ready when it is handed over, ended by SIGTERM."""
    port, log = free_port(), folder / f"edge-{time.monotonic_ns()}.log"
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")},
        "TIEOUT_DATABASE_URL": database_url,
        "TIEOUT_BROKER_URL": broker_url,
        "TIEOUT_GATEWAY_NAME": GATEWAY,
        "TIEOUT_GATEWAY_API_SECRETS": f"k1:{SECRET}",
        "TIEOUT_GATEWAY_SECRETS": f"j1:{JWT_SECRET}",
        "TIEOUT_EDGE_PORT": str(port),
        **settings,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "webhook"], env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    running = RunningEdge(port, process, log)
    try:
        until(lambda: process.poll() is not None or _answers(running))
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(BOUND_S)


def until(condition: Callable[[], bool], *, limit_s: float = BOUND_S) -> None:
    """Wait for a condition; fail when it has not come within the limit."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come"
        time.sleep(0.02)


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    """What a query finds."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def _answers(running: RunningEdge) -> bool:
    try:
        return running.get("/livez").ok
    except requests.ConnectionError:
        return False
