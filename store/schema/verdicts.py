"""What reconciling says: verdicts of orders and holdings, findings and how they changed."""

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
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from store.schema.columns import BOOK, INSTANT, MONEY, metadata

#: A transaction of which each line of ours is matched with exactly one of theirs, all on one date, and nothing is
#: left to say: one row for all its lines. The n-th of `ours` is matched with the n-th of `theirs`.
tied_out = Table(
    "tied_out",
    metadata,
    Column("txn", BigInteger, primary_key=True),
    Column("rev", BigInteger, nullable=False, comment="the transaction's rev that it judged"),
    Column("ours", ARRAY(BigInteger), nullable=False),
    Column("theirs", ARRAY(BigInteger), nullable=False),
    Column("trade_date", Date, nullable=False),
    Column("book", Text, nullable=False),
    Column("rule_set", Text, nullable=False),
    CheckConstraint("cardinality(ours) = cardinality(theirs)", name="pairs"),
    Index("ix_tied_out_date", "trade_date"),
)

line_verdicts = Table(
    "line_verdicts",
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
    Index("ix_line_verdicts_txn", "txn"),
    Index("uq_line_verdicts_ours", "ours", unique=True, postgresql_where=text("ours is not null")),
    Index("uq_line_verdicts_theirs", "theirs", unique=True, postgresql_where=text("theirs is not null")),
    Index("ix_line_verdicts_date", "trade_date", "bucket"),
)

#: Every line's verdict, however it is stored. Who looks for that of one line also names its transaction.
verdicts = Table("verdicts", MetaData(), *(Column(each.name, each.type) for each in line_verdicts.c))
VERDICTS = """\
select txn, ours, theirs, rev, bucket, rung, rule, trade_date, book, rule_set, members from line_verdicts
union all
select t.txn, p.ours, p.theirs, t.rev, 'matched', 1::smallint, null, t.trade_date, t.book, t.rule_set, null
from tied_out t cross join lateral unnest(t.ours, t.theirs) as p (ours, theirs)"""

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
