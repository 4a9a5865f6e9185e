"""A slow, plain second opinion on holdings: made from planted causes alone, it never sees what is judged.

A cause knows what it does to each side of a security that was 100 on both; the truth is what it planted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from config.calendar import exchange_calendar
from recon.holdings.values import (
    Action,
    Adapter,
    Elsewhere,
    HoldingsCase,
    Opening,
    OrderBreak,
    Position,
    Shown,
    ShownRow,
    Trade,
    Transfer,
)

OPENING, DAY, NEXT = date(2026, 1, 13), date(2026, 1, 14), date(2026, 1, 15)
ISIN, NEW, TEMPORARY, OTHER = "INE009A01021", "INE009A01039", "INE009A01TMP", "INE467B01029"


@dataclass
class Plot:
    """One security in the making: what each side has, and what is true of it."""

    base: int = 100
    held: int = 100
    t1: int = 0
    nse: int = 0
    bse: int = 0
    pledged: int = 0
    mtf: int = 0
    blocked: int = 0
    short: int = 0
    smallcase: int = 0
    shown_isin: str | None = ISIN
    opening_isin: str = ISIN
    seen: date = DAY
    average: str = "400"
    flag: bool = False
    twice: bool = False
    exclusive: bool = True
    adapter: Adapter = field(default_factory=lambda: Adapter(sold="position"))
    books_hold: frozenset[str] = frozenset({"pledged", "mtf", "blocked"})
    trades: list[Trade] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    breaks: list[OrderBreak] = field(default_factory=list)
    elsewhere: list[Elsewhere] = field(default_factory=list)
    parts: dict[str, int] = field(default_factory=dict)  #: the truth
    notes: set[str] = field(default_factory=set)  #: the truth: findings without a part

    def case(self) -> HoldingsCase:
        """What reconciling gets to see."""
        return HoldingsCase(
            account="a",
            day=DAY,
            calendar=exchange_calendar(),
            opening=Opening(
                as_of=OPENING,
                positions=(Position(isin=self.opening_isin, quantity=Decimal(self.base), average_price=Decimal(400)),),
            ),
            shown=Shown(ref="1", day=self.seen, rows=self.rows()),
            trades=tuple(self.trades),
            transfers=tuple(self.transfers),
            actions=tuple(self.actions),
            order_breaks=tuple(self.breaks),
            elsewhere={self.line: tuple(self.elsewhere)},
            adapter=self.adapter,
            exclusive=self.exclusive,
            books_hold=self.books_hold,
        )

    @property
    def line(self) -> str:
        """The newest ISIN."""
        return next((a.new_isin for a in self.actions if a.new_isin and a.kind in ("split", "merger")), ISIN)

    def rows(self) -> tuple[ShownRow, ...]:
        """The broker's rows."""
        numbers = ("held", "t1", "nse", "bse", "pledged", "mtf", "blocked", "short", "smallcase")
        row = ShownRow(
            isin=self.shown_isin,
            symbol="NSE:INFY",
            average=Decimal(self.average),
            discrepancy=self.flag,
            **{name: Decimal(getattr(self, name)) for name in numbers},
        )
        if not self.twice:
            return (row,)
        return (replace(row, held=row.held - 40), ShownRow(isin=self.shown_isin, symbol="BSE:INFY", held=Decimal(40)))


def trade(ref: str, quantity: int, on: date, settles: date) -> Trade:
    """A fill of ours."""
    return Trade(ref=ref, isin=ISIN, quantity=Decimal(quantity), trade_date=on, settles_on=settles, price=Decimal(400))


def _t1(p: Plot, n: int) -> None:
    p.trades.append(trade("bought", n, DAY, NEXT))
    p.nse += n
    p.parts["unsettled-t1"] = n


def _sold(p: Plot, n: int) -> None:
    p.trades.append(trade("sold", -n, DAY, NEXT))
    p.bse -= n
    p.parts["sold-today"] = -n


def _age(p: Plot, n: int) -> None:
    p.seen = date(2026, 1, 12)
    p.trades.append(trade("settled", n, OPENING, DAY))
    p.base += n
    p.parts["snapshot-age"] = -n


def _short(p: Plot, n: int) -> None:
    p.trades.append(trade("undelivered", n, OPENING, DAY))
    p.base += n
    p.short = n
    p.parts["short-delivery"] = -n


def _pledged(p: Plot, n: int) -> None:
    p.adapter = replace(p.adapter, pledged="left-out")
    p.pledged, p.base = n, p.base + n
    p.parts["pledged"] = -n


def _mtf(p: Plot, n: int) -> None:
    p.books_hold = p.books_hold - {"mtf"}
    p.mtf, p.held = n, p.held + n
    p.parts["mtf"] = n


def _blocked(p: Plot, n: int) -> None:
    p.adapter = replace(p.adapter, blocked="beside")
    p.books_hold = p.books_hold - {"blocked"}
    p.blocked = n
    p.parts["blocked"] = n


def _bonus(p: Plot, n: int) -> None:
    p.actions.append(
        Action(kind="bonus", isin=ISIN, ex_date=DAY, ratio_from=Decimal(p.base), ratio_to=Decimal(n), credited_by=NEXT)
    )
    p.parts["bonus-pending"] = -n


def _buy_back(p: Plot, n: int) -> None:
    p.actions.append(Action(kind="buy-back", isin=ISIN, ex_date=DAY, ratio_from=Decimal(p.base), ratio_to=Decimal(n)))
    p.held -= n
    p.parts["ca-other"] = -n


def _transfer(p: Plot, n: int) -> None:
    p.transfers.append(Transfer(ref="T1", isin=ISIN, quantity=Decimal(n), on=p.seen if p.seen > OPENING else DAY))
    p.parts["transfer"] = -n


def _orphan(p: Plot, n: int) -> None:
    p.breaks.append(OrderBreak(ref="b" * 32, name="qty-filled", isin=ISIN, quantity=Decimal(n)))
    p.held += n
    p.parts["orphan-fill"] = n


def _wrong(p: Plot, n: int) -> None:
    p.elsewhere.append(Elsewhere(account="b", quantity=Decimal(-n)))
    p.held += n
    p.parts["wrong-account"] = n


def _off(p: Plot, n: int) -> None:
    p.exclusive = False
    p.held += n
    p.parts["off-platform"] = n


def _off_sale(p: Plot, n: int) -> None:
    p.exclusive = False
    p.held -= n
    p.parts["off-platform-sale"] = -n


def _unexplained(p: Plot, n: int) -> None:
    p.held += n
    p.parts["unexplained"] = n


def _attribution(p: Plot, n: int) -> None:
    p.smallcase = 10_000 + n
    p.notes.add("attribution")


def _twice(p: Plot, _: int) -> None:
    p.twice = True
    p.notes.add("dup-listing")


def _flag(p: Plot, _: int) -> None:
    p.flag = True
    p.notes.add("broker-flag")


Cause = Callable[[Plot, int], None]
#: Causes that may stand together with any other of them.
CAUSES: dict[str, Cause] = {
    "unsettled-t1": _t1,
    "sold-today": _sold,
    "short-delivery": _short,
    "pledged": _pledged,
    "mtf": _mtf,
    "blocked": _blocked,
    "bonus-pending": _bonus,
    "buy-back": _buy_back,
    "transfer": _transfer,
    "orphan-fill": _orphan,
    "wrong-account": _wrong,
    "off-platform": _off,
    "off-platform-sale": _off_sale,
    "unexplained": _unexplained,
    "attribution": _attribution,
    "dup-listing": _twice,
    "broker-flag": _flag,
}
#: What is told only by what fits the rest: two of them are one sum, and nobody can take that apart.
BY_THE_REST = frozenset(
    {
        *("bonus-pending", "buy-back", "transfer", "orphan-fill", "wrong-account", "off-platform"),
        *("off-platform-sale", "unexplained"),
    }
)
ALONE: dict[str, Cause] = {"snapshot-age": _age}


def naive(plot: Plot) -> int:
    """What is shown less what the books come to, counted straight from the plot."""
    shown = plot.held + plot.nse + plot.bse + plot.t1
    shown += plot.pledged if plot.adapter.pledged == "beside" else 0
    shown += plot.mtf if plot.adapter.mtf == "beside" else 0
    shown += plot.blocked if plot.adapter.blocked == "beside" else 0
    books = plot.base + sum(int(t.quantity) for t in plot.transfers)
    books += sum(int(t.quantity) for t in plot.trades if t.trade_date > OPENING and t.settles_on <= DAY)
    books += sum(int(a.ratio_to) for a in plot.actions if a.kind == "bonus")
    return shown - books
