"""At what average price the fills were made."""

from __future__ import annotations

from collections.abc import Iterator

from recon.ends import filled_of
from recon.rules.quantity import both_ended
from recon.scene import Item, Scene, price_of
from recon.tolerance import bound_at
from recon.values import ZERO, Finding, OurLine, TheirLine

BY_SLACK = "slack"  #: rounding does not explain it, the rule set forgives it


def absent(item: Item, _scene: Scene) -> Iterator[Finding]:
    """Something was filled and a side states no price for it."""
    ours = item.ours is not None and filled_of(item.ours) > 0 and not item.ours.average_price
    theirs = item.theirs is not None and item.theirs.leg.filled > 0 and not item.theirs.leg.average_price
    if ours or theirs:
        yield item.finding(
            "price-absent",
            "average_price",
            ours=None if item.ours is None else item.ours.average_price,
            theirs=None if item.theirs is None else item.theirs.leg.average_price,
        )


def differs(item: Item, scene: Scene) -> Iterator[Finding]:
    """The prices of the same fills differ: within the tolerance a note, beyond it a break."""
    if item.pair is None:
        return
    ours, theirs = item.pair
    if not _comparable(item, ours, theirs):
        return
    mine, other = price_of(ours.average_price), price_of(theirs.leg.average_price)
    difference = mine - other
    if not mine or not other or not difference:
        return
    filled = min(filled_of(ours), theirs.leg.filled)
    tick = scene.market.tick(theirs.instrument, theirs.trade_date, theirs.leg.exchange)
    bound = bound_at(scene.policy, filled=filled, price=other, tick=tick)
    within = abs(difference) <= bound.whole
    used = bound.slack_used(difference) * filled if within else ZERO
    yield item.finding(
        "price-in-tol" if within else "price-out",
        "average_price",
        ours=mine,
        theirs=other,
        difference=difference,
        tolerance=bound.whole,
        impact_inr=abs(difference) * filled,
        slack_inr=used,
        cause=BY_SLACK if used else None,
    )


def _comparable(item: Item, ours: OurLine, theirs: TheirLine) -> bool:
    """Whether both state a price of the same thing.

    An average moves with each fill: while a side is still open, only equal fills compare.
    """
    both_filled = filled_of(ours) > ZERO and theirs.leg.filled > ZERO
    same_fills = filled_of(ours) == theirs.leg.filled or both_ended(item) is not None
    return both_filled and same_fills and ours.instrument == theirs.instrument
