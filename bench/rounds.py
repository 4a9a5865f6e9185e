"""How fast the edge takes webhooks, beside a bare route on the same server.

Rounds alternate between all targets, so that a busy moment of the machine hits each alike.
Afterwards every acknowledged id is looked for in the database.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from sqlalchemy import Engine, text

from bench.bodies import Requests
from bench.load import Load, run
from bench.targets import EDGE, EDGE_TWO, Place, Target
from config.servers import start_broker, start_postgres
from store.engine import connect
from store.migrate import migrate

NULL, BARE, VERIFIED, SINGLE = "null", "bare", "verified", "single"
NAMES: Final = (NULL, BARE, VERIFIED, EDGE, SINGLE, EDGE_TWO)
STORING: Final = (EDGE, SINGLE, EDGE_TWO)

LEAST_OF_BARE: Final = 0.30
LEAST_OF_SINGLE: Final = 1.3
LEAST_OF_GENERATOR: Final = 1.5
COMMITS_PER_GROUP: Final = 1.02  #: the database's own housekeeping commits now and then

_EVENT = re.compile(rb'"event":\s*"([0-9a-f-]{32,36})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int = 5
    round_s: float = 3.0
    connections: int = 64
    threads: int = 64
    least: int = 1000
    most: int = 60_000


SHORT: Final = Size(rounds=3, round_s=0.7, least=500, most=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One target over all rounds: answers a second, and latencies."""

    rate: int
    least: int
    most: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the edge's writer and the database counted."""

    groups: int = 0
    statements: int = 0
    rows: int = 0
    commits: int = 0  #: transactions that wrote, by the database's own numbering of them

    def plus(self, now: Counted, then: Counted) -> Counted:
        """This and what was counted between two instants."""
        return Counted(
            **{name: getattr(self, name) + getattr(now, name) - getattr(then, name) for name in self.names()}
        )

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """What is counted."""
        return tuple(one.name for one in fields(cls))


@dataclass(slots=True)
class Figures:
    """What was measured."""

    size: Size
    targets: dict[str, Target]
    acknowledged: set[str] = field(default_factory=set)
    not_ok: int = 0
    missing: int = 0
    edge: Counted = field(default_factory=Counted)

    def ratio(self, name: str, other: str) -> float:
        """The median over rounds of one target's rate over another's in the same round."""
        pairs = zip(self.targets[name].rates, self.targets[other].rates, strict=True)
        return median(one / two for one, two in pairs)

    def problems(self, *, speed: bool) -> list[str]:
        """What must not be; with `speed` also what is slower than promised."""
        found = [
            (self.missing > 0, f"{self.missing} acknowledged events are not stored"),
            (self.not_ok > 0, f"{self.not_ok} answers were not 200"),
            (
                self.edge.statements != self.edge.groups,
                f"{self.edge.statements} statements in {self.edge.groups} groups",
            ),
            (
                self.edge.commits > self.edge.groups * COMMITS_PER_GROUP + 10,
                f"{self.edge.commits} commits by the database",
            ),
            (speed and self.ratio(EDGE, BARE) < LEAST_OF_BARE, f"less than {LEAST_OF_BARE} of the bare route"),
            (speed and self.ratio(EDGE, SINGLE) < LEAST_OF_SINGLE, f"less than {LEAST_OF_SINGLE} of single commits"),
            (self.ratio(NULL, BARE) < LEAST_OF_GENERATOR, "the generator is too slow to measure the bare route"),
        ]
        return [message for wrong, message in found if wrong]

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {
            "ratio": round(self.ratio(EDGE, BARE), 3),
            "ratio_rounds": _rounded(self.targets[EDGE].rates, self.targets[BARE].rates),
            "over_single_commits": round(self.ratio(EDGE, SINGLE), 3),
            "generator_over_bare": round(self.ratio(NULL, BARE), 2),
            "groups": self.edge.groups,
            "statements_per_group": round(self.edge.statements / max(1, self.edge.groups), 3),
            "commits_per_group": round(self.edge.commits / max(1, self.edge.groups), 3),
            "rows_per_group": round(self.edge.rows / max(1, self.edge.groups), 1),
            "acknowledged": len(self.acknowledged),
            "missing": self.missing,
            "connections": self.size.connections,
            "targets": {name: asdict(found) for name, found in self.by_target().items()},
        }

    def by_target(self) -> dict[str, Summary]:
        """Medians and spread of each target."""
        return {name: _summary(target) for name, target in self.targets.items()}


def measure(size: Size, folder: Path, *, say: Callable[[str], None]) -> Figures:
    """Run all rounds on servers of their own in that folder, which are ended afterwards."""
    with _place(size, folder) as (place, engine), ExitStack() as stack:
        figures = Figures(size=size, targets={})
        for name in NAMES:
            figures.targets[name] = target = place.start(name)
            stack.callback(target.stop)
        numbers = {name: _warm(figures.targets[name], size) for name in NAMES}
        for round_number in range(1, size.rounds + 1):
            for name in NAMES:
                _round(figures, name, numbers[name], engine)
            say(f"round {round_number} of {size.rounds}: {_line(figures)}")
        figures.missing = len(figures.acknowledged - _stored(engine))
        return figures


@contextmanager
def _place(size: Size, folder: Path) -> Iterator[tuple[Place, Engine]]:
    with ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        postgres, broker = start_postgres(folder / "postgres"), start_broker(folder / "valkey")
        stack.callback(broker.stop)
        stack.callback(postgres.stop)
        engine = connect(postgres.url, application="tieout-bench")
        stack.callback(engine.dispose)
        migrate(engine)
        urls = {"database_url": postgres.url, "broker_url": broker.url}
        yield Place(**urls, folder=folder, threads=size.threads), engine


def _warm(target: Target, size: Size) -> int:
    """How many requests this target answers in one round."""
    rate = _load(target, size.least, size.connections).rate
    return int(min(size.most, max(size.least, rate * size.round_s)))


def _round(figures: Figures, name: str, number: int, engine: Engine) -> None:
    target = figures.targets[name]
    before = _counted(target, engine) if name == EDGE else Counted()
    load = _load(target, number, figures.size.connections)
    target.rates.append(load.rate)
    target.p50_ms.append(load.percentile_ms(50))
    target.p99_ms.append(load.percentile_ms(99))
    figures.not_ok += sum(not answer.startswith(b"HTTP/1.1 200 ") for answer in load.answers)
    if name in STORING:
        figures.acknowledged |= set(_events(load))
    if name == EDGE:
        figures.edge = figures.edge.plus(_counted(target, engine), before)


def _load(target: Target, number: int, connections: int) -> Load:
    requests = Requests(seed=secrets.randbits(31), now=datetime.now(UTC)).make(number)
    return run(target.port, requests, connections=connections)


def _events(load: Load) -> Iterator[str]:
    for answer in load.answers:
        if found := _EVENT.search(answer):
            yield found[1].decode().replace("-", "")


def _counted(target: Target, engine: Engine) -> Counted:
    """What was counted until now; asking takes one of the database's numbers itself."""
    with engine.begin() as connection:
        commits = int(connection.execute(text("select pg_current_xact_id()::text::bigint")).scalar_one())
    return Counted(
        groups=int(target.metric("tieout_edge_groups_total")),
        statements=int(target.metric("tieout_edge_statements_total")),
        rows=int(target.metric("tieout_edge_accepted_total") + target.metric("tieout_edge_duplicates_total")),
        commits=commits,
    )


def _stored(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return {found.hex for (found,) in connection.execute(text("select event_id from events"))}


def _summary(target: Target) -> Summary:
    return Summary(
        rate=round(median(target.rates)),
        least=round(min(target.rates)),
        most=round(max(target.rates)),
        p50_ms=round(median(target.p50_ms), 1),
        p99_ms=round(median(target.p99_ms), 1),
    )


def _rounded(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    return [round(one / other, 3) for one, other in zip(ones, others, strict=True)]


def _line(figures: Figures) -> str:
    return ", ".join(f"{name} {target.rates[-1]:,.0f}/s" for name, target in figures.targets.items())
