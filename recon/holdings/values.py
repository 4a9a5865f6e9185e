"""What reconciling holdings looks at and what it says, as frozen values. Quantities are whole shares as `Decimal`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from recon.values import ZERO, Calendar, Finding

#: Where a broker counts shares that stand apart: in its own quantity, beside it, or nowhere.
IN_HELD, BESIDE, LEFT_OUT = "in-held", "beside", "left-out"
#: How a broker shows a sale that is not settled: as a negative position, or as fewer held.
AS_POSITION, AS_FEWER = "position", "fewer-held"
#: What may be pledged, funded or blocked.
APART = ("pledged", "mtf", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """What a broker's figures mean."""

    name: str = "default"
    t1: str = BESIDE
    pledged: str = BESIDE
    mtf: str = IN_HELD
    blocked: str = IN_HELD
    sold: str = AS_FEWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What the books say is held of one ISIN."""

    isin: str
    quantity: Decimal
    average_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The books' positions of one account at the end of an IST date, the trades of that date included."""

    as_of: date
    positions: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One order of the books as far as it is filled."""

    ref: str
    isin: str
    quantity: Decimal  #: bought above zero, sold below
    trade_date: date
    settles_on: date
    at: datetime | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """An off-market move that the books know of."""

    ref: str
    isin: str
    quantity: Decimal  #: in above zero, out below
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A corporate action; for `ratio_from` shares held there are, or come, `ratio_to`."""

    kind: str  #: split, bonus, merger, demerger, rights, buy-back
    isin: str
    ex_date: date
    ratio_from: Decimal
    ratio_to: Decimal
    new_isin: str | None = None
    temporary_isin: str | None = None
    credited_by: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """One ISIN came after another, as the table of instruments says; in which ratio it does not say."""

    isin: str
    new_isin: str
    since: date  #: the first day of the new one


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """One row of a broker's answer; None where it says nothing."""

    isin: str | None
    symbol: str  #: EXCHANGE:SYMBOL
    held: Decimal = ZERO
    t1: Decimal = ZERO
    nse: Decimal = ZERO
    bse: Decimal = ZERO
    pledged: Decimal = ZERO
    mtf: Decimal = ZERO
    blocked: Decimal = ZERO
    short: Decimal = ZERO  #: bought, due, and not delivered
    smallcase: Decimal = ZERO
    average: Decimal | None = None
    discrepancy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A broker's answer, with the IST date and, if told, the instant as of which it speaks."""

    ref: str
    day: date
    at: datetime | None = None
    rows: tuple[ShownRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBreak:
    """An open break of an order that moves what is held: how many more shares the Gateway's side says."""

    ref: str  #: of the finding
    name: str
    isin: str
    quantity: Decimal
    waiting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What is left without explanation under another account of the same user."""

    account: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsCase:
    """Everything known of one account's holdings at the end of an IST date."""

    account: str
    day: date
    calendar: Calendar
    opening: Opening | None = None  #: None: the books say nothing of this account
    shown: Shown | None = None  #: None: no answer could be read yet
    trades: tuple[Trade, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    actions: tuple[Action, ...] = ()
    successions: tuple[Succession, ...] = ()
    order_breaks: tuple[OrderBreak, ...] = ()
    elsewhere: Mapping[str, tuple[Elsewhere, ...]] = field(default_factory=dict)  #: by line of descent
    adapter: Adapter = Adapter()
    exclusive: bool = True  #: nobody but the company trades in this account
    books_hold: frozenset[str] = frozenset(APART)  #: which of `APART` the books' positions include


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step from the opening to what the books come to."""

    what: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the difference that one cause explains; `root` is the finding that is its cause."""

    name: str
    quantity: Decimal
    words: str
    root: str | None = None
    waiting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingVerdict:
    """Where one line of descent of one account ends up."""

    isin: str
    bucket: str
    rule: str | None = None  #: why it waits
    internal: Decimal | None = None
    shown: Decimal | None = None
    steps: tuple[Step, ...] = ()
    parts: tuple[Part, ...] = ()
    findings: tuple[Finding, ...] = ()
    positions: tuple[Position, ...] = ()  #: rows of the books that it accounts for
    rows: tuple[ShownRow, ...] = ()  #: rows of the answer that it accounts for

    @property
    def difference(self) -> Decimal | None:
        """What is shown less what the books come to; None while either is unknown."""
        return None if self.internal is None or self.shown is None else self.shown - self.internal
