"""Accounts whose holdings are fetched, and what the answers said."""

from __future__ import annotations

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
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from store.schema.columns import BOOK, DB_NOW, INSTANT, MONEY, metadata

holding_accounts = Table(
    "holding_accounts",
    metadata,
    Column("holder", BigInteger, Identity(always=True), primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("account", Text, nullable=False, comment="smallcaseAuthId"),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("origin", Text, nullable=False, comment="how we came to ask: webhook, import, person, positions, link"),
    Column("registered_at", INSTANT, nullable=False, comment="domain's clock"),
    Column("broker", Text),
    Column("state", Text, nullable=False, server_default="new", comment="what the last answer says of it"),
    Column("state_since", INSTANT, comment="domain's clock"),
    Column("as_at", INSTANT, comment="the Gateway's snapshotDate, else its lastUpdate"),
    Column("known_at", INSTANT, comment="domain's clock: the last answer"),
    Column("next_fetch_at", INSTANT, comment="domain's clock; null: only when told to"),
    Column("pauses", Integer, nullable=False, server_default="0", comment="answers in a row that said updating"),
    Column("waits_for", Text, comment="why the fetch that is due was put off"),
    Column("asked_at", INSTANT, comment="database's clock: the last question"),
    Column("rest_until", INSTANT, comment="database's clock: not asked for before"),
    Column("announce_at", INSTANT, comment="database's clock: not announced by the sweep before"),
    Column("announced", Integer, nullable=False, server_default="0", comment="times in a row nobody took it up"),
    Column("generation", Integer, nullable=False, server_default="0", comment="the fence: raised by each claim"),
    Column("lease_until", INSTANT, comment="database's clock; null: not claimed"),
    Column("deaths", Integer, nullable=False, server_default="0", comment="claims in a row that never finished"),
    Column("rev", BigInteger, nullable=False, server_default="1", comment="raised by what may change its verdicts"),
    Column("judged_rev", BigInteger, nullable=False, server_default="0"),
    Column("judged_for", Date, comment="the IST date it was last reconciled for"),
    Column("judged_at", INSTANT, comment="domain's clock"),
    Column("seen_change", BigInteger, nullable=False, server_default="0", comment="newest change of a finding then"),
    UniqueConstraint("gateway", "account"),
    Index("ix_holding_accounts_stale", "holder", postgresql_where=text("judged_rev < rev")),
    Index("ix_holding_accounts_next", "next_fetch_at", postgresql_where=text("next_fetch_at is not null")),
    Index("ix_holding_accounts_lease", "lease_until", postgresql_where=text("lease_until is not null")),
)

holding_attempts = Table(
    "holding_attempts",
    metadata,
    Column("attempt_id", BigInteger, Identity(always=True), primary_key=True),
    Column("holder", BigInteger, ForeignKey("holding_accounts.holder"), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("at", INSTANT, nullable=False, server_default=DB_NOW, comment="database's clock"),
    Column("outcome", Text, nullable=False, comment="claimed, done, waiting, parked, lost, replayed"),
    Column("reason", Text),
    Column("detail", Text),
    Column("http_status", SmallInteger),
    Column("took_ms", Integer),
    Column("worker", Text),
    Index("ix_holding_attempts_holder", "holder", "at"),
)

holding_snapshots = Table(
    "holding_snapshots",
    metadata,
    Column("snapshot_id", BigInteger, Identity(always=True), primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("account", Text, comment="null: a mutual-fund webhook that names none"),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("kind", Text, CheckConstraint("kind in ('equity', 'mf', 'investments')", name="kind"), nullable=False),
    Column("source", Text, CheckConstraint("source in ('api', 'webhook')", name="source"), nullable=False),
    Column("event_id", UUID(as_uuid=True), comment="the webhook it was taken from"),
    Column("transaction_id", Text, comment="as that webhook says it"),
    Column("asked_at", INSTANT, nullable=False, comment="database's clock; of a webhook when it was stored"),
    Column("answered_at", INSTANT, nullable=False, comment="database's clock"),
    Column("known_at", INSTANT, nullable=False, comment="domain's clock: when we knew"),
    Column("http_status", SmallInteger, comment="null: from a webhook"),
    Column("version", Text, comment="v1 or v2: in v1 the quantities leave out what belongs to smallcases"),
    Column("state", Text, nullable=False, comment="what this answer says of the account"),
    Column("updating", Boolean),
    Column("snapshot_date", INSTANT, comment="as the Gateway says it"),
    Column("last_update", INSTANT, comment="as the Gateway says it"),
    Column("broker", Text),
    Column("body", LargeBinary, nullable=False, comment="the bytes as they came"),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the body"),
    Column("content", LargeBinary, comment="16 bytes over the lines; null: it could not be read"),
    Column("lines_in", BigInteger, comment="the snapshot that holds these very lines; null: it could not be read"),
    Column("lines", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0", comment="rows that could not be taken"),
    Column("not_understood", JSONB, nullable=False, comment="[{path, what, why, count, example}]"),
    Index("ix_holding_snapshots_account", "gateway", "account", "kind", "snapshot_id"),
    Index("ix_holding_snapshots_funds", "snapshot_id", postgresql_where=text("kind = 'mf'")),
    Index("uq_holding_snapshots_event", "event_id", unique=True, postgresql_where=text("event_id is not null")),
)


def _in_snapshot() -> list[Column[object]]:
    """A row of an answer: which answer, and its place there."""
    return [
        Column("snapshot_id", BigInteger, ForeignKey("holding_snapshots.snapshot_id"), primary_key=True),
        Column("position", Integer, primary_key=True, comment="its place in the answer"),
    ]


holding_lines = Table(
    "holding_lines",
    metadata,
    *_in_snapshot(),
    Column("isin", Text),
    Column("nse_ticker", Text),
    Column("bse_ticker", Text),
    Column("name", Text),
    Column("held", MONEY, comment="holdings.quantity: in the demat account; null: not said"),
    Column("held_average", MONEY, comment="rupees a share"),
    Column("t1", MONEY, comment="bought, not yet delivered"),
    Column("nse_quantity", MONEY, comment="position of the day"),
    Column("nse_average", MONEY),
    Column("bse_quantity", MONEY, comment="position of the day"),
    Column("bse_average", MONEY),
    Column("transactable", MONEY),
    Column("smallcase", MONEY, comment="the part that belongs to smallcases"),
    Column("collateral", MONEY),
    Column("suspended_nse", Boolean, comment="suspended or delisted; null: not said"),
    Column("suspended_bse", Boolean),
    Index("ix_holding_lines_isin", "isin"),
)

mf_lines = Table(
    "mf_lines",
    metadata,
    *_in_snapshot(),
    Column("entry", Text, CheckConstraint("entry in ('holding', 'transaction')", name="entry"), nullable=False),
    Column("folio", Text),
    Column("fund", Text),
    Column("isin", Text),
    Column("quantity", MONEY, comment="units"),
    Column("average_price", MONEY, comment="rupees a unit"),
    Column("last_price", MONEY, comment="NAV, or the price of a transaction"),
    Column("dated", Date, comment="of that price, or of the transaction"),
    Column("amount", MONEY, comment="rupees: market value, or of the transaction"),
    Column("pnl", MONEY),
    Column("xirr", MONEY, comment="per cent a year, as sent"),
    Column("words", Text, comment="what the transaction was"),
    Column("raw", JSONB, nullable=False, comment="the row whole, numbers as text"),
)

smallcase_lines = Table(
    "smallcase_lines",
    metadata,
    *_in_snapshot(),
    Column("access", Text, CheckConstraint("access in ('public', 'private', 'all')", name="access"), nullable=False),
    Column("scid", Text),
    Column("iscid", Text),
    Column("name", Text),
    Column("status", Text),
    Column("current_value", MONEY),
    Column("total_returns", MONEY),
    Column("constituents", JSONB, nullable=False, comment="[{ticker, shares}], numbers as text"),
    Column("raw", JSONB, nullable=False, comment="the row whole, numbers as text"),
)
