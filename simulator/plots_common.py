"""What happens every day and needs no explanation, or only a note."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from simulator.draw import Draw
from simulator.orders import Leg, Picture
from simulator.story import Story, begin, end_of, ordinary

_USER_CANCELLED = {"value": True, "code": 1010, "message": "user_cancelled"}
_WITHOUT_IDS, _LOWER_CASE = 0.05, 0.15


def complete(draw: Draw, _turn: int) -> Story:
    """Everything is filled; now and then the books lack ids or write statuses in lower case."""
    story = ordinary(draw, "complete", draw.legs())
    kind = draw.chance.random()
    if kind < _WITHOUT_IDS:
        story.books = [replace(line, exchange_id="") for line in story.books]
    elif kind < _LOWER_CASE:
        story.books = [replace(line, batch_id="", status=line.status.lower()) for line in story.books]
    return story


def rejected(draw: Draw, turn: int) -> Story:
    """The exchange rejects every leg, or the first of a basket."""
    legs = draw.legs(least=1 + turn % 2)
    refused = legs if turn % 2 == 0 else legs[:1]
    legs = [_unfilled(leg, "REJECTED") if leg in refused else leg for leg in legs]
    return ordinary(draw, "rejected", legs, word="PARTIALLYFILLED" if turn % 2 else "UNFILLED")


def cancelled(draw: Draw, _turn: int) -> Story:
    """The person cancels open limit orders before anything is filled."""
    legs = [_unfilled(replace(leg, order_type="LIMIT"), "CANCELLED") for leg in draw.legs()]
    return ordinary(draw, "cancelled", legs, word="CANCELLED")


def partial(draw: Draw, turn: int) -> Story:
    """A leg ends half filled; the books agree, in the same word or in the other one that says it."""
    quantity = draw.chance.randrange(10, 50)
    legs = draw.legs(quantity=quantity)
    word = ("PARTIAL", "CANCELLED")[turn % 2]
    legs[0] = replace(legs[0], filled=draw.chance.randrange(1, quantity), status=word)
    story = ordinary(draw, "partial", legs, word="PARTIALLYFILLED")
    story.find("partial-residual", story.rebook(0, status=("PARTIAL", "CANCELLED")[turn // 2 % 2]))
    return story


def unplaced(draw: Draw, turn: int) -> Story:
    """Legs that never went to the broker: one of a basket, or all of it."""
    legs = draw.legs(least=1 + (turn + 1) % 2)
    lost = legs[-1:] if turn % 2 == 0 else legs
    legs = [_unplaced(leg) if leg in lost else leg for leg in legs]
    story = ordinary(draw, "unplaced", legs, word=("PARTIALLYPLACED", "UNPLACED")[turn % 2])
    for index, leg in enumerate(legs):
        if not leg.placed:
            story.find("unplaced", story.rebook(index, status="CREATED"))
    return story


def user_edited(draw: Draw, _turn: int) -> Story:
    """Ten were asked for, the person made it eight on the review screen, the books still say ten."""
    legs = draw.legs(quantity=8)
    story = ordinary(draw, "user-edited", legs)
    story.requested = [replace(legs[0], quantity=10), *legs[1:]]
    story.find("qty-requested", story.rebook(0, quantity=10))
    return story


def never_triggered(draw: Draw, turn: int) -> Story:
    """The person never came to the broker's login, or closed it: no order, no webhook."""
    legs = draw.legs()
    story = begin(draw, "never-triggered", legs)
    if turn % 2 == 0:
        story.pictures.append(Picture(since=story.expire_at, status="INITIALIZED", expired=True))
    else:
        gone = draw.after(story.created_at, 10, 200)
        story.pictures.append(Picture(since=gone, status="ERRORED", error=_USER_CANCELLED))
    story.batch_id = ""
    story.book(draw, [replace(_unfilled(leg, "CREATED"), exchange_id=None) for leg in legs], on=draw.day.trade_date)
    for line in story.books:
        story.find("never-triggered", line)
    return story


def stale_open(draw: Draw, _turn: int) -> Story:
    """A limit order that nobody filled or ended: in the evening it is still open."""
    legs = [replace(leg, order_type="LIMIT") for leg in draw.legs(1 + draw.chance.randrange(2))]
    story = ordinary(draw, "stale-open", legs, final=False)
    story.pictures.pop()
    story.books = [replace(line, filled=0, price=None, status="PLACED", executed_at=None) for line in story.books]
    for line in story.books:
        story.find("stale-open", line)
    return story


def slow_api(draw: Draw, turn: int) -> Story:
    """The API fails or is slow at the first questions about it, then it is good."""
    story = ordinary(draw, "slow-api", draw.legs())
    story.faults = _FAULTS[turn % len(_FAULTS)]
    return story


_FAULTS = (
    ("500",), ("half",), ("503",), ("stall",), ("html",), ("500", "503"), ("429",), ("503", "html"),
    ("500", "500"), ("html",), ("half", "500"),
)  # fmt: skip


def duplicate(draw: Draw, turn: int) -> Story:
    """The completed webhook comes twice: signed anew, or the same bytes."""
    story = ordinary(draw, "duplicate", draw.legs())
    first = story.posts[-1]
    at = draw.posting(draw.after(first.at, 1, 1200))
    story.posts.append(replace(first, at=at, signed_at=first.signed_at if turn % 2 else at))
    return story


def late(draw: Draw, turn: int) -> Story:
    """The completed webhook comes at the retry after 15 minutes, or hours later."""
    story = ordinary(draw, "late", draw.legs())
    on_time = story.posts.pop()
    if turn % 2 == 0:
        at = draw.posting(draw.after(on_time.at + timedelta(minutes=15), 0, 20))
        story.posts.append(replace(on_time, at=at))
    else:
        completed_at, batch = end_of(story)
        at = draw.posting(draw.between(completed_at + timedelta(minutes=90), draw.day.at(19, 40)))
        story.post(at, "completed", batch)
    return story


def _unfilled(leg: Leg, status: str) -> Leg:
    return replace(leg, filled=0, status=status)


def _unplaced(leg: Leg) -> Leg:
    return replace(leg, filled=0, status="ERROR", placed=False, exchange_id=None)
