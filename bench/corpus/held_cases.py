"""A plot of holdings as the rules see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from bench.corpus.held_plots import BLOCKS, DAY, FEWER, LEAVES_OUT, NEXT, OPENING, Plot
from config.brokers import Brokers
from config.calendar import exchange_calendar
from recon.holdings.values import (
    AS_FEWER,
    AS_POSITION,
    LEFT_OUT,
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

CALENDAR = exchange_calendar()
BROKERS = Brokers(
    {
        "default": Adapter(sold=AS_POSITION),
        FEWER: Adapter(sold=AS_FEWER),
        LEAVES_OUT: Adapter(sold=AS_POSITION, pledged=LEFT_OUT, mtf=LEFT_OUT),
        BLOCKS: Adapter(sold=AS_POSITION, blocked=LEFT_OUT),
    }
)


def case_of(plot: Plot) -> HoldingsCase:
    """The plot as the rules see it."""
    opening = Position(isin=plot.isin, quantity=Decimal(plot.base), average_price=Decimal(plot.cost))
    line = next(iter(plot.lines))
    return HoldingsCase(
        account=plot.account,
        day=DAY,
        calendar=CALENDAR,
        opening=Opening(as_of=OPENING, positions=(opening,)),
        shown=Shown(ref="1", day=plot.seen, rows=tuple(rows_of(plot))),
        trades=tuple(_trade(plot, ref, count, on) for ref, count, on in plot.trades),
        transfers=tuple(Transfer(ref=r, isin=plot.isin, quantity=Decimal(n), on=on) for r, n, on in plot.transfers),
        actions=tuple(actions_of(plot)),
        order_breaks=tuple(_order_breaks(plot)),
        elsewhere={line: (Elsewhere(account="f" * 24, quantity=Decimal(plot.elsewhere)),)} if plot.elsewhere else {},
        adapter=BROKERS.adapter(plot.broker),
        exclusive=plot.exclusive,
    )


def _trade(plot: Plot, ref: str, count: int, on: date) -> Trade:
    settles = CALENDAR.session_after(on)
    return Trade(ref=ref, isin=plot.isin, quantity=Decimal(count), trade_date=on, settles_on=settles)


def _order_breaks(plot: Plot) -> Iterable[OrderBreak]:
    if plot.order_break:
        yield OrderBreak(ref="b", name="missing-internal", isin=plot.isin, quantity=Decimal(plot.order_break))


def actions_of(plot: Plot) -> Iterable[Action]:
    """Its corporate actions."""
    for kind, held, becomes, new in plot.actions:
        yield Action(
            kind=kind,
            isin=plot.isin,
            ex_date=plot.ex_date,
            ratio_from=Decimal(held),
            ratio_to=Decimal(becomes),
            new_isin=new or None,
            temporary_isin=plot.temporary if plot.listed_later else None,
            credited_by=NEXT if kind == "bonus" else None,
        )


def rows_of(plot: Plot) -> Iterable[ShownRow]:
    """The broker's rows."""
    numbers = ("nse", "bse", "pledged", "mtf", "blocked", "short", "smallcase")
    apart = 400 if plot.twice else 0
    isin = (plot.shown or plot.isin) if plot.named else None
    figures = {name: Decimal(getattr(plot, name)) for name in numbers}
    symbol, average = f"NSE:{plot.isin}", Decimal(400)
    row = ShownRow(isin=isin, symbol=symbol, held=Decimal(plot.held - apart), average=average, **figures)  # type: ignore[arg-type]
    yield replace(row, discrepancy=plot.flag)
    if apart:
        yield ShownRow(isin=isin, symbol=symbol, held=Decimal(apart), average=average)
    if plot.listed_later:
        yield ShownRow(isin=plot.temporary, symbol=symbol, held=Decimal(plot.listed_later), average=average)
