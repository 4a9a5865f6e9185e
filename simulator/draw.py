"""Everything drawn by chance, from one seed: ids, people, baskets, prices and moments."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from simulator.day import Day
from simulator.orders import Leg
from simulator.shares import SHARES, Share, tick

BROKERS = ("kite", "groww", "upstox", "hdfc", "angelbroking", "fivepaisa", "icici", "kotak")
_MOST_ACCOUNTS = 400
_FIRST_EXCHANGE_ID = 1_100_000_000_000_000
_SIDES = (("BUY",) * 15 + ("SELL",) * 3 + ("MIXED",) * 2, ("BUY", "SELL"))
_LEGS = (1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6)
_QUANTITIES = (1, 1, 2, 3, 4, 5, 5, 8, 10, 10, 12, 15, 20, 25, 30, 40, 50)


@dataclass(frozen=True, slots=True)
class Account:
    """One person at one broker."""

    auth_id: str
    broker: str


class Draw:
    """The day's chance. The same seed and the same calls give the same draws."""

    def __init__(self, day: Day, *, seed: int, transactions: int, gateway: str) -> None:
        """Draw who trades and when the transactions are created; `transactions` is how many there are."""
        self.day, self.gateway = day, gateway
        self.chance = random.Random(seed)
        self._exchange_id = _FIRST_EXCHANGE_ID + self.chance.randrange(10**12)
        self._order = 0
        self._posted: set[datetime] = set()
        people = max(2, min(_MOST_ACCOUNTS, transactions // 3))
        self.accounts = tuple(Account(self._hex(24), self.chance.choice(BROKERS)) for _ in range(people))
        self._created = sorted((self._market_moment() for _ in range(transactions)), reverse=True)

    def transaction_id(self) -> str:
        """A new transactionId."""
        return f"TRX_{self._hex(32)}"

    def batch_id(self) -> str:
        """A new batchId."""
        return self._hex(24)

    def exchange_id(self) -> str:
        """A new exchange order id: 16 digits, rising, never twice."""
        self._exchange_id += self.chance.randrange(1, 90)
        return str(self._exchange_id)

    def order_id(self) -> str:
        """A new id of a line in the company's books."""
        self._order += 1
        return f"ORD-{self.day.trade_date:%y%m%d}-{self._order:06d}"

    def account(self) -> Account:
        """Somebody."""
        return self.chance.choice(self.accounts)

    def another(self, account: Account) -> Account:
        """Somebody else."""
        return self.chance.choice([other for other in self.accounts if other != account])

    def created(self) -> datetime:
        """When the next regular transaction is created: in market hours, earliest first."""
        return self._created.pop()

    def between(self, first: datetime, last: datetime) -> datetime:
        """A moment from `first` to `last`, in milliseconds."""
        span = max(1, int((last - first).total_seconds() * 1000))
        return first + timedelta(milliseconds=self.chance.randrange(span))

    def after(self, moment: datetime, least_s: float, most_s: float) -> datetime:
        """A moment so many seconds after another."""
        return self.between(moment + timedelta(seconds=least_s), moment + timedelta(seconds=most_s))

    def posting(self, moment: datetime) -> datetime:
        """That moment, or the first free millisecond after it: no two posts share an instant."""
        while moment in self._posted:
            moment += timedelta(milliseconds=1)
        self._posted.add(moment)
        return moment

    def share_besides(self, shares: Sequence[Share]) -> Share:
        """A share that is none of these."""
        return self.chance.choice([share for share in SHARES if share not in shares])

    def legs(self, count: int | None = None, *, least: int = 1, quantity: int | None = None) -> list[Leg]:
        """Fully filled legs of distinct shares; `quantity` is that of the first one."""
        count = count or max(least, self.chance.choice(_LEGS))
        side = self.chance.choice(_SIDES[0])
        legs = [self._leg(share, side) for share in self.chance.sample(SHARES, count)]
        return [self._sized(legs[0], quantity), *legs[1:]] if quantity else legs

    def twins(self, quantity: int) -> list[Leg]:
        """Two filled legs alike but for their exchange ids."""
        leg = self._sized(self._leg(self.chance.choice(SHARES), "BUY"), quantity)
        return [leg, replace(leg, exchange_id=self.exchange_id())]

    def _leg(self, share: Share, side: str) -> Leg:
        quantity = self.chance.choice(_QUANTITIES)
        return Leg(
            share=share,
            side=self.chance.choice(_SIDES[1]) if side == "MIXED" else side,
            quantity=quantity,
            filled=quantity,
            price=self._price(share),
            status="COMPLETE",
            exchange_id=self.exchange_id(),
        )

    @staticmethod
    def _sized(leg: Leg, quantity: int) -> Leg:
        return replace(leg, quantity=quantity, filled=quantity)

    def _price(self, share: Share) -> int:
        """Within two per cent of the usual price, on its tick."""
        step = tick(share.price)
        reach = share.price // 50 // step
        return share.price + step * self.chance.randint(-reach, reach)

    def _market_moment(self) -> datetime:
        """Busier after the opening and before the close, as a real day is."""
        part = self.chance.random()
        if part < 0.35:  # noqa: PLR2004
            return self.between(self.day.at(9, 15, 5), self.day.at(10))
        if part < 0.55:  # noqa: PLR2004
            return self.between(self.day.at(14, 20), self.day.at(15, 10))
        return self.between(self.day.at(10), self.day.at(14, 20))

    def _hex(self, digits: int) -> str:
        return f"{self.chance.getrandbits(4 * digits):0{digits}x}"
