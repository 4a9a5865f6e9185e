"""The sweep: the sure way by which work is found, however many messages were lost.

It frees what dead workers held, announces again what is due, and follows what is not at its end.
Two sweeps at once do no harm: each row is taken by one, and moved on in the same statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine, Row

from config.broker import BrokerAwayError, Sender
from config.queues import SETTLE_QUEUE
from store import due, life
from tieout.alert import alert

_LOG = structlog.get_logger("tieout.sweep")
MOST: Final = timedelta(minutes=10)
LIMIT: Final = 2000  #: units taken up by one sweep


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """What sweeping needs: made once per process."""

    engine: Engine
    sender: Sender
    waiting: Callable[[], int]  #: messages in the settle queue; may raise `BrokerAwayError`
    queue_pause: int
    first: timedelta  #: pause before what was announced once is announced again


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep did."""

    freed: int = 0
    announced: int = 0
    paused: str | None = None  #: why it announced nothing


def sweep(sweeping: Sweeping, *, now: datetime) -> Swept:
    """Sweep once; `now` is the domain's clock. Never raises for the broker's sake."""
    with sweeping.engine.begin() as connection:
        freed = due.free_dead(connection, limit=LIMIT)
        due.park_nameless(connection)
        _tell_poison(connection, freed)
    swept = _announce(sweeping, now, len(freed))
    with sweeping.engine.begin() as connection:
        life.seen(connection, kind="sweep", name=SETTLE_QUEUE, detail=_detail(swept))
    return swept


def _announce(sweeping: Sweeping, now: datetime, freed: int) -> Swept:
    try:
        if sweeping.waiting() > sweeping.queue_pause:
            return Swept(freed=freed, paused="queue-long")
        units = _due(sweeping, now)
        sweeping.sender.announce(units)
    except BrokerAwayError as error:
        _LOG.warning("sweep.broker-away", detail=str(error))
        return Swept(freed=freed, paused="broker-away")
    return Swept(freed=freed, announced=len(units))


def _due(sweeping: Sweeping, now: datetime) -> Sequence[str]:
    """Units of events first, then questions; moved on before they are announced."""
    times = {"limit": LIMIT, "first": sweeping.first, "most": MOST}
    with sweeping.engine.begin() as connection:
        events = due.due_events(connection, **times)  # type: ignore[arg-type]
        questions = due.due_questions(connection, now=now, **times)  # type: ignore[arg-type]
    return list(dict.fromkeys(events + questions))


def _tell_poison(connection: Connection, freed: Sequence[Row[Any]]) -> None:
    for row in freed:
        _LOG.warning("sweep.worker-lost", unit=f"{row.gateway}:{row.transaction_id}", deaths=row.deaths)
        if row.deaths >= due.DEATHS:
            detail = f"{row.deaths} workers died over it: look at their logs, then replay its events"
            alert(connection, "poison", gateway=row.gateway, subject=row.transaction_id, detail=detail)


def _detail(swept: Swept) -> dict[str, object]:
    return {"freed": swept.freed, "announced": swept.announced, "paused": swept.paused}
