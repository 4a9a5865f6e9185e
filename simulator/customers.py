"""Customers of a drawn day who import their holdings: what they hold, what the books say, what is to be found."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from simulator.act import Act
from simulator.day import Day
from simulator.draw import BROKERS, Account
from simulator.exchange import Exchange
from simulator.ledger import Action, Bonus, Lot
from simulator.people import Kept, Person
from simulator.plan import Finding
from simulator.scenario import Step
from simulator.shares import SHARES, Share

PLEDGES, SOMETHING_EVERY = 0.1, 25  #: of so many customers each plot has one; a smaller day has each at least once
_BONUS, _TEMPORARY = "WIPRO", "IN8075A01013"
_TRADED_FROM, _IMPORTED_FROM = (9, 40), (16, 20)


@dataclass(slots=True, kw_only=True)
class Customers:
    """All of them, as a scenario would have them, and the truth about what they hold."""

    persons: list[Person] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    held: list[Finding] = field(default_factory=list)  #: name, account, ISIN


@dataclass(slots=True, kw_only=True)
class _Scene:
    """One customer while the plot is drawn."""

    person: Person
    chance: random.Random
    traded_at: datetime
    imported_at: datetime
    steps: list[Step] = field(default_factory=list)
    held: list[tuple[str, str]] = field(default_factory=list)  #: name, ISIN
    act: Act = field(default_factory=Act)

    @property
    def first(self) -> Share:
        """The share that the plot is about."""
        return self.person.lots[0].share

    def find(self, name: str) -> None:
        """That is to be found of the first share."""
        self.held.append((name, self.first.isin))

    def buy(self, count: int, *, booked: bool = True) -> None:
        """Buy so many of the first share today; the books still hold what there was yesterday."""
        finds = () if booked else (f"missing-internal:{self.first.symbol}",)
        name = self.person.name
        bought = Step(at=self.traded_at, person=name, buy={self.first.symbol: count}, booked=booked, finds=finds)
        self.steps.append(bought)
        self.person.kept = Kept(yesterday=True)


Plot = Callable[[_Scene], None]


def customers(count: int, *, day: Day, seed: int, exchange: Exchange) -> Customers:
    """So many customers; the same arguments give the same ones."""
    chance = random.Random(f"{seed} customers")
    everybody = Customers()
    if count:
        everybody.actions.append(_bonus(day, exchange))
    for turn in range(count):
        scene = _scene(turn, chance, day)
        plot = _plot(turn)
        if plot:
            plot(scene)
        _enter(everybody, scene)
    everybody.steps.sort(key=lambda step: step.at)
    return everybody


def _plot(turn: int) -> Plot | None:
    place = turn % SOMETHING_EVERY
    return PLOTS[place] if place < len(PLOTS) else None


def _enter(everybody: Customers, scene: _Scene) -> None:
    name, account = scene.person.name, scene.person.account.auth_id
    imports = Step(at=scene.imported_at, person=name, intent="HOLDINGS_IMPORT", version="v2", act=scene.act)
    everybody.persons.append(scene.person)
    everybody.steps += [*scene.steps, imports]
    everybody.held += [(found, account, isin) for found, isin in scene.held]


def _scene(turn: int, chance: random.Random, day: Day) -> _Scene:
    account = Account(f"{chance.getrandbits(96):024x}", chance.choice(BROKERS))
    person = Person(
        name=f"customer-{turn + 1:03d}",
        account=account,
        refreshed_at=day.start - timedelta(minutes=chance.randrange(5, 300)),
        lots=_lots(chance),
        kept=Kept(),
    )
    apart = timedelta(seconds=7 * turn)
    traded_at, imported_at = day.at(*_TRADED_FROM) + 5 * apart, day.at(*_IMPORTED_FROM) + apart
    return _Scene(person=person, chance=chance, traded_at=traded_at, imported_at=imported_at)


def _lots(chance: random.Random) -> Sequence[Lot]:
    others = [share for share in SHARES if share.symbol != _BONUS]
    return [_lot(chance, share) for share in chance.sample(others, chance.randrange(3, 9))]


def _lot(chance: random.Random, share: Share) -> Lot:
    return Lot(
        share=share,
        quantity=chance.randrange(20, 160),
        price=share.price * chance.randrange(60, 115) // 100,
        collateral=chance.randrange(1, 20) if chance.random() < PLEDGES else 0,
    )


def _bonus(day: Day, exchange: Exchange) -> Bonus:
    credited_on = exchange.next_session(day.trade_date)
    return Bonus(
        symbol=_BONUS,
        ex_date=day.trade_date,
        give=1,
        per=2,
        temporary_isin=_TEMPORARY,
        credited_on=credited_on,
        listed_on=exchange.next_session(credited_on),
    )


# ---------------------------------------------------------------- plots


def _bought_today(scene: _Scene) -> None:
    """Bought today and booked: the broker has it, settlement is tomorrow."""
    scene.buy(scene.chance.randrange(2, 20))
    scene.find("unsettled-t1")


def _order_not_booked(scene: _Scene) -> None:
    """Bought today and never booked: the order's break explains the holding's."""
    scene.buy(scene.chance.randrange(2, 20), booked=False)
    scene.find("orphan-fill")


def _books_say_less(scene: _Scene) -> None:
    """The broker has more than the books, and nobody knows why."""
    scene.person.kept = Kept(more=-scene.chance.randrange(1, 15))
    scene.find("unexplained")


def _books_say_more(scene: _Scene) -> None:
    """Sold elsewhere, perhaps: the books have more than the broker."""
    scene.person.kept = Kept(more=scene.chance.randrange(1, 15))
    scene.find("unexplained")


def _not_in_the_books(scene: _Scene) -> None:
    """A security that only the broker has."""
    lot = scene.person.lots[0]
    scene.person.kept = Kept(more=-(lot.quantity + lot.collateral))
    scene.find("unexplained")


def _other_cost(scene: _Scene) -> None:
    """As many on both sides, at another average price."""
    scene.person.kept = Kept(dearer=scene.chance.randrange(5, 500))
    scene.find("avg-cost")


def _bonus_to_come(scene: _Scene) -> None:
    """A bonus that the books count from its ex-date on and the broker credits tomorrow."""
    share = next(share for share in SHARES if share.symbol == _BONUS)
    scene.person.lots = [replace(scene.person.lots[0], share=share, collateral=0), *scene.person.lots[1:]]
    scene.person.kept = Kept(yesterday=True)
    scene.find("bonus-pending")


def _no_consent(scene: _Scene) -> None:
    """Does not agree: what the books say cannot be compared."""
    scene.person.consented = False
    scene.act = Act(does="denies-consent")


PLOTS: tuple[Plot, ...] = (
    _bought_today,
    _order_not_booked,
    _books_say_less,
    _other_cost,
    _bonus_to_come,
    _books_say_more,
    _not_in_the_books,
    _no_consent,
)
