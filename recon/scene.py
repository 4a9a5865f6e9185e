"""What a rule looks at: one case at one instant, item by item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from recon.chains import Link
from recon.ends import is_unplaced
from recon.lines import books_due_at, plain_text, session_of
from recon.market import Market, UnknownMarket
from recon.numbers import LIMIT, PLACES
from recon.values import (
    ZERO,
    Answer,
    Batch,
    Calendar,
    Case,
    Claim,
    Evidence,
    Finding,
    Level,
    OurLine,
    Policy,
    Regression,
    TheirLine,
)

TICK = timedelta(microseconds=1)  #: the finest step of an instant in the database

_FIGURES = {"difference", "tolerance", "impact_inr", "slack_inr"}


class Times:
    """The instant of judging, and those ahead of it at which a condition of time turns."""

    def __init__(self, as_of: datetime) -> None:
        """Start with nothing ahead."""
        self.as_of = as_of
        self._ahead: list[datetime] = []

    def passed(self, end: datetime) -> bool:
        """Whether that end lies behind; one that does not is remembered."""
        if self.as_of > end:
            return True
        self._ahead.append(end)
        return False

    @property
    def review_at(self) -> datetime | None:
        """The earliest instant at which a remembered end lies behind."""
        return min(self._ahead) + TICK if self._ahead else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One case at one instant, under one policy."""

    case: Case
    times: Times
    policy: Policy
    calendar: Calendar
    books_in: Callable[[date], bool]
    market: Market = field(default_factory=UnknownMarket)
    links: tuple[Link, ...] = ()  #: of the chains in which its batches stand

    @property
    def knows_prices(self) -> bool:
        """Whether there is any market to look prices up in."""
        return not isinstance(self.market, UnknownMarket)

    @property
    def answer(self) -> Answer | None:
        """The Gateway's current answer, None while it named nothing."""
        return None if self.case.state is None else self.case.state.answer

    @property
    def batches(self) -> tuple[Batch, ...]:
        """The Gateway's batches."""
        return () if self.answer is None else self.answer.batches

    @property
    def status(self) -> str:
        """The transaction's word, empty while there is none."""
        return "" if self.answer is None else self.answer.status

    @property
    def expire_at(self) -> datetime | None:
        """Until when the transaction can be begun, as answered, else as registered."""
        answered = None if self.answer is None else self.answer.expire_at
        return answered or self.case.expire_at

    def claims(self) -> Sequence[Claim]:
        """The verified webhooks that had come by then, in the order they came."""
        came = (claim for claim in self.case.claims if claim.received_at <= self.times.as_of)
        return sorted(came, key=lambda claim: (claim.order, claim.received_at, claim.event_id))

    def books_are_in(self, day: date) -> bool:
        """Whether the books of that trade date are due or declared complete."""
        if self.books_in(day):
            return True
        self.times.passed(books_due_at(day, self.policy) - TICK)  # they are due from that instant on
        return False

    def trade_date(self) -> date:
        """The day of the transaction's own findings: of its first line, else of its beginning."""
        days = [line.trade_date for line in self.case.theirs] or [line.trade_date for line in self.case.ours]
        if days:
            return min(days)
        answered = None if self.answer is None else self.answer.created_at
        begun = answered or self.case.registered_at or self.times.as_of
        return session_of(begun, amo=False, calendar=self.calendar)

    def answered(self) -> tuple[Evidence, ...]:
        """Where the Gateway's answer lies."""
        ref = "" if self.case.state is None else self.case.state.ref
        return (Evidence(kind="snapshot", ref=ref),) if ref else ()

    def decided(self, item: Item) -> tuple[Evidence, ...]:
        """What a person said of the item's lines."""
        orders = {line.order_id for line in item.our_lines()}
        return tuple(
            Evidence(kind="decision", ref=each.ref, says=f"{each.ruling}: {each.ours} and {each.theirs}, {each.who}")
            for each in self.case.decisions
            if each.ours in orders
        )

    def of_batch(self, name: str, batch: Batch, field: str, **more: object) -> Finding:
        """A finding about a whole batch; `more` are further fields of `Finding`."""
        return made(
            name=name, level=Level.BATCH, subject=batch.batch_id, batch_id=batch.batch_id, field=field,
            **more,
        )  # fmt: skip

    def of_transaction(self, name: str, field: str, **more: object) -> Finding:
        """A finding about the transaction; `more` are further fields of `Finding`."""
        return made(
            name=name, level=Level.TRANSACTION, subject=self.case.transaction_id, field=field,
            **more,
        )  # fmt: skip


class Item(Struct, frozen=True, kw_only=True):
    """A pair of lines, or one line alone."""

    ours: OurLine | None = None
    theirs: TheirLine | None = None
    batch: Batch | None = None  #: of their line
    final: bool = False  #: nothing more will happen to their leg
    subject: str
    rung: int | None = None
    ambiguous: bool = False
    copied: bool = False  #: their leg is told a second time, equal in everything
    twice: bool = False  #: another leg names the same exchange order and says otherwise
    doubled: bool = False  #: another line of ours names the same exchange order
    our_parts: tuple[OurLine, ...] = ()  #: the lines that `ours` stands for, where there are several
    their_parts: tuple[TheirLine, ...] = ()
    regressions: tuple[Regression, ...] = ()

    def our_lines(self) -> tuple[OurLine, ...]:
        """Every line of the books in it."""
        return self.our_parts or (() if self.ours is None else (self.ours,))

    def their_lines(self) -> tuple[TheirLine, ...]:
        """Every leg in it."""
        return self.their_parts or (() if self.theirs is None else (self.theirs,))

    @property
    def line(self) -> str | None:
        """As listings name it: our order id, else the exchange's, else nothing."""
        if self.ours is not None:
            return self.ours.order_id
        return None if self.theirs is None else self.theirs.leg.exchange_order_id or None

    @property
    def pair(self) -> tuple[OurLine, TheirLine] | None:
        """Both lines, None when one is alone."""
        return None if self.ours is None or self.theirs is None else (self.ours, self.theirs)

    @property
    def unplaced(self) -> bool:
        """Whether their leg never reached the broker."""
        return self.theirs is not None and self.batch is not None and is_unplaced(self.theirs.leg, self.batch)

    @property
    def trade_date(self) -> date:
        """Ours where there is one, else theirs."""
        line = self.ours or self.theirs
        assert line is not None
        return line.trade_date

    def finding(self, name: str, field: str, **more: object) -> Finding:
        """A finding about this line; `more` are further fields of `Finding`."""
        batch_id = self.theirs.batch_id if self.theirs is not None else self.ours and self.ours.batch_id
        return made(
            name=name, level=Level.LINE, subject=self.subject, line=self.line, batch_id=batch_id, field=field,
            ours_line=self.ours and self.ours.line, theirs_line=self.theirs and self.theirs.line,
            **more,
        )  # fmt: skip

    def books(self) -> tuple[Evidence, ...]:
        """Where our line lies."""
        return tuple(Evidence(kind="books", ref=line.order_id) for line in self.our_lines())


def made(*, ours: object = None, theirs: object = None, **fields: object) -> Finding:
    """A finding with its values as text and its figures as the database holds them."""
    for figure in _FIGURES & fields.keys():
        value = fields[figure]
        if isinstance(value, Decimal):
            fields[figure] = held(value)
    return Finding(ours=shown(ours), theirs=shown(theirs), **fields)  # type: ignore[arg-type]


def held(value: Decimal) -> Decimal:
    """The figure in six places, cut to what a money column can hold."""
    most = LIMIT - PLACES
    return max(-most, min(most, value)).quantize(PLACES, rounding=ROUND_HALF_EVEN)


def shown(value: object) -> str | None:
    """A value as people read it; None where there is none."""
    if value is None:
        return None
    return plain_text(value) if isinstance(value, Decimal) else str(value)


def price_of(price: Decimal | None) -> Decimal:
    """A price as a factor; nothing said is zero."""
    return ZERO if price is None else price


def amount_of_ours(line: OurLine) -> Decimal:
    """Rupees of the books' line: filled x average price."""
    return (line.filled or ZERO) * price_of(line.average_price)


def amount_of_theirs(line: TheirLine) -> Decimal:
    """Rupees of the Gateway's leg: filled x average price."""
    return line.leg.filled * price_of(line.leg.average_price)
