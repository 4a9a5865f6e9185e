"""A worker as in production, what it works on, and ways to hurt it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import redis
from sqlalchemy import Engine, text

from config.broker import BrokerAwayError, Sender
from tests.gateway_stub import Stub

ROOT = Path(__file__).parents[1]


def until(condition: Callable[[], object], *, seconds: float = 60.0) -> None:
    """Wait until it holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {condition}"
        time.sleep(0.05)


@dataclass
class Service:
    """A worker, what it works on, and ways to hurt it."""

    engine: Engine
    stub: Stub
    broker: redis.Redis
    sender: Sender
    environment: dict[str, str]
    log: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a worker, or what the arguments say, in a process group of its own."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker", *arguments],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End the whole group at once, as a power cut would."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End everything that was started."""
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)

    def put(self, count: int, *, announce: bool = True) -> list[str]:
        """Store events of so many transactions, and announce them as the edge does."""
        units = [f"demo:TRX_{uuid4().hex}" for _ in range(count)]
        with self.engine.begin() as connection:
            for unit in units:
                connection.execute(
                    text("""
                    insert into events (event_id, gateway, book, family, transaction_id, key_id, received_at,
                                        next_attempt_at)
                    values (gen_random_uuid(), 'demo', 'test', 'orders', :t, 'k1', :now,
                            clock_timestamp() + interval '1 s')"""),
                    {"t": unit.partition(":")[2], "now": datetime.now(UTC)},
                )
        if announce:
            self.announce(units)
        return units

    def announce(self, units: list[str]) -> None:
        """Announce as the edge does: if the broker is away, never mind."""
        with suppress(BrokerAwayError):
            self.sender.announce(units)

    def count(self, sql: str) -> int:
        """A number out of the database."""
        with self.engine.connect() as connection:
            return int(connection.execute(text(sql)).scalar_one())

    @property
    def open_events(self) -> int:
        """Events that are not done."""
        return self.count("select count(*) from events where state <> 'done'")

    def settled_once(self, count: int) -> None:
        """Every event is done, and each transaction was written for exactly once."""
        until(lambda: self.open_events == 0)
        assert self.count("select count(*) from events") == count
        assert self.count("select count(*) from attempts where outcome = 'done'") == count
        assert self.count("select count(*) from snapshots") == count
        assert self.count("select count(distinct txn) from snapshots") == count
        assert self.count("select count(*) from their_lines") == count
