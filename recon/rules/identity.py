"""Side, instrument and account: they have no tolerance, ever."""

from __future__ import annotations

from collections.abc import Iterator

from recon.ends import filled_of
from recon.lines import broker_of
from recon.rules.quantity import any_price
from recon.scene import Item, Scene, amount_of_theirs
from recon.values import Finding, OurLine, TheirLine
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
