"""A played day against a real edge over HTTP: holds, order, retries, files."""

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

import pytest
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
    secret: bytes = b"another-secret"
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
        message = (said["timestamp"] + said["smallcaseAuthId"]).encode()
        right = hmac.new(self.secret, message, hashlib.sha256).hexdigest()
        return 200 if said.get("checksum") == right else 401


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


@pytest.fixture(name="edge")
def _edge(tmp_path: Path) -> Iterator[Edge]:
    """An edge that listens."""
    edge = Edge(clock=tmp_path / "clock")
    edge.start()
    yield edge
    edge.stop()


@pytest.fixture(name="simulator")
def _simulator(tmp_path: Path, edge: Edge) -> Iterator[Running]:
    """A simulator with a day of 60 transactions for that edge."""
    with started(tmp_path, edge) as running:
        yield running


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


def test_a_day_waits_to_be_played_with_its_clock_set(simulator: Running, edge: Edge) -> None:
    """Before anything is posted the clock says 09:00 in India, and instruments and truth are there."""
    assert simulator.status()["phase"] == "ready"
    assert edge.clock.read_text() == "2026-11-18T03:30:00.000Z"
    names = {file["name"] for file in json.loads(simulator.get("/control/files"))}
    assert names == {"instruments.csv", "truth.json", "log.jsonl"}
    assert simulator.post("/control/continue") == 409
    assert edge.bodies == []


def test_a_day_holds_at_the_close_and_in_the_evening(simulator: Running, edge: Edge) -> None:
    """It goes on only when told, and each hold has its files before it is announced."""
    simulator.post("/control/play")
    assert simulator.post("/control/play") == 409
    simulator.until("holding", "close")
    assert edge.clock.read_text() == "2026-11-18T10:15:00.000Z"
    by_day = len(edge.bodies)
    at_close = (simulator.home / "transactions.csv").read_bytes()
    assert not (simulator.home / "orders.csv").exists()
    simulator.post("/control/continue")
    simulator.until("holding", "evening")
    assert edge.clock.read_text() == "2026-11-18T14:35:00.000Z"
    assert len(edge.bodies) > by_day
    assert (simulator.home / "transactions.csv").read_bytes().startswith(at_close)
    assert (simulator.home / "orders.xlsx").exists()
    simulator.post("/control/continue")
    simulator.until("done", "end")
    status = simulator.status()
    assert status["posted"] == status["to_post"] == len(edge.bodies)
    assert status["faults"] == 0


def test_each_webhook_comes_at_its_own_instant(simulator: Running, edge: Edge) -> None:
    """The clock is moved before a post and stands while it is answered; a new signature bears its instant."""
    simulator.play_all()
    assert edge.instants == sorted(set(edge.instants))
    fresh = [json.loads(b)["timestamp"] == at for b, at in zip(edge.bodies, edge.instants, strict=True)]
    assert sum(fresh) > 0.9 * len(fresh)


def test_an_edge_that_is_away_changes_nothing(tmp_path: Path, edge: Edge) -> None:
    """503, a refused connection and a restart in mid-day: every webhook comes once more, in the same order."""
    with started(tmp_path, edge) as simulator:
        simulator.play_all()
        undisturbed, edge.bodies = edge.bodies, []
    with started(tmp_path, edge) as simulator:
        edge.refuse_next = 5
        simulator.post("/control/play")
        wait_for(lambda: len(edge.bodies) > 20)
        edge.stop()
        wait_for(lambda: int(str(simulator.status()["retries"])) > 7)
        edge.start()
        simulator.until("holding", "close")
        simulator.post("/control/continue")
        simulator.until("holding", "evening")
        assert simulator.status()["faults"] == 0
    assert list(dict.fromkeys(edge.bodies)) == list(dict.fromkeys(undisturbed))


def test_an_answer_that_is_not_expected_is_a_fault(tmp_path: Path, edge: Edge) -> None:
    """A good webhook answered 4xx, here because the edge has another secret, is recorded as a fault."""
    edge.secret = b"crossed"
    with started(tmp_path, edge) as simulator:
        simulator.play_all()
        status = simulator.status()
        lines = [json.loads(line) for line in simulator.get("/control/log").splitlines()]
    faults = [line for line in lines if line["what"] == "fault"]
    assert len(faults) == status["faults"] == len(edge.bodies) - 1  # the forged one is refused rightly
    assert "expected 200" in faults[0]["problem"]


def test_two_runs_of_a_seed_write_the_same_files(tmp_path: Path, edge: Edge) -> None:
    """Every file but the log, byte for byte; and the same webhooks in the same order."""
    found = []
    for _ in range(2):
        edge.bodies = []
        with started(tmp_path, edge) as simulator:
            simulator.play_all()
            files = {path.name: path.read_bytes() for path in simulator.home.iterdir() if path.name != "log.jsonl"}
        found.append((files, edge.bodies))
    assert found[0] == found[1]
    assert set(found[0][0]) == {"instruments.csv", "transactions.csv", "orders.csv", "orders.xlsx", "truth.json"}


def test_the_log_tells_every_post(simulator: Running, edge: Edge) -> None:
    """One line a post, with instant, kind, transaction, status, answer and time; and the truth is told too."""
    simulator.play_all()
    posts = [line for line in map(json.loads, simulator.get("/control/log").splitlines()) if line["what"] == "post"]
    assert len(posts) == len(edge.bodies)
    assert {"instant", "kind", "transaction_id", "status", "answer", "ack_ms"} <= set(posts[0])
    assert simulator.get("/control/truth") == (simulator.home / "truth.json").read_bytes()


def test_a_page_of_another_host_is_refused(simulator: Running) -> None:
    """The control answers this machine's names alone, and no page of another site may steer it."""
    assert simulator.post("/control/play", Host="evil.example") == 403
    assert simulator.post("/control/play", **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert b"<h1>" in simulator.get("/")


@pytest.mark.parametrize(
    ("environment", "more", "says"),
    [
        ({"SIMULATOR_JWT_SECRET": "same", "SIMULATOR_API_SECRET": "same"}, (), "are the same"),
        ({"SIMULATOR_JWT_SECRET": "one", "SIMULATOR_API_SECRET": ""}, (), "set SIMULATOR_JWT_SECRET"),
        (ENV, ("--date", "2026-11-22"), "choose a weekday"),
    ],
)
def test_a_wrong_start_says_what_to_do(
    tmp_path: Path, environment: dict[str, str], more: tuple[str, ...], says: str
) -> None:
    """Exit 2 and one line, no traceback."""
    argv = command(tmp_path, free_port(), "http://127.0.0.1:9/", *more)
    ended = subprocess.run(
        argv, env={**os.environ, **environment}, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_taken_port_says_so(tmp_path: Path, edge: Edge) -> None:
    """Exit 3 and one line."""
    argv = command(tmp_path, edge.port, "http://127.0.0.1:9/")
    ended = subprocess.run(argv, env={**os.environ, **ENV}, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 3
    assert "choose another --port" in ended.stderr


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: many\r\n\r\n",
        b"x" * 40_000,
    ],
)
def test_bytes_that_are_no_request_are_answered_400(simulator: Running, sent: bytes) -> None:
    """And the connection is closed; the next one is served."""
    port = int(simulator.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(sent)
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400")
    assert simulator.status()["phase"] == "ready"


def test_one_connection_serves_several_requests_in_order(simulator: Running) -> None:
    """Two requests sent at once on one connection, the second in pieces, get two answers."""
    port = int(simulator.url.rsplit(":", 1)[1])
    one = b"GET /control/status HTTP/1.1\r\nhost: localhost\r\n\r\n"
    two = b"GET /nowhere HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(one + two[:20])
        connection.sendall(two[20:])
        said = connection.makefile("rb").read()
    assert said.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 404" in said
