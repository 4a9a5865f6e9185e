"""Housekeeping, each job once a period however many ask for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Engine

from config.broker import Sender
from config.queues import CANARY_TASK, QUEUES
from store import life
from store.guide_prices import refresh_guide_prices
from store.migrate import add_partitions

_LOG = structlog.get_logger("tieout.upkeep")
FORGET_AFTER: Final = timedelta(days=1)
HOURLY: Final = timedelta(hours=1)


def first_in(engine: Engine, job: str, every: timedelta) -> bool:
    """Whether we are the first to ask for that job in this period of the database's clock."""
    with engine.begin() as connection:
        return life.begin_period(connection, job=job, every=every)


def keep_house(engine: Engine) -> bool:
    """Make the coming months' partitions and forget who is long gone; False if that was done within the hour."""
    if not first_in(engine, "upkeep", HOURLY):
        return False
    with engine.begin() as connection:
        now = life.database_now(connection)
        add_partitions(connection, now)
        forgotten = life.forget_signs(connection, age=FORGET_AFTER)
        refresh_guide_prices(connection)
    _LOG.info("upkeep.done", forgotten=forgotten)
    return True


def send_canaries(engine: Engine, sender: Sender, *, every: timedelta) -> bool:
    """Send one message through each queue, once a period; False if that was done. Raises `BrokerAwayError`."""
    if not first_in(engine, "canary", every):
        return False
    with engine.connect() as connection:
        sent_at = life.database_now(connection).isoformat()
    for queue in QUEUES:
        arguments = {"queue": queue, "sent_at": sent_at}
        sender.send(CANARY_TASK, arguments, queue=queue, expires_s=every.total_seconds())
    return True


def canary(engine: Engine, *, queue: str, sent_at: datetime) -> None:
    """A message came through that queue and a worker carried it out."""
    with engine.begin() as connection:
        life.seen(connection, kind="canary", name=queue, sent_at=sent_at)
