"""Days that are closed, and the seals of what they rest on."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from store.schema.columns import BOOK, INSTANT, metadata

closed_days = Table(
    "closed_days",
    metadata,
    Column("close_id", BigInteger, Identity(always=True), primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("trade_date", Date, nullable=False),
    Column("version", Integer, nullable=False, comment="1, then one more each time it is closed again"),
    Column("closed_at", INSTANT, nullable=False, comment="domain's clock"),
    Column("closed_by", Text, nullable=False),
    Column("why", Text),
    Column("despite", Text, comment="why it was closed though something was pending"),
    Column("pending", JSONB, nullable=False, comment="what was: [{name, count, words}]"),
    Column("rules", JSONB, nullable=False, comment="the rule set with every value"),
    Column("totals", JSONB, nullable=False, comment="{orders, holdings}, as the day prints them"),
    Column("digest", LargeBinary, nullable=False, comment="of the day"),
    Column("layout", JSONB, nullable=False, comment="{table: [columns]} that are sealed"),
    Column("rows", BigInteger, nullable=False, comment="sealed rows"),
    Column("previous", LargeBinary, comment="root of the close before it; null: the first"),
    Column("root", LargeBinary, nullable=False, comment="SHA-256 over all of the above and the sealed rows"),
    Column("reopened_at", INSTANT, comment="domain's clock"),
    Column("reopened_by", Text),
    Column("reopened_why", Text),
    Column("reopened_seal", LargeBinary, comment="SHA-256 over the root and the reopening"),
    UniqueConstraint("gateway", "book", "trade_date", "version"),
    Index(
        "uq_closed_days_standing",
        "gateway",
        "book",
        "trade_date",
        unique=True,
        postgresql_where=text("reopened_at is null"),
    ),
)

sealed_rows = Table(
    "sealed_rows",
    metadata,
    Column("close_id", BigInteger, ForeignKey("closed_days.close_id"), primary_key=True),
    Column("place", BigInteger, primary_key=True, comment="from 1, by table, key and digest"),
    Column("table_name", Text, nullable=False),
    Column("key", Text, nullable=False, comment="what people call the row"),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the row's canonical text"),
)
