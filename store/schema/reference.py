"""Reference data, told by imports: a fact told otherwise is a new version."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, Table, Text, text

from store.schema.columns import INSTANT, MONEY, metadata


def _dated(*figures: Column[Any]) -> list[Column[Any]]:
    """A dated fact: told again with other figures it is a new version, and the one before stays."""
    return [
        Column("exchange", Text, primary_key=True, comment="empty: of any"),
        Column("code", Text, primary_key=True, comment="the ISIN, else the symbol; of a charge its key"),
        Column("valid_from", Date, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("valid_to", Date, comment="inclusive; null: until one that begins later"),
        *figures,
        Column("import_id", BigInteger, ForeignKey("imports.import_id"), nullable=False),
        Column("known_at", INSTANT, nullable=False, comment="domain's clock"),
        Column("replaced_at", INSTANT, comment="domain's clock: when a later version came"),
    ]


ticks = Table(
    "ticks",
    metadata,
    *_dated(Column("symbol", Text), Column("isin", Text), Column("tick", MONEY, nullable=False)),
    Index("ix_ticks_symbol", "exchange", "symbol", "valid_from", postgresql_where=text("replaced_at is null")),
    Index("ix_ticks_isin", "exchange", "isin", "valid_from", postgresql_where=text("replaced_at is null")),
)

prices = Table(
    "prices",
    metadata,
    *_dated(
        Column("symbol", Text),
        Column("isin", Text),
        Column("low", MONEY, nullable=False),
        Column("high", MONEY, nullable=False),
        Column("close", MONEY),
    ),
    Index("ix_prices_symbol", "exchange", "symbol", "valid_from", postgresql_where=text("replaced_at is null")),
    Index("ix_prices_isin", "exchange", "isin", "valid_from", postgresql_where=text("replaced_at is null")),
)

charges = Table(
    "charges",
    metadata,
    *_dated(
        Column("broker", Text, nullable=False, comment="empty: of any"),
        Column("component", Text, nullable=False),
        Column("side", Text, nullable=False, comment="empty: of both"),
        Column("basis", Text, nullable=False, comment="turnover, quantity, order, or the sum of components"),
        Column("rate", MONEY, nullable=False),
        Column("least", MONEY),
        Column("most", MONEY),
        Column("unit", MONEY, nullable=False, comment="rupees to whose multiple it is rounded"),
        Column("rounding", Text, nullable=False),
    ),
)
