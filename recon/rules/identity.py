"""Side, instrument and account: they have no tolerance, ever; and one security under several names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from recon.ends import filled_of
from recon.lines import broker_of
from recon.rules.quantity import any_price
from recon.scene import Item, Scene, amount_of_ours, amount_of_theirs, price_of
from recon.values import ZERO, Finding, OurLine, TheirLine
from recon.words import is_exchange, is_side


def side(item: Item, _scene: Scene) -> Iterator[Finding]:
    """One bought, the other sold: what is at stake is both fills."""
    if item.pair is None:
        return
    ours, theirs = item.pair
    known = is_side(ours.side) and is_side(theirs.leg.side)
    if known and ours.side.upper() != theirs.leg.side.upper():
        yield item.finding(
            "side", "side", ours=ours.side, theirs=theirs.leg.side, critical=True,
            impact_inr=(filled_of(ours) + theirs.leg.filled) * any_price(item),
        )  # fmt: skip


def instrument(item: Item, _scene: Scene) -> Iterator[Finding]:
    """Another instrument on the trade date."""
    if item.pair is None:
        return
    ours, theirs = item.pair
    if ours.instrument != theirs.instrument and not _only_exchange_unknown(ours, theirs):
        yield item.finding(
            "instrument", "instrument", ours=ours.instrument, theirs=theirs.instrument, critical=True,
            impact_inr=amount_of_theirs(theirs),
        )  # fmt: skip


def alias(item: Item, _scene: Scene) -> Iterator[Finding]:
    """The same security under another symbol."""
    if item.pair is None:
        return
    ours, theirs = item.pair
    if ours.instrument == theirs.instrument and _spelled(ours.symbol) != _spelled(theirs.leg.symbol):
        yield item.finding("alias", "symbol", ours=ours.symbol, theirs=theirs.leg.symbol)


def exchange(item: Item, _scene: Scene) -> Iterator[Finding]:
    """The same security on the other exchange: it costs what the prices differ by."""
    if item.pair is None:
        return
    ours, theirs = item.pair
    known = is_exchange(ours.exchange) and is_exchange(theirs.leg.exchange)
    if known and ours.instrument == theirs.instrument and _spelled(ours.exchange) != _spelled(theirs.leg.exchange):
        apart = price_of(ours.average_price) - price_of(theirs.leg.average_price)
        priced = bool(ours.average_price and theirs.leg.average_price)
        yield item.finding(
            "exchange", "exchange", ours=ours.exchange, theirs=theirs.leg.exchange,
            impact_inr=abs(apart) * min(filled_of(ours), theirs.leg.filled) if priced else ZERO,
        )  # fmt: skip


def unmapped(item: Item, scene: Scene) -> Iterator[Finding]:
    """The table of instruments does not know the symbol on that date, though it knows the exchange."""
    ours, theirs = item.ours, item.theirs
    mine = ours and _is_unmapped(scene, ours.instrument, ours.exchange, ours.symbol, ours.trade_date)
    leg = theirs and theirs.leg
    other = leg and theirs and _is_unmapped(scene, theirs.instrument, leg.exchange, leg.symbol, theirs.trade_date)
    if mine or other:
        amounts = (amount_of_ours(ours) if ours else ZERO, amount_of_theirs(theirs) if theirs else ZERO)
        yield item.finding(
            "unmapped", "symbol", ours=ours.symbol if ours and mine else None,
            theirs=leg.symbol if leg and other else None, impact_inr=max(amounts),
        )  # fmt: skip


def _is_unmapped(scene: Scene, instrument: str, listed_on: str, symbol: str, day: date) -> bool:
    return instrument == f"{listed_on}:{symbol}" and scene.market.lists(listed_on, symbol, day) is False


def _spelled(name: str) -> str:
    return "".join(name.split()).upper()


def account(item: Item, scene: Scene) -> Iterator[Finding]:
    """Another account or broker, where both sides name one."""
    if item.pair is None or scene.answer is None:
        return
    ours, theirs = item.pair
    at_broker = scene.answer.broker if item.batch is None else broker_of(item.batch, scene.answer)
    for field, mine, other, differ in (
        ("account", ours.account, scene.answer.account, ours.account != scene.answer.account),
        ("broker", ours.broker, at_broker, (ours.broker or "").lower() != (at_broker or "").lower()),
    ):
        if mine and other and differ:
            yield item.finding(
                "account", field, ours=mine, theirs=other, critical=True, impact_inr=amount_of_theirs(theirs)
            )


def _only_exchange_unknown(ours: OurLine, theirs: TheirLine) -> bool:
    """Whether the instrument differs only because an exchange's word is unknown, which is a break by itself."""
    unknown = not is_exchange(ours.exchange) or not is_exchange(theirs.leg.exchange)
    return unknown and ours.symbol == theirs.leg.symbol
