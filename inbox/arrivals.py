"""The group commit: concurrent requests wait while one statement saves them all.

One thread a process holds the one connection that writes. A group that fails for the content of a
row is saved row by row, so that a bad row refuses only itself. While the database is away requests
wait for it to come back, but never so many that none is left to say that the edge lives.
"""

from __future__ import annotations

import threading
import time
from _thread import allocate_lock
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from queue import Empty, SimpleQueue
from typing import Final
from uuid import UUID

import structlog

from config.queues import FUNDS_UNIT, HOLDINGS_UNIT
from store.arrivals import ACCEPTED, DUPLICATE, REUSED, Arrival, BadRowError, CannotSaveError, Saver
from store.engine import driver_url

__all__ = ["ACCEPTED", "DUPLICATE", "NOT_STORABLE", "REUSED", "Arrival", "CannotSaveError", "Saver", "Writer", "saver"]

NOT_STORABLE: Final = "n"  #: the database refuses the content of this row alone

GROUP_ROWS: Final = 512
GROUP_BYTES: Final = 16 << 20
RECONNECT_S: Final = 0.25
IDLE_S: Final = 0.5
BUSY_ROWS: Final = 4  #: a group of so many says that more are on their way
GATHER_S: Final = 0.002  #: halves the statements of a busy edge; between 0 and 8 ms its rate hardly changes

log = structlog.get_logger(__name__)


class Waiting:
    """One request that waits for its row to be durable.

    The writer wakes only the first of a group, and each wakes the next: woken all at once, they would
    do nothing but fight over the interpreter.
    """

    __slots__ = ("arrival", "gone", "lock", "outcome", "successor")

    def __init__(self, arrival: Arrival) -> None:
        """Take the row; `outcome` and `successor` are set before the lock is released."""
        self.arrival = arrival
        self.gone = False  #: the request has given up
        self.outcome: str | None = None
        self.successor: Waiting | None = None
        self.lock = allocate_lock()
        self.lock.acquire()

    def wait(self, wait_s: float) -> bool:
        """Wait to be woken, and wake the next; False when the time is over."""
        woken = self.lock.acquire(timeout=wait_s)
        if not woken:
            self.gone = True
            woken = self.lock.acquire(blocking=False)  # woken in the meantime: the others rely on it
        if woken and self.successor:
            self.successor.wake()
        return woken

    def wake(self) -> None:
        """Let the request go on; one that has given up is passed over."""
        one: Waiting | None = self
        while one:
            one.lock.release()
            # Either it sees the lock free after it has set `gone`, or it is seen here: never neither.
            if not one.gone or not one.lock.acquire(blocking=False):
                return
            one = one.successor


@dataclass(slots=True)
class Counts:
    """What the writer did since it started; only its thread writes them."""

    groups: int = 0
    statements: int = 0
    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    failures: int = 0
    commit_s: float = 0.0


class Writer:
    """Saves arrivals in groups; `save` may be called from any thread."""

    def __init__(
        self,
        connect: Callable[[], Saver],
        *,
        announce: Callable[[Sequence[str]], None],
        wait_s: float,
        queue_limit: int,
        waiting_while_away: int,
    ) -> None:
        """Start the thread. `waiting_while_away` requests at most wait for a database that is away."""
        self.counts = Counts()
        self.failed = False  #: the last commit failed, and no later one succeeded
        self._connect, self._announce = connect, announce
        self._wait_s, self._queue_limit, self._while_away = wait_s, queue_limit, waiting_while_away
        self._queue: SimpleQueue[Waiting] = SimpleQueue()
        self._held: list[Waiting] = []  #: taken from the queue, to be saved again
        self._taken = 0  #: how many the thread has in hand
        self._saver: Saver | None = None
        self._stopping = False
        self._busy = False  #: many come at once: waiting a moment for more is worth it
        self._thread = threading.Thread(target=self._run, name="arrivals", daemon=True)
        self._thread.start()

    def save(self, arrival: Arrival) -> str:
        """Wait until the row is durable and say what became of it: `a`, `d`, `r` or `n`.

        Raises `CannotSaveError` when it cannot be made durable within the wait.
        """
        if self._queue.qsize() + self._taken >= (self._while_away if self.failed else self._queue_limit):
            raise CannotSaveError("too many webhooks wait for the database")
        waiting = Waiting(arrival)
        self._queue.put(waiting)
        if not waiting.wait(self._wait_s):
            raise CannotSaveError("the database did not commit in time")
        if waiting.outcome is None:
            raise CannotSaveError("the database cannot save")
        return waiting.outcome

    def close(self) -> None:
        """Save what waits, then end the thread."""
        self._stopping = True
        self._thread.join(self._wait_s)

    def _run(self) -> None:
        while not (self._stopping and self._queue.empty() and not self._held):
            group = self._next_group()
            if group:
                self._save(group)
            elif self.failed:
                self._probe()
        if self._saver:
            self._saver.close()

    def _next_group(self) -> list[Waiting]:
        group, self._held = [w for w in self._held if not w.gone], []
        try:
            if not group:
                group = [self._queue.get(timeout=IDLE_S)]
                if self._busy:
                    time.sleep(GATHER_S)
        except Empty:
            return []
        size = sum(len(w.arrival.body) for w in group)
        for _ in range(min(self._queue.qsize(), GROUP_ROWS - len(group))):
            if size > GROUP_BYTES:
                break
            group.append(waiting := self._queue.get())
            size += len(waiting.arrival.body)
        self._taken = len(group)
        self._busy = len(group) >= BUSY_ROWS
        return group

    def _save(self, group: list[Waiting]) -> None:
        self.counts.groups += 1
        try:
            outcomes = self._statement([w.arrival for w in group])
        except BadRowError:
            self._save_one_by_one(group)
        except CannotSaveError as error:
            self._fail(group, error)
        else:
            self._finish(group, outcomes)

    def _save_one_by_one(self, group: list[Waiting]) -> None:
        for waiting in group:
            try:
                outcomes = self._statement([waiting.arrival])
            except BadRowError as error:
                log.warning("inbox.arrival.not_storable", gateway=waiting.arrival.gateway, error=str(error))
                outcomes = NOT_STORABLE
            except CannotSaveError as error:
                self._fail([waiting], error)
                continue
            self._finish([waiting], outcomes)

    def _statement(self, arrivals: list[Arrival]) -> str:
        if self._saver is None:
            self._saver = self._connect()
        start = time.perf_counter()
        outcomes = self._saver.save(arrivals)
        self.counts.commit_s += time.perf_counter() - start
        self.counts.statements += 1
        self._recovered()
        return outcomes

    def _finish(self, group: list[Waiting], outcomes: str) -> None:
        units, new = [], set()
        for waiting, outcome in zip(group, outcomes, strict=True):
            arrival = waiting.arrival
            if outcome == ACCEPTED and arrival.event_id in new:
                outcome = DUPLICATE  # noqa: PLW2901 the same event twice in one group
            elif outcome == ACCEPTED:
                new.add(arrival.event_id)
                if arrival.parked is None:
                    units.append(unit_of(arrival))
            waiting.outcome = outcome
        _wake(group)
        self._taken = 0
        self.counts.rows += len(group)
        self.counts.accepted += len(new)
        self.counts.duplicates += outcomes.count(DUPLICATE)
        if units:
            self._announce(units)

    def _fail(self, group: list[Waiting], error: CannotSaveError) -> None:
        """Hold the group for the next connection, or let it go with "cannot save"."""
        if not self.failed:
            log.error("inbox.save.failed", error=str(error))
        self.failed = True
        self.counts.failures += 1
        self._drop_connection()
        if error.again:
            self._held += group
            time.sleep(RECONNECT_S)
            return
        _wake(group)
        self._taken = 0

    def _probe(self) -> None:
        """Nothing arrives and the last commit failed: find out whether one would succeed now."""
        try:
            if self._saver is None:
                self._saver = self._connect()
            self._saver.probe()
        except CannotSaveError:
            self._drop_connection()
        else:
            self._recovered()

    def _recovered(self) -> None:
        if self.failed:
            self.failed = False
            log.info("inbox.save.recovered")

    def _drop_connection(self) -> None:
        if self._saver:
            self._saver.close()
        self._saver = None


def unit_of(arrival: Arrival) -> str:
    """The unit that an event belongs to: its account's holdings, itself, or its transaction."""
    match arrival.family:
        case "holdings":
            return f"{arrival.gateway}:{HOLDINGS_UNIT}:{arrival.account}"
        case "mf-holdings":
            return f"{arrival.gateway}:{FUNDS_UNIT}:{UUID(bytes=arrival.event_id)}"
        case _:
            return f"{arrival.gateway}:{arrival.transaction_id}"


def _wake(group: Sequence[Waiting]) -> None:
    """Wake the first, who wakes the second, and so on."""
    for waiting, successor in pairwise(group):
        waiting.successor = successor
    group[0].wake()


def saver(database_url: str, *, reuse_max: int, first_announce_s: int) -> Saver:
    """A connection that saves groups. Raises `CannotSaveError`."""
    return Saver(driver_url(database_url), reuse_max=reuse_max, first_announce_s=first_announce_s)
