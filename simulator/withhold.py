"""Webhooks that are never sent: a share of all of them, chosen by seed, and what is then to be found."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from simulator.story import ACCEPTED, Post, Story

#: Plots whose findings depend on which of their webhooks came: theirs are always sent.
_TELLING = frozenset({"out-of-order", "forged-body", "forged-checksum", "forged-unknown", "regression"})


def withhold(stories: Sequence[Story], share: float, *, seed: int) -> None:
    """Mark that share of all webhooks as withheld and plant what follows. The same seed marks the same.

    A transaction whose final webhooks are all withheld is `webhook-missed`.
    """
    if not share:
        return
    every = [post for story in stories for post in story.posts]
    may = [(story, post) for story in stories if story.plot not in _TELLING for post in story.posts]
    chance = random.Random(f"withheld {seed}")
    for story, post in chance.sample(may, min(len(may), round(share * len(every)))):
        story.posts[_place(story.posts, post)] = replace(post, withheld=True)
    for story in stories:
        if _nobody_told_its_end(story):
            story.find("webhook-missed")


def _place(posts: Sequence[Post], wanted: Post) -> int:
    return next(place for place, post in enumerate(posts) if post is wanted)


def _nobody_told_its_end(story: Story) -> bool:
    """Whether an end was to be told and every webhook that tells it is withheld."""
    told = [post for post in story.posts if post.batch.completed_at and post.expect == ACCEPTED]
    return bool(told) and all(post.withheld for post in told)
