"""A full run killed at seeded points and taken up again: what it says must be what an undisturbed run says.

The run is a process of its own, ended by SIGKILL from within at the n-th point it passes: before and
after a range's commit, after each chunk of judged transactions, between the indexes.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Engine, text

import tieout.full
from bench.volume.made import GATEWAY, RULES, Basket, evening
from bench.volume.place import Place, Say, engine_on, place
from config.settings import child_environment
from recon.digest import digest_of
from store.closed_days import PATIENCE
from store.days import Scope
from store.digests import canonical_texts
from store.engine import connect
from store.scopes import Scope as Everything
from tieout.full import judge_scope

SMALL_RANGE = 100  #: transactions a range, so that there are many points to be killed at
LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class Ground:
    """A database in which nothing is judged, to be copied."""

    place: Place
    loaded: str  #: name of that database
    lines: int

    @contextmanager
    def copy(self) -> Iterator[Engine]:
        """An engine on a copy of it, dropped at the end."""
        with self.place.copied(self.loaded) as url, engine_on(url) as engine:
            yield engine


@contextmanager
def ground(folder: Path, *, lines: int, say: Say, chosen: Sequence[Basket] | None = None) -> Iterator[Ground]:
    """A PostgreSQL of its own with so many lines of the Gateway's and the books that go with them.

    They are clones of the chosen transactions, or of all that `bench.volume` has.
    """
    with place(folder, say, chosen) as found:
        name, held = found.loaded(lines, say)
        yield Ground(found, name, held.theirs)


def digest_of_all(engine: Engine) -> str:
    """One digest over the digests of all days."""
    whole = sha256()
    with engine.connect() as connection:
        connection.execute(text(f"set statement_timeout = '{PATIENCE}'"))
        for day in connection.execute(text("select distinct trade_date from their_lines order by 1")).scalars().all():
            scope = Scope(gateway=GATEWAY.name, trade_date=day, book=GATEWAY.book)
            whole.update(digest_of(canonical_texts(connection, scope)).encode())
    return whole.hexdigest()


def judged_by(found: Ground, workers: int) -> str:
    """The digest after one run with so many processes."""
    with found.copy() as engine:
        run(engine, workers, now=evening())
        return digest_of_all(engine)


def points_of(found: Ground) -> int:
    """How many points an undisturbed run passes."""
    with found.copy() as engine:
        return int(run(engine, 1, now=evening()).stdout.split()[-1])


def killed_at(found: Ground, point: int) -> tuple[int, str]:
    """Transactions left unjudged by a run that is killed at that point, and the digest after the next run."""
    with found.copy() as engine:
        ended = run(engine, 1, now=evening(), die_at=point, check=False)
        if ended.returncode != -signal.SIGKILL:
            raise RuntimeError(f"the run was not killed at point {point}: {ended.stderr[-500:]}")
        with engine.connect() as connection:
            left = int(connection.execute(text("select count(*) from unjudged")).scalar_one())
        run(engine, 1, now=evening())
        return left, digest_of_all(engine)


def drawn(points: int, count: int, seed: int) -> Sequence[int]:
    """So many points to be killed at, all different if there are enough."""
    chance = random.Random(seed)
    return sorted(chance.sample(range(1, points + 1), min(count, points)))


def run(
    engine: Engine, workers: int, *, now: datetime, die_at: int = 0, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """A full run in a process of its own, killed at the n-th point it passes; it prints how many it passed."""
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "bench.resume", url, str(workers), str(die_at), now.isoformat()]
    return subprocess.run(  # noqa: S603 our own program, no shell
        command, env=child_environment({}), capture_output=True, text=True, check=check, timeout=LIMIT_S
    )


# ---------------------------------------------------------------- the run itself


class _Fuse:
    """Counts the points a run passes, and kills its process at one of them."""

    def __init__(self, die_at: int) -> None:
        self.passed, self._die_at = 0, die_at

    def __call__(self, _point: str) -> None:
        self.passed += 1
        if self.passed == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def _main(url: str, workers: int, die_at: int, now: datetime) -> None:
    tieout.full.SIZE = SMALL_RANGE
    engine = connect(url)
    fuse = _Fuse(die_at)
    judge_scope(engine, scope=Everything(), now=now, rules=RULES, workers=workers, tell=fuse)
    engine.dispose()
    print(fuse.passed)


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), datetime.fromisoformat(sys.argv[4]))
