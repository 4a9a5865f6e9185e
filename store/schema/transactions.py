"""Transactions, what the Gateway answered about them, and each attempt to ask."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.schema.columns import BOOK, DB_NOW, INSTANT, MONEY, metadata

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
    Column("legs", Integer, nullable=False, server_default="0", comment="how many lines of theirs it has"),
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
    Index("ix_transactions_review", "review_at", postgresql_where=text("review_at is not null")),
    Index("ix_transactions_open", "gateway", "txn", postgresql_where=text("found_by is null")),
    Index("ix_transactions_told", "gateway", "registered_at", postgresql_where=text("origin <> 'webhook'")),
)

#: Transactions that changed since they were judged. Not a column of theirs: judging a million lines would write
#: every row of theirs anew. Who judges one holds its row, and takes it out of here.
unjudged = Table(
    "unjudged",
    metadata,
    Column("txn", BigInteger, primary_key=True),
    Column("since", INSTANT, nullable=False, server_default=DB_NOW, comment="database's clock"),
)
UNJUDGE = """\
create function unjudge() returns trigger language plpgsql as $$
begin
  insert into unjudged (txn) values (new.txn) on conflict do nothing;
  return null;
end $$"""
UNJUDGED_BY = (
    "create trigger unjudge_new after insert on transactions for each row execute function unjudge()",
    """\
create trigger unjudge_changed after update of rev on transactions
for each row when (new.rev <> old.rev) execute function unjudge()""",
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
