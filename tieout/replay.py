"""Replaying: people put parked events back. What is done stays done, and they are told so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Engine

from store.due import parked_events, put_back
from store.holding_due import revive

_LOG = structlog.get_logger("tieout.replay")
LIMIT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Which parked events are meant; None is any."""

    gateway: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of each event that was named."""

    put_back: tuple[UUID, ...] = ()  #: received again: a worker takes them up within seconds
    already_done: tuple[UUID, ...] = ()  #: nothing to do, nothing changed
    in_work: tuple[UUID, ...] = ()  #: received, claimed or waiting: nothing changed
    not_askable: tuple[UUID, ...] = ()  #: parked, but it names no transaction
    unknown: tuple[UUID, ...] = ()

    def __str__(self) -> str:
        """One line for people."""
        counts = {
            "put back": self.put_back,
            "already done, nothing changed": self.already_done,
            "still in work, nothing changed": self.in_work,
            "naming no transaction, nothing to ask": self.not_askable,
            "unknown": self.unknown,
        }
        return "; ".join(f"{len(ids)} {words}" for words, ids in counts.items() if ids) or "nothing to replay"


def replay(engine: Engine, events: Sequence[UUID] | Parked, *, now: datetime, reason: str) -> Replayed:
    """Put these events, or all parked ones that are meant, back to received. Says what became of each.

    `now` is the domain's clock; `reason` is kept with the attempts of their transactions.
    """
    with engine.begin() as connection:
        ids = _ids(events) if not isinstance(events, Parked) else None
        if ids is None:
            meant = events if isinstance(events, Parked) else Parked()
            ids = parked_events(connection, gateway=meant.gateway, reason=meant.reason, limit=LIMIT)
        revive(connection, ids=ids, now=now, reason=reason)
        rows = {row.event_id: row for row in put_back(connection, ids=ids, now=now, reason=reason)}
    result = Replayed(
        put_back=tuple(i for i in ids if i in rows and rows[i].put_back),
        already_done=tuple(i for i in ids if i in rows and rows[i].state == "done"),
        in_work=tuple(i for i in ids if i in rows and rows[i].state in {"received", "claimed", "waiting"}),
        not_askable=tuple(i for i in ids if i in rows and rows[i].state == "parked" and not rows[i].put_back),
        unknown=tuple(i for i in ids if i not in rows),
    )
    _LOG.info("replay.done", reason=reason, result=str(result))
    return result


def _ids(events: Sequence[UUID]) -> list[UUID]:
    return list(dict.fromkeys(events))
