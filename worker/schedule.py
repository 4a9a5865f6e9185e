"""Periodic work. Each job is done once a period, whoever asks for it, so two beats do no harm."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Final

from celery.beat import Scheduler
from sqlalchemy.exc import SQLAlchemyError

from config.queues import REVIEW_TASK, SWEEP_TASK, UPKEEP_TASK
from config.settings import Settings
from store import life
from store.engine import connect
from worker.process import worker_name

BEAT_S: Final = 5.0
UPKEEP_S: Final = 600.0


def schedule(settings: Settings) -> dict[str, dict[str, object]]:
    """What beat sends and how often; a message nobody takes in time expires."""
    every = {SWEEP_TASK: settings.sweep_s, REVIEW_TASK: settings.sweep_s, UPKEEP_TASK: UPKEEP_S}
    return {
        name: {"task": name, "schedule": seconds, "options": {"expires": max(10.0, seconds)}}
        for name, seconds in every.items()
    }


class LivingScheduler(Scheduler):
    """Celery's own scheduler, without a file, which shows that it ticks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As Celery makes it, with a connection for the sign of life."""
        super().__init__(*args, **kwargs)
        settings: Settings = self.app.conf["tieout_settings"]
        assert settings.database_url is not None  # `build` refuses to be made without
        self._engine = connect(settings.database_url.get_secret_value(), pool_size=1, application="tieout beat")
        self._shown_at = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Tick, and now and then say so."""
        seconds = super().tick(*args, **kwargs)
        if time.monotonic() - self._shown_at >= BEAT_S:
            self._show()
        return seconds

    def close(self) -> None:
        """End; who ends as told is not missed."""
        super().close()
        with suppress(SQLAlchemyError), self._engine.begin() as connection:
            life.gone(connection, kind="beat", name=worker_name())

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        try:
            with self._engine.begin() as connection:
                life.seen(connection, kind="beat", name=worker_name())
        except SQLAlchemyError:
            self._engine.dispose()  # the next tick tries again: beat itself needs no database
