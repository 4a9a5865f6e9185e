"""Webhook events for people: searched, listed for machines, and shown whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine

from store import desk_breaks, desk_events, desk_refusals, desk_transactions
from store.desk_breaks import StoredFinding
from store.desk_events import Attempt, Delivery, Event, EventFilter, EventGroup, StoredAnswer
from store.desk_refusals import Refusal
from store.desk_transactions import StoredTransaction
from tieout.desk.paging import BadCursorError, Page, cut, read, written

PAGE = 50
CHUNK = 500
SHOWN_MAX = 100  #: deliveries, attempts, answers and findings shown with one event

FAMILIES = ("orders", "holdings", "mf-holdings", "unknown")
STATES = ("received", "claimed", "waiting", "parked", "done")
COLUMNS = (
    "event",
    "gateway",
    "family",
    "state",
    "transaction_id",
    "batch_id",
    "received_at",
    "deliveries",
    "attempts",
    "key_id",
    "reason",
)
#: What fits on a terminal; the rest is in --json and on the pages.
SHORT_COLUMNS = ("event", "state", "reason", "transaction_id", "received_at")
REFUSED_SHORT = ("gateway", "reason", "count", "last_at", "detail")
REFUSED_COLUMNS = ("gateway", "reason", "minute", "count", "last_at", "detail", "sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeEvent:
    """One event with everything that happened to it."""

    event: Event
    deliveries: tuple[Delivery, ...]
    transaction: StoredTransaction | None
    attempts: tuple[Attempt, ...]
    answers: tuple[StoredAnswer, ...]
    findings: tuple[StoredFinding, ...]


def search(engine: Engine, wanted: EventFilter, *, after: str | None = None, limit: int = PAGE) -> Page[Event]:
    """One page of events, newest first. Raises `BadCursorError`."""
    before = _cursor(after)
    with engine.connect() as connection:
        found = desk_events.events(connection, wanted, limit=limit + 1, before=before)
    rows, last = cut(found, limit)
    return Page(rows=rows, after=written(last.received_at.isoformat(), last.event_id) if last else None)


def _cursor(after: str | None) -> tuple[datetime, UUID] | None:
    parts = read(after, 2)
    try:
        return (datetime.fromisoformat(parts[0]), UUID(parts[1])) if parts else None
    except ValueError:
        raise BadCursorError from None


def narrowed(wanted: EventFilter, typed: str) -> EventFilter:
    """The filter with what somebody typed in it, told by its shape.

    A UUID is an event, 24 hex digits are a batch or an account, all else a transaction.
    """
    typed = typed.strip()
    if not typed:
        return wanted
    if (event_id := as_uuid(typed)) is not None:
        return replace(wanted, event_id=event_id)
    if re.fullmatch(r"[0-9a-f]{24}", typed):
        return replace(wanted, batch_or_account=typed)
    return replace(wanted, transaction_id=typed)


def as_uuid(typed: str) -> UUID | None:
    """The text as a UUID, or None."""
    try:
        return UUID(typed)
    except ValueError:
        return None


def listing(engine: Engine, wanted: EventFilter, *, limit: int | None) -> Iterator[dict[str, object]]:
    """Events for machines, newest first, all of them unless limited; read in chunks."""
    before: tuple[datetime, UUID] | None = None
    left = limit
    while left is None or left > 0:
        size = CHUNK if left is None else min(CHUNK, left)
        with engine.connect() as connection:
            found = desk_events.events(connection, wanted, limit=size, before=before)
        yield from (as_row(event) for event in found)
        if len(found) < size:
            return
        before = (found[-1].received_at, found[-1].event_id)
        left = None if left is None else left - len(found)


def as_row(event: Event) -> dict[str, object]:
    """An event as listings print it."""
    row = {name: getattr(event, name) for name in COLUMNS[1:]}
    return {"event": event.event_id, **row}


def counts(engine: Engine, wanted: EventFilter, event_ids: Sequence[UUID] = ()) -> list[EventGroup]:
    """How many events there are of each state and reason, of these ids only if any are given."""
    with engine.connect() as connection:
        return desk_events.counts(connection, wanted, event_ids)


def show(engine: Engine, event_id: UUID) -> WholeEvent | None:
    """One event whole, or None."""
    with engine.connect() as connection:
        found = desk_events.events(connection, EventFilter(event_id=event_id), limit=1)
        return _whole(connection, found[0]) if found else None


def _whole(connection: Connection, event: Event) -> WholeEvent:
    deliveries = desk_events.deliveries(connection, event_id=event.event_id, limit=SHOWN_MAX)
    transaction = (
        desk_transactions.transaction(connection, gateway=event.gateway, transaction_id=event.transaction_id)
        if event.transaction_id
        else None
    )
    if transaction is None:
        return WholeEvent(
            event=event, deliveries=tuple(deliveries), transaction=None, attempts=(), answers=(), findings=()
        )
    txn = transaction.txn
    return WholeEvent(
        event=event,
        deliveries=tuple(deliveries),
        transaction=transaction,
        attempts=tuple(desk_events.attempts(connection, txn=txn, limit=SHOWN_MAX)),
        answers=tuple(desk_events.snapshots(connection, txn=txn, limit=SHOWN_MAX)),
        findings=tuple(desk_breaks.findings_of(connection, txn=txn, limit=SHOWN_MAX)),
    )


def refusals(
    engine: Engine,
    *,
    wanted: EventFilter = EventFilter(),  # noqa: B008 it is frozen
    after: str | None = None,
    limit: int = PAGE,
) -> Page[Refusal]:
    """One page of refusals of that gateway, reason and span, newest first. Raises `BadCursorError`."""
    parts = read(after, 3)
    try:
        before = (datetime.fromisoformat(parts[0]), parts[1], parts[2]) if parts else None
    except ValueError:
        raise BadCursorError from None
    with engine.connect() as connection:
        found = desk_refusals.refusals(
            connection,
            gateway=wanted.gateway,
            reason=wanted.reason,
            since=wanted.since,
            until=wanted.until,
            limit=limit + 1,
            before=before,
        )
    rows, last = cut(found, limit)
    after = written(last.last_at.isoformat(), last.gateway, last.reason) if last else None
    return Page(rows=rows, after=after)


def refused_listing(engine: Engine, wanted: EventFilter, *, limit: int | None) -> Iterator[dict[str, object]]:
    """Refusals for machines of that gateway, reason and span, newest first, all of them unless limited."""
    after: str | None = None
    left = limit
    while left is None or left > 0:
        size = CHUNK if left is None else min(CHUNK, left)
        page = refusals(engine, wanted=wanted, after=after, limit=size)
        yield from ({name: getattr(refusal, name) for name in REFUSED_COLUMNS} for refusal in page.rows)
        if page.after is None:
            return
        after, left = page.after, None if left is None else left - len(page.rows)
