"""What an account holds at an instant: opening lots, fills, T+1 settlement, splits and bonuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from simulator.exchange import Exchange, date_in_india, midnight
from simulator.shares import Share
from simulator.story import Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Shares held since before everything; the price is the average cost in paise."""

    share: Share
    quantity: int
    price: int
    collateral: int = 0  #: pledged, and held beside `quantity`
    smallcase: int = 0  #: of `quantity`, what belongs to smallcases
    suspended: bool = False
    bse_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Shares bought (positive) or sold (negative) at an instant; the price in paise."""

    at: datetime
    share: Share
    quantity: int
    price: int
    transaction_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One old share becomes `into` new ones under a new ISIN on the ex-date."""

    symbol: str
    ex_date: date
    into: int
    new_isin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bonus:
    """`give` new shares for every `per` held before the ex-date.

    They are credited later, first under a temporary ISIN, and join the others when they are listed.
    """

    symbol: str
    ex_date: date
    give: int
    per: int
    temporary_isin: str
    credited_on: date
    listed_on: date


Action = Split | Bonus


@dataclass(slots=True, kw_only=True)
class Standing:
    """One security of an account at an instant; costs in paise."""

    share: Share
    isin: str
    settled: int = 0
    unsettled: list[tuple[date, int, int]] = field(default_factory=list)  #: settles on, quantity, price
    cost: Fraction = Fraction(0)  #: average of what is settled
    lot: Lot | None = None
    temporary: bool = False  #: under a temporary ISIN, not yet listed

    @property
    def open_quantity(self) -> int:
        """What is bought less what is sold and not yet settled."""
        return sum(quantity for _, quantity, _ in self.unsettled)

    @property
    def total(self) -> int:
        """Settled and unsettled together."""
        return self.settled + self.open_quantity

    def settle(self, until: date) -> None:
        """Take in what settles on that date or before."""
        due = [part for part in self.unsettled if part[0] <= until]
        self.unsettled = [part for part in self.unsettled if part[0] > until]
        for _, quantity, price in due:
            self._add(quantity, price)

    def credit(self, quantity: int) -> None:
        """Add shares that cost nothing."""
        self._add(quantity, 0)

    def split(self, into: int, isin: str) -> None:
        """Every share becomes so many, each as much cheaper."""
        self.settled, self.cost, self.isin = self.settled * into, self.cost / into, isin
        self.unsettled = [(day, quantity * into, round(price / into)) for day, quantity, price in self.unsettled]

    def _add(self, quantity: int, price: int) -> None:
        before, self.settled = self.settled, self.settled + quantity
        if quantity > 0 and self.settled > 0:
            self.cost = (self.cost * max(before, 0) + Fraction(price) * quantity) / (max(before, 0) + quantity)


def fills_of(story: Story) -> list[Fill]:
    """What was traded in a transaction: how much more is filled in each picture than in those before."""
    before: dict[tuple[str, int], int] = {}
    fills = []
    for picture in story.pictures:
        for place, leg in enumerate(picture.batch.legs if picture.batch else ()):
            key = (picture.batch.batch_id if picture.batch else "", place)
            more = leg.filled - before.get(key, 0)
            if more > 0:
                sign = 1 if leg.side == "BUY" else -1
                fills.append(
                    Fill(
                        at=picture.since,
                        share=leg.share,
                        quantity=sign * more,
                        price=leg.price,
                        transaction_id=story.transaction_id,
                    )
                )
                before[key] = leg.filled
    return fills


def standings(
    lots: Sequence[Lot], fills: Iterable[Fill], actions: Sequence[Action], *, exchange: Exchange, at: datetime
) -> list[Standing]:
    """Every security held or traded at that instant, by symbol, those under temporary ISINs last."""
    held = {lot.share.symbol: _of_lot(lot) for lot in lots}
    credits_due: list[tuple[Bonus, int]] = []
    happened = [(fill.at, 1, fill) for fill in fills if fill.at <= at]
    happened += [(midnight(a.ex_date), 0, a) for a in actions if midnight(a.ex_date) <= at]  # type: ignore[misc]
    for instant, _, what in sorted(happened, key=lambda each: each[:2]):
        for standing in held.values():
            standing.settle(date_in_india(instant))
        _happen(held, credits_due, what, exchange)
    for standing in held.values():
        standing.settle(date_in_india(at))
    temporary = _credit(held, credits_due, date_in_india(at))
    return [held[symbol] for symbol in sorted(held) if _is_there(held[symbol])] + temporary


def _of_lot(lot: Lot) -> Standing:
    return Standing(share=lot.share, isin=lot.share.isin, settled=lot.quantity, cost=Fraction(lot.price), lot=lot)


def _happen(
    held: dict[str, Standing], due: list[tuple[Bonus, int]], what: Fill | Split | Bonus, exchange: Exchange
) -> None:
    match what:
        case Fill(at=at, share=share, quantity=quantity, price=price):
            standing = held.setdefault(share.symbol, Standing(share=share, isin=share.isin))
            standing.unsettled.append((exchange.settles_on(date_in_india(at)), quantity, price))
        case Split(symbol=symbol, into=into, new_isin=isin) if symbol in held:
            held[symbol].split(into, isin)
        case Bonus(symbol=symbol, give=give, per=per) if symbol in held:
            due.append((what, max(0, held[symbol].total) * give // per))
        case _:
            return


def _credit(held: dict[str, Standing], due: Sequence[tuple[Bonus, int]], today: date) -> list[Standing]:
    """Bonus shares: nowhere until credited, apart under a temporary ISIN until listed, then with the others."""
    temporary = []
    for bonus, quantity in due:
        if today >= bonus.listed_on:
            held[bonus.symbol].credit(quantity)
        elif today >= bonus.credited_on and quantity:
            share = held[bonus.symbol].share
            temporary.append(Standing(share=share, isin=bonus.temporary_isin, settled=quantity, temporary=True))
    return temporary


def _is_there(standing: Standing) -> bool:
    return bool(standing.settled or standing.unsettled or (standing.lot and standing.lot.collateral))
