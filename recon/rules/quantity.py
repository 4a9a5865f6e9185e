"""How many were ordered and how many were filled."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from recon.ends import distinct_legs, filled_of, ours_is_final
from recon.scene import Item, Scene, price_of
from recon.severity import USER_EDITED
from recon.values import ZERO, Batch, Finding, OurLine, TheirLine


def requested(item: Item, scene: Scene) -> Iterator[Finding]:
    """The ordered quantities differ; `user-edited` when ours is what was first asked for."""
    if item.pair is None:
        return
    ours, theirs = item.pair
    difference = ours.quantity - theirs.leg.quantity
    if difference:
        yield item.finding(
            "qty-requested",
            "quantity",
            ours=ours.quantity,
            theirs=theirs.leg.quantity,
            difference=difference,
            impact_inr=abs(difference) * unit_price(ours, theirs),
            cause=USER_EDITED if _was_asked_for(ours, theirs, scene) else None,
        )


def filled(item: Item, _scene: Scene) -> Iterator[Finding]:
    """Both are at their end and were filled differently."""
    ends = both_ended(item)
    if ends is None:
        return
    ours, theirs = ends
    difference = filled_of(ours) - theirs.leg.filled
    if difference:
        yield item.finding(
            "qty-filled",
            "filled_quantity",
            ours=filled_of(ours),
            theirs=theirs.leg.filled,
            difference=difference,
            impact_inr=abs(difference) * unit_price(ours, theirs),
        )


def partial_residual(item: Item, _scene: Scene) -> Iterator[Finding]:
    """Both agree that only a part was filled."""
    ends = both_ended(item)
    if ends is None:
        return
    ours, theirs = ends
    agreed = (ours.quantity, filled_of(ours)) == (theirs.leg.quantity, theirs.leg.filled)
    if agreed and ZERO < theirs.leg.filled < theirs.leg.quantity:
        left = theirs.leg.quantity - theirs.leg.filled
        yield item.finding(
            "partial-residual", "filled_quantity", ours=filled_of(ours), theirs=theirs.leg.filled,
            impact_inr=left * unit_price(ours, theirs),
        )  # fmt: skip


def overfill(item: Item, _scene: Scene) -> Iterator[Finding]:
    """More was filled than ordered, on either side."""
    excess = max(
        ZERO if item.ours is None else filled_of(item.ours) - item.ours.quantity,
        ZERO if item.theirs is None else item.theirs.leg.filled - item.theirs.leg.quantity,
    )
    if excess > 0:
        yield item.finding(
            "overfill",
            "filled_quantity",
            ours=None if item.ours is None else item.ours.filled,
            theirs=None if item.theirs is None else item.theirs.leg.filled,
            impact_inr=excess * any_price(item),
        )


def batch_sum(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """The batch's own figures are not the sums of its legs, placed and unplaced."""
    told_once = distinct_legs(batch)
    for field, stated, legs in (
        ("filled", batch.filled, (leg.filled for leg in told_once)),
        ("quantity", batch.quantity, (leg.quantity for leg in told_once)),
    ):
        total = sum(legs, ZERO)
        if stated is not None and stated != total:
            yield scene.of_batch("batch-sum", batch, field, ours=total, theirs=stated, difference=total - stated)


def both_ended(item: Item) -> tuple[OurLine, TheirLine] | None:
    """Both lines, if both are at their end."""
    if item.pair is None or not item.final:
        return None
    ours, theirs = item.pair
    return item.pair if ours_is_final(ours, theirs.leg.filled) else None


def unit_price(ours: OurLine, theirs: TheirLine) -> Decimal:
    """Rupees a share by which a quantity is valued: theirs, else ours."""
    return price_of(theirs.leg.average_price) or price_of(ours.average_price)


def any_price(item: Item) -> Decimal:
    """Rupees a share of the item: theirs, else ours, else nothing."""
    theirs = ZERO if item.theirs is None else price_of(item.theirs.leg.average_price)
    return theirs or (ZERO if item.ours is None else price_of(item.ours.average_price))


def _was_asked_for(ours: OurLine, theirs: TheirLine, scene: Scene) -> bool:
    """Whether our quantity is that of the basket before the customer changed it."""
    answered = () if scene.answer is None else scene.answer.requested
    return any(
        leg.symbol == theirs.leg.symbol and leg.quantity == ours.quantity for leg in (*answered, *scene.case.requested)
    )
