"""One range of transactions: paired by the one statement, the rest judged by the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from tieout.review import RANGE, review
from tieout.rules import Rules

#: What a run tells of itself: `paired` before a range's statement is committed, `committed` after it,
#: `judged` after each chunk of what is left.
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

    def __add__(self, other: Done) -> Done:
        return Done(self.judged + other.judged, self.by_statement + other.by_statement)


def silent(_point: str) -> None:
    """Tell nobody."""


def judge_range(engine: Engine, run: Run, part: Range, *, tell: Tell = silent) -> Done:
    """Judge what is due in the range and held by nobody else.

    The rows are locked while the statement pairs them, so nothing newer is ever overwritten; what is
    left is taken anew, some at a time, so that live traffic on it waits no longer than for a review.
    """
    taken, covered = _pair(engine, run, part, tell)
    tell("committed")
    left = [each.txn for each in taken if each.txn not in covered]
    judged = 0
    for some in _chunks(left):
        judged += review(engine, some, now=run.now, rules=run.rules)
        tell("judged")
    return Done(judged + len(covered), len(covered))


def _pair(engine: Engine, run: Run, part: Range, tell: Tell) -> tuple[list[Taken], frozenset[int]]:
    """What was due, and which of it the statement covered; a statement that fails covers nothing."""
    taken: list[Taken] = []
    try:
        with engine.begin() as connection:
            taken = take(connection, run.scope, part, now=run.now)
            covered = _covered(connection, run, [each for each in taken if each.quiet])
            tell("paired")
    except OperationalError:
        raise
    except DBAPIError as error:  # whatever one of them holds, the others must still be judged
        _log.warning("recon.range.failed", low=part.low, high=part.high, error=type(error).__name__)
        return taken, frozenset()
    return taken, covered


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


def _chunks(txns: Sequence[int]) -> Iterator[Sequence[int]]:
    return (txns[start : start + RANGE] for start in range(0, len(txns), RANGE))
