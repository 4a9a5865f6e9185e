"""Webhooks that are lost, come in the wrong order, or are forged; the books agree throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from simulator.draw import Draw
from simulator.orders import Batch, Leg
from simulator.story import REFUSED, Story, end_of, ordinary

_FORGERIES = ("random", "other-secret", "absent")
_CLAIMED_MORE = 5


def missed(draw: Draw, turn: int) -> Story:
    """The final webhook is never sent; of every second one, no webhook at all."""
    story = ordinary(draw, "webhook-missed", draw.legs(), placed=turn % 2 == 0, final=False)
    story.find("webhook-missed")
    return story


def out_of_order(draw: Draw, _turn: int) -> Story:
    """The placed webhook comes after the completed one."""
    story = ordinary(draw, "out-of-order", draw.legs())
    placed, completed = story.posts
    at = draw.posting(draw.after(completed.at, 2, 1200))
    story.posts = [completed, replace(placed, at=at)]
    story.find("out-of-order")
    return story


def forged_checksum(draw: Draw, turn: int) -> Story:
    """Somebody without the secret claims more: refused, and nothing comes of it."""
    story = ordinary(draw, "forged-checksum", draw.legs())
    at = _afterwards(draw, story)
    forged = story.post(at, "forged-checksum", _more(end_of(story)[1]))
    story.posts[-1] = replace(forged, checksum=_FORGERIES[turn % len(_FORGERIES)], expect=REFUSED)
    return story


def forged_body(draw: Draw, _turn: int) -> Story:
    """A captured signature carries another body, which claims more filled and a higher amount."""
    story = ordinary(draw, "forged-body", draw.legs())
    signed_at = story.posts[-1].signed_at
    story.post(_afterwards(draw, story), "forged-body", _more(end_of(story)[1]), signed_at=signed_at)
    story.find("webhook-differs")
    return story


def forged_unknown(draw: Draw, _turn: int) -> Story:
    """A captured signature carries a transactionId that nobody has: kept, asked for, parked."""
    story = ordinary(draw, "forged-unknown", draw.legs())
    signed_at = story.posts[-1].signed_at
    batch = replace(_more(end_of(story)[1]), batch_id=draw.batch_id())
    forged = story.post(_afterwards(draw, story), "forged-unknown", batch, signed_at=signed_at)
    story.posts[-1] = replace(forged, transaction_id=draw.transaction_id())
    return story


def regression(draw: Draw, _turn: int) -> Story:
    """Complete by day; in the evening a further webhook, and from then on the API, say less was filled."""
    story = ordinary(draw, "regression", draw.legs(quantity=10))
    batch = end_of(story)[1]
    fallen = [replace(batch.legs[0], filled=8), *batch.legs[1:]]
    since = draw.between(draw.day.at(16, 30), draw.day.at(19, 30))
    story.say(since, "COMPLETED", replace(batch, legs=fallen))
    story.post(draw.posting(draw.after(since, 0.2, 2)), "fallen", replace(batch, legs=fallen))
    story.find("regression", story.books[0])
    story.find("out-of-order")
    return story


def _afterwards(draw: Draw, story: Story) -> datetime:
    return draw.posting(draw.after(story.posts[-1].at + timedelta(seconds=30), 0, 1200))


def _more(batch: Batch) -> Batch:
    """The batch with more ordered and filled in its first leg."""
    legs: Sequence[Leg] = batch.legs
    first = replace(legs[0], quantity=legs[0].quantity + _CLAIMED_MORE, filled=legs[0].filled + _CLAIMED_MORE)
    return replace(batch, legs=[first, *legs[1:]])
