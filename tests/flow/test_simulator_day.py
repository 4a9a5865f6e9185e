"""A played day over HTTP: holds, order, retries, files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.playing import Edge, Running, started, wait_for


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
    edge.secrets = [b"crossed"]
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
    names = {"instruments.csv", "transactions.csv", "orders.csv", "orders.xlsx", "positions.csv", "truth.json"}
    names |= {"corporate-actions.csv"}
    assert set(found[0][0]) == names


def test_the_log_tells_every_post(simulator: Running, edge: Edge) -> None:
    """One line a post, with instant, kind, transaction, status, answer and time; and the truth is told too."""
    simulator.play_all()
    posts = [line for line in map(json.loads, simulator.get("/control/log").splitlines()) if line["what"] == "post"]
    assert len(posts) == len(edge.bodies)
    assert {"instant", "kind", "transaction_id", "status", "answer", "ack_ms"} <= set(posts[0])
    assert simulator.get("/control/truth") == (simulator.home / "truth.json").read_bytes()


def a_call(simulator: Running) -> int:
    """The status of an API call without keys; 0 if the connection was reset."""
    try:
        return requests.get(f"{simulator.url}/v1/simulated/engine/transactiondetails", timeout=5).status_code
    except requests.ConnectionError:
        return 0


def test_the_far_side_can_be_down_and_up_again(simulator: Running) -> None:
    """Connections are reset, or every answer is 503, until it is switched on; each call is in the log."""
    assert a_call(simulator) == 401
    assert simulator.post("/control/down?how=reset") == 200
    assert a_call(simulator) == 0
    assert simulator.post("/control/down?how=503") == 200
    assert a_call(simulator) == 503
    assert simulator.post("/control/down?how=flood") == 400
    assert simulator.post("/control/up") == 200
    assert a_call(simulator) == 401
    calls = [json.loads(line) for line in simulator.get("/control/calls").splitlines()]
    assert [call["status"] for call in calls] == [401, 0, 503, 401]
    assert [call["instant"] for call in calls] == ["2026-11-18T03:30:00.000Z"] * 4
    assert [call["wall"] for call in calls] == sorted(call["wall"] for call in calls)
    assert simulator.status()["turned_away"] == 2


def test_calls_that_come_too_fast_are_refused(tmp_path: Path, edge: Edge) -> None:
    """By its own count, which the limit may be changed while it runs."""
    with started(tmp_path, edge, "--refuse-above", "3") as simulator:
        begun = time.monotonic()
        answers = [a_call(simulator) for _ in range(5)]
        assert time.monotonic() - begun > 1 or answers == [401, 401, 401, 429, 429]
        assert int(str(simulator.status()["refused"])) == answers.count(429)
        assert simulator.post("/control/limit?above=0") == 200
        assert a_call(simulator) == 401


def test_withheld_webhooks_are_never_posted_and_stand_in_the_log(tmp_path: Path, edge: Edge) -> None:
    """Posted and withheld together are all of them."""
    with started(tmp_path, edge, "--withhold", "0.25") as simulator:
        simulator.play_all()
        status = simulator.status()
        log = [json.loads(line) for line in simulator.get("/control/log").splitlines()]
    withheld = [line for line in log if line["what"] == "withheld"]
    assert len(withheld) > 10
    assert len(withheld) == status["withheld"]
    assert len(edge.bodies) == status["posted"] == status["to_post"]
    assert len(withheld) == round((len(withheld) + len(edge.bodies)) * 0.25)


def test_a_part_of_the_day_can_be_played(simulator: Running, edge: Edge) -> None:
    """Until an instant, and not beyond the next hold."""
    assert simulator.post("/control/advance?to=2026-11-18T06:30:00Z") == 200
    wait_for(lambda: simulator.status()["advancing"] is False)
    assert edge.clock.read_text() == "2026-11-18T06:30:00.000Z"
    assert edge.bodies
    assert edge.instants[-1] <= "2026-11-18T06:30:00.000Z"
    assert simulator.post("/control/advance?to=2026-11-18T12:30:00Z") == 409
    assert simulator.post("/control/advance?to=2026-11-18T01:30:00Z") == 400
    simulator.play_all()
    assert simulator.status()["posted"] == simulator.status()["to_post"]


def test_the_clock_can_run(simulator: Running, edge: Edge) -> None:
    """At sixty times the wall's speed webhooks come when they fall due; at 0 it stands again."""
    simulator.post("/control/advance?to=2026-11-18T04:00:00Z")
    wait_for(lambda: simulator.status()["advancing"] is False)
    before = len(edge.bodies)
    assert simulator.post("/control/speed?x=60") == 200
    wait_for(lambda: len(edge.bodies) > before)
    assert simulator.post("/control/speed?x=0") == 200
    stands = edge.clock.read_text()
    assert stands > "2026-11-18T04:00:00.000Z"
    assert all(at >= "2026-11-18T04:00" for at in edge.instants[before:])
    assert simulator.status()["instant"] == stands
    assert simulator.post("/control/speed?x=fast") == 400
