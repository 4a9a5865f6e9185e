"""Who has a broker account: what they hold, whether they agreed to share it, when it was last looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from simulator.draw import BROKERS, Account
from simulator.ledger import Fill, Lot
from simulator.shares import SHARES, Share

LIVE_BROKERS = frozenset({"kite"})  #: holdings are fresh without the person's logging in again
NEGATIVE_POSITIONS = frozenset({"kite", "upstox", "fivepaisa"})  #: a sale shows as one; elsewhere holdings shrink
UPDATING_FOR = timedelta(minutes=2)
_NO_CONSENT, _STALE, _UPDATING = 0.10, 0.20, 0.25  #: upper ends of shares of all people
_SMALLCASES, _FUNDS, _PLEDGES, _SUSPENDED = 0.2, 0.3, 0.1, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """Units of one scheme in one folio; money in paise, units in thousandths."""

    folio: str
    name: str
    isin: str
    milliunits: int
    cost: int
    nav: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Smallcase:
    """A basket the person is invested in: how many of each share belong to it."""

    scid: str
    iscid: str
    name: str
    shares: Mapping[str, int]
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How the company's books say what somebody holds, and by how much they are wrong about the first security."""

    yesterday: bool = False  #: as of the session before, without what happened today
    more: int = 0  #: shares; a row that comes to none is left out
    dearer: int = 0  #: paise of the average cost


@dataclass(slots=True, kw_only=True)
class Person:
    """One person with one broker account."""

    name: str
    account: Account
    consented: bool = True
    refreshed_at: datetime | None = None  #: the last login, at which the broker's holdings were read
    updating_until: datetime | None = None
    lots: Sequence[Lot] = ()
    funds: Sequence[Fund] = ()
    smallcases: Sequence[Smallcase] = ()
    leprechaun: bool = False
    kept: Kept | None = Kept()  #: None: the company keeps no positions of this person
    fills: list[Fill] = field(default_factory=list)

    @property
    def broker(self) -> str:
        """The broker's key, as the Gateway names it."""
        return self.account.broker + ("-leprechaun" if self.leprechaun else "")

    def snapshot_at(self, now: datetime) -> datetime | None:
        """The instant of the holdings that are told now; None if they were never read."""
        if self.refreshed_at is None:
            return None
        return now if self.account.broker in LIVE_BROKERS else self.refreshed_at

    def log_in(self, now: datetime) -> None:
        """The broker's holdings are read anew, which takes a while."""
        self.refreshed_at, self.updating_until = now, now + UPDATING_FOR

    def state(self, now: datetime) -> str:
        """How a question for the holdings ends: good, stale, updating or no-consent."""
        if not self.consented or self.refreshed_at is None:
            return "no-consent"
        if self.updating_until and now < self.updating_until:
            return "updating"
        told = self.snapshot_at(now)
        return "stale" if told and now - told > timedelta(days=1) else "good"


class People:
    """All people the Gateway knows, by smallcaseAuthId and by name."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._by_account: dict[str, Person] = {}

    def __iter__(self) -> Iterator[Person]:
        """Everybody, in the order in which they came."""
        return iter(list(self._by_account.values()))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_account)

    def add(self, person: Person) -> Person:
        """Know that person from now on."""
        self._by_account[person.account.auth_id] = person
        return person

    def of(self, auth_id: str) -> Person | None:
        """Whose account that is."""
        return self._by_account.get(auth_id)

    def named(self, name: str) -> Person | None:
        """The person of that name."""
        return next((person for person in self._by_account.values() if person.name == name), None)


def drawn(account: Account, *, seed: int, start: datetime, sold: Mapping[str, int]) -> Person:
    """Somebody with holdings by seed and account; `sold` says what they will sell and so must have."""
    chance = random.Random(f"{seed} person {account.auth_id}")
    lots = _lots(chance, sold)
    smallcases = _smallcases(chance, lots)
    in_smallcase = {symbol: count for each in smallcases for symbol, count in each.shares.items()}
    kind = chance.random()
    refreshed_at = start - timedelta(days=4 if kind < _STALE else 0, minutes=chance.randrange(5, 300))
    return Person(
        name=f"user-{account.auth_id[:8]}",
        account=account,
        consented=kind >= _NO_CONSENT,
        refreshed_at=refreshed_at,
        updating_until=start + timedelta(days=1) if _STALE <= kind < _UPDATING else None,
        lots=[replace(lot, smallcase=in_smallcase.get(lot.share.symbol, 0)) for lot in lots],
        funds=[_fund(chance) for _ in range(chance.randrange(1, 4))] if chance.random() < _FUNDS else (),
        smallcases=smallcases,
    )


def further(count: int, *, seed: int) -> list[Account]:
    """So many accounts besides those that trade."""
    chance = random.Random(f"{seed} people")
    return [Account(f"{chance.getrandbits(96):024x}", chance.choice(BROKERS)) for _ in range(count)]


def _lots(chance: random.Random, sold: Mapping[str, int]) -> list[Lot]:
    shares = {share.symbol: share for share in SHARES}
    wanted = {symbol: shares[symbol] for symbol in sold} | {
        share.symbol: share for share in chance.sample(SHARES, chance.randrange(1, 9))
    }
    return [_lot(chance, wanted[symbol], sold.get(symbol, 0)) for symbol in sorted(wanted)]


def _lot(chance: random.Random, share: Share, least: int) -> Lot:
    return Lot(
        share=share,
        quantity=least + chance.randrange(1, 60),
        price=share.price * chance.randrange(60, 115) // 100,
        collateral=chance.randrange(1, 20) if chance.random() < _PLEDGES else 0,
        suspended=not least and chance.random() < _SUSPENDED,
    )


def _smallcases(chance: random.Random, lots: Sequence[Lot]) -> list[Smallcase]:
    if chance.random() >= _SMALLCASES or len(lots) < 2:  # noqa: PLR2004
        return []
    picked = chance.sample(list(lots), 2)
    return [
        Smallcase(
            scid=f"SCMO_{chance.randrange(1, 99):04d}",
            iscid=f"{chance.getrandbits(96):024x}",
            name="Top Movers",
            shares={lot.share.symbol: chance.randrange(1, lot.quantity + 1) for lot in picked},
            private=chance.random() < 0.3,  # noqa: PLR2004
        )
    ]


def _fund(chance: random.Random) -> Fund:
    name, isin, nav = chance.choice(FUNDS)
    units = chance.randrange(1_000, 900_000)
    return Fund(
        folio=f"{chance.randrange(10**7, 10**8)}/{chance.randrange(10, 99)}",
        name=name,
        isin=isin,
        milliunits=units,
        cost=nav * chance.randrange(70, 110) // 100,
        nav=nav,
    )


#: Schemes: name, ISIN, net asset value in paise.
FUNDS = (
    ("Parag Parikh Flexi Cap Fund - Direct Growth", "INF879O01027", 88_41),
    ("HDFC Index Fund Nifty 50 Plan - Direct Growth", "INF179K01WM1", 245_17),
    ("SBI Small Cap Fund - Direct Growth", "INF200K01T51", 196_83),
    ("ICICI Prudential Liquid Fund - Direct Growth", "INF109K01Q49", 389_02),
)
