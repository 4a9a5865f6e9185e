"""Keeps one embedded server: starts it, brings it back when it dies, ends it when nobody uses it.

Run as a program of its own with a plan in JSON as its only argument; it needs the standard library
alone. Who uses the server holds a shared lock on the `holders` file. The kernel drops that lock
however its holder ends, SIGKILL included, so a server never outlives the last of its users.

Signals: SIGUSR2, it answered, from now on bring it back when it dies; SIGUSR1, restart it;
SIGALRM, look at once whether anybody still uses it; SIGTERM or SIGINT, end it and leave.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

LOOK_EVERY_S = 0.25
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 30.0
STEADY_S = 30.0  #: a server that lived so long is started again at once
TAKEN = 75  #: exit code when another guard keeps this server already
_PR_SET_PDEATHSIG = 1
_HEARD = frozenset({signal.SIGCHLD, signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2})


@dataclass(frozen=True)
class Plan:
    """What to run and how to end it; read from JSON."""

    argv: list[str]
    cwd: str
    folder: str  #: holds the files `holders`, `guard` and `pid`
    stops: list[tuple[int, float]]  #: signals to end it, each with the seconds to wait for it
    uid: int | None = None
    gid: int | None = None
    stdin: str = os.devnull


@dataclass
class Guard:
    """One server and what is known of it."""

    plan: Plan
    pid: int = 0
    answered: bool = False
    started_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    restart_at: float | None = None

    def run(self) -> int:
        """Keep the server until nobody uses it; the exit code is 0 unless it never came up."""
        self.start()
        while True:
            heard = signal.sigwait(_HEARD)
            if heard in (signal.SIGTERM, signal.SIGINT) or (heard == signal.SIGALRM and self._unused()):
                self.stop()
                return 0
            if heard == signal.SIGCHLD and self._died() and not self.answered:
                return 1
            self._attend(heard)

    def start(self) -> None:
        """Start the server as our child and write down its process id."""
        self.pid = os.fork()
        if self.pid == 0:
            _become(self.plan)
        self.started_at, self.restart_at = time.monotonic(), None
        self._write_down()

    def stop(self) -> None:
        """End the server, asking first; return when it is gone."""
        for number, wait_s in self.plan.stops:
            if self.pid:
                os.kill(self.pid, number)
                os.kill(self.pid, signal.SIGCONT)  # one that is stopped hears nothing else
                self._wait(wait_s)
        self._write_down()

    def _attend(self, heard: int) -> None:
        if heard == signal.SIGUSR2:
            self.answered = True
        elif heard == signal.SIGUSR1:
            self.stop()
            self.start()
        elif self.restart_at is not None and time.monotonic() >= self.restart_at:
            self.start()

    def _unused(self) -> bool:
        try:
            fcntl.flock(_open(self.plan, "holders"), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _died(self) -> bool:
        """Whether the server ended by itself; then it is due to start again after a growing pause."""
        if not self.pid or os.waitpid(self.pid, os.WNOHANG)[0] != self.pid:
            return False
        now = time.monotonic()
        self.pause_s = FIRST_PAUSE_S if now - self.started_at > STEADY_S else min(self.pause_s * 2, LONGEST_PAUSE_S)
        self.pid, self.restart_at = 0, now + self.pause_s
        return True

    def _wait(self, wait_s: float) -> None:
        deadline = time.monotonic() + wait_s
        while os.waitpid(self.pid, os.WNOHANG)[0] != self.pid:
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        self.pid = 0

    def _write_down(self) -> None:
        folder = Path(self.plan.folder)
        (folder / "pid.new").write_text(json.dumps({"guard": os.getpid(), "server": self.pid}))
        (folder / "pid.new").replace(folder / "pid")


_OPENED: dict[str, int] = {}


def _open(plan: Plan, name: str) -> int:
    """The descriptor of a lock file, opened once: closing it would drop the lock."""
    if name not in _OPENED:
        _OPENED[name] = os.open(Path(plan.folder) / name, os.O_RDWR | os.O_CREAT, 0o600)
    return _OPENED[name]


def _become(plan: Plan) -> None:
    """In the child: give up rights, die with the guard, become the server. Never returns."""
    try:
        os.dup2(os.open(plan.stdin, os.O_RDONLY), 0)
        if plan.uid is not None and plan.gid is not None:
            os.setgroups([])
            os.setgid(plan.gid)
            os.setuid(plan.uid)
        if sys.platform == "linux":  # even a guard that is killed leaves no orphan
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, plan.stops[0][0])
        os.chdir(plan.cwd)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execv(plan.argv[0], plan.argv)  # noqa: S606 a fixed program, no shell
    except OSError as error:
        sys.stderr.write(f"FATAL:  cannot start {plan.argv[0]}: {error.strerror}\n")
        sys.stderr.flush()
    os._exit(127)


def main() -> int:
    """Read the plan, make sure to be the only guard, keep the server."""
    read = json.loads(sys.argv[1])
    plan = Plan(**{**read, "stops": [(int(number), float(wait_s)) for number, wait_s in read["stops"]]})
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        fcntl.flock(_open(plan, "guard"), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return TAKEN
    signal.setitimer(signal.ITIMER_REAL, LOOK_EVERY_S, LOOK_EVERY_S)
    return Guard(plan).run()


if __name__ == "__main__":
    sys.exit(main())
