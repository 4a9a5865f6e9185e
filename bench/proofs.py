"""What each figure is measured with: the functions that `bench.prove` runs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.chaos import DISTURBANCES, NeverHappenedError, disturbed_day
from bench.chaos import Outcome as Disturbed
from bench.days import Day, play, unsettled
from config.settings import child_environment

SEEDS = (1, 2, 3)
TRANSACTIONS = 2000
POINTS = 5
LIMIT_S = 600.0
NEWCOMER = "tieout-newcomer"
#: A webhook waits for its database; and who is stopped while a fetch hangs is the simulator, which holds the watch.
UNTIMED = ("database restarted", "worker killed in the fetch")
ACK_LIMIT_MS = 1000.0  #: an acknowledgement that waited for a broker frozen for 20 s takes longer


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a promise holds, and the figures as they came out."""

    held: bool
    lines: Sequence[str]


def days() -> Outcome:
    """Three seeds of the simulated day."""
    with _folder() as home:
        played = [play(home / str(seed), seed=seed, transactions=TRANSACTIONS) for seed in SEEDS]
        left = [unsettled(home / str(seed)) for seed in SEEDS]
    lines = [f"{day.line}; events neither settled nor put aside: {n}" for day, n in zip(played, left, strict=True)]
    lines += [
        f"  seed {d.seed} {name}: {c}"
        for d in played
        for name, c in d.said.get("truth", {}).get("by_break", {}).items()
    ]
    return Outcome(all(day.clean for day in played) and not any(left), lines)


def chaos(transactions: int = TRANSACTIONS, points: int = POINTS) -> Outcome:
    """One undisturbed day, then the same day under each disturbance."""
    with _folder() as home:
        calm = play(home / "calm", seed=1, transactions=transactions)
        lines, held = [f"undisturbed: digest {str(calm.said.get('digest'))[:16]}; {calm.line}"], calm.clean
        for name in DISTURBANCES:
            try:
                seen = disturbed_day(
                    home / name.replace(" ", "-"), name, seed=1, transactions=transactions, points=points
                )
            except NeverHappenedError as error:
                lines, held = [*lines, f"{name}: {error}"], False
                continue
            held = held and _as_if_calm(seen, calm) and _was_in_flight(seen)
            lines.append(seen.line)
    return Outcome(held, lines)


def _as_if_calm(seen: Disturbed, calm: Day) -> bool:
    same = seen.day.said.get("digest") == calm.said.get("digest")
    quick = seen.slowest_ack_ms < ACK_LIMIT_MS or seen.name in UNTIMED
    return same and quick and seen.day.clean and not seen.lost_events and not seen.unsettled


def _was_in_flight(seen: Disturbed) -> bool:
    """A worker that is killed cuts claims off; the other disturbances need only find work to do."""
    return seen.claims > seen.units and (seen.cut_off > 0 or "killed" not in seen.name)


def newcomer() -> Outcome:
    """A clone in an empty environment, as root and as an ordinary user."""
    users = [None, NEWCOMER] if os.geteuid() == 0 else [None]
    outcomes = [_as_newcomer(user) for user in users]
    skipped = [] if len(users) > 1 else ["SKIPPED: not root, so no second user was tried"]
    return Outcome(all(o.held for o in outcomes), [line for o in outcomes for line in o.lines] + skipped)


def tokens() -> Outcome:
    """The sample tokens, and the two secrets at the simulator."""
    return _tested("-k", "token or secret")


def hostile() -> Outcome:
    """A thousand hostile requests beside good traffic."""
    return _tested("tests/chaos", "-k", "hostile", env={"TIEOUT_TEST_HOSTILE": "1000"})


def ingest() -> Outcome:
    """The edge beside a bare route."""
    return _ran([sys.executable, "-m", "cli.main", "bench", "ingest"])


def _tested(*arguments: str, env: dict[str, str] | None = None) -> Outcome:
    return _ran([sys.executable, "-m", "pytest", "-q", "-rA", "--no-header", *arguments], env)


def _ran(command: Sequence[str], env: dict[str, str] | None = None) -> Outcome:
    done = subprocess.run(  # noqa: S603 our own programs, no shell
        command, capture_output=True, text=True, check=False, env=child_environment(env or {})
    )
    return Outcome(done.returncode == 0, _last_lines(done.stdout + done.stderr, 60))


def _as_newcomer(user: str | None) -> Outcome:
    with _folder(user) as folder:
        clone = folder / "a clone"
        subprocess.run(["git", "clone", "-q", str(Path.cwd()), str(clone)], check=True)  # noqa: S603, S607
        if user:
            subprocess.run(["chown", "-R", user, str(folder)], check=True)  # noqa: S603, S607
        return _commands(clone, user)


def _commands(clone: Path, user: str | None) -> Outcome:
    lines, held = [], True
    for command in (["make", "run", "ARGS=--once"], ["make", "test"]):
        started = time.monotonic()
        done = subprocess.run(  # noqa: S603 the README's own commands
            command,
            cwd=clone,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(clone.parent), **_registry()},
            user=user,
            capture_output=True,
            text=True,
            check=False,
        )
        took_s = time.monotonic() - started
        held = held and done.returncode == 0 and took_s < LIMIT_S
        lines += [f"{user or 'root'}: {' '.join(command)}: exit {done.returncode}, {took_s:.0f} s"]
        lines += [f"    {line}" for line in _last_lines(done.stdout + done.stderr, 4 if done.returncode == 0 else 40)]
    return Outcome(held, lines)


def _registry() -> dict[str, str]:
    """Where packages come from, if this machine says so in its environment."""
    return {name: value for name, value in child_environment({}).items() if name.startswith("PIP_")}


def _last_lines(text: str, count: int) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()][-count:]


class _folder:  # noqa: N801 used as a function is
    """A folder that a user can reach, removed at the end; the user is made if there is none."""

    def __init__(self, user: str | None = None) -> None:
        self._user = user

    def __enter__(self) -> Path:
        if self._user:
            _make_user(self._user)
        self._path = Path(tempfile.mkdtemp(prefix="tieout-prove-"))
        self._path.chmod(0o755)
        return self._path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


def _make_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", name], check=True)  # noqa: S603, S607
