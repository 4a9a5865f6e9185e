"""Refused requests and alerts, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text, tuple_

from store.schema import alerts as _alerts
from store.schema import refusals as _refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The refusals of one minute for one reason, with a sample."""

    gateway: str
    reason: str
    minute: datetime
    count: int
    last_at: datetime
    sample: bytes | None
    headers: dict[str, Any] | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedReason:
    """How often one reason came up in a span."""

    gateway: str
    reason: str
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something a person should know of; one row for one subject."""

    alert_id: int
    at: datetime
    name: str
    gateway: str
    subject: str
    detail: str


_BY_REASON = text("""
select gateway, reason, sum(count)::bigint as count, max(last_at) as last_at
from refusals where last_at >= :since group by 1, 2 order by 3 desc, 1, 2
""")


def refused_reasons(connection: Connection, *, since: datetime) -> list[RefusedReason]:
    """Refusals since that instant of the domain's clock, by reason, most first."""
    return [RefusedReason(**row) for row in connection.execute(_BY_REASON, {"since": since}).mappings()]


def refusals(
    connection: Connection,
    *,
    limit: int,
    gateway: str | None = None,
    reason: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: tuple[datetime, str, str] | None = None,
) -> list[Refusal]:
    """Refusals of that span, newest minute first; `before` is (last_at, gateway, reason) of the last one seen."""
    table = _refusals.c
    order = (table.last_at, table.gateway, table.reason)
    query = select(_refusals).order_by(*(column.desc() for column in order)).limit(limit)
    if gateway:
        query = query.where(table.gateway == gateway)
    if reason:
        query = query.where(table.reason == reason)
    if since:
        query = query.where(table.last_at >= since)
    if until:
        query = query.where(table.last_at < until)
    if before:
        query = query.where(tuple_(*order) < before)
    return [Refusal(**row) for row in connection.execute(query).mappings()]


def alert_counts(connection: Connection) -> dict[str, int]:
    """How many alerts of each name were ever raised."""
    query = select(_alerts.c.name, func.count()).group_by(_alerts.c.name)
    return {row[0]: row[1] for row in connection.execute(query)}


def alerts(
    connection: Connection,
    *,
    limit: int,
    name: str | None = None,
    gateway: str | None = None,
    before: int | None = None,
) -> list[Alert]:
    """Alerts, newest first; `before` is the id of the last one seen."""
    query = select(*(_alerts.c[column] for column in Alert.__slots__)).order_by(_alerts.c.alert_id.desc()).limit(limit)
    if name:
        query = query.where(_alerts.c.name == name)
    if gateway:
        query = query.where(_alerts.c.gateway == gateway)
    if before is not None:
        query = query.where(_alerts.c.alert_id < before)
    return [Alert(**row) for row in connection.execute(query).mappings()]
