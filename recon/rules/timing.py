"""What is only not there yet, and what has been awaited for too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from recon.ends import filled_of, ours_is_final
from recon.lines import validity_end
from recon.scene import Item, Scene, price_of
from recon.values import Batch, Evidence, Finding


def open_order(item: Item, scene: Scene) -> Iterator[Finding]:
    """The Gateway's leg is not at its end: open until its validity ends, stale after it."""
    if item.theirs is None or item.final:
        return
    word = item.theirs.leg.status
    yield until_stale(item, scene, item.theirs.trade_date, theirs=word)


def books_behind(item: Item, scene: Scene) -> Iterator[Finding]:
    """The Gateway is at the end and the books are not: pending while the grace lasts."""
    if item.pair is None or not item.final:
        return
    ours, theirs = item.pair
    if ours_is_final(ours, theirs.leg.filled) is not False:
        return
    grace_ends = completed_at(scene, item.batch, theirs.trade_date) + scene.policy.webhook_grace
    difference = filled_of(ours) - theirs.leg.filled
    price = price_of(theirs.leg.average_price) or price_of(ours.average_price)
    yield item.finding(
        "books-behind",
        "status",
        ours=ours.status,
        theirs=theirs.leg.status,
        waiting=not scene.times.passed(grace_ends),
        impact_inr=abs(difference) * price,
        evidence=(clock("grace ends", grace_ends),),
    )


def until_stale(item: Item, scene: Scene, day: date, *, theirs: str | None) -> Finding:
    """An order that is not at its end: `open-order` while it can still be filled, else `stale-open`."""
    ends = validity_end(day, scene.calendar) + scene.policy.open_grace
    name = "stale-open" if scene.times.passed(ends) else "open-order"
    ours = None if item.ours is None else item.ours.status
    return item.finding(name, "status", ours=ours, theirs=theirs, evidence=(clock("open until", ends),))


def completed_at(scene: Scene, batch: Batch | None, day: date) -> datetime:
    """When the batch came to its end; the close of its session when the Gateway does not say."""
    if batch is not None and batch.completed_at is not None:
        return batch.completed_at
    return validity_end(day, scene.calendar)


def clock(says: str, at: datetime) -> Evidence:
    """The instant on which a finding turns."""
    return Evidence(kind="clock", ref=at.isoformat(), says=says)
