"""The record of refused webhooks: one row a gateway, reason and minute."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg

from store.engine import driver_url

_UPSERT = """
insert into refusals (gateway, reason, minute, count, last_at, sample, headers, detail)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (gateway, reason, minute) do update set
  count = refusals.count + excluded.count, last_at = greatest(refusals.last_at, excluded.last_at)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRow:
    """How often one reason refused one gateway's webhooks within one minute, and one of them."""

    gateway: str
    reason: str
    minute: datetime
    count: int
    last_at: datetime
    sample: bytes
    headers: Mapping[str, str]
    detail: str


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that never waits for ever. Raises `psycopg.OperationalError`."""
    options = "-c timezone=UTC -c statement_timeout=5000 -c lock_timeout=2000"
    return psycopg.connect(driver_url(url), connect_timeout=3, options=options, application_name="tieout-edge-refusals")


def add(connection: psycopg.Connection[tuple[object, ...]], *, rows: Iterable[RefusalRow]) -> None:
    """Add the counts to those stored, in the order of their keys; the first sample stays."""
    ordered = sorted(rows, key=lambda row: (row.gateway, row.reason, row.minute))
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_UPSERT, [_values(row) for row in ordered])


def _values(row: RefusalRow) -> tuple[object, ...]:
    headers = json.dumps(dict(row.headers))
    return (row.gateway, row.reason, row.minute, row.count, row.last_at, row.sample, headers, row.detail)
