"""The company's dated facts, each with its versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from store.schema.columns import INSTANT, MONEY, metadata


def _versioned(name: str, *said: Column[Any], key: tuple[str, ...]) -> Table:
    """A kind of dated fact: the columns that name one, what is said of it, and which import said so."""
    return Table(
        name,
        metadata,
        Column("fact", BigInteger, Identity(always=True), primary_key=True),
        *said,
        Column("version", Integer, nullable=False, comment="1, then one more each time it is said otherwise"),
        Column("import_id", BigInteger, ForeignKey("imports.import_id"), nullable=False),
        Column("row", Integer, nullable=False, comment="line of the file"),
        Column("known_at", INSTANT, nullable=False, comment="domain's clock"),
        UniqueConstraint(*key, "version"),
    )


positions = _versioned(
    "positions",
    Column("gateway", Text, nullable=False),
    Column("account", Text, nullable=False, comment="smallcaseAuthId"),
    Column("as_of", Date, nullable=False, comment="at the end of that IST date, its trades included"),
    Column("isin", Text, nullable=False),
    Column("broker", Text),
    Column("symbol", Text),
    Column("quantity", MONEY, nullable=False),
    Column("average_price", MONEY),
    key=("gateway", "account", "as_of", "isin"),
)

corporate_actions = _versioned(
    "corporate_actions",
    Column("kind", Text, nullable=False),
    Column("isin", Text, nullable=False),
    Column("ex_date", Date, nullable=False),
    Column("new_isin", Text),
    Column("temporary_isin", Text, comment="under which a bonus lies until it is listed"),
    Column("ratio_from", MONEY, nullable=False, comment="so many shares held ..."),
    Column("ratio_to", MONEY, nullable=False, comment="... become, or bring, so many"),
    Column("record_date", Date),
    Column("credited_by", Date),
    key=("kind", "isin", "ex_date"),
)

transfers = _versioned(
    "transfers",
    Column("gateway", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("account", Text, nullable=False, comment="smallcaseAuthId"),
    Column("date", Date, nullable=False),
    Column("isin", Text, nullable=False),
    Column("symbol", Text),
    Column("direction", Text, CheckConstraint("direction in ('in', 'out')", name="direction"), nullable=False),
    Column("quantity", MONEY, nullable=False),
    key=("gateway", "reference"),
)
