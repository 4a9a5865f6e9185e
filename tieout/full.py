"""Reconciling a day, a month or everything: range by range, by as many processes as wanted.

Nothing is remembered of how far a run came but what it wrote: what is judged is due no more, so a run
that died is continued by the next one. Live traffic goes on beside it.
"""

from __future__ import annotations

from collections import deque
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
from tieout.review import MANY, RANGE
from tieout.rules import Rules

__all__ = ["Done", "RangeFailedError", "Scope", "judge_scope"]

SIZE = 4_000  #: transactions paired by one statement and one commit

FEW = 20  #: transactions that are not worth sharing out

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
    """Pair every range, then judge what is left, each worker taking the next until nothing is left to do."""
    with ExitStack() as stack:
        others: list[RangeProcess] = []
        for _ in range(min(workers, len(parts)) - 1):
            others.append(RangeProcess(engine, run, others=others))
            stack.callback(others[-1].close)
        crew: list[Work] = [partial(carry_out, engine, run, tell=tell), *others]
        paired = _shared_out(crew, parts, each)
        judged = _shared_out(crew, _chunks(sorted(paired.left), len(crew)), each)
    return Done(paired.judged + judged.judged, paired.by_statement)


def _chunks(left: Sequence[int], crew: int) -> list[tuple[int, ...]]:
    """At most `RANGE` in each, and as many for each of the crew, unless they are few."""
    number = -(-len(left) // (RANGE * crew)) * crew
    size = max(FEW, -(-len(left) // max(number, 1)))
    return [tuple(left[start : start + size]) for start in range(0, len(left), size)]


def _shared_out(crew: Sequence[Work], tasks: Sequence[Task], each: Callable[[int], None]) -> Done:
    waiting = deque(tasks)
    with ThreadPoolExecutor(max_workers=len(crew)) as threads:
        began = [threads.submit(_drain, waiting, work, each) for work in crew[1:]]
        try:
            mine = _drain(waiting, crew[0], each)
            return reduce(add, (future.result() for future in began), mine)
        finally:
            waiting.clear()


def _drain(waiting: deque[Task], work: Work, each: Callable[[int], None]) -> Done:
    total = Done()
    while waiting:
        try:
            task = waiting.popleft()
        except IndexError:  # another worker was quicker
            break
        done = work(task)
        each(done.judged)
        total += done
    return total
