"""What the corpus is drawn from: shares, ids, quantities, prices, and whole transactions that tie out."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from bench.corpus.story import Answer, Batch, Leg, Row, Share, Story, at, next_session

FRIDAY, MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (20, 23, 24, 25))  #: the Tuesday is a holiday
SESSIONS = (FRIDAY, MONDAY, WEDNESDAY)
PAISA = Decimal("0.01")


def _listed(symbol: str, isin: str, price: str) -> tuple[Share, Share]:
    return (Share("NSE", symbol, isin, Decimal(price)), Share("BSE", symbol, isin, Decimal(price)))


#: Each trades on both exchanges under one ISIN.
LISTED: Sequence[tuple[Share, Share]] = (
    _listed("INFY", "INE009A01021", "1500.00"),
    _listed("TCS", "INE467B01029", "4000.50"),
    _listed("AXISBANK", "INE238A01034", "420.10"),
    _listed("HDFCBANK", "INE040A01034", "1154.95"),
    _listed("SBIN", "INE062A01020", "805.35"),
    _listed("ITC", "INE154A01025", "412.05"),
    _listed("WIPRO", "INE075A01022", "249.99"),
    _listed("RELIANCE", "INE002A01018", "2890.00"),
    _listed("MRF", "INE883A01011", "125000.00"),
    _listed("IDEA", "INE669E01016", "7.15"),
)
SHARES: Sequence[Share] = tuple(nse for nse, _ in LISTED)
INFY = SHARES[0]

#: One ISIN that changed its symbol over the weekend, and one symbol that a split gave another ISIN.
OLD_NAME = Share("NSE", "OLDNAME", "INE758T01015", Decimal("210.55"), until=FRIDAY)
NEW_NAME = Share("NSE", "NEWNAME", "INE758T01015", Decimal("210.55"), since=MONDAY)
BEFORE_SPLIT = Share("NSE", "SPLITCO", "INE237A01028", Decimal("1800.00"), until=FRIDAY)
AFTER_SPLIT = Share("NSE", "SPLITCO", "INE237A01036", Decimal("360.00"), since=MONDAY)

#: Another symbol of one ISIN, and a share of which tick, low and high are known.
INFY_EQ = Share("NSE", "INFY-EQ", INFY.isin, INFY.price)
TICKED = Share("NSE", "TICKCO", "INE585B01010", Decimal("1000.00"))
TICK, LOW, HIGH = Decimal("0.05"), Decimal("990.00"), Decimal("1010.00")

#: The instruments table that goes with the corpus.
INSTRUMENTS: Sequence[Share] = (
    *(share for pair in LISTED for share in pair),
    OLD_NAME,
    NEW_NAME,
    BEFORE_SPLIT,
    AFTER_SPLIT,
    INFY_EQ,
    TICKED,
)


class Draw:
    """One seed's chances, and ids that it never gives twice."""

    def __init__(self, seed: int) -> None:
        """Start from that seed; two draws of one seed draw the same."""
        self.chance = Random(seed)
        self._seed = seed
        self._number = 0

    def number(self) -> int:
        """The next number, for ids."""
        self._number += 1
        return self._number

    def transaction_id(self) -> str:
        """As the Gateway writes it."""
        return f"TRX_{self._seed:08x}{self.number():024x}"

    def hex24(self) -> str:
        """A batch or an account, as the Gateway writes it."""
        return f"{self._seed % 0xFFFF:04x}{self.number():020x}"

    def exchange_order_id(self) -> str:
        """As the exchange writes it."""
        return f"11{self._seed % 1000:03d}{self.number():011d}"

    def order_id(self) -> str:
        """As the company writes it."""
        return f"C{self._seed}-{self.number()}"

    def day(self) -> date:
        """A session."""
        return self.chance.choice(SESSIONS)

    def paise(self, least: int, most: int) -> Decimal:
        """So many rupees and paise."""
        return self.chance.randint(least, most) * PAISA

    def legs(
        self,
        count: int = 0,
        *,
        shares: Sequence[Share] = (),
        side: str = "",
        quantity: int = 0,
        status: str = "COMPLETE",
    ) -> list[Leg]:
        """Legs in different shares, all filled unless the status says otherwise; 1 to 3 unless told."""
        shares = shares or self.chance.sample(SHARES, count or self.chance.randint(1, 3))
        side = side or self.chance.choice(("BUY", "BUY", "SELL"))
        return [self._leg(share, side, Decimal(quantity or self.chance.randint(2, 400)), status) for share in shares]

    def _leg(self, share: Share, side: str, quantity: Decimal, status: str) -> Leg:
        whole = status == "COMPLETE"
        price = share.price + self.paise(-100, 100)
        return Leg(
            exchange_order_id=self.exchange_order_id(),
            exchange=share.exchange,
            symbol=share.symbol,
            side=side,
            quantity=quantity,
            filled=quantity if whole else Decimal(0),
            price=price if whole else None,
            status=status,
        )

    def story(
        self,
        legs: Sequence[Leg] = (),
        *,
        word: str = "COMPLETED",
        day: date | None = None,
        created: datetime | None = None,
        completed: datetime | None = None,
        variety: str = "regular",
    ) -> Story:
        """A transaction of one batch that ties out: answered, heard of, booked, judged in the evening."""
        day = day or (completed and completed.date()) or self.day()
        created = created or at(day, "10:00") + timedelta(seconds=self.chance.randint(0, 4000))
        completed = completed or max(created, at(day, "09:15")) + timedelta(seconds=self.chance.randint(5, 600))
        batch = Batch(
            batch_id=self.hex24(),
            status=word,
            legs=list(legs) or self.legs(),
            variety=variety,
            created_at=created,
            completed_at=completed,
        )
        answer = Answer(
            status="COMPLETED",
            batches=[batch],
            account=self.hex24(),
            created_at=created - timedelta(minutes=2),
            expire_at=created + timedelta(minutes=3),
        )
        story = Story(
            transaction_id=self.transaction_id(),
            trade_date=day,
            as_of=at(day, "20:30"),
            registered_at=created - timedelta(minutes=2),
            answers=[answer],
        )
        self.tell(story, batch)
        return story

    def tell(self, story: Story, batch: Batch) -> None:
        """Book the batch's legs as they are, and hear its final webhook half a minute after its end."""
        batch.add_up()
        story.rows += [self.row(story, batch, leg) for leg in batch.legs]
        ended = batch.completed_at or at(story.trade_date, "15:30")
        story.hear(batch, ended + timedelta(seconds=30))

    def row(self, story: Story, batch: Batch, leg: Leg) -> Row:
        """The line that the books hold of that leg when nothing went wrong."""
        return Row(
            order_id=self.order_id(),
            transaction_id=story.transaction_id,
            account=story.answer.account or "",
            trade_date=story.trade_date,
            exchange=leg.exchange,
            symbol=leg.symbol,
            side=leg.side,
            quantity=leg.quantity,
            filled=leg.filled,
            price=leg.price if leg.filled else None,
            status=leg.status if leg.placed else "UNPLACED",
            exchange_order_id=leg.exchange_order_id,
            broker=batch.broker,
        )

    def another_batch(self, story: Story, legs: Sequence[Leg], word: str = "COMPLETED") -> Batch:
        """A further batch of that transaction, booked and heard of."""
        first = story.batch
        batch = replace(deepcopy(first), batch_id=self.hex24(), legs=list(legs), status=word, more={})
        story.answer.batches.append(batch)
        self.tell(story, batch)
        return batch

    def sibling(self, story: Story, legs: Sequence[Leg], *, word: str = "COMPLETED", later: timedelta) -> Story:
        """A further transaction of the same account, begun so much later than the first."""
        first = story.batch.created_at or story.registered_at
        other = self.story(legs, word=word, day=story.trade_date, created=first + later)
        for row in other.rows:
            row.account = story.answer.account or ""
        for webhook in other.webhooks:
            webhook.account = story.answer.account
        other.answer.account, other.as_of = story.answer.account, story.as_of
        for one in story.family:
            one.siblings.append(other)
        other.siblings = [one for one in story.family if one is not other]
        return other

    def share_besides(self, legs: Sequence[Leg]) -> Share:
        """A share that none of those legs is in."""
        taken = {leg.symbol for leg in legs}
        return self.chance.choice([share for share in SHARES if share.symbol not in taken])

    def amo(self, legs: Sequence[Leg], placed: datetime, session: date | None = None) -> Story:
        """An after-market order, open until its session: the next one, unless it is named."""
        day = session or next_session(placed.date())
        story = self.story(legs, word="PLACED", day=day, created=placed, variety="amo")
        story.answer.status = "PROCESSING"
        story.batch.completed_at = None
        for leg in story.batch.legs:
            leg.filled, leg.price, leg.status = Decimal(0), None, "PLACED"
        return self.retold(story, placed + timedelta(seconds=30))

    def retold(self, story: Story, heard_at: datetime) -> Story:
        """The story with books and webhook made anew from its one batch as it stands now."""
        story.rows.clear()
        story.webhooks.clear()
        self.tell(story, story.batch)
        story.webhooks[0].received_at = heard_at
        return story

    def open(self, legs: Sequence[Leg] = (), *, day: date | None = None) -> Story:
        """An order of the day that is still open on both sides at two in the afternoon."""
        story = self.story(list(legs) or self.legs(), word="PLACED", day=day)
        story.answer.status, story.batch.completed_at = "PROCESSING", None
        story.as_of = at(story.trade_date, "14:00")
        for leg in story.batch.legs:
            leg.filled, leg.price, leg.status = Decimal(0), None, "PLACED"
        return self.retold(story, at(story.trade_date, "11:30"))

    def failed(self, status: str, message: str | None = None, code: str | None = None) -> Story:
        """A transaction that holds no batch, with one line in the books that was only created."""
        story = self.story(self.legs(1))
        story.answer.status, story.answer.error_message, story.answer.error_code = status, message, code
        story.answer.batches.clear()
        story.webhooks.clear()
        row = story.rows[0]
        row.filled, row.price, row.status, row.exchange_order_id = Decimal(0), None, "PLACED", None
        return story
