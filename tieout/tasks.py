"""What a large run still has to do, for whoever of its crew is free."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Condition

from store.scopes import Range
from tieout.ranging import Task
from tieout.review import RANGE

FEW = 20  #: transactions that are not worth sharing out


class Tasks:
    """Every range, then what pairing left of them, the last of it in small chunks so that all end together.

    Each one taken is given back by `done`, with what it left; `stop` lets everybody go. For several threads.
    """

    def __init__(self, ranges: Sequence[Range], crew: int) -> None:
        """Hand out these ranges to a crew of so many."""
        self._crew = crew
        self._ranges = deque(ranges)
        self._left: list[int] = []
        self._in_order = True
        self._pairing = 0
        self._stopped = False
        self._changed = Condition()

    def take(self) -> Task | None:
        """The next one, once there is one; None when there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._ranges or self._left or not self._pairing)
            if self._stopped:
                return None
            if self._ranges:
                self._pairing += 1
                return self._ranges.popleft()
            return self._chunk() or None

    def done(self, task: Task, left: Sequence[int]) -> None:
        """That task is carried out; the rules still have to judge these transactions of it."""
        with self._changed:
            if isinstance(task, Range):
                self._pairing -= 1
            self._left += left
            self._in_order = not left and self._in_order
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _chunk(self) -> tuple[int, ...]:
        """Of what is left a share for one of the crew, at most `RANGE`; taken from the end, the first ones first."""
        if not self._in_order:
            self._left.sort(reverse=True)
            self._in_order = True
        size = min(RANGE, max(FEW, len(self._left) // self._crew))
        chunk = tuple(self._left[: -size - 1 : -1])
        del self._left[-size:]
        return chunk
