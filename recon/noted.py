"""Contract notes and tradebooks: what the broker says of an account's day, beside all that was traded on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from recon.charges import Rate

CONTRACT_NOTE, TRADEBOOK = "contract-note", "tradebook"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    """One line of a note; an empty exchange means one average over several exchanges."""

    kind: str
    note_id: str
    broker: str
    trade_date: date
    exchange: str
    symbol: str
    instrument: str | None  #: its ISIN, where it or the table of instruments names one
    side: str
    quantity: Decimal
    price: Decimal
    exchange_order_id: str | None
    charges: Mapping[str, Decimal | None]  #: by component; None where the note says nothing
    net_amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """A filled leg of the account on one of those days, of whichever transaction."""

    transaction_id: str
    batch_id: str
    exchange: str
    symbol: str
    instrument: str
    side: str
    filled: Decimal
    average_price: Decimal | None
    exchange_order_id: str | None
    trade_date: date
    completed_at: datetime | None
    broker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """All that notes say of the days on which a transaction traded."""

    lines: tuple[NoteLine, ...]
    traded: tuple[Traded, ...]  #: in the order of transaction, batch and place
    since: Mapping[str, date]  #: by broker: the first day of which a contract note is known
    rates: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Legs and the lines that speak of them: by the exchange's order id, else by instrument and side."""

    kind: str
    named: str  #: what they have in common, for people
    legs: tuple[Traded, ...]
    lines: tuple[NoteLine, ...]

    @property
    def first(self) -> Traded:
        """The leg that answers for all of them, so that one difference is told once."""
        return self.legs[0]


def groups_of(notes: Notes, kind: str) -> list[Group]:
    """Every leg in one group, with the lines of that kind of note that speak of it."""
    lines = [line for line in notes.lines if line.kind == kind]
    found, legs, lines = _by_order_id(kind, notes.traded, lines)
    known: defaultdict[tuple[str, date, str, str], list[Traded]] = defaultdict(list)
    for leg in legs:
        known[leg.broker, leg.trade_date, leg.instrument, leg.side].append(leg)
    for (broker, day, instrument, side), mine in known.items():
        spoken = [line for line in lines if (line.broker, line.trade_date, line.side) == (broker, day, side)]
        theirs = tuple(line for line in spoken if _speaks_of(line, mine))
        found.append(Group(kind=kind, named=f"{instrument} {side}", legs=tuple(mine), lines=theirs))
    return found


def _by_order_id(
    kind: str, legs: Sequence[Traded], lines: Iterable[NoteLine]
) -> tuple[list[Group], list[Traded], list[NoteLine]]:
    """Groups of one order each, and the legs and lines that no id brings together."""
    of_id: defaultdict[tuple[str, date, str], list[NoteLine]] = defaultdict(list)
    rest = []
    for line in lines:
        if line.exchange_order_id:
            of_id[line.broker, line.trade_date, line.exchange_order_id].append(line)
        else:
            rest.append(line)
    orders: defaultdict[tuple[str, date, str], list[Traded]] = defaultdict(list)
    others: list[Traded] = []
    for leg in legs:
        key = (leg.broker, leg.trade_date, leg.exchange_order_id or "")
        (orders[key] if key in of_id else others).append(leg)
    found = [Group(kind=kind, named=key[2], legs=tuple(orders[key]), lines=tuple(of_id[key])) for key in orders]
    rest += [line for key, named in of_id.items() if key not in orders for line in named]
    return found, others, rest


def _speaks_of(line: NoteLine, legs: Sequence[Traded]) -> bool:
    """Whether it is of that instrument, and names no order where the legs name others."""
    if line.exchange_order_id and any(leg.exchange_order_id for leg in legs):
        return False
    return any(
        line.instrument == leg.instrument or line.symbol.upper() in {leg.symbol.upper(), leg.instrument} for leg in legs
    )
