"""Every table. Money and quantities are NUMERIC(20,6), instants are timestamptz, identities explicit.

`deliveries`, `attempts` and `snapshots` are partitioned by month; `events`, the table of
identities, is narrow and is not, so that a repeat is recognised for ever.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

MONEY = Numeric(20, 6)
INSTANT = DateTime(timezone=True)
DB_NOW = text("clock_timestamp()")
BOOK = "book in ('live', 'test')"
COMPONENTS = ("brokerage", "stt", "exchange_charge", "sebi_fee", "stamp_duty", "gst")  #: of the charges of a trade

# ---------------------------------------------------------------- arrivals

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

# ---------------------------------------------------------------- transactions

transactions = Table(
    "transactions",
    metadata,
    Column("txn", BigInteger, Identity(always=True), primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("transaction_id", Text, nullable=False),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("registered_at", INSTANT, nullable=False, comment="when we first heard of it, domain's clock"),
    Column("account", Text),
    Column("broker", Text),
    Column("user_ref", Text, comment="the company's own user for whom it was created"),
    Column("intent", Text),
    Column("status", Text, comment="the Gateway's word"),
    Column("created_at", INSTANT),
    Column("expire_at", INSTANT),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("requested", JSONB),
    Column("known", Boolean, comment="does the API know it; null until it answered"),
    Column("absent_at", ARRAY(INSTANT), nullable=False, server_default="{}", comment="answers 'no such transaction'"),
    Column("final", Boolean, nullable=False, server_default="false", comment="at its end: followed no more"),
    Column("settled", Boolean, nullable=False, server_default="true", comment="false while two calls disagree"),
    Column("ask_at", INSTANT, comment="domain's clock; null: not followed"),
    Column("asks", Integer, nullable=False, server_default="0"),
    Column("asked_at", INSTANT, comment="database's clock: the last question"),
    Column("rest_until", INSTANT, comment="database's clock: not asked for before"),
    Column("announce_at", INSTANT, comment="database's clock: not announced by the follower before"),
    Column("announced", Integer, nullable=False, server_default="0", comment="times in a row nobody took it up"),
    Column("generation", Integer, nullable=False, server_default="0", comment="the fence: raised by each claim"),
    Column("lease_until", INSTANT, comment="database's clock; null: not claimed"),
    Column("deaths", Integer, nullable=False, server_default="0", comment="claims in a row that never finished"),
    Column("rev", BigInteger, nullable=False, server_default="1", comment="raised by every change of either side"),
    Column("judged_rev", BigInteger, nullable=False, server_default="0"),
    Column("judged_at", INSTANT),
    Column("review_at", INSTANT, comment="domain's clock: when time alone may change the verdict"),
    Column("quiet", Boolean, nullable=False, server_default="false", comment="all there is to say is about its lines"),
    Column("value", MONEY, comment="rupees asked for, as far as prices are known: the dearest are asked for first"),
    Column("retries", Integer, nullable=False, server_default="0", comment="questions in a row that gave no answer"),
    Column("followed_from", INSTANT, comment="domain's clock: taken up again then; null: followed from its expiry"),
    Column("given_up", Text, comment="why it is followed no more though it is not at its end"),
    Column("given_up_at", INSTANT, comment="domain's clock"),
    Column("found_by", Text, comment="what told its end: webhook, or following, which asked by itself"),
    Column("found_at", INSTANT, comment="domain's clock: when its end was known"),
    UniqueConstraint("gateway", "transaction_id"),
    CheckConstraint("origin in ('registration', 'import', 'books', 'webhook')", name="origin"),
    Index("ix_transactions_ask", "ask_at", postgresql_where=text("ask_at is not null")),
    Index("ix_transactions_lease", "lease_until", postgresql_where=text("lease_until is not null")),
    Index("ix_transactions_stale", "txn", postgresql_where=text("judged_rev < rev")),
    Index("ix_transactions_review", "review_at", postgresql_where=text("review_at is not null")),
    Index("ix_transactions_open", "gateway", "txn", postgresql_where=text("found_by is null")),
    Index("ix_transactions_told", "gateway", "registered_at", postgresql_where=text("origin <> 'webhook'")),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("snapshot_id", BigInteger, Identity(always=True), nullable=False),
    Column("txn", BigInteger, nullable=False),
    Column("kind", Text, CheckConstraint("kind in ('details', 'orders')", name="kind"), nullable=False),
    Column("asked_at", INSTANT, nullable=False, comment="database's clock"),
    Column("answered_at", INSTANT, nullable=False, comment="database's clock"),
    Column("known_at", INSTANT, nullable=False, comment="domain's clock: when we knew"),
    Column("http_status", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the body"),
    Column("mark", Text, nullable=False, comment="news, same, out-of-order, overlap, unclear, absent"),
    Index("ix_snapshots_txn", "txn", "asked_at"),
    postgresql_partition_by="RANGE (answered_at)",
)

attempts = Table(
    "attempts",
    metadata,
    Column("attempt_id", BigInteger, Identity(always=True), nullable=False),
    Column("txn", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("at", INSTANT, nullable=False, server_default=DB_NOW, comment="database's clock"),
    Column("outcome", Text, nullable=False, comment="claimed, done, waiting, parked, lost"),
    Column("reason", Text),
    Column("detail", Text),
    Column("http_status", SmallInteger),
    Column("took_ms", Integer),
    Column("worker", Text),
    Index("ix_attempts_txn", "txn", "at"),
    postgresql_partition_by="RANGE (at)",
)

gateway_states = Table(
    "gateway_states",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("breaker", Text, nullable=False, server_default="closed"),
    Column("blocked_until", INSTANT, comment="database's clock; calls wait until then"),
    Column("reason", Text),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("changed_at", INSTANT, nullable=False, server_default=DB_NOW),
    Column(
        "striking", ARRAY(BigInteger), nullable=False, server_default="{}", comment="txns without an answer in a row"
    ),
    CheckConstraint("breaker in ('closed', 'open', 'half-open')", name="breaker"),
)

breaker_changes = Table(
    "breaker_changes",
    metadata,
    Column("change_id", BigInteger, Identity(always=True), primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("at", INSTANT, nullable=False, server_default=DB_NOW, comment="database's clock"),
    Column("breaker", Text, nullable=False, comment="opened, kept open, half-open, closed"),
    Column("reason", Text),
    Index("ix_breaker_changes_gateway", "gateway", "change_id"),
)

#: What a share last cost, to weigh what is asked for before it has a price. Never used in a comparison.
guide_prices = Table(
    "guide_prices",
    metadata,
    Column("exchange", Text, primary_key=True),
    Column("symbol", Text, primary_key=True),
    Column("price", MONEY, nullable=False),
    Column("trade_date", Date, nullable=False),
)

# ---------------------------------------------------------------- both sides of an order

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
    Column("import_id", BigInteger, ForeignKey("imports.import_id")),
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
    Column("import_id", BigInteger, ForeignKey("imports.import_id")),
    Column("replaced_by", BigInteger, ForeignKey("imports.import_id"), nullable=False),
)

# ---------------------------------------------------------------- reference data, told by imports


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

# ---------------------------------------------------------------- contract notes and tradebooks

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

# ---------------------------------------------------------------- dated facts of the company's, each with its versions


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

# ---------------------------------------------------------------- holdings

holding_accounts = Table(
    "holding_accounts",
    metadata,
    Column("holder", BigInteger, Identity(always=True), primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("account", Text, nullable=False, comment="smallcaseAuthId"),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("origin", Text, nullable=False, comment="how we came to ask: webhook, import, person"),
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

# ---------------------------------------------------------------- who: accounts, users, callers of the API

accounts = Table(
    "accounts",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("account", Text, primary_key=True, comment="smallcaseAuthId: one user at one broker"),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("broker", Text),
    Column("user_ref", Text, comment="the company's own user; null: linked to nobody"),
    Column("first_seen_at", INSTANT, nullable=False, comment="domain's clock"),
    Column("linked_at", INSTANT, comment="domain's clock"),
    CheckConstraint("(user_ref is null) = (linked_at is null)", name="linked"),
    Index("ix_accounts_user", "gateway", "user_ref", postgresql_where=text("user_ref is not null")),
)

account_links = Table(
    "account_links",
    metadata,
    Column("link_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", INSTANT, nullable=False, comment="domain's clock"),
    Column("gateway", Text, nullable=False),
    Column("account", Text, comment="null: what was shown proves none"),
    Column("user_ref", Text),
    Column(
        "change", Text, CheckConstraint("change in ('linked', 'refused', 'unlinked')", name="change"), nullable=False
    ),
    Column("source", Text, nullable=False, comment="sdk-token, transaction, token-request, by-hand"),
    Column("reason", Text, comment="why refused or unlinked"),
    Column("held_by", Text, comment="the user who had the account when it was refused"),
    Column("by", Text, nullable=False, comment="the API key, or who ran the command"),
    Column("transaction_id", Text),
    Index("ix_account_links_account", "gateway", "account"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("client", Text, nullable=False, comment="who calls; kept when the key is rotated"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("gateways", ARRAY(Text), nullable=False, server_default="{}", comment="empty: every one"),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the secret, which is kept nowhere"),
    Column("created_at", INSTANT, nullable=False, server_default=DB_NOW),
    Column("not_before", INSTANT, nullable=False, server_default=DB_NOW),
    Column("not_after", INSTANT),
    Column("revoked_at", INSTANT),
    Column("revoked_why", Text),
    Column("used_at", INSTANT, comment="to the minute"),
    CheckConstraint("octet_length(digest) = 32", name="digest"),
)

creations = Table(
    "creations",
    metadata,
    Column("creation_id", BigInteger, Identity(always=True), primary_key=True),
    Column("client", Text, nullable=False, comment="of the API key: idempotency keys are its own"),
    Column("idempotency_key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 over the canonical request"),
    Column("gateway", Text, nullable=False),
    Column("user_ref", Text),
    Column("account", Text, comment="of the connected token; null: a guest's"),
    Column("intent", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="asking"),
    Column("reason", Text),
    Column("began_at", INSTANT, nullable=False, server_default=DB_NOW, comment="database's clock"),
    Column("lease_until", INSTANT, nullable=False, comment="database's clock: asking longer is unclear"),
    Column("ended_at", INSTANT, comment="database's clock"),
    Column("http_status", SmallInteger, comment="of the Gateway's answer"),
    Column("transaction_id", Text),
    Column("answer_status", SmallInteger, comment="of the answer given, given again for the same key"),
    Column("answer", JSONB),
    CheckConstraint("state in ('asking', 'created', 'refused', 'unclear', 'failed')", name="state"),
    Index(
        "uq_creations_standing",
        "client",
        "idempotency_key",
        unique=True,
        postgresql_where=text("state in ('asking', 'created', 'refused')"),
    ),
    Index("ix_creations_key", "client", "idempotency_key"),
    Index("ix_creations_transaction", "transaction_id"),
    Index("ix_creations_unclear", "began_at", postgresql_where=text("state = 'unclear'")),
)

# ---------------------------------------------------------------- what reconciling says

verdicts = Table(
    "verdicts",
    metadata,
    Column("txn", BigInteger, comment="null: a line of ours that names no transaction"),
    Column("ours", BigInteger),
    Column("theirs", BigInteger),
    Column("rev", BigInteger, nullable=False, comment="the rev it judged: the transaction's, else the line's version"),
    Column("bucket", Text, nullable=False),
    Column("rung", SmallInteger, comment="of docs/breaks.md; 0: a person decided"),
    Column("rule", Text, comment="why it is excluded"),
    Column("trade_date", Date, nullable=False),
    Column("book", Text, nullable=False),
    Column("rule_set", Text, nullable=False),
    Column("members", ARRAY(Text), comment="rung 5: the natural keys of all lines that make up one order"),
    CheckConstraint("ours is not null or theirs is not null", name="a_line"),
    Index("ix_verdicts_txn", "txn"),
    Index("uq_verdicts_ours", "ours", unique=True, postgresql_where=text("ours is not null")),
    Index("uq_verdicts_theirs", "theirs", unique=True, postgresql_where=text("theirs is not null")),
    Index("ix_verdicts_date", "trade_date", "bucket"),
)

holding_verdicts = Table(
    "holding_verdicts",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("trade_date", Date, primary_key=True, comment="for whose end it was judged"),
    Column("isin", Text, primary_key=True, comment="the newest of its line of descent; else EXCHANGE:SYMBOL"),
    Column("book", Text, CheckConstraint(BOOK, name="book"), nullable=False),
    Column("bucket", Text, nullable=False),
    Column("rule", Text, comment="why it waits"),
    Column("snapshot_id", BigInteger, comment="the answer it was judged by; null: there is none"),
    Column("opening_as_of", Date, comment="of the books' positions; null: there are none"),
    Column("internal", MONEY, comment="what the books come to; null: they say nothing"),
    Column("shown", MONEY, comment="the broker's total; null: it said nothing"),
    Column("steps", JSONB, nullable=False, comment="[{what, quantity}] from the opening to what the books come to"),
    Column("parts", JSONB, nullable=False, comment="[{name, quantity, words}]: they add up to shown less internal"),
    Column("findings", JSONB, nullable=False, comment="what was found of it, as it stood on that day"),
    Column("ours_count", Integer, nullable=False, comment="rows of the books' positions"),
    Column("ours_quantity", MONEY, nullable=False),
    Column("ours_amount", Numeric, nullable=False),
    Column("theirs_count", Integer, nullable=False, comment="rows of the answer"),
    Column("theirs_quantity", MONEY, nullable=False),
    Column("theirs_amount", Numeric, nullable=False),
    Column("judged_at", INSTANT, nullable=False, comment="domain's clock"),
    Index("ix_holding_verdicts_date", "gateway", "trade_date", "bucket"),
)

findings = Table(
    "findings",
    metadata,
    Column("finding_id", UUID(as_uuid=True), primary_key=True, comment="hash of key, name and field: stable"),
    Column("txn", BigInteger, comment="null: about what an account holds"),
    Column("gateway", Text, nullable=False),
    Column("book", Text, nullable=False),
    Column("transaction_id", Text),
    Column("account", Text, comment="of holdings: whose"),
    Column("isin", Text, comment="of holdings: of which line of descent"),
    Column("root", UUID(as_uuid=True), comment="the finding that is the cause of this one"),
    Column("name", Text, nullable=False),
    Column("class", Text, CheckConstraint("class in ('break', 'pending', 'note')", name="class"), nullable=False),
    Column("level", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("line", Text, comment="order_id, else exchange_order_id, else null"),
    Column("batch_id", Text),
    Column("field", Text, nullable=False),
    Column("ours", Text),
    Column("theirs", Text),
    Column("difference", MONEY),
    Column("tolerance", MONEY),
    Column("impact_inr", MONEY, nullable=False),
    Column("slack_inr", MONEY, nullable=False, server_default="0", comment="rupees of slack a match used"),
    Column("critical", Boolean, nullable=False),
    Column("rule", Text, nullable=False),
    Column("rule_set", Text, nullable=False),
    Column("cause", Text),
    Column("evidence", JSONB, nullable=False),
    Column("ours_line", BigInteger),
    Column("theirs_line", BigInteger),
    Column("trade_date", Date, nullable=False),
    Column("rev", BigInteger, nullable=False),
    Column("opened_at", INSTANT, nullable=False, comment="domain's clock"),
    Column("closed_at", INSTANT),
    Column("reopened", Integer, nullable=False, server_default="0"),
    CheckConstraint("(txn is null) = (account is not null)", name="about"),
    Index("ix_findings_txn", "txn"),
    Index("ix_findings_account", "gateway", "account", postgresql_where=text("account is not null")),
    Index("ix_findings_open", "trade_date", "name", postgresql_where=text("closed_at is null")),
)

finding_changes = Table(
    "finding_changes",
    metadata,
    Column("change_id", BigInteger, Identity(always=True), primary_key=True),
    Column("finding_id", UUID(as_uuid=True), nullable=False),
    Column("at", INSTANT, nullable=False, comment="domain's clock"),
    Column("change", Text, nullable=False, comment="opened, changed, closed, reopened"),
    Column("rev", BigInteger, nullable=False),
    Column("ours", Text),
    Column("theirs", Text),
    Index("ix_finding_changes_finding", "finding_id"),
)

# ---------------------------------------------------------------- days that are closed

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

# ---------------------------------------------------------------- the service itself

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", INSTANT, nullable=False, server_default=DB_NOW),
    Column("name", Text, nullable=False, comment="unknown-shape, unknown-transaction, breaker-open, poison, ..."),
    Column("gateway", Text, nullable=False, server_default=""),
    Column("subject", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    UniqueConstraint("name", "gateway", "subject"),
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
