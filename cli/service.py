"""The service as programs: which processes it has, how each starts, when all are ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import requests

from cli.processes import Processes, Program, python
from cli.show import AWAY, Failure
from config.embedded import is_free
from config.settings import Settings

READY_S = 60.0
LOOK_AGAIN_S = 0.1


def edge(env: Mapping[str, str]) -> Program:
    """The edge: takes webhooks."""
    return Program(name="edge", argv=python("-m", "webhook"), env=env)


def worker(env: Mapping[str, str]) -> Program:
    """The worker: settles what the edge took."""
    return Program(name="worker", argv=python("-m", "worker"), env={**env, "REMAP_SIGTERM": "SIGQUIT"})


def beat(env: Mapping[str, str]) -> Program:
    """The schedule of periodic work."""
    return Program(name="beat", argv=python("-m", "worker", "beat"), env=env)


def console(env: Mapping[str, str]) -> Program:
    """The pages."""
    return Program(name="console", argv=python("-m", "console"), env=env)


def simulator(env: Mapping[str, str], *, folder: Path, clock: Path, options: Mapping[str, str]) -> Program:
    """The Gateway's stand-in."""
    named = {"home": str(folder), "clock": str(clock), **options}
    arguments = [word for name, value in named.items() for word in (f"--{name}", value)]
    return Program(name="simulator", argv=python("-m", "simulator", *arguments), env=env)


def check_ports(settings: Settings) -> None:
    """Refuse to start on a taken port, naming the setting that moves it. Raises `Failure`."""
    for name in ("edge_port", "console_port"):
        if not is_free(port := getattr(settings, name)):
            fix = f"stop what listens there, or set TIEOUT_{name.upper()} to another"
            raise Failure(AWAY, f"port {port} is taken: {fix}")


def wait_for(url: str, program: str, processes: Processes) -> None:
    """Wait until that address answers 200. Raises `Failure` with the log to look at."""
    wait_until(lambda: _answers(url), program, processes)


def wait_until(ready: Callable[[], bool], program: str, processes: Processes, *, limit_s: float = READY_S) -> None:
    """Wait for a condition while keeping the children alive. Raises `Failure` after the limit."""
    deadline = time.monotonic() + limit_s
    while not ready():
        processes.tend()
        if time.monotonic() > deadline:
            log = processes.logs / f"{program}.log"
            raise Failure(AWAY, f"{program} was not ready within {limit_s:.0f} s: see {log}")
        time.sleep(LOOK_AGAIN_S)


def _answers(url: str) -> bool:
    try:
        return bool(requests.get(url, timeout=2).status_code == requests.codes.ok)
    except requests.RequestException:
        return False
