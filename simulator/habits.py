"""What people do of themselves with a transaction that a caller of the API made: by seed, as people are."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from simulator.act import Act
from simulator.doings import CannotActError, Doings
from simulator.people import Person
from simulator.story import Story

AFTER: Final = (timedelta(seconds=5), timedelta(seconds=90))  #: when somebody comes to the broker's page
#: Of a hundred transactions so many are ...
_USUAL: Final = {
    "completes": 70, "never": 12, "closes-login": 6, "leaves-after-login": 3, "closes-after-login": 2,
    "denies-consent": 2, "logs-in-as-another": 1, "has-no-broker": 1, "times-out": 2, "is-queued": 1,
}  # fmt: skip
_EDITS: Final = 0.1  #: share of orders changed on the review screen


class Habits:
    """Lets somebody come to each transaction that is made."""

    def __init__(self, doings: Doings) -> None:
        """These people do it."""
        self._doings = doings

    def begin(self, story: Story, now: datetime) -> None:
        """Somebody comes a little later, or never."""
        chance = random.Random(f"{self._doings.seed} habit {story.transaction_id}")
        person = self._whose(story, chance)
        at = now + AFTER[0] + (AFTER[1] - AFTER[0]) * chance.random()
        if person is not None:
            self._doings.timeline.add(at, self._doing(story, person, _act(story, chance), at))

    def _whose(self, story: Story, chance: random.Random) -> Person | None:
        people = list(self._doings.world.people)
        own = self._doings.world.people.of(story.account.auth_id)
        return own or (chance.choice(people) if people else None)

    def _doing(self, story: Story, person: Person, act: Act, at: datetime) -> Callable[[], None]:
        def do() -> None:
            try:
                self._doings.act(story, person, act, at)
            except CannotActError:
                return  # somebody was quicker

        return do


def _act(story: Story, chance: random.Random) -> Act:
    does = chance.choices(tuple(_USUAL), weights=tuple(_USUAL.values()))[0]
    edited = [leg for leg in story.asked if chance.random() < _EDITS]
    return Act(
        does=does,
        edits={str(leg["ticker"]): chance.randrange(1, 20) for leg in edited},
        after_s=float(chance.randrange(2, 120)),
    )
