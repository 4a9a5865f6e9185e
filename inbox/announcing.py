"""Announce committed units from a bounded queue, in a thread of its own: nobody waits for the broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final

import structlog

from config.broker import BrokerAwayError, Sender
from config.queues import UNITS_A_MESSAGE

QUEUE_LIMIT: Final = 10_000
GATHER_S: Final = 0.05  #: so that a busy edge fills its messages
IDLE_S: Final = 0.5

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Announced:
    """What was announced and dropped since the start; the sweep finds what was dropped."""

    units: int = 0
    messages: int = 0
    dropped: int = 0


class Announcer:
    """Takes units, never blocks, and stays silent for some seconds after the broker failed."""

    def __init__(self, sender: Sender, *, silence_s: float) -> None:
        """Start the thread."""
        self.counts = Announced()
        self._sender, self._silence_s = sender, silence_s
        self._silent_until = 0.0
        self._queue: SimpleQueue[str] = SimpleQueue()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="announcing", daemon=True)
        self._thread.start()

    def announce(self, units: Sequence[str]) -> None:
        """Take units to announce; dropped when too many wait or the broker has just failed."""
        if self._queue.qsize() >= QUEUE_LIMIT or time.monotonic() < self._silent_until:
            self.counts.dropped += len(units)
            return
        for unit in units:
            self._queue.put(unit)

    def close(self) -> None:
        """Announce what waits, then end the thread; at most some seconds."""
        self._stopping = True
        self._thread.join(3)

    def _run(self) -> None:
        while not (self._stopping and self._queue.empty()):
            for units in _messages(self._gather()):
                self._send(units)

    def _gather(self) -> list[str]:
        try:
            first = self._queue.get(timeout=IDLE_S)
        except Empty:
            return []
        if not self._stopping:
            time.sleep(GATHER_S)
        return list(dict.fromkeys([first, *(self._queue.get() for _ in range(self._queue.qsize()))]))

    def _send(self, units: Sequence[str]) -> None:
        if time.monotonic() < self._silent_until:
            self.counts.dropped += len(units)
            return
        try:
            self._sender.announce(units)
        except BrokerAwayError as error:
            self.counts.dropped += len(units)
            self._silent_until = time.monotonic() + self._silence_s
            log.warning("inbox.announce.broker_away", error=str(error), silent_s=self._silence_s)
        else:
            self.counts.units += len(units)
            self.counts.messages += 1


def _messages(units: Sequence[str]) -> list[Sequence[str]]:
    return [units[start : start + UNITS_A_MESSAGE] for start in range(0, len(units), UNITS_A_MESSAGE)]
