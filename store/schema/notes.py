"""Contract notes and tradebooks."""

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

from store.schema.columns import COMPONENTS, INSTANT, MONEY, metadata

notes = Table(
    "notes",
    metadata,
    Column("note", BigInteger, Identity(always=True), primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("kind", Text, CheckConstraint("kind in ('contract-note', 'tradebook')", name="kind"), nullable=False),
    Column("account", Text, nullable=False),
    Column("broker", Text, nullable=False, comment="in lower case"),
    Column("trade_date", Date, nullable=False),
    Column("note_id", Text, nullable=False, comment="empty: the one tradebook of that day"),
    Column("version", Integer, nullable=False),
    Column("issued_at", INSTANT),
    Column("digest", LargeBinary, nullable=False, comment="of its lines, whatever their order"),
    Column("import_id", BigInteger, ForeignKey("imports.import_id"), nullable=False),
    Column("known_at", INSTANT, nullable=False, comment="domain's clock"),
    Column("replaced_at", INSTANT, comment="domain's clock: when a later version came"),
    UniqueConstraint("gateway", "kind", "account", "broker", "trade_date", "note_id", "version"),
    Index("ix_notes_account", "gateway", "account", "trade_date", postgresql_where=text("replaced_at is null")),
    Index("ix_notes_date", "trade_date"),
)

note_lines = Table(
    "note_lines",
    metadata,
    Column("note", BigInteger, ForeignKey("notes.note"), primary_key=True),
    Column("row", Integer, primary_key=True, comment="of the file"),
    Column("exchange", Text, nullable=False, comment="empty: one average over several exchanges"),
    Column("symbol", Text, nullable=False),
    Column("isin", Text),
    Column("side", Text, nullable=False),
    Column("quantity", MONEY, nullable=False),
    Column("price", MONEY, nullable=False),
    Column("exchange_order_id", Text),
    Column("order_id", Text),
    *(Column(name, MONEY) for name in COMPONENTS),
    Column("net_amount", MONEY, comment="what the customer pays (below zero) or gets for this line"),
)
