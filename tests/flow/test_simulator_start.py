"""How the simulator starts, refuses and serves."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playing import ENV, Edge, Running, command, free_port, started


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
