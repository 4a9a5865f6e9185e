"""Accounts and whose they are, who may call the private API, what was created through it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from store.schema.columns import BOOK, DB_NOW, INSTANT, metadata

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
