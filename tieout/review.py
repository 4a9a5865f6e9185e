"""Judging again what has changed since it was judged, and what time alone may have changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from store.lines import renamed
from store.verdicts import analyze, due, judge_again, report_unjudged, take_due
from tieout.reconcile import reconcile
from tieout.rules import Rules
from tieout.shop import repeat
from tieout.state import refresh

__all__ = ["judge_again", "review", "review_due"]

RANGE = 200  #: transactions a database transaction: live traffic on them waits that long

MANY = 1000  #: after so many the planner's statistics are of another time

_log = structlog.get_logger()


def review_due(
    engine: Engine,
    *,
    now: datetime,
    rules: Rules,
    limit: int,
    gateway: str | None = None,
    each: Callable[[int], None] | None = None,
) -> int:
    """Judge at most `limit` transactions that are stale or whose time has come; how many were judged.

    Range by range, each committed by itself. What another worker holds is left to it, and what
    cannot be judged is reported and left, so that it never stops the rest. `each` hears of every range.
    """
    done, after = 0, 0
    while done < limit:
        with engine.connect() as connection:
            found = due(connection, now=now, after=after, limit=min(RANGE, limit - done), gateway=gateway)
        if not found:
            break
        after = found[-1]
        reviewed = review(engine, found, now=now, rules=rules)
        done += reviewed
        if each:
            each(reviewed)
    if done >= MANY:
        with engine.begin() as connection:
            analyze(connection)
    return done


def review(engine: Engine, txns: Sequence[int], *, now: datetime, rules: Rules, left: bool = False) -> int:
    """Judge those of these that are due and held by nobody else; how many.

    In one database transaction; when that fails, each by itself, and one that cannot be judged is reported.
    `left` says that the statement left them to the rules.
    """
    try:
        # Two that change siblings of one chain may wait for each other: the database ends one, which tries again.
        return repeat(engine.begin, partial(_judge, txns=txns, now=now, rules=rules, left=left))
    except OperationalError:  # the database is away or a lock was not to be had: nothing is wrong with these
        raise
    except Exception as error:  # noqa: BLE001 whatever one of them holds, the others must still be judged
        if len(txns) == 1:
            _report(engine, txns[0], error)
            return 0
    return sum(review(engine, [txn], now=now, rules=rules) for txn in txns)


def _judge(connection: Connection, txns: Sequence[int], *, now: datetime, rules: Rules, left: bool) -> int:
    taken = take_due(connection, txns=txns, now=now)
    if not taken:
        return 0
    for txn in renamed(connection, taken):
        refresh(connection, txn=txn, now=now, rules=rules)
    return reconcile(connection, txns=taken, now=now, rules=rules, left=left).judged


def _report(engine: Engine, txn: int, error: Exception) -> None:
    _log.error("recon.review.failed", txn=txn, error=type(error).__name__, exc_info=error)
    with engine.begin() as connection:
        report_unjudged(connection, txn=txn, detail=f"{type(error).__name__}: {error}"[:500])
