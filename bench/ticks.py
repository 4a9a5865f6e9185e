"""Prices on the edge of a tolerance: equal, exactly one tick apart, and a millionth further.

The tolerance is one tick, the declared precision six places, as fine as the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from bench.corpus.draw import INFY, Draw
from bench.corpus.story import MICRO, Story
from recon.values import Policy

TICKS = (Decimal("0.01"), Decimal("0.05"), Decimal("0.10"))
PLACES = 6
PER_STORY = 50  #: lines of one transaction

EQUAL, INSIDE, OUTSIDE = "matched", "matched-in-tolerance", "price-out"
CLASSES = (EQUAL, INSIDE, OUTSIDE)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two prices of one fill, and the bucket in which they belong."""

    number: int
    tick: Decimal
    ours: Decimal
    theirs: Decimal
    bucket: str

    @property
    def agrees(self) -> bool:
        """Whether the two are the same within one tick."""
        return self.bucket != OUTSIDE


def pairs(count: int, seed: int) -> list[Pair]:
    """So many pairs, of each tick the same number, of each class a third."""
    chance = Random(seed)
    return [_pair(chance, number) for number in range(count)]


def _pair(chance: Random, number: int) -> Pair:
    tick, bucket = TICKS[number % 3], CLASSES[number // 3 % 3]
    theirs = tick * chance.randint(20, 400_000)
    apart = {EQUAL: Decimal(0), INSIDE: tick, OUTSIDE: tick + MICRO}[bucket]
    return Pair(number, tick, theirs + apart * chance.choice((1, -1)), theirs, bucket)


def policy_of(tick: Decimal) -> Policy:
    """Six places on both sides; with half a unit of the last place of each, the slack makes the tolerance one tick."""
    rounding = Decimal(1).scaleb(-PLACES)
    return Policy(price_places_ours=PLACES, price_places_theirs=PLACES, price_slack=tick - rounding)


def stories(draw: Draw, told: Sequence[Pair]) -> Iterator[tuple[Story, dict[str, Pair]]]:
    """The pairs as transactions of many lines each; each with its pairs by our order id."""
    for start in range(0, len(told), PER_STORY):
        some = told[start : start + PER_STORY]
        story = draw.story(draw.legs(shares=[INFY] * len(some), side="BUY", quantity=10))
        for pair, leg, row in zip(some, story.batch.legs, story.rows, strict=True):
            leg.price, row.price = pair.theirs, pair.ours
        story.add_up()
        yield story, {row.order_id: pair for pair, row in zip(some, story.rows, strict=True)}
