"""Whether a batch's rupees are the sum of its fills."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from recon.ends import distinct_legs
from recon.scene import Scene, price_of
from recon.tolerance import amount_bound
from recon.values import ZERO, Batch, Finding
from recon.words import is_side


def amount_sum(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """The stated amount of a side of the market is not the sum of filled x average price."""
    if any(leg.filled and (not leg.average_price or not is_side(leg.side)) for leg in batch.legs):
        return
    for field, side, stated in (
        ("buy_amount", "BUY", batch.buy_amount),
        ("sell_amount", "SELL", batch.sell_amount),
    ):
        total, filled = _sums(batch, side)
        bound = amount_bound(filled, scene.policy)
        if stated is not None and abs(total - stated) > bound:
            yield scene.of_batch(
                "amount-sum", batch, field, ours=total, theirs=stated,
                difference=total - stated, tolerance=bound, impact_inr=abs(total - stated),
            )  # fmt: skip


def _sums(batch: Batch, side: str) -> tuple[Decimal, Decimal]:
    """Rupees and shares filled on one side of the market."""
    legs = [leg for leg in distinct_legs(batch) if leg.side.upper() == side]
    rupees = sum((leg.filled * price_of(leg.average_price) for leg in legs), ZERO)
    return rupees, sum((leg.filled for leg in legs), ZERO)
