"""The service itself: alerts, periods of periodic work, signs of life."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Identity, Table, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB

from store.schema.columns import DB_NOW, INSTANT, metadata

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", INSTANT, nullable=False, server_default=DB_NOW),
    Column("day", Date, nullable=False, server_default=text("(clock_timestamp() at time zone 'UTC')::date")),
    Column("name", Text, nullable=False, comment="unknown-shape, unknown-transaction, breaker-open, poison, ..."),
    Column("gateway", Text, nullable=False, server_default=""),
    Column("subject", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    UniqueConstraint("name", "gateway", "subject", "day"),
)

periods = Table(
    "periods",
    metadata,
    Column("job", Text, primary_key=True),
    Column("period_start", INSTANT, primary_key=True, comment="database's clock"),
    Column("ran_at", INSTANT, nullable=False, server_default=DB_NOW),
    Column("detail", JSONB),
)

signs_of_life = Table(
    "signs_of_life",
    metadata,
    Column("kind", Text, primary_key=True, comment="worker, canary, edge, beat, sweep"),
    Column("name", Text, primary_key=True),
    Column("sent_at", INSTANT),
    Column("seen_at", INSTANT, nullable=False, server_default=func.clock_timestamp()),
    Column("detail", JSONB),
)
