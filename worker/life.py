"""The main process of a worker: it shows that it lives, sends canaries, and sweeps.

Sweeping here, beside what beat asks for, keeps the promise that no beat and no message is needed
for work to be found. One thread, with a connection of its own.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from config.broker import BrokerAwayError
from config.queues import REVIEW_TASK
from config.settings import Settings
from store import life
from tieout import upkeep
from tieout.dispatch import announce_due
from tieout.sweep import sweep
from worker.process import Process, open_process, worker_name

_LOG = structlog.get_logger("tieout.worker")
HEARTBEAT_S: Final = 5.0
SAY_AGAIN_S: Final = 60.0
LEAVE_S: Final = 2.0
CANARY: Final = timedelta(minutes=1)
TICK: Final = timedelta(seconds=0.25)  #: between two looks at what may go out to a gateway with a limit
CANARY_SIMULATED: Final = timedelta(seconds=5)


class Life(threading.Thread):
    """Beats, sends canaries and sweeps until it is stopped; what fails is tried again a moment later."""

    def __init__(self, settings: Settings) -> None:
        """Make the thread; it connects once it runs."""
        super().__init__(name="life", daemon=True)
        self._settings, self._stopped = settings, threading.Event()
        self._beaten_at = 0.0
        self._failed_at: float | None = None  #: when it was last said that something fails

    def run(self) -> None:
        """Live."""
        own = open_process(self._settings, pool_size=1)
        while not self._stopped.is_set():
            begun = time.monotonic()
            try:
                self._live_once(own)
                self._failing(None)
            except (SQLAlchemyError, BrokerAwayError, OSError) as error:
                self._failing(error)
            pause_s = min(self._settings.sweep_s, TICK.total_seconds()) if own.limited else self._settings.sweep_s
            self._stopped.wait(max(0.1, pause_s - (time.monotonic() - begun)))
        self._leave(own)

    def stop(self) -> None:
        """Stop after the current round, and wait a moment for it."""
        self._stopped.set()
        self.join(LEAVE_S)

    def _leave(self, own: Process) -> None:
        """Take the sign of life away: who ends as told is not missed."""
        with suppress(SQLAlchemyError), own.shop.engine.begin() as connection:
            life.gone(connection, kind="worker", name=worker_name())

    def _failing(self, error: Exception | None) -> None:
        """Say what fails once, and again each minute while it does; and that it is over."""
        now, before = time.monotonic(), self._failed_at
        if error is None:
            if before is not None:
                _LOG.info("worker.life-well-again")
            self._failed_at = None
        elif before is None or now - before >= SAY_AGAIN_S:
            said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            _LOG.warning("worker.life-failed", error=type(error).__name__, said=said, fix="start what is away")
            self._failed_at = now

    def _live_once(self, own: Process) -> None:
        engine = own.shop.engine
        if time.monotonic() - self._beaten_at >= HEARTBEAT_S:
            self._beat(own)
        if upkeep.first_in(engine, "sweep", own.sweep_every):
            sweep(own.sweeping, now=own.shop.clock.now())
            own.sender.send(REVIEW_TASK, {}, expires_s=max(10.0, self._settings.sweep_s))
        elif own.limited and upkeep.first_in(engine, "dispatch", TICK):
            announce_due(own.sweeping, now=own.shop.clock.now())
        upkeep.send_canaries(engine, own.sender, every=CANARY_SIMULATED if self._settings.simulated else CANARY)

    def _beat(self, own: Process) -> None:
        detail: dict[str, object] = {"pid": os.getpid(), "processes": self._settings.worker_processes}
        with own.shop.engine.begin() as connection:
            life.seen(connection, kind="worker", name=worker_name(), detail=detail)
        self._beaten_at = time.monotonic()


_held: list[Life] = []


def begin(settings: Settings) -> None:
    """Begin to live."""
    _held.append(Life(settings))
    _held[-1].start()


def end() -> None:
    """Stop living."""
    while _held:
        _held.pop().stop()
