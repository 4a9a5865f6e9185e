"""One transaction's day: what the API says of it, what is posted, what the books hold, what is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from simulator.company import BookLine, Registration
from simulator.draw import Account, Draw
from simulator.letters import Letter
from simulator.orders import Batch, Leg, Picture

LIFESPAN = timedelta(minutes=5)
ACCEPTED, REFUSED = 200, 401
_ACCEPTED_LATER = 0.3  #: share of transactions whose legs get their exchange ids only at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One webhook to be posted; `as_post` names the honest post whose signature it carries."""

    at: datetime
    kind: str
    transaction_id: str
    account: str
    batch: Batch | Letter
    signed_at: datetime
    content: str  #: posts of one transaction with equal content are one event
    checksum: str = "right"  #: "right", "other-secret", "random" or "absent"
    expect: int = ACCEPTED
    withheld: bool = False  #: never sent


@dataclass(slots=True, kw_only=True)
class Story:
    """One transaction, told by both sides."""

    plot: str
    transaction_id: str
    account: Account
    batch_id: str
    gateway: str
    created_at: datetime
    requested: list[Leg]
    pictures: list[Picture] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    books: list[BookLine] = field(default_factory=list)
    findings: set[tuple[str, str | None]] = field(default_factory=set)
    faults: Sequence[str] = ()  #: what the API answers at the first questions, before it is good
    asked: Sequence[Mapping[str, object]] = ()  #: the basket as a caller of the API asked for it
    intent: str = "TRANSACTION"
    config: Mapping[str, object] = field(default_factory=dict)  #: `orderConfig` besides the basket
    notes: str = ""
    version: str = "v1"
    invested: str = ""  #: iscid, of a smallcase
    acted: bool = False  #: somebody has begun it

    @property
    def expire_at(self) -> datetime:
        """When an unused transaction dies."""
        return self.created_at + LIFESPAN

    def registration(self) -> Registration:
        """As the company registered it when it created it."""
        return Registration(
            transaction_id=self.transaction_id,
            gateway=self.gateway,
            account=self.account.auth_id,
            created_at=self.created_at,
            expire_at=self.expire_at,
            requested=[*basket(self.requested), *map(dict, self.asked)],
            intent=self.intent,
        )

    def say(self, since: datetime, status: str, batch: Batch | None = None) -> None:
        """From that instant on the API says this."""
        self.pictures.append(Picture(since=since, status=status, batch=batch))

    def post(self, at: datetime, kind: str, batch: Batch, *, signed_at: datetime | None = None) -> Post:
        """Post a webhook that tells that batch."""
        post = Post(
            at=at,
            kind=kind,
            transaction_id=self.transaction_id,
            account=self.account.auth_id,
            batch=batch,
            signed_at=signed_at or at,
            content=kind,
        )
        self.posts.append(post)
        return post

    def book(self, draw: Draw, legs: Sequence[Leg], *, on: date, executed_at: datetime | None = None) -> None:
        """Enter these legs in the company's books as they are."""
        self.books.extend(self.line(draw, leg, on=on, executed_at=executed_at) for leg in legs)

    def line(self, draw: Draw, leg: Leg, *, on: date, executed_at: datetime | None = None) -> BookLine:
        """That leg as a line of the company's books."""
        return self.booked(leg, order_id=draw.order_id(), batch_id=self.batch_id, on=on, executed_at=executed_at)

    def booked(self, leg: Leg, *, order_id: str, batch_id: str, on: date, executed_at: datetime | None) -> BookLine:
        """The same under an order id and a batch that are given."""
        return BookLine(
            order_id=order_id,
            transaction_id=self.transaction_id,
            account=self.account.auth_id,
            trade_date=on,
            symbol=leg.share.symbol,
            isin=leg.share.isin,
            side=leg.side,
            quantity=leg.quantity,
            gateway=self.gateway,
            batch_id=batch_id,
            exchange_id=leg.exchange_id or "",
            broker=self.account.broker,
            filled=leg.filled,
            price=leg.price if leg.filled else None,
            status=leg.status,
            executed_at=executed_at if leg.filled else None,
        )

    def rebook(self, index: int, **changes: object) -> BookLine:
        """Change one line of the books."""
        self.books[index] = replace(self.books[index], **changes)  # type: ignore[arg-type]
        return self.books[index]

    def find(self, name: str, line: BookLine | Leg | None = None) -> None:
        """To be found: a statement about a line of ours, a leg of theirs, or the transaction."""
        key = line.order_id if isinstance(line, BookLine) else line.exchange_id if line else None
        self.findings.add((name, key))


def basket(legs: Sequence[Leg]) -> list[dict[str, object]]:
    """What was asked for, as `orderConfig.securities`."""
    return [{"ticker": leg.share.symbol, "quantity": leg.quantity, "type": leg.side} for leg in legs]


def begin(draw: Draw, plot: str, legs: Sequence[Leg], *, created_at: datetime | None = None) -> Story:
    """A transaction that was created and not yet used."""
    story = Story(
        plot=plot,
        transaction_id=draw.transaction_id(),
        account=draw.account(),
        batch_id=draw.batch_id(),
        gateway=draw.gateway,
        created_at=created_at or draw.created(),
        requested=list(legs),
    )
    story.say(story.created_at, "INITIALIZED")
    return story


def place(
    draw: Draw,
    story: Story,
    legs: Sequence[Leg],
    *,
    variety: str = "regular",
    post: bool = True,
    hide: bool = True,
) -> datetime:
    """The person logs in and the legs are sent: PLACED, nothing filled. Returns when the webhook is due."""
    story.say(draw.after(story.created_at, 5, 20), "USED")
    hidden = hide and draw.chance.random() < _ACCEPTED_LATER
    batch = Batch(batch_id=story.batch_id, status="PLACED", variety=variety, legs=_sent(legs, hidden=hidden))
    placed_at = draw.after(story.created_at, 21, 120)
    story.say(placed_at, "PROCESSING", batch)
    due = draw.posting(draw.after(placed_at, 0.2, 2))
    if post:
        story.post(due, "placed", batch)
    return due


def ordinary(
    draw: Draw, plot: str, legs: Sequence[Leg], *, word: str = "COMPLETED",
    placed: bool = True, final: bool = True, odd: Mapping[str, float] | None = None,
) -> Story:  # fmt: skip
    """A regular order from creation to its end, with both webhooks and books that agree.

    `legs` are in their final state, `word` is the batch's; `placed` and `final` say which webhooks are sent.
    """
    story = begin(draw, plot, legs)
    sent = any(leg.placed for leg in legs)
    due = place(draw, story, legs, post=placed) if sent else draw.after(story.created_at, 30, 90)
    completed_at = draw.after(due, 3, 240)
    batch = Batch(
        batch_id=story.batch_id,
        status=word,
        variety="regular",
        legs=list(legs),
        completed_at=completed_at,
        odd_filled=int((odd or {}).get("filled", 0)),
        odd_amount=(odd or {}).get("amount", 0.0),
    )
    story.say(completed_at, "COMPLETED", batch)
    if final:
        story.post(draw.posting(draw.after(completed_at, 0.2, 3)), "completed", batch)
    story.book(draw, legs, on=draw.day.trade_date, executed_at=draw.between(due, completed_at))
    return story


def end_of(story: Story) -> tuple[datetime, Batch]:
    """When the batch came to its end, and its final state."""
    batch = story.pictures[-1].batch
    if batch is None or batch.completed_at is None:
        raise ValueError(f"{story.transaction_id} has not ended")
    return batch.completed_at, batch


def _sent(legs: Sequence[Leg], *, hidden: bool) -> list[Leg]:
    """The legs just after they were sent; `hidden`: the exchange has not yet given its ids."""
    return [_placed(leg, hidden=hidden) if leg.placed else leg for leg in legs]


def _placed(leg: Leg, *, hidden: bool) -> Leg:
    return replace(leg, status="PLACED", filled=0, exchange_id=None if hidden else leg.exchange_id)
