"""Whether anybody can have traded at that price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from recon.ends import filled_of
from recon.scene import Item, Scene
from recon.tolerance import half_unit
from recon.values import ZERO, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One statement of a price: of how many shares, whose places count, and whether it was one fill."""

    exchange: str
    instrument: str
    day: date
    filled: Decimal
    price: Decimal
    places: int
    single: bool


def price(item: Item, scene: Scene) -> Iterator[Finding]:
    """A single fill off the tick grid, or an average beyond what was traded that day."""
    if not scene.knows_prices:
        return
    mine = [(fill, off) for fill in _ours(item, scene) if (off := _off(fill, scene))]
    other = [(fill, off) for fill in _theirs(item, scene) if (off := _off(fill, scene))]
    if mine or other:
        yield item.finding(
            "price-implausible", "average_price",
            ours=mine[0][0].price if mine else None, theirs=other[0][0].price if other else None,
            impact_inr=max(fill.filled * off for fill, off in (*mine, *other)),
        )  # fmt: skip


def _ours(item: Item, scene: Scene) -> Iterator[Fill]:
    """What the books say; of an order kept in parts each part is one fill."""
    for line in item.our_lines():
        if filled_of(line) > 0 and line.average_price:
            yield Fill(
                exchange=line.exchange, instrument=line.instrument, day=line.trade_date,
                filled=filled_of(line), price=line.average_price, places=scene.policy.price_places_ours,
                single=filled_of(line) == 1 or len(item.our_parts) > 1,
            )  # fmt: skip


def _theirs(item: Item, scene: Scene) -> Iterator[Fill]:
    for line in item.their_lines():
        leg = line.leg
        if leg.filled > 0 and leg.average_price:
            yield Fill(
                exchange=leg.exchange, instrument=line.instrument, day=line.trade_date,
                filled=leg.filled, price=leg.average_price, places=scene.policy.price_places_theirs,
                single=leg.filled == 1,
            )  # fmt: skip


def _known(fill: Fill, scene: Scene) -> tuple[tuple[Decimal, Decimal] | None, Decimal | None]:
    """The day's low and high, and the tick, where that was traded."""
    asked = fill.instrument, fill.day, fill.exchange
    return scene.market.low_high(*asked), scene.market.tick(*asked)


def _off(fill: Fill, scene: Scene) -> Decimal:
    """Rupees by which the price lies off any that can be; zero where it can be, or nothing is known."""
    span, tick = _known(fill, scene)
    if span is not None:
        beyond = max(span[0] - fill.price, fill.price - span[1])
        if beyond > half_unit(fill.places):
            return beyond
    if tick and fill.single:
        apart = abs(fill.price - (fill.price / tick).to_integral_value() * tick)
        return apart if apart > _grid_bound(tick, fill.places) else ZERO
    return ZERO


def _grid_bound(tick: Decimal, places: int) -> Decimal:
    """Nothing where the declared places can state every tick, else what rounding to them does."""
    return ZERO if tick % (2 * half_unit(places)) == 0 else half_unit(places)
