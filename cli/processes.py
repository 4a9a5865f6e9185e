"""The service's processes as children: started, kept alive, ended together.

Each child leads its own process group, so that ending it ends what it started.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.leash import Leash
from config.settings import child_environment

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0  #: a child that lived so long starts again without a pause
GRACE_S = 30.0  #: from SIGTERM to SIGKILL; longer than the worker's soft shutdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process type: its name and how it is started."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Child:
    """One running program; a dead one is started again after a growing pause."""

    program: Program
    log: Path
    process: subprocess.Popen[bytes]
    started_at: float
    pause_s: float = FIRST_PAUSE_S
    restart_at: float | None = None


@dataclass(slots=True)
class Processes:
    """All children of one `tieout up`."""

    logs: Path
    leash: Leash
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)

    def start(self, program: Program) -> Child:
        """Start a program; its output goes to its own log file."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{program.name}.log"
        child = Child(program=program, log=log, process=self._spawn(program, log), started_at=time.monotonic())
        self.children.append(child)
        self._write_down()
        return child

    def tend(self) -> None:
        """Start again whatever has died, with a growing pause, and say so."""
        for child in self.children:
            self._tend(child, time.monotonic())

    def stop(self) -> None:
        """End all, last started first: ask, wait, then insist."""
        for child in reversed(self.children):
            _signal(child.process, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        for child in reversed(self.children):
            self._finish(child.process, deadline)
        self.children.clear()

    def _tend(self, child: Child, now: float) -> None:
        if (code := child.process.poll()) is None:
            return
        if child.restart_at is None:
            self.leash.release(child.process.pid)
            child.pause_s = FIRST_PAUSE_S if now - child.started_at > STEADY_S else child.pause_s * 2
            child.pause_s = min(child.pause_s, LONGEST_PAUSE_S)
            child.restart_at = now + child.pause_s
            self.say(
                f"{child.program.name} ended with {code}; starting it again in {child.pause_s:.0f} s, see {child.log}"
            )
        elif now >= child.restart_at:
            child.process, child.started_at, child.restart_at = self._spawn(child.program, child.log), now, None
            self._write_down()

    def _write_down(self) -> None:
        """Which process is which, for whoever looks after this machine."""
        pids = {child.program.name: child.process.pid for child in self.children}
        new = self.logs / "processes.json.new"
        new.write_text(json.dumps(pids))
        new.replace(self.logs / "processes.json")  # whole, whoever reads it just now

    def _spawn(self, program: Program, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 our own programs, no shell
                list(program.argv),
                env=child_environment(program.env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.leash.hold(process.pid)
        return process

    def _finish(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
        self.leash.release(process.pid)


def python(*arguments: str) -> tuple[str, ...]:
    """This interpreter with these arguments."""
    return (sys.executable, *arguments)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself in the meantime
        os.killpg(process.pid, number)
