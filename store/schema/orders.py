"""Both sides of an order, where our side came from, what people decided, what instruments are called."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
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

from store.schema.columns import BOOK, INSTANT, MONEY, metadata

batches = Table(
    "batches",
    metadata,
    Column("txn", BigInteger, ForeignKey("transactions.txn"), primary_key=True),
    Column("batch_id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("variety", Text),
    Column("quantity", MONEY),
    Column("filled", MONEY),
    Column("buy_amount", MONEY),
    Column("sell_amount", MONEY),
    Column("created_at", INSTANT),
    Column("completed_at", INSTANT),
    Column("broker", Text),
    Column("iscid", Text, comment="the invested smallcase it trades for: what a chain of repairs shares"),
    Column("label", Text, comment="what it is for, in the Gateway's words"),
    Column("repair", Boolean, nullable=False, server_default="false", comment="it re-attempts an earlier batch's rest"),
    Column("trade_date", Date, nullable=False),
    Index("ix_batches_iscid", "iscid", postgresql_where=text("iscid is not null")),
)

decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", BigInteger, Identity(always=True), primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("txn", BigInteger, ForeignKey("transactions.txn"), nullable=False),
    Column("kind", Text, CheckConstraint("kind in ('together', 'apart')", name="kind"), nullable=False),
    Column("ours", Text, nullable=False, comment="order_id"),
    Column("theirs", Text, nullable=False, comment="the leg's natural key"),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", INSTANT, nullable=False, comment="domain's clock"),
    Column("undone_at", INSTANT, comment="domain's clock; null: it counts"),
    Column("undone_by", Text),
    Column("undone_why", Text),
    CheckConstraint("(undone_at is null) = (undone_by is null)", name="undone"),
    Index("uq_decisions_counting", "txn", "ours", "theirs", unique=True, postgresql_where=text("undone_at is null")),
)


def _matching(instant: Column[Any]) -> list[Column[Any]]:
    """The columns by which both sides are paired, first in the row: a million times, what lies behind is not read."""
    return [
        Column("trade_date", Date, nullable=False),
        Column("plain", Boolean, nullable=False, comment="alone and in its batch it raises no finding"),
        Column("key", LargeBinary, comment="16 bytes over exchange and exchange order id, within the transaction"),
        Column("facts", LargeBinary, nullable=False, comment="16 bytes over the normalised compared fields"),
        instant,
    ]


their_lines = Table(
    "their_lines",
    metadata,
    Column("line", BigInteger, Identity(always=True), primary_key=True),
    Column("txn", BigInteger, ForeignKey("transactions.txn"), nullable=False),
    *_matching(Column("completed_at", INSTANT, comment="of its batch")),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("batch_id", Text, nullable=False),
    Column("placed", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", MONEY, nullable=False),
    Column("filled", MONEY, nullable=False),
    Column("average_price", MONEY),
    Column("status", Text, nullable=False),
    Column("exchange_order_id", Text),
    Column("order_type", Text),
    Column("product", Text),
    UniqueConstraint("txn", "batch_id", "placed", "position"),
    Index("ix_their_lines_date", "trade_date"),
)

our_lines = Table(
    "our_lines",
    metadata,
    Column("line", BigInteger, Identity(always=True), primary_key=True),
    Column("txn", BigInteger, ForeignKey("transactions.txn"), comment="null: off-platform, excluded"),
    *_matching(Column("executed_at", INSTANT)),
    Column("gateway", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("account", Text, nullable=False),
    Column("exchange", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", MONEY, nullable=False),
    Column("filled", MONEY),
    Column("average_price", MONEY),
    Column("status", Text),
    Column("batch_id", Text),
    Column("exchange_order_id", Text),
    Column("isin", Text),
    Column("broker", Text),
    UniqueConstraint("gateway", "order_id"),
    Index("ix_our_lines_txn", "txn"),
    # Lines that name a user of the company's: few, since those who are linked are stored by their account.
    Index("ix_our_lines_user", "gateway", "account", postgresql_where=text("length(account) <> 24")),
    Index("ix_our_lines_date", "trade_date"),
)

line_versions = Table(
    "line_versions",
    metadata,
    Column("line", BigInteger, ForeignKey("our_lines.line"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("import_id", BigInteger, ForeignKey("imports.import_id"), nullable=False),
    Column("row", Integer, nullable=False, comment="line of the file"),
    Column("known_at", INSTANT, nullable=False),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 over the normalised row"),
    Column("raw", JSONB, nullable=False, comment="the cells as they stood"),
)

imports = Table(
    "imports",
    metadata,
    Column("import_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("gateway", Text),
    Column("file_name", Text, nullable=False),
    Column("file_digest", LargeBinary, nullable=False),
    Column("imported_at", INSTANT, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("complete_for", Date, comment="the books of that day are all in"),
    Index("ix_imports_complete", "complete_for", postgresql_where=text("complete_for is not null")),
)

refused_rows = Table(
    "refused_rows",
    metadata,
    Column("import_id", BigInteger, ForeignKey("imports.import_id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("gateway", Text),
    Column("order_id", Text, comment="if it could be read"),
    Column("trade_date", Date, nullable=False, comment="of the row, else of the file, else of the import"),
    Column("digest", LargeBinary, nullable=False),
    Column("raw", JSONB, nullable=False),
    Column("problems", JSONB, nullable=False, comment="[{column, value, problem, fix}]"),
    Column("replaced_by", BigInteger, comment="the later import that replaced it"),
    Index("ix_refused_rows_open", "trade_date", postgresql_where=text("replaced_by is null")),
)

instruments = Table(
    "instruments",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date, comment="inclusive; null: until now"),
    Column("isin", Text, nullable=False),
    Column("series", Text, comment="in which the exchange trades it: EQ, BE ...; null: not told"),
    Column("successor", Text, comment="the ISIN that these shares have after valid_to"),
    Column("import_id", BigInteger, ForeignKey("imports.import_id")),
    Index("ix_instruments_successor", "isin", postgresql_where=text("successor is not null")),
    CheckConstraint("successor is null or (successor <> isin and valid_to is not null)", name="successor"),
)

spellings = Table(
    "spellings",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True, comment="as some write it: the listing's symbol, a hyphen, a series"),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
    Column("isin", Text, nullable=False),
)

instrument_versions = Table(
    "instrument_versions",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("version", Integer, primary_key=True, comment="of what was replaced"),
    Column("valid_to", Date),
    Column("isin", Text, nullable=False),
    Column("series", Text),
    Column("successor", Text),
    Column("import_id", BigInteger, ForeignKey("imports.import_id")),
    Column("replaced_by", BigInteger, ForeignKey("imports.import_id"), nullable=False),
)
