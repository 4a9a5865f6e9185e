"""What a large run consists of: ranges paired by the one statement, and what is left judged by the rules."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from store.findings import findings_said
from store.matching import Among, left_by_match
from store.scopes import Range, Scope, Taken, take
from store.together import rows_of
from tieout.review import review
from tieout.rules import Rules

#: What a run tells of itself: `paired` before a range is committed, `committed` after it, `judged` after
#: each chunk of what is left.
Tell = Callable[[str], None]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run judges, by which rules, and at which of the domain's instants."""

    scope: Scope
    now: datetime
    rules: Rules


@dataclass(frozen=True, slots=True)
class Done:
    """How many transactions were judged, and how many of those by the statement alone."""

    judged: int = 0
    by_statement: int = 0
    left: tuple[int, ...] = ()  #: due, and not covered by the statement; of one range, no sum has it

    def __add__(self, other: Done) -> Done:
        return Done(self.judged + other.judged, self.by_statement + other.by_statement)


#: A range to be paired, or transactions that the rules judge.
Task = Range | tuple[int, ...]


def silent(_point: str) -> None:
    """Tell nobody."""


def carry_out(engine: Engine, run: Run, task: Task, *, tell: Tell = silent) -> Done:
    """Pair what is due in a range and held by nobody else, or judge these transactions by the rules.

    Rows are locked while they are judged, so nothing newer is ever overwritten.
    """
    if isinstance(task, Range):
        done = _pair(engine, run, task, tell)
        tell("committed")
        return done
    with _uncollected():
        judged = review(engine, task, now=run.now, rules=run.rules, left=True)
    tell("judged")
    return Done(judged)


def _pair(engine: Engine, run: Run, part: Range, tell: Tell) -> Done:
    """Pair a range by the statement, in one database transaction; when that fails, all of it is left."""
    taken, left = Taken(), list[int]()
    try:
        with engine.begin() as connection:
            taken = take(connection, run.scope, part, now=run.now)
            left = _not_covered(connection, run, taken, part)
            tell("paired")
    except OperationalError:
        raise
    except DBAPIError as error:  # whatever one of them holds, the others must still be judged
        _log.warning("recon.range.failed", low=part.low, high=part.high, error=type(error).__name__)
        left = _listed(taken.quiet)
    covered = taken.number - len(left)
    return Done(covered, covered, (*left, *taken.others))


def _not_covered(connection: Connection, run: Run, taken: Taken, part: Range) -> list[int]:
    """The quiet that the statement leaves."""
    if not taken.number:
        return []
    among = Among(taken.quiet, taken.number, part.low, part.high)
    left = left_by_match(connection, among=among, rule_set=run.rules.policy.name)
    if closing := sorted(set(taken.said).difference(left)):
        rows_of(connection, findings_said(closing, [], now=run.now))
    return left


def _listed(array: str) -> list[int]:
    return [int(txn) for txn in array.strip("{}").split(",") if txn]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage: what a chunk holds lives until it is written, and looking takes a fifth of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
