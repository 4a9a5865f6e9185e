"""Reconciling a day, a month or everything: range by range, by as many processes as wanted.

Nothing is remembered of how far a run came but what it wrote: what is judged is due no more, so a run
that died is continued by the next one. Live traffic goes on beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from functools import partial, reduce
from operator import add

from sqlalchemy import Engine

from store.scopes import Range, Scope, ranges
from store.verdicts import analyze, analyze_grown
from tieout.range_process import RangeFailedError, RangeProcess
from tieout.ranging import Done, Run, Task, Tell, carry_out, silent
from tieout.review import MANY
from tieout.rules import Rules
from tieout.tasks import Tasks

__all__ = ["Done", "RangeFailedError", "Scope", "judge_scope"]

SIZE = 4_000  #: transactions paired by one statement and one commit

Work = Callable[[Task], Done]


def judge_scope(
    engine: Engine,
    *,
    scope: Scope,
    now: datetime,
    rules: Rules,
    workers: int = 1,
    each: Callable[[int], None] | None = None,
    tell: Tell = silent,
) -> Done:
    """Judge what is due in the scope; what came of it is the same for any number of workers.

    One worker is this process, the others are processes of their own. `each` hears how many
    transactions were judged, from several threads; `tell` hears the points that this process passes:
    `opened`, those of `Tell`, `ended`. Raises `RangeFailedError`.
    """
    parts = _parts(engine, scope, now)
    tell("opened")
    run = Run(scope=scope, now=now, rules=rules)
    done = _carried_out(engine, run, parts, workers, each or (lambda _count: None), tell)
    if done.judged >= MANY:
        with engine.begin() as connection:
            analyze(connection)
    tell("ended")
    return done


def _parts(engine: Engine, scope: Scope, now: datetime) -> list[Range]:
    with engine.begin() as connection:
        parts = ranges(connection, scope, now=now, size=SIZE)
        if sum(part.due for part in parts) >= MANY:
            analyze_grown(connection)
        return parts


def _carried_out(
    engine: Engine, run: Run, parts: Sequence[Range], workers: int, each: Callable[[int], None], tell: Tell
) -> Done:
    """Pair every range and judge what is left, each worker taking the next until nothing is left to do."""
    with ExitStack() as stack:
        others: list[RangeProcess] = []
        for _ in range(min(workers, len(parts)) - 1):
            others.append(RangeProcess(engine, run, others=others))
            stack.callback(others[-1].close)
        crew: list[Work] = [partial(carry_out, engine, run, tell=tell), *others]
        return _shared_out(crew, Tasks(parts, len(crew)), each)


def _shared_out(crew: Sequence[Work], tasks: Tasks, each: Callable[[int], None]) -> Done:
    with ThreadPoolExecutor(max_workers=len(crew)) as threads:
        began = [threads.submit(_drain, tasks, work, each) for work in crew[1:]]
        mine = _drain(tasks, crew[0], each)
        return reduce(add, (future.result() for future in began), mine)


def _drain(tasks: Tasks, work: Work, each: Callable[[int], None]) -> Done:
    total = Done()
    try:
        while task := tasks.take():
            done = work(task)
            tasks.done(task, done.left)
            each(done.judged)
            total += done
    except BaseException:
        tasks.stop()
        raise
    return total
