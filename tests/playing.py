"""A simulator process and an edge that takes its webhooks, for tests that play a day."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

BOUND_S = 30.0
ENV = {"SIMULATOR_JWT_SECRET": "one-secret", "SIMULATOR_API_SECRET": "another-secret"}


@dataclass
class Edge:
    """Takes webhooks, answers as told, remembers what came at which simulated instant."""

    clock: Path
    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    instants: list[str] = field(default_factory=list)
    refuse_next: int = 0
    secrets: list[bytes] = field(default_factory=lambda: [b"another-secret"])
    server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen, at the same port as before if there was one."""
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def answer(self, body: bytes) -> int:
        """The status of an answer."""
        if self.refuse_next:
            self.refuse_next -= 1
            return 503
        self.bodies.append(body)
        self.instants.append(self.clock.read_text())
        said = json.loads(body)
        signed = said["transactionId"] if "summary" in said else said["smallcaseAuthId"]
        message = f"{said['timestamp']}{signed}".encode()
        right = [hmac.new(secret, message, hashlib.sha256).hexdigest() for secret in self.secrets]
        return 200 if said.get("checksum") in right else 401


def _handler(edge: Edge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_POST(self) -> None:
            status = edge.answer(self.rfile.read(int(self.headers["content-length"])))
            self.wfile.write(b"HTTP/1.1 %d X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}" % status)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@dataclass
class Running:
    """A simulator process."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> bytes:
        """Ask it something."""
        reply = requests.get(self.url + path, timeout=5)
        reply.raise_for_status()
        return reply.content

    def status(self) -> dict[str, object]:
        """How the day stands."""
        return dict(json.loads(self.get("/control/status")))

    def post(self, path: str, **headers: str) -> int:
        """Steer it; the HTTP status."""
        return requests.post(self.url + path, headers=headers, timeout=5).status_code

    def until(self, phase: str, step: str) -> None:
        """Wait until it is there."""
        wait_for(lambda: (self.status()["phase"], self.status()["step"]) == (phase, step))

    def play_all(self) -> None:
        """The whole day, through both holds."""
        assert self.post("/control/play") == 200
        self.until("holding", "close")
        assert self.post("/control/continue") == 200
        self.until("holding", "evening")
        assert self.post("/control/continue") == 200
        self.until("done", "end")


def wait_for(look: Callable[[], bool]) -> None:
    """Look until it is so, for a bounded time."""
    deadline = time.monotonic() + BOUND_S
    while not look():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(folder: Path, edge: Edge, *more: str) -> Iterator[Running]:
    """A running simulator that answers; ended by SIGTERM, with status 0."""
    port = free_port()
    argv = command(folder, port, f"http://127.0.0.1:{edge.port}/webhooks/simulated", *more)
    process = subprocess.Popen(argv, env={**os.environ, **ENV})
    running = Running(f"http://127.0.0.1:{port}", folder / "home", process)
    try:
        wait_for(lambda: answers(running))
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def command(folder: Path, port: int, webhook_url: str, *more: str) -> list[str]:
    """How a simulator is started."""
    options = {
        "--port": port,
        "--home": folder / "home",
        "--clock": folder / "clock",
        "--webhook-url": webhook_url,
        "--seed": 4,
        "--transactions": 60,
    }
    words = [str(word) for pair in options.items() for word in pair]
    return [sys.executable, "-m", "simulator", *words, *more]


def answers(running: Running) -> bool:
    """Whether it is up."""
    assert running.process.poll() is None, "it ended by itself"
    try:
        return bool(running.status())
    except requests.ConnectionError:
        return False
