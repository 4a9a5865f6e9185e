"""The processes that are measured: the edge as in production, and what it is compared with."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests

from bench.bodies import GATEWAY, SECRET
from bench.serve import DATABASE, KEYS
from config.embedded import free_port
from config.settings import child_environment

READY_S = 60.0
STOP_S = 30.0
EDGE, EDGE_TWO = "edge", "edge-two-processes"


class TargetError(Exception):
    """A measured process did not start; the message says where its log is."""


@dataclass(slots=True, kw_only=True)
class Target:
    """One running process and what was measured of it."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    metrics_ports: tuple[int, ...] = ()
    rates: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def metric(self, name: str) -> float:
        """A counter of the edge, summed over its processes."""
        pages = (requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text for port in self.metrics_ports)
        return sum(float(found[1]) for page in pages if (found := re.search(rf"^{name} (\S+)$", page, re.MULTILINE)))

    def stop(self) -> None:
        """End it and wait."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOP_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the targets find their servers and keep their logs."""

    database_url: str
    broker_url: str
    folder: Path
    threads: int

    def start(self, name: str) -> Target:
        """Start a target and wait until it answers. Raises `TargetError`."""
        port, metrics = free_port(), tuple(free_port() for _ in range(2 if name == EDGE_TWO else 1))
        command = (
            ("-m", "webhook") if name in (EDGE, EDGE_TWO) else ("-m", "bench.serve", name, str(port), str(self.threads))
        )
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 our own programs
                [sys.executable, *command],
                env=self._environment(name, port, metrics[0]),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        ports = tuple(metrics[0] + n for n in range(len(metrics))) if name in (EDGE, EDGE_TWO) else ()
        target = Target(name=name, port=port, process=process, log=log, metrics_ports=ports)
        _wait(target)
        return target

    def _environment(self, name: str, port: int, metrics_port: int) -> Mapping[str, str]:
        ours = {
            KEYS: f"k1:{SECRET}",
            DATABASE: self.database_url,
            "TIEOUT_DATABASE_URL": self.database_url,
            "TIEOUT_BROKER_URL": self.broker_url,
            "TIEOUT_GATEWAY_NAME": GATEWAY,
            "TIEOUT_GATEWAY_API_SECRETS": f"k1:{SECRET}",
            "TIEOUT_GATEWAY_SECRETS": "j1:never-used-here",
            "TIEOUT_EDGE_PORT": str(port),
            "TIEOUT_EDGE_THREADS": str(self.threads),
            "TIEOUT_EDGE_PROCESSES": "2" if name == EDGE_TWO else "1",
            "TIEOUT_EDGE_METRICS_PORT": str(metrics_port),
        }
        return child_environment(ours, own=False)


def _wait(target: Target) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and target.process.poll() is None:
        try:
            requests.get(f"http://127.0.0.1:{target.port}/livez", timeout=2)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise TargetError(f"{target.name} did not start: see {target.log}")
