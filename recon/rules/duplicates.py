"""One order told twice, on either side."""

from __future__ import annotations

from collections.abc import Iterator

from recon.scene import Item, Scene, amount_of_ours, amount_of_theirs
from recon.severity import EQUAL_COPY
from recon.values import Finding


def external(item: Item, _scene: Scene) -> Iterator[Finding]:
    """The Gateway lists one exchange order twice: an equal copy is dropped, otherwise nobody can say which holds."""
    if item.theirs is not None and (item.copied or item.twice):
        yield item.finding(
            "dup-external",
            "exchange_order_id",
            theirs=item.theirs.leg.exchange_order_id,
            cause=EQUAL_COPY if item.copied else None,
            impact_inr=amount_of_theirs(item.theirs),
        )


def internal(item: Item, _scene: Scene) -> Iterator[Finding]:
    """The books hold one order of the Gateway twice."""
    if item.ours is not None and item.doubled:
        yield item.finding(
            "dup-internal",
            "exchange_order_id",
            ours=item.ours.exchange_order_id,
            impact_inr=amount_of_ours(item.ours),
        )
