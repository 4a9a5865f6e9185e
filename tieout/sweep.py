"""The sweep: the sure way by which work is found, however many messages were lost.

It frees what dead workers held, announces again what is due, and follows what is not at its end.
Two sweeps at once do no harm: each row is taken by one, and moved on in the same statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from config.queues import SETTLE_QUEUE
from store import due, holding_due, life
from tieout.alert import alert
from tieout.dispatch import LIMIT, Sweeping, announce_due

__all__ = ["Sweeping", "Swept", "sweep"]

_LOG = structlog.get_logger("tieout.sweep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep did."""

    freed: int = 0
    announced: int = 0
    paused: str | None = None  #: why it announced nothing


def sweep(sweeping: Sweeping, *, now: datetime) -> Swept:
    """Sweep once; `now` is the domain's clock. Never raises for the broker's sake."""
    with sweeping.engine.begin() as connection:
        freed = due.free_dead(connection, limit=LIMIT, now=now)
        due.park_nameless(connection)
        _tell_poison(connection, freed)
        accounts = holding_due.free_dead(connection, limit=LIMIT, deaths=due.DEATHS)
        _tell_poisoned_accounts(connection, accounts)
    announced = announce_due(sweeping, now=now)
    swept = Swept(freed=len(freed) + len(accounts), announced=announced.announced, paused=announced.paused)
    if swept.paused == "broker-away":
        _LOG.warning("sweep.broker-away")
    with sweeping.engine.begin() as connection:
        life.seen(connection, kind="sweep", name=SETTLE_QUEUE, detail=_detail(swept))
    return swept


def _tell_poison(connection: Connection, freed: Sequence[Row[Any]]) -> None:
    for row in freed:
        _LOG.warning("sweep.worker-lost", unit=f"{row.gateway}:{row.transaction_id}", deaths=row.deaths)
        if row.deaths >= due.DEATHS:
            detail = f"{row.deaths} workers died over it: look at their logs, then replay its events"
            alert(connection, "poison", gateway=row.gateway, subject=row.transaction_id, detail=detail)


def _tell_poisoned_accounts(connection: Connection, freed: Sequence[Row[Any]]) -> None:
    for row in freed:
        _LOG.warning("sweep.worker-lost", gateway=row.gateway, holdings_of=row.account, deaths=row.deaths)
        if row.deaths >= due.DEATHS:
            detail = (
                f"{row.deaths} workers died over it: look at their logs, then `tieout holdings fetch {row.account}`"
            )
            alert(connection, "poison", gateway=row.gateway, subject=f"holdings of {row.account}", detail=detail)


def _detail(swept: Swept) -> dict[str, object]:
    return {"freed": swept.freed, "announced": swept.announced, "paused": swept.paused}
