"""The first schema."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE alerts (
    alert_id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    name TEXT NOT NULL,
    gateway TEXT DEFAULT '' NOT NULL,
    subject TEXT DEFAULT '' NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_alerts PRIMARY KEY (alert_id),
    CONSTRAINT uq_alerts_name_gateway_subject UNIQUE (name, gateway, subject)
)
;
COMMENT ON COLUMN alerts.name IS 'unknown-shape, unknown-transaction, breaker-open, poison, ...'
;
CREATE TABLE attempts (
    attempt_id BIGINT GENERATED ALWAYS AS IDENTITY,
    txn BIGINT NOT NULL,
    generation INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    detail TEXT,
    http_status SMALLINT,
    took_ms INTEGER,
    worker TEXT
)
 PARTITION BY RANGE (at)
;
CREATE TABLE attempts_default PARTITION OF attempts DEFAULT
;
CREATE INDEX ix_attempts_txn ON attempts (txn, at)
;
COMMENT ON COLUMN attempts.at IS 'database''s clock'
;
COMMENT ON COLUMN attempts.outcome IS 'claimed, done, waiting, parked, lost'
;
CREATE TABLE deliveries (
    delivery_id BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id UUID NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    body BYTEA NOT NULL,
    headers JSONB NOT NULL,
    signature BYTEA NOT NULL,
    key_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    marks TEXT[] DEFAULT '{}' NOT NULL
)
 PARTITION BY RANGE (received_at)
;
CREATE TABLE deliveries_default PARTITION OF deliveries DEFAULT
;
CREATE INDEX ix_deliveries_event ON deliveries (event_id)
;
COMMENT ON COLUMN deliveries.received_at IS 'by the domain''s clock'
;
COMMENT ON COLUMN deliveries.body IS 'the bytes as they came'
;
COMMENT ON COLUMN deliveries.signature IS 'digest of timestamp, id and checksum'
;
CREATE TABLE events (
    event_id UUID NOT NULL,
    gateway TEXT NOT NULL,
    book TEXT NOT NULL CONSTRAINT ck_events_book CHECK (book in ('live', 'test')),
    family TEXT NOT NULL,
    transaction_id TEXT,
    batch_id TEXT,
    account TEXT,
    key_id TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    stored_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    state TEXT DEFAULT 'received' NOT NULL,
    reason TEXT,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    attempts INTEGER DEFAULT '0' NOT NULL,
    announced INTEGER DEFAULT '0' NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_events PRIMARY KEY (event_id),
    CONSTRAINT ck_events_state CHECK (state in ('received', 'claimed', 'waiting', 'parked', 'done'))
)
;
CREATE INDEX ix_events_due ON events (next_attempt_at) WHERE state in ('received', 'waiting', 'claimed')
;
CREATE INDEX ix_events_parked ON events (received_at) WHERE state = 'parked'
;
CREATE INDEX ix_events_received ON events (received_at)
;
CREATE INDEX ix_events_unit ON events (gateway, transaction_id)
;
COMMENT ON COLUMN events.event_id IS 'first 16 bytes of its identity'
;
COMMENT ON COLUMN events.account IS 'smallcaseAuthId as the webhook says it'
;
COMMENT ON COLUMN events.received_at IS 'by the domain''s clock'
;
COMMENT ON COLUMN events.stored_at IS 'by the database''s clock'
;
COMMENT ON COLUMN events.next_attempt_at IS 'by the database''s clock'
;
COMMENT ON COLUMN events.announced IS 'times the sweep announced it'
;
CREATE TABLE finding_changes (
    change_id BIGINT GENERATED ALWAYS AS IDENTITY,
    finding_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    change TEXT NOT NULL,
    rev BIGINT NOT NULL,
    ours TEXT,
    theirs TEXT,
    CONSTRAINT pk_finding_changes PRIMARY KEY (change_id)
)
;
CREATE INDEX ix_finding_changes_finding ON finding_changes (finding_id)
;
COMMENT ON COLUMN finding_changes.at IS 'domain''s clock'
;
COMMENT ON COLUMN finding_changes.change IS 'opened, changed, closed, reopened'
;
CREATE TABLE findings (
    finding_id UUID NOT NULL,
    txn BIGINT NOT NULL,
    gateway TEXT NOT NULL,
    book TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    name TEXT NOT NULL,
    class TEXT NOT NULL CONSTRAINT ck_findings_class CHECK (class in ('break', 'pending', 'note')),
    level TEXT NOT NULL,
    subject TEXT NOT NULL,
    line TEXT,
    batch_id TEXT,
    field TEXT NOT NULL,
    ours TEXT,
    theirs TEXT,
    difference NUMERIC(20, 6),
    tolerance NUMERIC(20, 6),
    impact_inr NUMERIC(20, 6) NOT NULL,
    critical BOOLEAN NOT NULL,
    rule TEXT NOT NULL,
    rule_set TEXT NOT NULL,
    cause TEXT,
    evidence JSONB NOT NULL,
    ours_line BIGINT,
    theirs_line BIGINT,
    trade_date DATE NOT NULL,
    rev BIGINT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    reopened INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_findings PRIMARY KEY (finding_id)
)
;
CREATE INDEX ix_findings_open ON findings (trade_date, name) WHERE closed_at is null
;
CREATE INDEX ix_findings_txn ON findings (txn)
;
COMMENT ON COLUMN findings.finding_id IS 'hash of key, name and field: stable'
;
COMMENT ON COLUMN findings.line IS 'order_id, else exchange_order_id, else null'
;
COMMENT ON COLUMN findings.opened_at IS 'domain''s clock'
;
CREATE TABLE gateway_states (
    gateway TEXT NOT NULL,
    breaker TEXT DEFAULT 'closed' NOT NULL,
    blocked_until TIMESTAMP WITH TIME ZONE,
    reason TEXT,
    failures INTEGER DEFAULT '0' NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_gateway_states PRIMARY KEY (gateway),
    CONSTRAINT ck_gateway_states_breaker CHECK (breaker in ('closed', 'open', 'half-open'))
)
;
COMMENT ON COLUMN gateway_states.blocked_until IS 'database''s clock; calls wait until then'
;
CREATE TABLE imports (
    import_id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    gateway TEXT,
    file_name TEXT NOT NULL,
    file_digest BYTEA NOT NULL,
    imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    rows INTEGER NOT NULL,
    "new" INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    complete_for DATE,
    CONSTRAINT pk_imports PRIMARY KEY (import_id)
)
;
CREATE INDEX ix_imports_complete ON imports (complete_for) WHERE complete_for is not null
;
COMMENT ON COLUMN imports.complete_for IS 'the books of that day are all in'
;
CREATE TABLE periods (
    job TEXT NOT NULL,
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    ran_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    detail JSONB,
    CONSTRAINT pk_periods PRIMARY KEY (job, period_start)
)
;
COMMENT ON COLUMN periods.period_start IS 'database''s clock'
;
CREATE TABLE refusals (
    gateway TEXT NOT NULL,
    reason TEXT NOT NULL,
    minute TIMESTAMP WITH TIME ZONE NOT NULL,
    count BIGINT NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sample BYTEA,
    headers JSONB,
    detail TEXT,
    CONSTRAINT uq_refusals_gateway_reason_minute UNIQUE (gateway, reason, minute)
)
;
CREATE INDEX ix_refusals_last ON refusals (last_at)
;
COMMENT ON COLUMN refusals.gateway IS '''?'' when no gateway has the name'
;
COMMENT ON COLUMN refusals.sample IS 'the beginning of one body'
;
CREATE TABLE signatures (
    signature BYTEA NOT NULL,
    event_id UUID NOT NULL,
    CONSTRAINT pk_signatures PRIMARY KEY (signature, event_id)
)
;
COMMENT ON COLUMN signatures.signature IS 'of a delivery'
;
COMMENT ON COLUMN signatures.event_id IS 'one body that it came with'
;
CREATE TABLE signs_of_life (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    detail JSONB,
    CONSTRAINT pk_signs_of_life PRIMARY KEY (kind, name)
)
;
COMMENT ON COLUMN signs_of_life.kind IS 'worker, canary, edge, beat, sweep'
;
CREATE TABLE snapshots (
    snapshot_id BIGINT GENERATED ALWAYS AS IDENTITY,
    txn BIGINT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_snapshots_kind CHECK (kind in ('details', 'orders')),
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    http_status SMALLINT NOT NULL,
    body BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    mark TEXT NOT NULL
)
 PARTITION BY RANGE (answered_at)
;
CREATE TABLE snapshots_default PARTITION OF snapshots DEFAULT
;
CREATE INDEX ix_snapshots_txn ON snapshots (txn, asked_at)
;
COMMENT ON COLUMN snapshots.asked_at IS 'database''s clock'
;
COMMENT ON COLUMN snapshots.answered_at IS 'database''s clock'
;
COMMENT ON COLUMN snapshots.known_at IS 'domain''s clock: when we knew'
;
COMMENT ON COLUMN snapshots.digest IS 'SHA-256 of the body'
;
COMMENT ON COLUMN snapshots.mark IS 'news, same, out-of-order, overlap, unclear, absent'
;
CREATE TABLE transactions (
    txn BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    book TEXT NOT NULL CONSTRAINT ck_transactions_book CHECK (book in ('live', 'test')),
    origin TEXT NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    account TEXT,
    broker TEXT,
    intent TEXT,
    status TEXT,
    created_at TIMESTAMP WITH TIME ZONE,
    expire_at TIMESTAMP WITH TIME ZONE,
    error_code TEXT,
    error_message TEXT,
    requested JSONB,
    known BOOLEAN,
    absent_at TIMESTAMP WITH TIME ZONE[] DEFAULT '{}' NOT NULL,
    final BOOLEAN DEFAULT 'false' NOT NULL,
    settled BOOLEAN DEFAULT 'true' NOT NULL,
    ask_at TIMESTAMP WITH TIME ZONE,
    asks INTEGER DEFAULT '0' NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE,
    rest_until TIMESTAMP WITH TIME ZONE,
    announce_at TIMESTAMP WITH TIME ZONE,
    announced INTEGER DEFAULT '0' NOT NULL,
    generation INTEGER DEFAULT '0' NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    deaths INTEGER DEFAULT '0' NOT NULL,
    rev BIGINT DEFAULT '1' NOT NULL,
    judged_rev BIGINT DEFAULT '0' NOT NULL,
    judged_at TIMESTAMP WITH TIME ZONE,
    review_at TIMESTAMP WITH TIME ZONE,
    quiet BOOLEAN DEFAULT 'false' NOT NULL,
    CONSTRAINT pk_transactions PRIMARY KEY (txn),
    CONSTRAINT uq_transactions_gateway_transaction_id UNIQUE (gateway, transaction_id),
    CONSTRAINT ck_transactions_origin CHECK (origin in ('registration', 'import', 'books', 'webhook'))
)
;
CREATE INDEX ix_transactions_ask ON transactions (ask_at) WHERE ask_at is not null
;
CREATE INDEX ix_transactions_lease ON transactions (lease_until) WHERE lease_until is not null
;
CREATE INDEX ix_transactions_review ON transactions (review_at) WHERE review_at is not null
;
CREATE INDEX ix_transactions_stale ON transactions (txn) WHERE judged_rev < rev
;
COMMENT ON COLUMN transactions.registered_at IS 'when we first heard of it, domain''s clock'
;
COMMENT ON COLUMN transactions.status IS 'the Gateway''s word'
;
COMMENT ON COLUMN transactions.known IS 'does the API know it; null until it answered'
;
COMMENT ON COLUMN transactions.absent_at IS 'answers ''no such transaction'''
;
COMMENT ON COLUMN transactions.final IS 'at its end: followed no more'
;
COMMENT ON COLUMN transactions.settled IS 'false while two calls disagree'
;
COMMENT ON COLUMN transactions.ask_at IS 'domain''s clock; null: not followed'
;
COMMENT ON COLUMN transactions.asked_at IS 'database''s clock: the last question'
;
COMMENT ON COLUMN transactions.rest_until IS 'database''s clock: not asked for before'
;
COMMENT ON COLUMN transactions.announce_at IS 'database''s clock: not announced by the follower before'
;
COMMENT ON COLUMN transactions.announced IS 'times in a row nobody took it up'
;
COMMENT ON COLUMN transactions.generation IS 'the fence: raised by each claim'
;
COMMENT ON COLUMN transactions.lease_until IS 'database''s clock; null: not claimed'
;
COMMENT ON COLUMN transactions.deaths IS 'claims in a row that never finished'
;
COMMENT ON COLUMN transactions.rev IS 'raised by every change of either side'
;
COMMENT ON COLUMN transactions.review_at IS 'domain''s clock: when time alone may change the verdict'
;
COMMENT ON COLUMN transactions.quiet IS 'all there is to say is about its lines'
;
CREATE TABLE verdicts (
    verdict_id BIGINT GENERATED ALWAYS AS IDENTITY,
    txn BIGINT,
    ours BIGINT,
    theirs BIGINT,
    rev BIGINT NOT NULL,
    bucket TEXT NOT NULL,
    rung SMALLINT,
    rule TEXT,
    trade_date DATE NOT NULL,
    book TEXT NOT NULL,
    rule_set TEXT NOT NULL,
    CONSTRAINT pk_verdicts PRIMARY KEY (verdict_id),
    CONSTRAINT ck_verdicts_a_line CHECK (ours is not null or theirs is not null)
)
;
CREATE INDEX ix_verdicts_date ON verdicts (trade_date, bucket)
;
CREATE INDEX ix_verdicts_txn ON verdicts (txn)
;
CREATE UNIQUE INDEX uq_verdicts_ours ON verdicts (ours) WHERE ours is not null
;
CREATE UNIQUE INDEX uq_verdicts_theirs ON verdicts (theirs) WHERE theirs is not null
;
COMMENT ON COLUMN verdicts.txn IS 'null: a line of ours that names no transaction'
;
COMMENT ON COLUMN verdicts.rev IS 'the rev it judged: the transaction''s, else the line''s version'
;
COMMENT ON COLUMN verdicts.rule IS 'why it is excluded'
;
CREATE TABLE batches (
    txn BIGINT NOT NULL,
    batch_id TEXT NOT NULL,
    status TEXT NOT NULL,
    variety TEXT,
    quantity NUMERIC(20, 6),
    filled NUMERIC(20, 6),
    buy_amount NUMERIC(20, 6),
    sell_amount NUMERIC(20, 6),
    created_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    broker TEXT,
    trade_date DATE NOT NULL,
    CONSTRAINT pk_batches PRIMARY KEY (txn, batch_id),
    CONSTRAINT fk_batches_txn FOREIGN KEY(txn) REFERENCES transactions (txn)
)
;
CREATE TABLE instruments (
    exchange TEXT NOT NULL,
    symbol TEXT NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    isin TEXT NOT NULL,
    import_id BIGINT,
    CONSTRAINT pk_instruments PRIMARY KEY (exchange, symbol, valid_from),
    CONSTRAINT fk_instruments_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
COMMENT ON COLUMN instruments.valid_to IS 'inclusive; null: until now'
;
CREATE TABLE our_lines (
    line BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    order_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    txn BIGINT,
    book TEXT NOT NULL CONSTRAINT ck_our_lines_book CHECK (book in ('live', 'test')),
    account TEXT NOT NULL,
    trade_date DATE NOT NULL,
    exchange TEXT NOT NULL,
    symbol TEXT NOT NULL,
    instrument TEXT NOT NULL,
    side TEXT NOT NULL,
    quantity NUMERIC(20, 6) NOT NULL,
    filled NUMERIC(20, 6),
    average_price NUMERIC(20, 6),
    status TEXT,
    batch_id TEXT,
    exchange_order_id TEXT,
    isin TEXT,
    broker TEXT,
    executed_at TIMESTAMP WITH TIME ZONE,
    key BYTEA,
    facts BYTEA NOT NULL,
    plain BOOLEAN NOT NULL,
    CONSTRAINT pk_our_lines PRIMARY KEY (line),
    CONSTRAINT uq_our_lines_gateway_order_id UNIQUE (gateway, order_id),
    CONSTRAINT fk_our_lines_txn FOREIGN KEY(txn) REFERENCES transactions (txn)
)
;
CREATE INDEX ix_our_lines_date ON our_lines (trade_date)
;
CREATE INDEX ix_our_lines_txn ON our_lines (txn)
;
COMMENT ON COLUMN our_lines.txn IS 'null: off-platform, excluded'
;
COMMENT ON COLUMN our_lines.key IS '16 bytes over exchange and exchange order id, within the transaction'
;
COMMENT ON COLUMN our_lines.facts IS '16 bytes over the normalised compared fields'
;
COMMENT ON COLUMN our_lines.plain IS 'alone and in its batch it raises no finding'
;
CREATE TABLE refused_rows (
    import_id BIGINT NOT NULL,
    row INTEGER NOT NULL,
    gateway TEXT,
    order_id TEXT,
    trade_date DATE NOT NULL,
    digest BYTEA NOT NULL,
    raw JSONB NOT NULL,
    problems JSONB NOT NULL,
    replaced_by BIGINT,
    CONSTRAINT pk_refused_rows PRIMARY KEY (import_id, row),
    CONSTRAINT fk_refused_rows_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
CREATE INDEX ix_refused_rows_open ON refused_rows (trade_date) WHERE replaced_by is null
;
COMMENT ON COLUMN refused_rows.order_id IS 'if it could be read'
;
COMMENT ON COLUMN refused_rows.trade_date IS 'of the row, else of the file, else of the import'
;
COMMENT ON COLUMN refused_rows.problems IS '[{column, value, problem, fix}]'
;
COMMENT ON COLUMN refused_rows.replaced_by IS 'the later import that replaced it'
;
CREATE TABLE their_lines (
    line BIGINT GENERATED ALWAYS AS IDENTITY,
    txn BIGINT NOT NULL,
    book TEXT NOT NULL CONSTRAINT ck_their_lines_book CHECK (book in ('live', 'test')),
    batch_id TEXT NOT NULL,
    placed BOOLEAN NOT NULL,
    position INTEGER NOT NULL,
    exchange TEXT NOT NULL,
    symbol TEXT NOT NULL,
    instrument TEXT NOT NULL,
    side TEXT NOT NULL,
    quantity NUMERIC(20, 6) NOT NULL,
    filled NUMERIC(20, 6) NOT NULL,
    average_price NUMERIC(20, 6),
    status TEXT NOT NULL,
    exchange_order_id TEXT,
    order_type TEXT,
    product TEXT,
    trade_date DATE NOT NULL,
    key BYTEA,
    facts BYTEA NOT NULL,
    plain BOOLEAN NOT NULL,
    CONSTRAINT pk_their_lines PRIMARY KEY (line),
    CONSTRAINT uq_their_lines_txn_batch_id_placed_position UNIQUE (txn, batch_id, placed, position),
    CONSTRAINT fk_their_lines_txn FOREIGN KEY(txn) REFERENCES transactions (txn)
)
;
CREATE INDEX ix_their_lines_date ON their_lines (trade_date)
;
COMMENT ON COLUMN their_lines.key IS '16 bytes over exchange and exchange order id, within the transaction'
;
COMMENT ON COLUMN their_lines.facts IS '16 bytes over the normalised compared fields'
;
COMMENT ON COLUMN their_lines.plain IS 'alone and in its batch it raises no finding'
;
CREATE TABLE line_versions (
    line BIGINT NOT NULL,
    version INTEGER NOT NULL,
    import_id BIGINT NOT NULL,
    row INTEGER NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    digest BYTEA NOT NULL,
    raw JSONB NOT NULL,
    CONSTRAINT pk_line_versions PRIMARY KEY (line, version),
    CONSTRAINT fk_line_versions_line FOREIGN KEY(line) REFERENCES our_lines (line),
    CONSTRAINT fk_line_versions_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
COMMENT ON COLUMN line_versions.row IS 'line of the file'
;
COMMENT ON COLUMN line_versions.digest IS 'SHA-256 over the normalised row'
;
COMMENT ON COLUMN line_versions.raw IS 'the cells as they stood'
"""


def upgrade() -> None:
    """Make every table."""
    for statement in TABLES.split("\n;\n"):
        op.execute(statement)


def downgrade() -> None:
    """Refused: the first schema holds money data; drop the database by hand if you mean it."""
    raise NotImplementedError(downgrade.__doc__)
