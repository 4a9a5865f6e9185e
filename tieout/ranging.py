"""What a large run consists of: ranges paired by the one statement, and what is left judged by the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from store.findings import findings_said
from store.matching import match_plain
from store.scopes import Range, Scope, Taken, take
from store.together import rows_of
from store.verdicts import drop_verdicts
from tieout.review import review
from tieout.rules import Rules

#: What a run tells of itself: `paired` before a range is committed, `committed` after it, `judged` after
#: each chunk of what is left.
Tell = Callable[[str], None]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run judges, by which rules, at which of the domain's instants, and into which table."""

    scope: Scope
    now: datetime
    rules: Rules
    into: str


@dataclass(frozen=True, slots=True)
class Done:
    """How many transactions were judged, and how many of those by the statement alone."""

    judged: int = 0
    by_statement: int = 0
    left: tuple[int, ...] = ()  #: due, and not covered by the statement

    def __add__(self, other: Done) -> Done:
        return Done(self.judged + other.judged, self.by_statement + other.by_statement, self.left + other.left)


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
    judged = review(engine, task, now=run.now, rules=run.rules, left=True)
    tell("judged")
    return Done(judged)


def _pair(engine: Engine, run: Run, part: Range, tell: Tell) -> Done:
    """Pair a range by the statement, in one database transaction; when that fails, all of it is left."""
    taken: list[Taken] = []
    covered: frozenset[int] = frozenset()
    try:
        with engine.begin() as connection:
            taken = take(connection, run.scope, part, now=run.now)
            covered = _covered(connection, run, [each for each in taken if each.quiet])
            tell("paired")
    except OperationalError:
        raise
    except DBAPIError as error:  # whatever one of them holds, the others must still be judged
        _log.warning("recon.range.failed", low=part.low, high=part.high, error=type(error).__name__)
        covered = frozenset()
    left = tuple(each.txn for each in taken if each.txn not in covered)
    return Done(len(covered), len(covered), left)


def _covered(connection: Connection, run: Run, quiet: Sequence[Taken]) -> frozenset[int]:
    if not quiet:
        return frozenset()
    known = [each.txn for each in quiet if each.judged]
    if known:
        drop_verdicts(connection, known)
    txns = [each.txn for each in quiet]
    covered = match_plain(connection, txns=txns, rule_set=run.rules.policy.name, now=run.now, into=run.into)
    if closing := sorted(covered.intersection(known)):
        rows_of(connection, findings_said(closing, [], now=run.now))
    return covered
