"""One transaction of the corpus in plain words: both sides, the webhooks, and what is true about them.

Nothing here knows the rules of `recon/`: a plant says by itself what must be found, from the
definitions people read in docs/breaks.md. Money is Decimal, instants are aware, dates are IST.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

IST = timezone(timedelta(hours=5, minutes=30))
MICRO = Decimal("0.000001")
INSTANT = timedelta(microseconds=1)
GRACE = timedelta(minutes=30)
ZERO = Decimal(0)

#: Days on which NSE does not trade in the weeks the corpus plays in, besides Saturdays and Sundays.
HOLIDAYS = frozenset({date(2026, 11, 10), date(2026, 11, 24), date(2026, 12, 25)})


#: What never asks anything of anybody, and what only waits.
NOTES = frozenset(
    {"out-of-order", "never-triggered", "partial-residual", "price-in-tol", "alias", "repair-chain", "waived"}
)
PENDINGS = frozenset({"open-order", "webhook-late", "awaiting-books"})


def is_session(day: date) -> bool:
    """Whether the exchange trades on that day."""
    return day.weekday() < 5 and day not in HOLIDAYS  # noqa: PLR2004 - Saturday


def next_session(day: date) -> date:
    """The first session after that day."""
    day += timedelta(days=1)
    while not is_session(day):
        day += timedelta(days=1)
    return day


def at(day: date, clock: str) -> datetime:
    """That wall clock time in India, on that day: `at(day, "15:30")`."""
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=IST)


@dataclass(frozen=True, slots=True)
class Share:
    """A security as one exchange lists it. `since` and `until` are the days on which its symbol stood for its ISIN."""

    exchange: str
    symbol: str
    isin: str
    price: Decimal  #: about what it trades at, on the tick grid
    since: date = date(2020, 1, 1)
    until: date | None = None


@dataclass(slots=True, kw_only=True)
class Leg:
    """One order leg as the Gateway tells it."""

    exchange_order_id: str | None
    exchange: str
    symbol: str
    side: str
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    status: str
    placed: bool = True


@dataclass(slots=True, kw_only=True)
class Batch:
    """One order batch as the Gateway tells it; a figure of None is left out."""

    batch_id: str
    status: str
    legs: list[Leg]
    variety: str | None = "regular"
    broker: str | None = "kite"
    created_at: datetime | None = None
    completed_at: datetime | None = None
    quantity: Decimal | None = None
    filled: Decimal | None = None
    buy_amount: Decimal | None = None
    sell_amount: Decimal | None = None
    more: dict[str, object] = field(default_factory=dict)  #: further keys, as the Gateway writes them

    def add_up(self) -> None:
        """Let its figures be the sums of its legs."""
        self.quantity = sum((leg.quantity for leg in self.legs), ZERO)
        self.filled = sum((leg.filled for leg in self.legs), ZERO)
        self.buy_amount, self.sell_amount = self._amount("BUY"), self._amount("SELL")

    def _amount(self, side: str) -> Decimal:
        return sum((leg.filled * (leg.price or ZERO) for leg in self.legs if leg.side == side), ZERO)


@dataclass(slots=True, kw_only=True)
class Answer:
    """One answer of the Gateway's API about the transaction."""

    status: str
    batches: list[Batch]
    intent: str | None = "TRANSACTION"
    account: str | None
    broker: str | None = "kite"
    created_at: datetime | None
    expire_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    requested: list[Leg] = field(default_factory=list)
    overlaps: bool = False  #: asked before the answer ahead of it had come
    garbled: bool = False  #: it came in a form that nobody can read
    more: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Webhook:
    """What one verified webhook says about one batch."""

    batch: Batch
    account: str | None
    received_at: datetime
    unasked: bool = False  #: no answer was asked for after it had come


@dataclass(slots=True, kw_only=True)
class Row:
    """One line of the company's books."""

    order_id: str
    transaction_id: str
    account: str
    trade_date: date
    exchange: str
    symbol: str
    side: str
    quantity: Decimal
    filled: Decimal | None
    price: Decimal | None
    status: str | None
    exchange_order_id: str | None
    isin: str | None = None
    batch_id: str | None = None
    broker: str | None = "kite"
    executed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One finding as a listing names it: of a line, or of the batch or transaction when `line` is None."""

    name: str
    line: str | None
    state: str  #: break, pending or note


@dataclass(slots=True, kw_only=True)
class Story:
    """One transaction, when it is judged, and what must be found: nothing else may be."""

    transaction_id: str
    trade_date: date
    as_of: datetime
    registered_at: datetime
    answers: list[Answer]
    rows: list[Row] = field(default_factory=list)
    webhooks: list[Webhook] = field(default_factory=list)
    absent_at: list[datetime] = field(default_factory=list)  #: when the API said "no such transaction"
    expire_at: datetime | None = None  #: as registered
    requested: list[Leg] = field(default_factory=list)  #: as registered
    complete: bool = False  #: the books of its trade date were declared to be all in
    undecided: bool = False  #: two answers contradict each other, so nothing is concluded
    garbled: list[bytes] = field(default_factory=list)  #: verified webhooks that nobody can read
    bearers: dict[str, str] = field(default_factory=dict)  #: parts of one order: with which line each of them lies
    siblings: list[Story] = field(default_factory=list)  #: other transactions of the same account that belong to it
    stored: bool = True  #: it can be told through an import and stored answers
    plants: list[str] = field(default_factory=list)  #: what was planted, in words
    truth: list[Found] = field(default_factory=list)

    @property
    def family(self) -> list[Story]:
        """This transaction and those that belong to it."""
        return [self, *self.siblings]

    @property
    def answer(self) -> Answer:
        """The only, or the last, answer."""
        return self.answers[-1]

    @property
    def batch(self) -> Batch:
        """The first batch of the last answer."""
        return self.answer.batches[0]

    def finds(self, name: str, about: Row | Leg | str | None = None, *, waiting: bool = False) -> None:
        """Say that this is true of a line of ours, of one of theirs, or of a batch or the transaction."""
        line = (
            about.order_id if isinstance(about, Row) else about.exchange_order_id if isinstance(about, Leg) else about
        )
        state = "note" if name in NOTES else "pending" if waiting or name in PENDINGS else "break"
        self.truth.append(Found(name, line, state))

    def row_of(self, leg: Leg) -> Row:
        """The line of the books about that leg."""
        return next(row for row in self.rows if row.exchange_order_id == leg.exchange_order_id)

    def add_up(self) -> None:
        """Let every batch add up, and every webhook say what the last answer says."""
        for batch in self.answer.batches:
            batch.add_up()
        self.tell_again()

    def tell_again(self) -> None:
        """Let every webhook about a batch say what the last answer says of it."""
        batches = {batch.batch_id: batch for batch in self.answer.batches}
        for webhook in self.webhooks:
            if webhook.batch.batch_id in batches:
                webhook.batch = deepcopy(batches[webhook.batch.batch_id])

    def hear(self, batch: Batch, received_at: datetime) -> Webhook:
        """A further webhook about that batch, as it stands now."""
        webhook = Webhook(batch=deepcopy(batch), account=self.answer.account, received_at=received_at)
        self.webhooks.append(webhook)
        return webhook

    def book(self, row: Row, **changes: object) -> Row:
        """A further line of the books, like that one but for the changes."""
        copy = replace(row, **changes)  # type: ignore[arg-type]
        self.rows.append(copy)
        return copy
