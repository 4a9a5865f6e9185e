"""Everybody and everything besides the orders: people, their holdings, the exchange."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.exchange import Exchange
from simulator.holdings import Holdings
from simulator.ledger import Action, Fill, fills_of
from simulator.people import People, drawn, further
from simulator.plan import Plan
from simulator.story import Story


@dataclass(slots=True, kw_only=True)
class World:
    """Who there is and what they hold."""

    people: People
    exchange: Exchange = field(default_factory=Exchange)
    actions: Sequence[Action] = ()

    @property
    def holdings(self) -> Holdings:
        """What is told of holdings."""
        return Holdings(self.exchange, self.actions)

    def trade(self, story: Story) -> None:
        """Enter what is traded in that transaction; a second time replaces the first."""
        if (person := self.people.of(story.account.auth_id)) is not None:
            person.fills[:] = [fill for fill in person.fills if fill.transaction_id != story.transaction_id]
            person.fills.extend(fills_of(story))


def world_of(plan: Plan, *, more_people: int = 0) -> World:
    """The people of a planned day, who hold what they will sell, and so many more."""
    fills: dict[str, list[Fill]] = defaultdict(list)
    accounts = {}
    for story in plan.stories:
        accounts[story.account.auth_id] = story.account
        fills[story.account.auth_id] += fills_of(story)
    people = People()
    for account in [*accounts.values(), *further(more_people, seed=plan.seed)]:
        traded = fills[account.auth_id]
        person = drawn(account, seed=plan.seed, start=plan.day.start, sold=_sold(traded))
        person.fills.extend(traded)
        people.add(person)
    return World(people=people)


def _sold(fills: Sequence[Fill]) -> Counter[str]:
    sold: Counter[str] = Counter()
    for fill in fills:
        if fill.quantity < 0:
            sold[fill.share.symbol] -= fill.quantity
    return sold
