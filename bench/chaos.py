"""A simulated day with its broker emptied or frozen, its workers killed, its database restarted.

Everything is done from outside, to the processes of a `tieout up --once`, as an operator's bad day
would do it. What must come out is the digest of the same day undisturbed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis
import requests

from bench.days import Day, begin, unsettled
from config.servers import Servers, open_servers
from config.settings import Settings

FROZEN_S = 20.0
WATCH_S = 600.0
LOOK_AGAIN_S = 0.02
PROVOKE_S = 20.0  #: longest wait for a worker to be where we want it


class NeverHappenedError(Exception):
    """What was to be disturbed did not come about in time, so nothing was proved."""


@dataclass(frozen=True, slots=True)
class Victim:
    """A day that is being played, seen from outside."""

    home: Path
    servers: Servers
    killed: set[int] = field(default_factory=set)  #: workers; one stays a zombie until its parent looks

    def pid(self, program: str) -> int:
        """The process id of a program, which leads its group."""
        pids: Mapping[str, int] = json.loads((self.home / "logs" / "processes.json").read_text())
        return pids[program]

    def progress(self) -> float:
        """How much of the day is posted, from 0 to 1."""
        status = requests.get(f"{self._simulator}/control/status", timeout=5).json()
        return float(status["posted"]) / max(1.0, float(status["to_post"]))

    def count(self, sql: str) -> int:
        """One number out of the database."""
        with psycopg.connect(self.servers.database_url) as connection:
            row = connection.execute(sql).fetchone()
        return int(row[0]) if row else 0

    def wait_for(self, point: float) -> None:
        """Wait until so much of the day is posted. Raises `NeverHappenedError`."""
        _until(lambda: self.progress() >= point, f"{point:.0%} of the day", WATCH_S)

    @property
    def _simulator(self) -> str:
        settings = json.loads((self.home / "simulated.json").read_text())
        return f"http://127.0.0.1:{settings['TIEOUT_SIMULATOR_PORT']}"


Disturbance = Callable[[Victim], None]


def empty_broker(victim: Victim) -> None:
    """FLUSHALL."""
    with redis.Redis.from_url(victim.servers.broker_url) as client:
        client.flushall()


def freeze_broker(victim: Victim, frozen_s: float = FROZEN_S) -> None:
    """Stop the broker's process for a while; it then goes on where it was."""
    assert victim.servers.broker is not None  # a rehearsal's servers are embedded
    pid = victim.servers.broker.pid
    os.kill(pid, signal.SIGSTOP)
    time.sleep(frozen_s)
    os.kill(pid, signal.SIGCONT)


def restart_database(victim: Victim) -> None:
    """End PostgreSQL under load and start it again."""
    victim.servers.restart_postgres()


def kill_after_claim(victim: Victim) -> None:
    """SIGKILL for the worker's whole group as soon as it holds a claim."""
    before = _claims_of_a_living_worker(victim)
    _until(lambda: victim.count(_CLAIMS) > before, "a claim")
    _kill_worker(victim)


def kill_in_fetch(victim: Victim) -> None:
    """SIGKILL for the worker's group while the Gateway keeps it waiting for an answer."""
    simulator = victim.pid("simulator")
    _claims_of_a_living_worker(victim)
    os.kill(simulator, signal.SIGSTOP)
    try:
        _until(lambda: victim.count(_ASKING) > 0, "a question under way")
        _kill_worker(victim)
    finally:
        os.kill(simulator, signal.SIGCONT)


def kill_before_commit(victim: Victim) -> None:
    """SIGKILL for the worker's group while its effect waits for a lock that we hold."""
    _claims_of_a_living_worker(victim)
    with psycopg.connect(victim.servers.database_url) as connection:
        connection.execute("lock table verdicts in share mode")
        _until(lambda: victim.count(_COMMITTING) > 0, "an effect under way")
        _kill_worker(victim)


DISTURBANCES: Mapping[str, Disturbance] = {
    "broker emptied": empty_broker,
    "broker frozen 20 s": freeze_broker,
    "worker killed after claim": kill_after_claim,
    "worker killed in the fetch": kill_in_fetch,
    "worker killed before commit": kill_before_commit,
    "database restarted": restart_database,
}

_CLAIMS = "select count(*) from attempts where outcome = 'claimed'"
_ASKING = """
select count(*) from transactions
where lease_until is not null and asked_at > clock_timestamp() - interval '3 seconds'
"""  # a worker that was killed before takes longer than that to live again
_COMMITTING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and state = 'active'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A disturbed day, and what its database and its simulator's log say afterwards."""

    name: str
    day: Day
    at: tuple[float, ...]
    units: int
    claims: int
    cut_off: int  #: claims whose worker died or stalled before it could finish
    lost_events: int
    unsettled: int
    slowest_ack_ms: float

    @property
    def line(self) -> str:
        """One line for people."""
        points = " ".join(f"{point:.2f}" for point in self.at)
        return (
            f"{self.name}: at {points}; digest {str(self.day.said.get('digest'))[:16]}; {self.day.line};"
            f" units {self.units}, claims {self.claims}, cut off {self.cut_off};"
            f" acknowledged but missing {self.lost_events}, not settled {self.unsettled};"
            f" slowest acknowledgement {self.slowest_ack_ms:.0f} ms"
        )


def disturbed_day(home: Path, name: str, *, seed: int, transactions: int, points: int) -> Outcome:
    """Play that day and disturb it at seeded points of its first nine tenths."""
    draw = random.Random(f"{seed} {name}")
    at = sorted(draw.uniform(0.05, 0.9) for _ in range(points))
    return play_disturbed(
        home, name, [(point, DISTURBANCES[name]) for point in at], seed=seed, transactions=transactions
    )


def play_disturbed(
    home: Path, name: str, plan: Sequence[tuple[float, Disturbance]], *, seed: int, transactions: int
) -> Outcome:
    """Play that day and do what is planned when so much of it is posted, from 0 to 1.

    Raises `NeverHappenedError` when a disturbance found nothing to disturb.
    """
    playing = begin(home, seed=seed, transactions=transactions)
    try:
        with _victim(home / "once") as victim:
            for point, disturb in plan:
                victim.wait_for(point)
                disturb(victim)
        day = playing.finish()
    finally:
        if playing.process.poll() is None:
            playing.process.terminate()
            playing.process.wait()
    return _outcome(home / "once", name, day, tuple(point for point, _ in plan))


def _outcome(home: Path, name: str, day: Day, at: tuple[float, ...]) -> Outcome:
    log = (home / "simulator" / "log.jsonl").read_text().splitlines()
    posts = [line for line in map(json.loads, log) if line["what"] == "post"]
    acknowledged = {json.loads(post["answer"])["event"] for post in posts if post["status"] == requests.codes.ok}
    with open_servers(Settings(home=home)) as servers, psycopg.connect(servers.database_url) as connection:
        stored = {str(event) for (event,) in connection.execute("select event_id from events")}
        counts = (
            "select count(distinct txn), count(*) filter (where outcome = 'claimed'),"
            " count(*) filter (where outcome = 'lost') from attempts"
        )
        units, claims, cut_off = connection.execute(counts).fetchone() or (0, 0, 0)
    return Outcome(
        name=name,
        day=day,
        at=at,
        units=units,
        claims=claims,
        cut_off=cut_off,
        lost_events=len(acknowledged - stored),
        unsettled=unsettled(home.parent),
        slowest_ack_ms=max(post["ack_ms"] for post in posts),
    )


@contextmanager
def _victim(home: Path) -> Iterator[Victim]:
    """The day's processes, once they run; its servers are held so that they can be asked."""
    _until(lambda: (home / "logs" / "processes.json").exists() and _plays(home), "the day to begin", WATCH_S)
    with open_servers(Settings(home=home)) as servers:
        yield Victim(home, servers)


def _plays(home: Path) -> bool:
    settings = json.loads((home / "simulated.json").read_text())
    try:
        url = f"http://127.0.0.1:{settings['TIEOUT_SIMULATOR_PORT']}/control/status"
        return bool(requests.get(url, timeout=2).json()["phase"] == "playing")
    except (requests.RequestException, KeyError):
        return False


def _claims_of_a_living_worker(victim: Victim) -> int:
    """How many claims there are, once a worker lives that can make more: an earlier one may just have been killed."""
    _until(lambda: _lives(victim), "a worker to live")
    return victim.count(_CLAIMS)


def _lives(victim: Victim) -> bool:
    worker = victim.pid("worker")
    try:
        os.killpg(worker, 0)
    except ProcessLookupError:
        return False
    return worker not in victim.killed


def _kill_worker(victim: Victim) -> None:
    worker = victim.pid("worker")
    os.killpg(worker, signal.SIGKILL)
    victim.killed.add(worker)


def _until(condition: Callable[[], bool], what: str, limit_s: float = PROVOKE_S) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise NeverHappenedError(f"waited {limit_s:.0f} s for {what}")
        time.sleep(LOOK_AGAIN_S)
