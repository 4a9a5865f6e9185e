"""What reconciling looks at and what it says, as frozen values.

Money and quantities are `Decimal`, rounded half-even to six places.
Instants are aware UTC datetimes; dates are IST trade dates.
What is said of lines is a `Struct`: a large run makes a million of them, and a frozen dataclass takes five times
as long to make.
Words of the Gateway are kept as it sent them, in upper case; `recon.words` knows which are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from recon.chained import ChainBatch
from recon.decided import Decision
from recon.held_claims import HeldClaim
from recon.noted import Notes

ZERO = Decimal(0)


class Origin(StrEnum):
    """How the service first heard of a transaction."""

    REGISTRATION = "registration"
    IMPORT = "import"
    BOOKS = "books"
    WEBHOOK = "webhook"


class FindingClass(StrEnum):
    """What a finding asks of people: to act, to wait, or only to know."""

    BREAK = "break"
    PENDING = "pending"
    NOTE = "note"


class Level(StrEnum):
    """What a finding is about."""

    LINE = "line"
    BATCH = "batch"
    TRANSACTION = "transaction"
    HOLDING = "holding"


class Leg(Struct, frozen=True, kw_only=True):
    """One order leg as the Gateway states it, in an API answer or a webhook."""

    placed: bool  #: False when it came in `unplaced`
    exchange: str
    symbol: str
    side: str
    quantity: Decimal
    filled: Decimal
    average_price: Decimal | None
    status: str
    exchange_order_id: str | None = None
    order_type: str | None = None
    product: str | None = None


class Batch(Struct, frozen=True, kw_only=True):
    """One order batch as the Gateway states it; None where it said nothing."""

    batch_id: str
    status: str
    variety: str | None = None
    quantity: Decimal | None = None
    filled: Decimal | None = None
    buy_amount: Decimal | None = None
    sell_amount: Decimal | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    broker: str | None = None
    dummy: bool = False
    iscid: str | None = None  #: the invested smallcase that it trades for: what a chain of repairs shares
    label: str | None = None  #: what the order is for: BUY, INVESTMORE, FIX, ...
    legs: tuple[Leg, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """What one API answer says about one transaction."""

    transaction_id: str
    status: str
    intent: str | None = None
    account: str | None = None
    broker: str | None = None
    created_at: datetime | None = None
    expire_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    batches: tuple[Batch, ...] = ()
    requested: tuple[Leg, ...] = ()  #: the basket asked for; `filled` is zero, `status` is ""
    purpose: str | None = None  #: `orderConfig.type`: SECURITIES, BUY, FIX, ...
    iscid: str | None = None  #: of its order configuration; a batch that names its own goes by that


class Snapshot(Struct, frozen=True, kw_only=True):
    """An answer with the instants, by the database's clock, between which it was given."""

    asked_at: datetime
    answered_at: datetime
    answer: Answer
    ref: str = ""  #: where the raw text lies, for evidence


class Claim(Struct, frozen=True, kw_only=True):
    """What one verified webhook says about one batch: evidence, never a booking."""

    event_id: str
    received_at: datetime
    asked_after: bool  #: a snapshot was asked for after this webhook had come
    account: str | None
    batch: Batch
    order: int = 0  #: position among the transaction's webhooks as they came


class TheirLine(Struct, frozen=True, kw_only=True):
    """One leg of the Gateway's current state (E), with the instrument it names on its date."""

    line: int  #: the stored row, only to link verdicts
    batch_id: str
    leg: Leg
    instrument: str  #: ISIN on the trade date, else EXCHANGE:SYMBOL
    trade_date: date


class OurLine(Struct, frozen=True, kw_only=True):
    """One order line of the company's books (I)."""

    line: int
    order_id: str
    account: str
    trade_date: date
    exchange: str
    symbol: str
    instrument: str
    side: str
    quantity: Decimal
    filled: Decimal | None = None
    average_price: Decimal | None = None
    status: str | None = None  #: in the Gateway's leg words, by the mapping of the import
    batch_id: str | None = None
    exchange_order_id: str | None = None
    broker: str | None = None
    executed_at: datetime | None = None


class Regression(Struct, frozen=True, kw_only=True):
    """A later answer that said less than an earlier one: both are kept, the earlier stands."""

    batch_id: str
    field: str  #: "status", "filled" or "present"
    before: str
    after: str
    leg: Leg | None = None  #: the leg as it stands, None for the batch itself
    ref: str = ""


class State(Struct, frozen=True, kw_only=True):
    """E: what all snapshots together say, oldest question first; it never goes back."""

    answer: Answer
    regressions: tuple[Regression, ...] = ()
    settled: bool = True  #: False while two calls overlapped and disagree
    ref: str = ""  #: the newest snapshot that counted, for evidence


class Evidence(Struct, frozen=True, kw_only=True):
    """Where to look: a webhook event, a stored answer, a row of the books."""

    kind: str  #: "event", "snapshot", "books", "registration", "clock", "decision", "chain", "note"
    ref: str
    says: str = ""


class Case(Struct, frozen=True, kw_only=True):
    """Everything known about one transaction at one instant."""

    gateway: str
    transaction_id: str
    origin: Origin
    state: State | None  #: None while no answer named it
    theirs: tuple[TheirLine, ...] = ()
    ours: tuple[OurLine, ...] = ()
    claims: tuple[Claim, ...] = ()
    held: tuple[HeldClaim, ...] = ()  #: what its holdings webhooks said, where an answer followed
    absent_at: tuple[datetime, ...] = ()  #: answers "no such transaction", by the service's clock
    registered_at: datetime | None = None
    expire_at: datetime | None = None  #: as registered, when no answer says it
    requested: tuple[Leg, ...] = ()  #: as registered, when no answer says it
    chain: tuple[ChainBatch, ...] = ()  #: batches of other transactions with an `iscid` of this one
    decisions: tuple[Decision, ...] = ()
    notes: Notes | None = None  #: of its days; None where no note of its account ever came
    unreadable: tuple[Evidence, ...] = ()  #: verified webhooks and kept answers that no version would send


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A rule set: declared precision, slack and graces. Its name goes with every verdict."""

    name: str = "default"
    price_places_ours: int = 2
    price_places_theirs: int = 2
    amount_places: int = 2
    price_slack: Decimal = ZERO  #: rupees a share allowed beyond rounding
    slack_ticks: Decimal = ZERO  #: and so many ticks, where the tick is known
    slack_bps: Decimal = ZERO  #: and so many hundredths of a percent of the Gateway's price
    slack_cap: Decimal | None = None  #: rupees that the slack of one line may come to; None: no cap
    webhook_grace: timedelta = timedelta(minutes=30)
    open_grace: timedelta = timedelta(minutes=30)
    books_due: time = time(20, 0)  #: IST, on the trade date


class Calendar(Protocol):
    """The exchange's sessions; all dates IST, all instants UTC."""

    def is_session(self, day: date) -> bool:
        """Whether the exchange trades on that day."""
        ...

    def session_on_or_after(self, day: date) -> date:
        """The first session not before that day."""
        ...

    def session_after(self, day: date) -> date:
        """The first session after that day."""
        ...

    def opens_at(self, day: date) -> datetime:
        """When that session opens."""
        ...

    def closes_at(self, day: date) -> datetime:
        """When that session closes."""
        ...


class Finding(Struct, frozen=True, kw_only=True):
    """One true statement about a difference. A value, never an exception."""

    name: str  #: kebab name of docs/breaks.md
    level: Level
    subject: str  #: natural key: order_id, else exchange_order_id, else batch or transaction id
    field: str
    ours: str | None
    theirs: str | None
    line: str | None = None  #: as listings show it: order_id, exchange_order_id or null
    batch_id: str | None = None
    difference: Decimal | None = None  #: ours less theirs
    tolerance: Decimal | None = None
    impact_inr: Decimal = ZERO
    rule: str = ""
    cause: str | None = None
    critical: bool = False
    slack_inr: Decimal = ZERO  #: rupees of the policy's slack that a match used, beyond rounding
    waiting: bool = False  #: a break by name whose grace still runs: pending for now
    evidence: tuple[Evidence, ...] = ()
    ours_line: int | None = None
    theirs_line: int | None = None
    root: str | None = None  #: id of the finding that is the cause of this one


class Verdict(Struct, frozen=True, kw_only=True):
    """Where one line, or a pair of lines, ends up."""

    ours: int | None
    theirs: int | None
    bucket: str
    trade_date: date
    rung: int | None = None
    findings: tuple[Finding, ...] = ()
    members: tuple[str, ...] = ()  #: where parts make up one order (rung 5): the natural keys of all of them


class Judgement(Struct, frozen=True, kw_only=True):
    """All that judging one case says; `review_at` is when time alone may change it."""

    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]  #: of batches and of the transaction
    review_at: datetime | None = None
    trade_date: date | None = None  #: of the transaction's own findings

    def all_findings(self) -> tuple[Finding, ...]:
        """The findings of lines, batches and the transaction, in that order."""
        return (*(f for v in self.verdicts for f in v.findings), *self.findings)


class Bucket(Struct, frozen=True, kw_only=True):
    """How much lies in one bucket of one side."""

    name: str
    side: str  #: "ours" or "theirs"
    count: int
    quantity: Decimal = ZERO
    amount: Decimal = ZERO
