"""Rounds that alternate: what the run is compared with, then the run, each on a fresh copy of the load."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, text

from bench.volume import statements
from bench.volume.load import Loaded
from bench.volume.made import RULES, evening
from bench.volume.memory import Watch
from bench.volume.place import Place, Say, engine_on
from config.settings import child_environment
from tieout.reconcile import reconcile

JOIN, COUNT, PAIR_IDS, RUN, JUDGED, ADDED_UP, SECOND, PEER = (
    *("counting join", "count(*)", "pair ids stored", "run", "of it judging"),
    *("shares and rupees", "run again", "datacompy"),
)
LIMIT_S = 3600.0
SINGLES = 100  #: single transactions judged again, one database transaction each


class RunFailedError(RuntimeError):
    """A program that was measured has failed; the message is its last words."""


@dataclass(slots=True)
class Measured:
    """One size: seconds of everything by round, memory, and what was left behind."""

    lines: int
    loaded: Loaded
    workers: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    memory_mb: Mapping[str, float] = field(default_factory=dict)
    single_ms: list[float] = field(default_factory=list)
    peer: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)  #: by the last run
    findings: Counter[str] = field(default_factory=Counter)
    not_found: int = 0  #: lines of a sample whose verdict is not found by the line
    second_judged: int = 0

    def median(self, name: str) -> float:
        """Seconds, over the rounds."""
        return median(self.seconds[name])

    def ratio(self, name: str, other: str = JOIN) -> float:
        """One median over another."""
        return self.median(name) / self.median(other)

    def note(self, name: str, seconds: float) -> None:
        """Keep the time of one round."""
        self.seconds.setdefault(name, []).append(seconds)


def measure(place: Place, lines: int, *, rounds: int, workers: int, peer: bool, say: Say) -> Measured:
    """Load so many lines and measure them; with `peer` datacompy too. Raises `RunFailedError`."""
    say(f"loading {lines} lines on each side")
    name, loaded = place.loaded(lines, say)
    found = Measured(lines=lines, loaded=loaded, workers=workers)
    for number in range(1, rounds + 1):
        with place.copied(name) as url, engine_on(url) as engine:
            _round(found, engine, url, peer=peer and number == 1)
            if number == rounds:
                _left_behind(found, engine)
        say(f"{lines} lines, round {number} of {rounds}: {_line(found)}")
    with place.copied(name) as url:
        found.memory_mb = _program("run", url, str(workers), watch=True)["memory_mb"]
    place.dropped(name)
    return found


def _round(found: Measured, engine: Engine, url: str, *, peer: bool) -> None:
    """Every figure once; the first query of all is not counted, it warms what the others read."""
    _timed(engine, statements.COUNTING_JOIN)
    for name, sql in (
        (JOIN, statements.COUNTING_JOIN),
        (COUNT, statements.PLAIN_COUNT),
        (PAIR_IDS, statements.PAIR_IDS),
    ):
        found.note(name, _timed(engine, sql))
    _timed(engine, statements.DROP_PAIR_IDS)
    if peer:
        _peer(found, url)
    found.said = _program("run", url, str(found.workers))
    found.note(RUN, found.said["s"])
    found.note(JUDGED, found.said["judged_s"])
    found.note(ADDED_UP, found.said["added_up_s"])
    again = _program("run", url, str(found.workers))
    found.note(SECOND, again["s"])
    found.second_judged += again["judged"]


def _timed(engine: Engine, sql: str) -> float:
    with engine.begin() as connection:
        connection.execute(text("set local statement_timeout = 0"))
        began = perf_counter()
        connection.execute(text(sql))
        if "create table" not in sql:
            return perf_counter() - began
    return perf_counter() - began  # with its commit


def _peer(found: Measured, url: str) -> None:
    said = _program("peer", url)
    found.peer = said.get("error") or said["name"]
    if "s" in said:
        found.note(PEER, said["s"])


def _program(name: str, url: str, *arguments: str, watch: bool = False) -> dict[str, Any]:
    """What one of our programs prints, and with `watch` the memory it took."""
    with subprocess.Popen(  # noqa: S603 our own program, no shell
        [sys.executable, "-m", f"bench.volume.{name}", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=child_environment({}),
    ) as process:  # fmt: skip
        watching = Watch(process.pid, url) if watch else None
        out, words = process.communicate(f"{url}\n", timeout=LIMIT_S)
    if process.returncode:
        raise RunFailedError(f"bench.volume.{name} ended with {process.returncode}: {words[-2000:]}")
    said: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return said | ({"memory_mb": watching.stop()} if watching else {})


def _left_behind(found: Measured, engine: Engine) -> None:
    """What the last run left, and what one transaction costs among it."""
    with engine.connect() as connection:
        found.findings = Counter({row.name: row.number for row in connection.execute(text(statements.FINDINGS))})
        found.not_found = sum(
            connection.execute(text(statements.NOT_FOUND.format(side=side, table=table))).scalar_one()
            for side, table in (("ours", "our_lines"), ("theirs", "their_lines"))
        )
    found.single_ms = [_single(engine, txn) for txn in _sample(engine)]


def _sample(engine: Engine) -> Sequence[int]:
    with engine.connect() as connection:
        return connection.execute(text(statements.SAMPLE), {"number": SINGLES}).scalars().all()


def _single(engine: Engine, txn: int) -> float:
    """Judge one transaction again, as when something about it has changed; milliseconds."""
    with engine.begin() as connection:
        connection.execute(text("update transactions set rev = rev + 1 where txn = :txn"), {"txn": txn})
    began = perf_counter()
    with engine.begin() as connection:
        reconcile(connection, txns=[txn], now=evening(), rules=RULES)
    return (perf_counter() - began) * 1000


def _line(found: Measured) -> str:
    return ", ".join(f"{name} {seconds[-1]:.2f} s" for name, seconds in found.seconds.items())
