"""The first schema."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE account_links (
    link_id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    gateway TEXT NOT NULL,
    account TEXT,
    user_ref TEXT,
    change TEXT NOT NULL CONSTRAINT ck_account_links_change CHECK (change in ('linked', 'refused', 'unlinked')),
    source TEXT NOT NULL,
    reason TEXT,
    held_by TEXT,
    by TEXT NOT NULL,
    transaction_id TEXT,
    CONSTRAINT pk_account_links PRIMARY KEY (link_id)
)
;
CREATE INDEX ix_account_links_account ON account_links (gateway, account)
;
COMMENT ON COLUMN account_links.at IS 'domain''s clock'
;
COMMENT ON COLUMN account_links.account IS 'null: what was shown proves none'
;
COMMENT ON COLUMN account_links.source IS 'sdk-token, transaction, token-request, by-hand'
;
COMMENT ON COLUMN account_links.reason IS 'why refused or unlinked'
;
COMMENT ON COLUMN account_links.held_by IS 'the user who had the account when it was refused'
;
COMMENT ON COLUMN account_links.by IS 'the API key, or who ran the command'
;
CREATE TABLE accounts (
    gateway TEXT NOT NULL,
    account TEXT NOT NULL,
    book TEXT NOT NULL CONSTRAINT ck_accounts_book CHECK (book in ('live', 'test')),
    broker TEXT,
    user_ref TEXT,
    first_seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_accounts PRIMARY KEY (gateway, account),
    CONSTRAINT ck_accounts_linked CHECK ((user_ref is null) = (linked_at is null))
)
;
CREATE INDEX ix_accounts_user ON accounts (gateway, user_ref) WHERE user_ref is not null
;
COMMENT ON COLUMN accounts.account IS 'smallcaseAuthId: one user at one broker'
;
COMMENT ON COLUMN accounts.user_ref IS 'the company''s own user; null: linked to nobody'
;
COMMENT ON COLUMN accounts.first_seen_at IS 'domain''s clock'
;
COMMENT ON COLUMN accounts.linked_at IS 'domain''s clock'
;
CREATE TABLE alerts (
    alert_id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    day DATE DEFAULT (clock_timestamp() at time zone 'UTC')::date NOT NULL,
    name TEXT NOT NULL,
    gateway TEXT DEFAULT '' NOT NULL,
    subject TEXT DEFAULT '' NOT NULL,
    detail TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_alerts PRIMARY KEY (alert_id),
    CONSTRAINT uq_alerts_name_gateway_subject_day UNIQUE (name, gateway, subject, day)
)
;
COMMENT ON COLUMN alerts.name IS 'unknown-shape, unknown-transaction, breaker-open, poison, ...'
;
CREATE TABLE api_keys (
    key_id TEXT NOT NULL,
    client TEXT NOT NULL,
    scopes TEXT[] NOT NULL,
    gateways TEXT[] DEFAULT '{}' NOT NULL,
    digest BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    not_before TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    not_after TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_why TEXT,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_keys PRIMARY KEY (key_id),
    CONSTRAINT ck_api_keys_digest CHECK (octet_length(digest) = 32)
)
;
COMMENT ON COLUMN api_keys.client IS 'who calls; kept when the key is rotated'
;
COMMENT ON COLUMN api_keys.gateways IS 'empty: every one'
;
COMMENT ON COLUMN api_keys.digest IS 'SHA-256 of the secret, which is kept nowhere'
;
COMMENT ON COLUMN api_keys.used_at IS 'to the minute'
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
CREATE TABLE breaker_changes (
    change_id BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    breaker TEXT NOT NULL,
    reason TEXT,
    CONSTRAINT pk_breaker_changes PRIMARY KEY (change_id)
)
;
CREATE INDEX ix_breaker_changes_gateway ON breaker_changes (gateway, change_id)
;
COMMENT ON COLUMN breaker_changes.at IS 'database''s clock'
;
COMMENT ON COLUMN breaker_changes.breaker IS 'opened, kept open, half-open, closed'
;
CREATE TABLE closed_days (
    close_id BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    book TEXT NOT NULL CONSTRAINT ck_closed_days_book CHECK (book in ('live', 'test')),
    trade_date DATE NOT NULL,
    version INTEGER NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_by TEXT NOT NULL,
    why TEXT,
    despite TEXT,
    pending JSONB NOT NULL,
    rules JSONB NOT NULL,
    totals JSONB NOT NULL,
    digest BYTEA NOT NULL,
    layout JSONB NOT NULL,
    rows BIGINT NOT NULL,
    previous BYTEA,
    root BYTEA NOT NULL,
    reopened_at TIMESTAMP WITH TIME ZONE,
    reopened_by TEXT,
    reopened_why TEXT,
    reopened_seal BYTEA,
    CONSTRAINT pk_closed_days PRIMARY KEY (close_id),
    CONSTRAINT uq_closed_days_gateway_book_trade_date_version UNIQUE (gateway, book, trade_date, version)
)
;
CREATE UNIQUE INDEX uq_closed_days_standing ON closed_days (gateway, book, trade_date) WHERE reopened_at is null
;
COMMENT ON COLUMN closed_days.version IS '1, then one more each time it is closed again'
;
COMMENT ON COLUMN closed_days.closed_at IS 'domain''s clock'
;
COMMENT ON COLUMN closed_days.despite IS 'why it was closed though something was pending'
;
COMMENT ON COLUMN closed_days.pending IS 'what was: [{name, count, words}]'
;
COMMENT ON COLUMN closed_days.rules IS 'the rule set with every value'
;
COMMENT ON COLUMN closed_days.totals IS '{orders, holdings}, as the day prints them'
;
COMMENT ON COLUMN closed_days.digest IS 'of the day'
;
COMMENT ON COLUMN closed_days.layout IS '{table: [columns]} that are sealed'
;
COMMENT ON COLUMN closed_days.rows IS 'sealed rows'
;
COMMENT ON COLUMN closed_days.previous IS 'root of the close before it; null: the first'
;
COMMENT ON COLUMN closed_days.root IS 'SHA-256 over all of the above and the sealed rows'
;
COMMENT ON COLUMN closed_days.reopened_at IS 'domain''s clock'
;
COMMENT ON COLUMN closed_days.reopened_seal IS 'SHA-256 over the root and the reopening'
;
CREATE TABLE creations (
    creation_id BIGINT GENERATED ALWAYS AS IDENTITY,
    client TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest BYTEA NOT NULL,
    gateway TEXT NOT NULL,
    user_ref TEXT,
    account TEXT,
    intent TEXT NOT NULL,
    state TEXT DEFAULT 'asking' NOT NULL,
    reason TEXT,
    began_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    http_status SMALLINT,
    transaction_id TEXT,
    answer_status SMALLINT,
    answer JSONB,
    CONSTRAINT pk_creations PRIMARY KEY (creation_id),
    CONSTRAINT ck_creations_state CHECK (state in ('asking', 'created', 'refused', 'unclear', 'failed'))
)
;
CREATE INDEX ix_creations_key ON creations (client, idempotency_key)
;
CREATE INDEX ix_creations_transaction ON creations (transaction_id)
;
CREATE INDEX ix_creations_unclear ON creations (began_at) WHERE state = 'unclear'
;
CREATE UNIQUE INDEX uq_creations_standing ON creations (client, idempotency_key) WHERE state in ('asking', 'created', 'refused')
;
COMMENT ON COLUMN creations.client IS 'of the API key: idempotency keys are its own'
;
COMMENT ON COLUMN creations.digest IS 'SHA-256 over the canonical request'
;
COMMENT ON COLUMN creations.account IS 'of the connected token; null: a guest''s'
;
COMMENT ON COLUMN creations.began_at IS 'database''s clock'
;
COMMENT ON COLUMN creations.lease_until IS 'database''s clock: asking longer is unclear'
;
COMMENT ON COLUMN creations.ended_at IS 'database''s clock'
;
COMMENT ON COLUMN creations.http_status IS 'of the Gateway''s answer'
;
COMMENT ON COLUMN creations.answer_status IS 'of the answer given, given again for the same key'
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
CREATE INDEX ix_events_held ON events (received_at) WHERE family in ('holdings', 'mf-holdings') and state in ('received', 'waiting', 'claimed')
;
CREATE INDEX ix_events_holder ON events (gateway, account) WHERE family = 'holdings'
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
    txn BIGINT,
    gateway TEXT NOT NULL,
    book TEXT NOT NULL,
    transaction_id TEXT,
    account TEXT,
    isin TEXT,
    root UUID,
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
    slack_inr NUMERIC(20, 6) DEFAULT '0' NOT NULL,
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
    CONSTRAINT pk_findings PRIMARY KEY (finding_id),
    CONSTRAINT ck_findings_about CHECK ((txn is null) = (account is not null))
)
;
CREATE INDEX ix_findings_account ON findings (gateway, account) WHERE account is not null
;
CREATE INDEX ix_findings_open ON findings (trade_date, name) WHERE closed_at is null
;
CREATE INDEX ix_findings_txn ON findings (txn)
;
COMMENT ON COLUMN findings.finding_id IS 'hash of key, name and field: stable'
;
COMMENT ON COLUMN findings.txn IS 'null: about what an account holds'
;
COMMENT ON COLUMN findings.account IS 'of holdings: whose'
;
COMMENT ON COLUMN findings.isin IS 'of holdings: of which line of descent'
;
COMMENT ON COLUMN findings.root IS 'the finding that is the cause of this one'
;
COMMENT ON COLUMN findings.line IS 'order_id, else exchange_order_id, else null'
;
COMMENT ON COLUMN findings.slack_inr IS 'rupees of slack a match used'
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
    striking BIGINT[] DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_gateway_states PRIMARY KEY (gateway),
    CONSTRAINT ck_gateway_states_breaker CHECK (breaker in ('closed', 'open', 'half-open'))
)
;
COMMENT ON COLUMN gateway_states.blocked_until IS 'database''s clock; calls wait until then'
;
COMMENT ON COLUMN gateway_states.striking IS 'txns without an answer in a row'
;
CREATE TABLE guide_prices (
    exchange TEXT NOT NULL,
    symbol TEXT NOT NULL,
    price NUMERIC(20, 6) NOT NULL,
    trade_date DATE NOT NULL,
    CONSTRAINT pk_guide_prices PRIMARY KEY (exchange, symbol)
)
;
CREATE TABLE holding_accounts (
    holder BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    account TEXT NOT NULL,
    book TEXT NOT NULL CONSTRAINT ck_holding_accounts_book CHECK (book in ('live', 'test')),
    origin TEXT NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    broker TEXT,
    state TEXT DEFAULT 'new' NOT NULL,
    state_since TIMESTAMP WITH TIME ZONE,
    as_at TIMESTAMP WITH TIME ZONE,
    known_at TIMESTAMP WITH TIME ZONE,
    next_fetch_at TIMESTAMP WITH TIME ZONE,
    pauses INTEGER DEFAULT '0' NOT NULL,
    waits_for TEXT,
    asked_at TIMESTAMP WITH TIME ZONE,
    rest_until TIMESTAMP WITH TIME ZONE,
    announce_at TIMESTAMP WITH TIME ZONE,
    announced INTEGER DEFAULT '0' NOT NULL,
    generation INTEGER DEFAULT '0' NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    deaths INTEGER DEFAULT '0' NOT NULL,
    rev BIGINT DEFAULT '1' NOT NULL,
    judged_rev BIGINT DEFAULT '0' NOT NULL,
    judged_for DATE,
    judged_at TIMESTAMP WITH TIME ZONE,
    seen_change BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT pk_holding_accounts PRIMARY KEY (holder),
    CONSTRAINT uq_holding_accounts_gateway_account UNIQUE (gateway, account)
)
;
CREATE INDEX ix_holding_accounts_lease ON holding_accounts (lease_until) WHERE lease_until is not null
;
CREATE INDEX ix_holding_accounts_next ON holding_accounts (next_fetch_at) WHERE next_fetch_at is not null
;
CREATE INDEX ix_holding_accounts_stale ON holding_accounts (holder) WHERE judged_rev < rev
;
COMMENT ON COLUMN holding_accounts.account IS 'smallcaseAuthId'
;
COMMENT ON COLUMN holding_accounts.origin IS 'how we came to ask: webhook, import, person, positions, link'
;
COMMENT ON COLUMN holding_accounts.registered_at IS 'domain''s clock'
;
COMMENT ON COLUMN holding_accounts.state IS 'what the last answer says of it'
;
COMMENT ON COLUMN holding_accounts.state_since IS 'domain''s clock'
;
COMMENT ON COLUMN holding_accounts.as_at IS 'the Gateway''s snapshotDate, else its lastUpdate'
;
COMMENT ON COLUMN holding_accounts.known_at IS 'domain''s clock: the last answer'
;
COMMENT ON COLUMN holding_accounts.next_fetch_at IS 'domain''s clock; null: only when told to'
;
COMMENT ON COLUMN holding_accounts.pauses IS 'answers in a row that said updating'
;
COMMENT ON COLUMN holding_accounts.waits_for IS 'why the fetch that is due was put off'
;
COMMENT ON COLUMN holding_accounts.asked_at IS 'database''s clock: the last question'
;
COMMENT ON COLUMN holding_accounts.rest_until IS 'database''s clock: not asked for before'
;
COMMENT ON COLUMN holding_accounts.announce_at IS 'database''s clock: not announced by the sweep before'
;
COMMENT ON COLUMN holding_accounts.announced IS 'times in a row nobody took it up'
;
COMMENT ON COLUMN holding_accounts.generation IS 'the fence: raised by each claim'
;
COMMENT ON COLUMN holding_accounts.lease_until IS 'database''s clock; null: not claimed'
;
COMMENT ON COLUMN holding_accounts.deaths IS 'claims in a row that never finished'
;
COMMENT ON COLUMN holding_accounts.rev IS 'raised by what may change its verdicts'
;
COMMENT ON COLUMN holding_accounts.judged_for IS 'the IST date it was last reconciled for'
;
COMMENT ON COLUMN holding_accounts.judged_at IS 'domain''s clock'
;
COMMENT ON COLUMN holding_accounts.seen_change IS 'newest change of a finding then'
;
CREATE TABLE holding_snapshots (
    snapshot_id BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    account TEXT,
    book TEXT NOT NULL CONSTRAINT ck_holding_snapshots_book CHECK (book in ('live', 'test')),
    kind TEXT NOT NULL CONSTRAINT ck_holding_snapshots_kind CHECK (kind in ('equity', 'mf', 'investments')),
    source TEXT NOT NULL CONSTRAINT ck_holding_snapshots_source CHECK (source in ('api', 'webhook')),
    event_id UUID,
    transaction_id TEXT,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    http_status SMALLINT,
    version TEXT,
    state TEXT NOT NULL,
    updating BOOLEAN,
    snapshot_date TIMESTAMP WITH TIME ZONE,
    last_update TIMESTAMP WITH TIME ZONE,
    broker TEXT,
    body BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    content BYTEA,
    lines_in BIGINT,
    lines INTEGER DEFAULT '0' NOT NULL,
    refused INTEGER DEFAULT '0' NOT NULL,
    not_understood JSONB NOT NULL,
    CONSTRAINT pk_holding_snapshots PRIMARY KEY (snapshot_id)
)
;
CREATE INDEX ix_holding_snapshots_account ON holding_snapshots (gateway, account, kind, snapshot_id)
;
CREATE INDEX ix_holding_snapshots_funds ON holding_snapshots (snapshot_id) WHERE kind = 'mf'
;
CREATE UNIQUE INDEX uq_holding_snapshots_event ON holding_snapshots (event_id) WHERE event_id is not null
;
COMMENT ON COLUMN holding_snapshots.account IS 'null: a mutual-fund webhook that names none'
;
COMMENT ON COLUMN holding_snapshots.event_id IS 'the webhook it was taken from'
;
COMMENT ON COLUMN holding_snapshots.transaction_id IS 'as that webhook says it'
;
COMMENT ON COLUMN holding_snapshots.asked_at IS 'database''s clock; of a webhook when it was stored'
;
COMMENT ON COLUMN holding_snapshots.answered_at IS 'database''s clock'
;
COMMENT ON COLUMN holding_snapshots.known_at IS 'domain''s clock: when we knew'
;
COMMENT ON COLUMN holding_snapshots.http_status IS 'null: from a webhook'
;
COMMENT ON COLUMN holding_snapshots.version IS 'v1 or v2: in v1 the quantities leave out what belongs to smallcases'
;
COMMENT ON COLUMN holding_snapshots.state IS 'what this answer says of the account'
;
COMMENT ON COLUMN holding_snapshots.snapshot_date IS 'as the Gateway says it'
;
COMMENT ON COLUMN holding_snapshots.last_update IS 'as the Gateway says it'
;
COMMENT ON COLUMN holding_snapshots.body IS 'the bytes as they came'
;
COMMENT ON COLUMN holding_snapshots.digest IS 'SHA-256 of the body'
;
COMMENT ON COLUMN holding_snapshots.content IS '16 bytes over the lines; null: it could not be read'
;
COMMENT ON COLUMN holding_snapshots.lines_in IS 'the snapshot that holds these very lines; null: it could not be read'
;
COMMENT ON COLUMN holding_snapshots.refused IS 'rows that could not be taken'
;
COMMENT ON COLUMN holding_snapshots.not_understood IS '[{path, what, why, count, example}]'
;
CREATE TABLE holding_verdicts (
    gateway TEXT NOT NULL,
    account TEXT NOT NULL,
    trade_date DATE NOT NULL,
    isin TEXT NOT NULL,
    book TEXT NOT NULL CONSTRAINT ck_holding_verdicts_book CHECK (book in ('live', 'test')),
    bucket TEXT NOT NULL,
    rule TEXT,
    snapshot_id BIGINT,
    opening_as_of DATE,
    internal NUMERIC(20, 6),
    shown NUMERIC(20, 6),
    steps JSONB NOT NULL,
    parts JSONB NOT NULL,
    findings JSONB NOT NULL,
    ours_count INTEGER NOT NULL,
    ours_quantity NUMERIC(20, 6) NOT NULL,
    ours_amount NUMERIC NOT NULL,
    theirs_count INTEGER NOT NULL,
    theirs_quantity NUMERIC(20, 6) NOT NULL,
    theirs_amount NUMERIC NOT NULL,
    judged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_holding_verdicts PRIMARY KEY (gateway, account, trade_date, isin)
)
;
CREATE INDEX ix_holding_verdicts_date ON holding_verdicts (gateway, trade_date, bucket)
;
COMMENT ON COLUMN holding_verdicts.trade_date IS 'for whose end it was judged'
;
COMMENT ON COLUMN holding_verdicts.isin IS 'the newest of its line of descent; else EXCHANGE:SYMBOL'
;
COMMENT ON COLUMN holding_verdicts.rule IS 'why it waits'
;
COMMENT ON COLUMN holding_verdicts.snapshot_id IS 'the answer it was judged by; null: there is none'
;
COMMENT ON COLUMN holding_verdicts.opening_as_of IS 'of the books'' positions; null: there are none'
;
COMMENT ON COLUMN holding_verdicts.internal IS 'what the books come to; null: they say nothing'
;
COMMENT ON COLUMN holding_verdicts.shown IS 'the broker''s total; null: it said nothing'
;
COMMENT ON COLUMN holding_verdicts.steps IS '[{what, quantity}] from the opening to what the books come to'
;
COMMENT ON COLUMN holding_verdicts.parts IS '[{name, quantity, words}]: they add up to shown less internal'
;
COMMENT ON COLUMN holding_verdicts.findings IS 'what was found of it, as it stood on that day'
;
COMMENT ON COLUMN holding_verdicts.ours_count IS 'rows of the books'' positions'
;
COMMENT ON COLUMN holding_verdicts.theirs_count IS 'rows of the answer'
;
COMMENT ON COLUMN holding_verdicts.judged_at IS 'domain''s clock'
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
CREATE TABLE line_verdicts (
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
    members TEXT[],
    CONSTRAINT ck_line_verdicts_a_line CHECK (ours is not null or theirs is not null)
)
;
CREATE INDEX ix_line_verdicts_date ON line_verdicts (trade_date, bucket)
;
CREATE INDEX ix_line_verdicts_txn ON line_verdicts (txn)
;
CREATE UNIQUE INDEX uq_line_verdicts_ours ON line_verdicts (ours) WHERE ours is not null
;
CREATE UNIQUE INDEX uq_line_verdicts_theirs ON line_verdicts (theirs) WHERE theirs is not null
;
COMMENT ON COLUMN line_verdicts.txn IS 'null: a line of ours that names no transaction'
;
COMMENT ON COLUMN line_verdicts.rev IS 'the rev it judged: the transaction''s, else the line''s version'
;
COMMENT ON COLUMN line_verdicts.rung IS 'of docs/breaks.md; 0: a person decided'
;
COMMENT ON COLUMN line_verdicts.rule IS 'why it is excluded'
;
COMMENT ON COLUMN line_verdicts.members IS 'rung 5: the natural keys of all lines that make up one order'
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
CREATE TABLE spellings (
    exchange TEXT NOT NULL,
    symbol TEXT NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    isin TEXT NOT NULL,
    CONSTRAINT pk_spellings PRIMARY KEY (exchange, symbol, valid_from)
)
;
COMMENT ON COLUMN spellings.symbol IS 'as some write it: the listing''s symbol, a hyphen, a series'
;
CREATE TABLE tied_out (
    txn BIGSERIAL NOT NULL,
    rev BIGINT NOT NULL,
    ours BIGINT[] NOT NULL,
    theirs BIGINT[] NOT NULL,
    trade_date DATE NOT NULL,
    book TEXT NOT NULL,
    rule_set TEXT NOT NULL,
    CONSTRAINT pk_tied_out PRIMARY KEY (txn),
    CONSTRAINT ck_tied_out_pairs CHECK (cardinality(ours) = cardinality(theirs))
)
;
CREATE INDEX ix_tied_out_date ON tied_out (trade_date)
;
COMMENT ON COLUMN tied_out.rev IS 'the transaction''s rev that it judged'
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
    user_ref TEXT,
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
    legs INTEGER DEFAULT '0' NOT NULL,
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
    review_at TIMESTAMP WITH TIME ZONE,
    quiet BOOLEAN DEFAULT 'false' NOT NULL,
    value NUMERIC(20, 6),
    retries INTEGER DEFAULT '0' NOT NULL,
    followed_from TIMESTAMP WITH TIME ZONE,
    given_up TEXT,
    given_up_at TIMESTAMP WITH TIME ZONE,
    found_by TEXT,
    found_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_transactions PRIMARY KEY (txn),
    CONSTRAINT uq_transactions_gateway_transaction_id UNIQUE (gateway, transaction_id),
    CONSTRAINT ck_transactions_origin CHECK (origin in ('registration', 'import', 'books', 'webhook'))
)
;
CREATE INDEX ix_transactions_ask ON transactions (ask_at) WHERE ask_at is not null
;
CREATE INDEX ix_transactions_lease ON transactions (lease_until) WHERE lease_until is not null
;
CREATE INDEX ix_transactions_open ON transactions (gateway, txn) WHERE found_by is null
;
CREATE INDEX ix_transactions_review ON transactions (review_at) WHERE review_at is not null
;
CREATE INDEX ix_transactions_told ON transactions (gateway, registered_at) WHERE origin <> 'webhook'
;
COMMENT ON COLUMN transactions.registered_at IS 'when we first heard of it, domain''s clock'
;
COMMENT ON COLUMN transactions.user_ref IS 'the company''s own user for whom it was created'
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
COMMENT ON COLUMN transactions.legs IS 'how many lines of theirs it has'
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
COMMENT ON COLUMN transactions.value IS 'rupees asked for, as far as prices are known: the dearest are asked for first'
;
COMMENT ON COLUMN transactions.retries IS 'questions in a row that gave no answer'
;
COMMENT ON COLUMN transactions.followed_from IS 'domain''s clock: taken up again then; null: followed from its expiry'
;
COMMENT ON COLUMN transactions.given_up IS 'why it is followed no more though it is not at its end'
;
COMMENT ON COLUMN transactions.given_up_at IS 'domain''s clock'
;
COMMENT ON COLUMN transactions.found_by IS 'what told its end: webhook, or following, which asked by itself'
;
COMMENT ON COLUMN transactions.found_at IS 'domain''s clock: when its end was known'
;
CREATE TABLE unjudged (
    txn BIGSERIAL NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_unjudged PRIMARY KEY (txn)
)
;
COMMENT ON COLUMN unjudged.since IS 'database''s clock'
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
    iscid TEXT,
    label TEXT,
    repair BOOLEAN DEFAULT 'false' NOT NULL,
    trade_date DATE NOT NULL,
    CONSTRAINT pk_batches PRIMARY KEY (txn, batch_id),
    CONSTRAINT fk_batches_txn FOREIGN KEY(txn) REFERENCES transactions (txn)
)
;
CREATE INDEX ix_batches_iscid ON batches (iscid) WHERE iscid is not null
;
COMMENT ON COLUMN batches.iscid IS 'the invested smallcase it trades for: what a chain of repairs shares'
;
COMMENT ON COLUMN batches.label IS 'what it is for, in the Gateway''s words'
;
COMMENT ON COLUMN batches.repair IS 'it re-attempts an earlier batch''s rest'
;
CREATE TABLE charges (
    exchange TEXT NOT NULL,
    code TEXT NOT NULL,
    valid_from DATE NOT NULL,
    version INTEGER NOT NULL,
    valid_to DATE,
    broker TEXT NOT NULL,
    component TEXT NOT NULL,
    side TEXT NOT NULL,
    basis TEXT NOT NULL,
    rate NUMERIC(20, 6) NOT NULL,
    least NUMERIC(20, 6),
    most NUMERIC(20, 6),
    unit NUMERIC(20, 6) NOT NULL,
    rounding TEXT NOT NULL,
    import_id BIGINT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    replaced_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_charges PRIMARY KEY (exchange, code, valid_from, version),
    CONSTRAINT fk_charges_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
COMMENT ON COLUMN charges.exchange IS 'empty: of any'
;
COMMENT ON COLUMN charges.code IS 'the ISIN, else the symbol; of a charge its key'
;
COMMENT ON COLUMN charges.valid_to IS 'inclusive; null: until one that begins later'
;
COMMENT ON COLUMN charges.broker IS 'empty: of any'
;
COMMENT ON COLUMN charges.side IS 'empty: of both'
;
COMMENT ON COLUMN charges.basis IS 'turnover, quantity, order, or the sum of components'
;
COMMENT ON COLUMN charges.unit IS 'rupees to whose multiple it is rounded'
;
COMMENT ON COLUMN charges.known_at IS 'domain''s clock'
;
COMMENT ON COLUMN charges.replaced_at IS 'domain''s clock: when a later version came'
;
CREATE TABLE corporate_actions (
    fact BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    isin TEXT NOT NULL,
    ex_date DATE NOT NULL,
    new_isin TEXT,
    temporary_isin TEXT,
    ratio_from NUMERIC(20, 6) NOT NULL,
    ratio_to NUMERIC(20, 6) NOT NULL,
    record_date DATE,
    credited_by DATE,
    version INTEGER NOT NULL,
    import_id BIGINT NOT NULL,
    row INTEGER NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_corporate_actions PRIMARY KEY (fact),
    CONSTRAINT uq_corporate_actions_kind_isin_ex_date_version UNIQUE (kind, isin, ex_date, version),
    CONSTRAINT fk_corporate_actions_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
COMMENT ON COLUMN corporate_actions.temporary_isin IS 'under which a bonus lies until it is listed'
;
COMMENT ON COLUMN corporate_actions.ratio_from IS 'so many shares held ...'
;
COMMENT ON COLUMN corporate_actions.ratio_to IS '... become, or bring, so many'
;
COMMENT ON COLUMN corporate_actions.version IS '1, then one more each time it is said otherwise'
;
COMMENT ON COLUMN corporate_actions.row IS 'line of the file'
;
COMMENT ON COLUMN corporate_actions.known_at IS 'domain''s clock'
;
CREATE TABLE decisions (
    decision_id BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    txn BIGINT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_decisions_kind CHECK (kind in ('together', 'apart')),
    ours TEXT NOT NULL,
    theirs TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    undone_by TEXT,
    undone_why TEXT,
    CONSTRAINT pk_decisions PRIMARY KEY (decision_id),
    CONSTRAINT ck_decisions_undone CHECK ((undone_at is null) = (undone_by is null)),
    CONSTRAINT fk_decisions_txn FOREIGN KEY(txn) REFERENCES transactions (txn)
)
;
CREATE UNIQUE INDEX uq_decisions_counting ON decisions (txn, ours, theirs) WHERE undone_at is null
;
COMMENT ON COLUMN decisions.ours IS 'order_id'
;
COMMENT ON COLUMN decisions.theirs IS 'the leg''s natural key'
;
COMMENT ON COLUMN decisions.at IS 'domain''s clock'
;
COMMENT ON COLUMN decisions.undone_at IS 'domain''s clock; null: it counts'
;
CREATE TABLE holding_attempts (
    attempt_id BIGINT GENERATED ALWAYS AS IDENTITY,
    holder BIGINT NOT NULL,
    generation INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    detail TEXT,
    http_status SMALLINT,
    took_ms INTEGER,
    worker TEXT,
    CONSTRAINT pk_holding_attempts PRIMARY KEY (attempt_id),
    CONSTRAINT fk_holding_attempts_holder FOREIGN KEY(holder) REFERENCES holding_accounts (holder)
)
;
CREATE INDEX ix_holding_attempts_holder ON holding_attempts (holder, at)
;
COMMENT ON COLUMN holding_attempts.at IS 'database''s clock'
;
COMMENT ON COLUMN holding_attempts.outcome IS 'claimed, done, waiting, parked, lost, replayed'
;
CREATE TABLE holding_lines (
    snapshot_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    isin TEXT,
    nse_ticker TEXT,
    bse_ticker TEXT,
    name TEXT,
    held NUMERIC(20, 6),
    held_average NUMERIC(20, 6),
    t1 NUMERIC(20, 6),
    nse_quantity NUMERIC(20, 6),
    nse_average NUMERIC(20, 6),
    bse_quantity NUMERIC(20, 6),
    bse_average NUMERIC(20, 6),
    transactable NUMERIC(20, 6),
    smallcase NUMERIC(20, 6),
    collateral NUMERIC(20, 6),
    suspended_nse BOOLEAN,
    suspended_bse BOOLEAN,
    CONSTRAINT pk_holding_lines PRIMARY KEY (snapshot_id, position),
    CONSTRAINT fk_holding_lines_snapshot_id FOREIGN KEY(snapshot_id) REFERENCES holding_snapshots (snapshot_id)
)
;
CREATE INDEX ix_holding_lines_isin ON holding_lines (isin)
;
COMMENT ON COLUMN holding_lines.position IS 'its place in the answer'
;
COMMENT ON COLUMN holding_lines.held IS 'holdings.quantity: in the demat account; null: not said'
;
COMMENT ON COLUMN holding_lines.held_average IS 'rupees a share'
;
COMMENT ON COLUMN holding_lines.t1 IS 'bought, not yet delivered'
;
COMMENT ON COLUMN holding_lines.nse_quantity IS 'position of the day'
;
COMMENT ON COLUMN holding_lines.bse_quantity IS 'position of the day'
;
COMMENT ON COLUMN holding_lines.smallcase IS 'the part that belongs to smallcases'
;
COMMENT ON COLUMN holding_lines.suspended_nse IS 'suspended or delisted; null: not said'
;
CREATE TABLE instrument_versions (
    exchange TEXT NOT NULL,
    symbol TEXT NOT NULL,
    valid_from DATE NOT NULL,
    version INTEGER NOT NULL,
    valid_to DATE,
    isin TEXT NOT NULL,
    series TEXT,
    successor TEXT,
    import_id BIGINT,
    replaced_by BIGINT NOT NULL,
    CONSTRAINT pk_instrument_versions PRIMARY KEY (exchange, symbol, valid_from, version),
    CONSTRAINT fk_instrument_versions_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id),
    CONSTRAINT fk_instrument_versions_replaced_by FOREIGN KEY(replaced_by) REFERENCES imports (import_id)
)
;
COMMENT ON COLUMN instrument_versions.version IS 'of what was replaced'
;
CREATE TABLE instruments (
    exchange TEXT NOT NULL,
    symbol TEXT NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    isin TEXT NOT NULL,
    series TEXT,
    successor TEXT,
    import_id BIGINT,
    CONSTRAINT pk_instruments PRIMARY KEY (exchange, symbol, valid_from),
    CONSTRAINT ck_instruments_successor CHECK (successor is null or (successor <> isin and valid_to is not null)),
    CONSTRAINT fk_instruments_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
CREATE INDEX ix_instruments_successor ON instruments (isin) WHERE successor is not null
;
COMMENT ON COLUMN instruments.valid_to IS 'inclusive; null: until now'
;
COMMENT ON COLUMN instruments.series IS 'in which the exchange trades it: EQ, BE ...; null: not told'
;
COMMENT ON COLUMN instruments.successor IS 'the ISIN that these shares have after valid_to'
;
CREATE TABLE mf_lines (
    snapshot_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    entry TEXT NOT NULL CONSTRAINT ck_mf_lines_entry CHECK (entry in ('holding', 'transaction')),
    folio TEXT,
    fund TEXT,
    isin TEXT,
    quantity NUMERIC(20, 6),
    average_price NUMERIC(20, 6),
    last_price NUMERIC(20, 6),
    dated DATE,
    amount NUMERIC(20, 6),
    pnl NUMERIC(20, 6),
    xirr NUMERIC(20, 6),
    words TEXT,
    raw JSONB NOT NULL,
    CONSTRAINT pk_mf_lines PRIMARY KEY (snapshot_id, position),
    CONSTRAINT fk_mf_lines_snapshot_id FOREIGN KEY(snapshot_id) REFERENCES holding_snapshots (snapshot_id)
)
;
COMMENT ON COLUMN mf_lines.position IS 'its place in the answer'
;
COMMENT ON COLUMN mf_lines.quantity IS 'units'
;
COMMENT ON COLUMN mf_lines.average_price IS 'rupees a unit'
;
COMMENT ON COLUMN mf_lines.last_price IS 'NAV, or the price of a transaction'
;
COMMENT ON COLUMN mf_lines.dated IS 'of that price, or of the transaction'
;
COMMENT ON COLUMN mf_lines.amount IS 'rupees: market value, or of the transaction'
;
COMMENT ON COLUMN mf_lines.xirr IS 'per cent a year, as sent'
;
COMMENT ON COLUMN mf_lines.words IS 'what the transaction was'
;
COMMENT ON COLUMN mf_lines.raw IS 'the row whole, numbers as text'
;
CREATE TABLE notes (
    note BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT ck_notes_kind CHECK (kind in ('contract-note', 'tradebook')),
    account TEXT NOT NULL,
    broker TEXT NOT NULL,
    trade_date DATE NOT NULL,
    note_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE,
    digest BYTEA NOT NULL,
    import_id BIGINT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    replaced_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_notes PRIMARY KEY (note),
    CONSTRAINT uq_notes_gateway_kind_account_broker_trade_date_note_id_version UNIQUE (gateway, kind, account, broker, trade_date, note_id, version),
    CONSTRAINT fk_notes_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
CREATE INDEX ix_notes_account ON notes (gateway, account, trade_date) WHERE replaced_at is null
;
CREATE INDEX ix_notes_date ON notes (trade_date)
;
COMMENT ON COLUMN notes.broker IS 'in lower case'
;
COMMENT ON COLUMN notes.note_id IS 'empty: the one tradebook of that day'
;
COMMENT ON COLUMN notes.digest IS 'of its lines, whatever their order'
;
COMMENT ON COLUMN notes.known_at IS 'domain''s clock'
;
COMMENT ON COLUMN notes.replaced_at IS 'domain''s clock: when a later version came'
;
CREATE TABLE our_lines (
    line BIGINT GENERATED ALWAYS AS IDENTITY,
    txn BIGINT,
    trade_date DATE NOT NULL,
    plain BOOLEAN NOT NULL,
    key BYTEA,
    facts BYTEA NOT NULL,
    executed_at TIMESTAMP WITH TIME ZONE,
    gateway TEXT NOT NULL,
    order_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    book TEXT NOT NULL CONSTRAINT ck_our_lines_book CHECK (book in ('live', 'test')),
    account TEXT NOT NULL,
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
    CONSTRAINT pk_our_lines PRIMARY KEY (line),
    CONSTRAINT uq_our_lines_gateway_order_id UNIQUE (gateway, order_id),
    CONSTRAINT fk_our_lines_txn FOREIGN KEY(txn) REFERENCES transactions (txn)
)
;
CREATE INDEX ix_our_lines_date ON our_lines (trade_date)
;
CREATE INDEX ix_our_lines_txn ON our_lines (txn)
;
CREATE INDEX ix_our_lines_user ON our_lines (gateway, account) WHERE length(account) <> 24
;
COMMENT ON COLUMN our_lines.txn IS 'null: off-platform, excluded'
;
COMMENT ON COLUMN our_lines.plain IS 'alone and in its batch it raises no finding'
;
COMMENT ON COLUMN our_lines.key IS '16 bytes over exchange and exchange order id, within the transaction'
;
COMMENT ON COLUMN our_lines.facts IS '16 bytes over the normalised compared fields'
;
CREATE TABLE positions (
    fact BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    account TEXT NOT NULL,
    as_of DATE NOT NULL,
    isin TEXT NOT NULL,
    broker TEXT,
    symbol TEXT,
    quantity NUMERIC(20, 6) NOT NULL,
    average_price NUMERIC(20, 6),
    version INTEGER NOT NULL,
    import_id BIGINT NOT NULL,
    row INTEGER NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_positions PRIMARY KEY (fact),
    CONSTRAINT uq_positions_gateway_account_as_of_isin_version UNIQUE (gateway, account, as_of, isin, version),
    CONSTRAINT fk_positions_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
COMMENT ON COLUMN positions.account IS 'smallcaseAuthId'
;
COMMENT ON COLUMN positions.as_of IS 'at the end of that IST date, its trades included'
;
COMMENT ON COLUMN positions.version IS '1, then one more each time it is said otherwise'
;
COMMENT ON COLUMN positions.row IS 'line of the file'
;
COMMENT ON COLUMN positions.known_at IS 'domain''s clock'
;
CREATE TABLE prices (
    exchange TEXT NOT NULL,
    code TEXT NOT NULL,
    valid_from DATE NOT NULL,
    version INTEGER NOT NULL,
    valid_to DATE,
    symbol TEXT,
    isin TEXT,
    low NUMERIC(20, 6) NOT NULL,
    high NUMERIC(20, 6) NOT NULL,
    close NUMERIC(20, 6),
    import_id BIGINT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    replaced_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_prices PRIMARY KEY (exchange, code, valid_from, version),
    CONSTRAINT fk_prices_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
CREATE INDEX ix_prices_isin ON prices (exchange, isin, valid_from) WHERE replaced_at is null
;
CREATE INDEX ix_prices_symbol ON prices (exchange, symbol, valid_from) WHERE replaced_at is null
;
COMMENT ON COLUMN prices.exchange IS 'empty: of any'
;
COMMENT ON COLUMN prices.code IS 'the ISIN, else the symbol; of a charge its key'
;
COMMENT ON COLUMN prices.valid_to IS 'inclusive; null: until one that begins later'
;
COMMENT ON COLUMN prices.known_at IS 'domain''s clock'
;
COMMENT ON COLUMN prices.replaced_at IS 'domain''s clock: when a later version came'
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
CREATE TABLE sealed_rows (
    close_id BIGINT NOT NULL,
    place BIGINT NOT NULL,
    table_name TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BYTEA NOT NULL,
    CONSTRAINT pk_sealed_rows PRIMARY KEY (close_id, place),
    CONSTRAINT fk_sealed_rows_close_id FOREIGN KEY(close_id) REFERENCES closed_days (close_id)
)
;
COMMENT ON COLUMN sealed_rows.place IS 'from 1, by table, key and digest'
;
COMMENT ON COLUMN sealed_rows.key IS 'what people call the row'
;
COMMENT ON COLUMN sealed_rows.digest IS 'SHA-256 of the row''s canonical text'
;
CREATE TABLE smallcase_lines (
    snapshot_id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    access TEXT NOT NULL CONSTRAINT ck_smallcase_lines_access CHECK (access in ('public', 'private', 'all')),
    scid TEXT,
    iscid TEXT,
    name TEXT,
    status TEXT,
    current_value NUMERIC(20, 6),
    total_returns NUMERIC(20, 6),
    constituents JSONB NOT NULL,
    raw JSONB NOT NULL,
    CONSTRAINT pk_smallcase_lines PRIMARY KEY (snapshot_id, position),
    CONSTRAINT fk_smallcase_lines_snapshot_id FOREIGN KEY(snapshot_id) REFERENCES holding_snapshots (snapshot_id)
)
;
COMMENT ON COLUMN smallcase_lines.position IS 'its place in the answer'
;
COMMENT ON COLUMN smallcase_lines.constituents IS '[{ticker, shares}], numbers as text'
;
COMMENT ON COLUMN smallcase_lines.raw IS 'the row whole, numbers as text'
;
CREATE TABLE their_lines (
    line BIGINT GENERATED ALWAYS AS IDENTITY,
    txn BIGINT NOT NULL,
    trade_date DATE NOT NULL,
    plain BOOLEAN NOT NULL,
    key BYTEA,
    facts BYTEA NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
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
    CONSTRAINT pk_their_lines PRIMARY KEY (line),
    CONSTRAINT uq_their_lines_txn_batch_id_placed_position UNIQUE (txn, batch_id, placed, position),
    CONSTRAINT fk_their_lines_txn FOREIGN KEY(txn) REFERENCES transactions (txn)
)
;
CREATE INDEX ix_their_lines_date ON their_lines (trade_date)
;
COMMENT ON COLUMN their_lines.plain IS 'alone and in its batch it raises no finding'
;
COMMENT ON COLUMN their_lines.key IS '16 bytes over exchange and exchange order id, within the transaction'
;
COMMENT ON COLUMN their_lines.facts IS '16 bytes over the normalised compared fields'
;
COMMENT ON COLUMN their_lines.completed_at IS 'of its batch'
;
CREATE TABLE ticks (
    exchange TEXT NOT NULL,
    code TEXT NOT NULL,
    valid_from DATE NOT NULL,
    version INTEGER NOT NULL,
    valid_to DATE,
    symbol TEXT,
    isin TEXT,
    tick NUMERIC(20, 6) NOT NULL,
    import_id BIGINT NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    replaced_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_ticks PRIMARY KEY (exchange, code, valid_from, version),
    CONSTRAINT fk_ticks_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
CREATE INDEX ix_ticks_isin ON ticks (exchange, isin, valid_from) WHERE replaced_at is null
;
CREATE INDEX ix_ticks_symbol ON ticks (exchange, symbol, valid_from) WHERE replaced_at is null
;
COMMENT ON COLUMN ticks.exchange IS 'empty: of any'
;
COMMENT ON COLUMN ticks.code IS 'the ISIN, else the symbol; of a charge its key'
;
COMMENT ON COLUMN ticks.valid_to IS 'inclusive; null: until one that begins later'
;
COMMENT ON COLUMN ticks.known_at IS 'domain''s clock'
;
COMMENT ON COLUMN ticks.replaced_at IS 'domain''s clock: when a later version came'
;
CREATE TABLE transfers (
    fact BIGINT GENERATED ALWAYS AS IDENTITY,
    gateway TEXT NOT NULL,
    reference TEXT NOT NULL,
    account TEXT NOT NULL,
    date DATE NOT NULL,
    isin TEXT NOT NULL,
    symbol TEXT,
    direction TEXT NOT NULL CONSTRAINT ck_transfers_direction CHECK (direction in ('in', 'out')),
    quantity NUMERIC(20, 6) NOT NULL,
    version INTEGER NOT NULL,
    import_id BIGINT NOT NULL,
    row INTEGER NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_transfers PRIMARY KEY (fact),
    CONSTRAINT uq_transfers_gateway_reference_version UNIQUE (gateway, reference, version),
    CONSTRAINT fk_transfers_import_id FOREIGN KEY(import_id) REFERENCES imports (import_id)
)
;
COMMENT ON COLUMN transfers.account IS 'smallcaseAuthId'
;
COMMENT ON COLUMN transfers.version IS '1, then one more each time it is said otherwise'
;
COMMENT ON COLUMN transfers.row IS 'line of the file'
;
COMMENT ON COLUMN transfers.known_at IS 'domain''s clock'
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
;
CREATE TABLE note_lines (
    note BIGINT NOT NULL,
    row INTEGER NOT NULL,
    exchange TEXT NOT NULL,
    symbol TEXT NOT NULL,
    isin TEXT,
    side TEXT NOT NULL,
    quantity NUMERIC(20, 6) NOT NULL,
    price NUMERIC(20, 6) NOT NULL,
    exchange_order_id TEXT,
    order_id TEXT,
    brokerage NUMERIC(20, 6),
    stt NUMERIC(20, 6),
    exchange_charge NUMERIC(20, 6),
    sebi_fee NUMERIC(20, 6),
    stamp_duty NUMERIC(20, 6),
    gst NUMERIC(20, 6),
    net_amount NUMERIC(20, 6),
    CONSTRAINT pk_note_lines PRIMARY KEY (note, row),
    CONSTRAINT fk_note_lines_note FOREIGN KEY(note) REFERENCES notes (note)
)
;
COMMENT ON COLUMN note_lines.row IS 'of the file'
;
COMMENT ON COLUMN note_lines.exchange IS 'empty: one average over several exchanges'
;
COMMENT ON COLUMN note_lines.net_amount IS 'what the customer pays (below zero) or gets for this line'
;
create view verdicts as
select txn, ours, theirs, rev, bucket, rung, rule, trade_date, book, rule_set, members from line_verdicts
union all
select t.txn, p.ours, p.theirs, t.rev, 'matched', 1::smallint, null, t.trade_date, t.book, t.rule_set, null
from tied_out t cross join lateral unnest(t.ours, t.theirs) as p (ours, theirs)
;
create function unjudge() returns trigger language plpgsql as $$
begin
  insert into unjudged (txn) values (new.txn) on conflict do nothing;
  return null;
end $$
;
create trigger unjudge_new after insert on transactions for each row execute function unjudge()
;
create trigger unjudge_changed after update of rev on transactions
for each row when (new.rev <> old.rev) execute function unjudge()
"""


def upgrade() -> None:
    """Make every table."""
    for statement in TABLES.split("\n;\n"):
        op.execute(statement)


def downgrade() -> None:
    """Refused: the first schema holds money data; drop the database by hand if you mean it."""
    raise NotImplementedError(downgrade.__doc__)
