"""The whole day from one seed: stories, the posts in order of time, both sides' files and the truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from simulator.company import BookLine, Registration
from simulator.day import Day
from simulator.draw import Draw
from simulator.mix import mixed
from simulator.orders import Leg
from simulator.story import ACCEPTED, Post, Story
from simulator.withhold import withhold

Finding = tuple[str, str, str | None]  #: name, transactionId, line

_OFF_PLATFORM_PER = 200  #: lines in the books that no transaction of the Gateway explains


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One planned day."""

    day: Day
    seed: int
    gateway: str
    stories: Sequence[Story]
    posts: Sequence[Post]  #: in order of their instants
    lines: Sequence[BookLine]  #: the company's books, in order of order_id

    def registrations(self, until: datetime) -> list[Registration]:
        """The transactions the company had created by then, oldest first."""
        made = [story.registration() for story in self.stories if story.created_at <= until]
        return sorted(made, key=lambda registration: (registration.created_at, registration.transaction_id))

    def truth(
        self, more: Sequence[Finding] = (), *, posts: Sequence[Post] = (), on: date | None = None,
        held: Sequence[Finding] | None = None,
    ) -> dict[str, object]:  # fmt: skip
        """What is to be found at 20:05 of that date when its books are complete.

        `more` findings and `posts` are of transactions besides the drawn day's. `held` is what is to be found of
        holdings, as name, account, ISIN; None if nobody says.
        """
        day = Day(on) if on and on != self.day.trade_date else self.day
        found = sorted(
            [*((name, story.transaction_id, line) for story in self.stories for name, line in story.findings), *more],
            key=lambda finding: (finding[0], finding[1], finding[2] or ""),
        )
        return {
            "seed": self.seed,
            "transactions": len(self.stories),
            "trade_date": day.trade_date.isoformat(),
            "next_date": day.next_date.isoformat(),
            "findings": [{"name": n, "transaction_id": t, "line": line} for n, t, line in found],
            "events": self.events(posts),
            "alerts": self.alerts(posts, [finding[:2] for finding in found]),
            **({} if held is None else {"held": [{"name": n, "account": a, "isin": i} for n, a, i in sorted(held)]}),
        }

    def truth_json(
        self, more: Sequence[Finding] = (), *, posts: Sequence[Post] = (), on: date | None = None,
        held: Sequence[Finding] | None = None,
    ) -> bytes:  # fmt: skip
        """The truth as the file holds it."""
        return (json.dumps(self.truth(more, posts=posts, on=on, held=held), indent=1) + "\n").encode()

    def events(self, posts: Sequence[Post] = ()) -> dict[str, int]:
        """How many webhooks are refused, parked (of those accepted), accepted as distinct events, repeats."""
        sent = [post for post in [*self.posts, *posts] if not post.withheld]
        good = [post for post in sent if post.expect == ACCEPTED]
        distinct, strangers = {(post.transaction_id, post.content) for post in good}, self._strangers(posts)
        return {
            "refused": len(sent) - len(good),
            "parked": sum(transaction_id in strangers for transaction_id, _ in distinct),
            "accepted": len(distinct),
            "repeats": len(good) - len(distinct),
        }

    def alerts(self, posts: Sequence[Post], found: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        """The alerts that people are to hear of: ids that nobody knows; and by what is found, statuses moved back."""
        unknown = [("unknown-transaction", stranger) for stranger in self._strangers(posts)]
        moved = [("status-moved-back", transaction_id) for name, transaction_id in found if name == "regression"]
        return [{"name": name, "subject": subject} for name, subject in sorted({*unknown, *moved})]

    def _strangers(self, posts: Sequence[Post]) -> set[str]:
        """Ids in accepted webhooks that no transaction has."""
        known = {story.transaction_id for story in self.stories} | {post.transaction_id for post in posts}
        sent = (post for post in self.posts if not post.withheld and post.expect == ACCEPTED)
        return {post.transaction_id for post in sent if post.transaction_id not in known}


def plan_day(day: Day, *, seed: int, transactions: int, gateway: str, withheld: float = 0) -> Plan:
    """Draw a day. The same arguments give the same plan; `withheld` is the share of webhooks never sent."""
    draw = Draw(day, seed=seed, transactions=transactions, gateway=gateway)
    stories = [plot(draw, turn) for plot, turn in mixed(transactions, draw.chance)]
    withhold(stories, withheld, seed=seed)
    lines = [line for story in stories for line in story.books] + _off_platform(draw, transactions)
    return Plan(
        day=day,
        seed=seed,
        gateway=gateway,
        stories=stories,
        posts=sorted((post for story in stories for post in story.posts), key=lambda post: post.at),
        lines=sorted(lines, key=lambda line: line.order_id),
    )


def _off_platform(draw: Draw, transactions: int) -> list[BookLine]:
    """Orders the company placed elsewhere: in its books without a transaction, and no finding."""
    return [_elsewhere(draw, draw.legs(1)[0]) for _ in range(transactions // _OFF_PLATFORM_PER)]


def _elsewhere(draw: Draw, leg: Leg) -> BookLine:
    account = draw.account()
    return BookLine(
        order_id=draw.order_id(),
        transaction_id="",
        account=account.auth_id,
        trade_date=draw.day.trade_date,
        symbol=leg.share.symbol,
        isin=leg.share.isin,
        side=leg.side,
        quantity=leg.quantity,
        gateway=draw.gateway,
        batch_id="",
        exchange_id=leg.exchange_id or "",
        broker=account.broker,
        filled=leg.filled,
        price=leg.price,
        status=leg.status,
        executed_at=draw.between(draw.day.at(9, 20), draw.day.at(15, 20)),
    )
