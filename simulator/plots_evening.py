"""After-market orders: placed in the evening for the next session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from simulator.draw import Draw
from simulator.orders import Batch, Leg
from simulator.story import Story, begin, place


def amo_open(draw: Draw, _turn: int) -> Story:
    """Placed in the evening for the next session, in the books of that date."""
    story, legs = _placed(draw, "amo-open", _waiting(draw, exchange_ids=False))
    story.book(draw, legs, on=draw.day.next_date)
    for line in story.books:
        story.find("open-order", line)
    return story


def amo_awaiting(draw: Draw, _turn: int) -> Story:
    """The same, already with exchange ids, and the books of that date are not in yet."""
    story, legs = _placed(draw, "amo-awaiting", _waiting(draw, exchange_ids=True))
    for leg in legs:
        story.find("open-order", leg)
        story.find("awaiting-books", leg)
    return story


def webhook_late(draw: Draw, _turn: int) -> Story:
    """Placed early in the evening, cancelled by the person at 19:45; the final webhook is still due."""
    created_at = draw.between(draw.day.at(18, 5), draw.day.at(19))
    story, legs = _placed(draw, "webhook-late", _waiting(draw, exchange_ids=False), created_at=created_at)
    completed_at = draw.day.at(19, 45, draw.chance.randrange(60))
    gone = [replace(leg, status="CANCELLED AMO") for leg in legs]
    batch = Batch(batch_id=story.batch_id, status="CANCELLED", variety="amo", legs=gone, completed_at=completed_at)
    story.say(completed_at, "COMPLETED", batch)
    story.book(draw, gone, on=draw.day.trade_date)
    story.find("webhook-late")
    return story


def _waiting(draw: Draw, *, exchange_ids: bool) -> list[Leg]:
    legs = draw.legs(1 + draw.chance.randrange(2))
    waiting = [replace(leg, filled=0, status="PLACED") for leg in legs]
    return waiting if exchange_ids else [replace(leg, exchange_id=None) for leg in waiting]


def _placed(
    draw: Draw, plot: str, legs: Sequence[Leg], *, created_at: datetime | None = None
) -> tuple[Story, Sequence[Leg]]:
    draw.created()  # its place in the day goes unused: it is made in the evening
    created_at = created_at or draw.between(draw.day.at(18, 30), draw.day.at(19, 30))
    story = begin(draw, plot, legs, created_at=created_at)
    place(draw, story, legs, variety="amo", hide=False)
    return story, legs
