"""What has arrived: events, the narrow table of identities; each delivery; what was refused."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from store.schema.columns import BOOK, DB_NOW, INSTANT, metadata

events = Table(
    "events",
    metadata,
    Column("event_id", UUID(as_uuid=True), primary_key=True, comment="first 16 bytes of its identity"),
    Column("gateway", Text, nullable=False),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("family", Text, nullable=False),
    Column("transaction_id", Text),
    Column("batch_id", Text),
    Column("account", Text, comment="smallcaseAuthId as the webhook says it"),
    Column("key_id", Text, nullable=False),
    Column("received_at", INSTANT, nullable=False, comment="by the domain's clock"),
    Column("stored_at", INSTANT, nullable=False, server_default=DB_NOW, comment="by the database's clock"),
    Column("state", Text, nullable=False, server_default="received"),
    Column("reason", Text),
    Column("next_attempt_at", INSTANT, comment="by the database's clock"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("announced", Integer, nullable=False, server_default="0", comment="times the sweep announced it"),
    Column("done_at", INSTANT),
    CheckConstraint("state in ('received', 'claimed', 'waiting', 'parked', 'done')", name="state"),
    Index("ix_events_due", "next_attempt_at", postgresql_where=text("state in ('received', 'waiting', 'claimed')")),
    Index(
        "ix_events_held",
        "received_at",
        postgresql_where=text("family in ('holdings', 'mf-holdings') and state in ('received', 'waiting', 'claimed')"),
    ),
    Index("ix_events_unit", "gateway", "transaction_id"),
    Index("ix_events_holder", "gateway", "account", postgresql_where=text("family = 'holdings'")),
    Index("ix_events_received", "received_at"),
    Index("ix_events_parked", "received_at", postgresql_where=text("state = 'parked'")),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", BigInteger, Identity(always=True), nullable=False),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    Column("received_at", INSTANT, nullable=False, comment="by the domain's clock"),
    Column("body", LargeBinary, nullable=False, comment="the bytes as they came"),
    Column("headers", JSONB, nullable=False),
    Column("signature", LargeBinary, nullable=False, comment="digest of timestamp, id and checksum"),
    Column("key_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("marks", ARRAY(Text), nullable=False, server_default="{}"),
    Index("ix_deliveries_event", "event_id"),
    postgresql_partition_by="RANGE (received_at)",
)

signatures = Table(
    "signatures",
    metadata,
    Column("signature", LargeBinary, primary_key=True, comment="of a delivery"),
    Column("event_id", UUID(as_uuid=True), primary_key=True, comment="one body that it came with"),
)

refusals = Table(
    "refusals",
    metadata,
    Column("gateway", Text, nullable=False, comment="'?' when no gateway has the name"),
    Column("reason", Text, nullable=False),
    Column("minute", INSTANT, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("last_at", INSTANT, nullable=False),
    Column("sample", LargeBinary, comment="the beginning of one body"),
    Column("headers", JSONB),
    Column("detail", Text),
    UniqueConstraint("gateway", "reason", "minute"),
    Index("ix_refusals_last", "last_at"),
)
