"""Webhook events for people to search and to read whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Connection, ScalarSelect, Select, func, literal_column, or_, select, tuple_

from store.due import ASKABLE
from store.schema import attempts as _attempts
from store.schema import deliveries as _deliveries
from store.schema import events as _events
from store.schema import snapshots as _snapshots

Cursor = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What to look for; None means any."""

    event_id: UUID | None = None
    gateway: str | None = None
    transaction_id: str | None = None
    batch_id: str | None = None
    account: str | None = None
    batch_or_account: str | None = None
    family: str | None = None
    state: str | None = None
    reason: str | None = None
    since: datetime | None = None  #: received at or after
    until: datetime | None = None  #: received before


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What one webhook said, told apart by content, and how far it is."""

    event_id: UUID
    gateway: str
    book: str
    family: str
    transaction_id: str | None
    batch_id: str | None
    account: str | None
    key_id: str
    received_at: datetime
    stored_at: datetime
    state: str
    reason: str | None
    next_attempt_at: datetime | None
    attempts: int
    announced: int
    done_at: datetime | None
    deliveries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One arrival of an event's bytes."""

    delivery_id: int
    received_at: datetime
    body: bytes
    headers: Any
    key_id: str
    verdict: str
    marks: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One step of work on a transaction; never changed."""

    attempt_id: int
    generation: int
    at: datetime
    outcome: str
    reason: str | None
    detail: str | None
    http_status: int | None
    took_ms: int | None
    worker: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """One answer of the Gateway's API, kept whole."""

    snapshot_id: int
    txn: int
    kind: str
    asked_at: datetime
    answered_at: datetime
    known_at: datetime
    http_status: int
    body: bytes
    digest: bytes
    mark: str


def events(connection: Connection, wanted: EventFilter, *, limit: int, before: Cursor | None = None) -> list[Event]:
    """Events, newest first; `before` is (received_at, event_id) of the last one seen."""
    order = (_events.c.received_at, _events.c.event_id)
    query = _narrowed(select(_events), wanted).order_by(*(column.desc() for column in order)).limit(limit)
    if before:
        query = query.where(tuple_(*order) < before)
    page = query.subquery("e")
    counted = select(page, _delivery_count(page.c.event_id)).order_by(page.c.received_at.desc(), page.c.event_id.desc())
    return [Event(**row) for row in connection.execute(counted).mappings()]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGroup:
    """Events of one state and reason; `askable` ones name what can be asked about them."""

    state: str
    reason: str  #: empty when there is none
    askable: bool
    count: int


def counts(connection: Connection, wanted: EventFilter, event_ids: Sequence[UUID] = ()) -> list[EventGroup]:
    """How many events there are of each group, of these ids only if any are given."""
    table = _events.c
    askable = literal_column(f"({ASKABLE.format('events.')})", Boolean).label("askable")
    group = (table.state, func.coalesce(table.reason, "").label("reason"), askable)
    query = _narrowed(select(*group, func.count().label("count")), wanted)
    if event_ids:
        query = query.where(table.event_id.in_(event_ids))
    return [EventGroup(**row) for row in connection.execute(query.group_by(*group).order_by(*group)).mappings()]


def _delivery_count(event_id: Any) -> Any:
    arrivals = select(func.count()).where(_deliveries.c.event_id == event_id)
    count: ScalarSelect[int] = arrivals.scalar_subquery()
    return count.label("deliveries")


def _narrowed(query: Select[Any], wanted: EventFilter) -> Select[Any]:
    named = ("event_id", "gateway", "transaction_id", "batch_id", "account", "family", "state", "reason")
    for name in named:
        if (value := getattr(wanted, name)) is not None:
            query = query.where(_events.c[name] == value)
    if (either := wanted.batch_or_account) is not None:
        query = query.where(or_(_events.c.batch_id == either, _events.c.account == either))
    if wanted.since:
        query = query.where(_events.c.received_at >= wanted.since)
    if wanted.until:
        query = query.where(_events.c.received_at < wanted.until)
    return query


def deliveries(connection: Connection, *, event_id: UUID, limit: int) -> list[Delivery]:
    """The arrivals of one event, first one first."""
    columns = [_deliveries.c[name] for name in Delivery.__slots__]
    query = (
        select(*columns)
        .where(_deliveries.c.event_id == event_id)
        .order_by(_deliveries.c.received_at, _deliveries.c.delivery_id)
        .limit(limit)
    )
    return [Delivery(**row) for row in connection.execute(query).mappings()]


def attempts(connection: Connection, *, txn: int, limit: int) -> list[Attempt]:
    """The newest attempts on one transaction, oldest of them first."""
    columns = [_attempts.c[name] for name in Attempt.__slots__]
    order = (_attempts.c.at.desc(), _attempts.c.attempt_id.desc())
    query = select(*columns).where(_attempts.c.txn == txn).order_by(*order).limit(limit)
    return [Attempt(**row) for row in connection.execute(query).mappings()][::-1]


def snapshots(connection: Connection, *, txn: int, limit: int) -> list[StoredAnswer]:
    """The newest answers about one transaction, oldest of them first."""
    columns = [_snapshots.c[name] for name in StoredAnswer.__slots__]
    order = (_snapshots.c.asked_at.desc(), _snapshots.c.snapshot_id.desc())
    query = select(*columns).where(_snapshots.c.txn == txn).order_by(*order).limit(limit)
    return [StoredAnswer(**row) for row in connection.execute(query).mappings()][::-1]


def snapshot_body(connection: Connection, *, txn: int, snapshot_id: int) -> bytes | None:
    """The bytes of one answer about that transaction, or None."""
    query = select(_snapshots.c.body).where(_snapshots.c.txn == txn, _snapshots.c.snapshot_id == snapshot_id)
    return connection.execute(query).scalar_one_or_none()
