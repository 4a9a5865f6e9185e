"""What people do with transactions: create, log in, place, cancel, repair, import; and what follows."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from simulator import trading
from simulator.act import ERRORS, LATE_ORDER, NO_LOGIN, Act
from simulator.asked import CANCELS, Asked
from simulator.draw import Account
from simulator.holdings import mf_payload
from simulator.letters import Letter
from simulator.orders import Batch, Json, Leg, Picture
from simulator.people import Person
from simulator.shares import SHARES, SMALLCASES, Share
from simulator.story import Post, Story
from simulator.timeline import Delivery, Timeline
from simulator.world import World

LATE = timedelta(minutes=2)  #: an order comes so long after the flow was given up
IMPORTED_AFTER, MF_AFTER = timedelta(seconds=20), timedelta(seconds=60)
_CLOSED = frozenset({"FIXED", "MARKEDCOMPLETE"})
_ERROR_AFTER = timedelta(seconds=5)
_SHARES = {share.symbol: share for share in SHARES}


class CannotActError(Exception):
    """That cannot be done with that transaction; the message says why."""


@dataclass(slots=True, kw_only=True)
class Doings:
    """Makes transactions and does with them what people do."""

    gateway: str
    seed: int
    world: World
    timeline: Timeline
    stories: MutableMapping[str, Story]
    ids: trading.ExchangeIds = field(default_factory=trading.ExchangeIds)
    made: list[Story] = field(default_factory=list)

    def create(self, asked: Asked, account: str, now: datetime) -> Story:
        """Make a transaction, which is INITIALIZED and expires if nobody begins it."""
        name = hashlib.sha256(f"{self.gateway} {self.seed} {len(self.made)}".encode()).hexdigest()
        person = self.world.people.of(account)
        story = Story(
            plot="created",
            transaction_id=f"TRX_{name[:32]}",
            account=person.account if person else Account(account, ""),
            batch_id=name[40:],
            gateway=self.gateway,
            created_at=now,
            requested=list[Leg](),
            asked=asked.securities,
            intent=asked.intent,
            config={key: value for key, value in asked.config.items() if key != "securities"},
            notes=asked.notes,
            version=asked.version,
            invested=str(asked.config.get("iscid") or ""),
        )
        story.say(now, "INITIALIZED")
        story.pictures.append(Picture(since=story.expire_at, status="INITIALIZED", expired=True))
        self.stories[story.transaction_id] = story
        self.made.append(story)
        return story

    def act(self, story: Story, person: Person, act: Act, now: datetime) -> Picture:
        """Do that with the transaction; how it looks when all is over. Raises `CannotActError`."""
        if act.does == "never":
            return story.pictures[-1]
        if story.acted:
            raise CannotActError("transaction_in_process: somebody has begun it before")
        if now >= story.expire_at:
            raise CannotActError("transaction_expired: it was to be begun within five minutes of its creation")
        story.acted = True
        story.pictures = [picture for picture in story.pictures if picture.since <= now]
        mismatch = bool(story.account.auth_id) and story.account != person.account
        if mismatch or act.does in NO_LOGIN:
            return self._fail(story, ERRORS["logs-in-as-another" if mismatch else act.does], now)
        story.account = person.account
        if act.does == "leaves-after-login":
            story.say(now + trading.USED_AFTER, "USED")
        elif story.intent == "TRANSACTION":
            self._order(story, person, act, now)
        elif ERRORS[act.does]:
            self._fail(story, ERRORS[act.does], now, logged_in=True)
        else:
            self._finish(story, person, act, now)
        return story.pictures[-1]

    # ------------------------------------------------------------ orders

    def _order(self, story: Story, person: Person, act: Act, now: datetime) -> None:
        if story.config.get("type") == "ARCHIVE":
            self._close_earlier(story, "MARKEDCOMPLETE", now)
            story.say(now + trading.PLACED_AFTER, "COMPLETED")
            return
        if refused := self._refusal(story, person, act, now):
            self._fail(story, refused, now, logged_in=True)
            if act.does not in LATE_ORDER:
                return
        legs = [self._leg(story, share, side, quantity, act) for share, side, quantity in self._basket(story)]
        if story.config.get("scid") and not story.invested:
            story.invested = hashlib.sha256(story.transaction_id.encode()).hexdigest()[:24]
        order = trading.Order(
            batch_id=story.batch_id, legs=legs, invested=story.invested, label=str(story.config.get("type", ""))
        )
        begun = now + LATE if act.does in LATE_ORDER else now
        pictures = trading.pictures_of(order, act, begun, self.world.exchange)
        story.pictures += pictures[1:] if act.does in LATE_ORDER else pictures
        if story.config.get("type") == "FIX":
            self._close_earlier(story, "FIXED", now)
        self._tell(story, withheld=act.withheld)

    def _refusal(self, story: Story, person: Person, act: Act, now: datetime) -> tuple[int, str] | None:
        if ERRORS[act.does]:
            return ERRORS[act.does]
        if not self.world.exchange.is_open(now) and person.account.broker not in trading.AMO_BROKERS:
            return 4004, "market_closed"
        held = {standing.share.symbol: standing.total for standing in self.world.holdings.standings(person, now)}
        for share, side, quantity in self._basket(story):
            if side == "SELL" and act.edits.get(share.symbol, quantity) > held.get(share.symbol, 0):
                return 1004, "insufficient_holdings"
        return None

    def _leg(self, story: Story, share: Share, side: str, quantity: int, act: Act) -> Leg:
        chance = random.Random(f"{self.seed} {story.transaction_id} {share.symbol}")
        return trading.leg_of(share, side, quantity, act, chance=chance, ids=self.ids)

    def _basket(self, story: Story) -> Sequence[tuple[Share, str, int]]:
        """What is to be ordered: the basket asked for, what a repair has left, or a smallcase's shares."""
        if story.asked:
            return [
                (_SHARES[str(each["ticker"])], str(each.get("type", "BUY")), int(str(each.get("quantity", 1))))
                for each in story.asked
            ]
        if story.config.get("type") == "FIX":
            earlier = self._earlier(story)
            return trading.residual(earlier) if earlier else []
        side = "SELL" if story.config.get("type") == "EXIT" else "BUY"
        return [(_SHARES[symbol], side, count) for symbol, count in self._smallcase(story).items()]

    def _smallcase(self, story: Story) -> Mapping[str, int]:
        """What belongs to it: of one that was bought before, what that purchase asked for."""
        bought = next((e for e in self.made if story.invested == e.invested and e.config.get("scid")), story)
        return SMALLCASES.get(str(bought.config.get("scid")), {})

    def _earlier(self, story: Story) -> Batch | None:
        """The last batch before it of the same smallcase."""
        before = [each for each in self.made if each.invested == story.invested and each is not story]
        batches = [each.pictures[-1].batch for each in before if each.pictures[-1].batch]
        return batches[-1] if batches else None

    def _close_earlier(self, story: Story, word: str, now: datetime) -> None:
        """The last batch of the same smallcase that has a rest is closed by that word; the others stay."""
        for each in reversed(self.made):
            last = each.pictures[-1]
            ended = last.batch and last.batch.completed_at and last.since <= now
            if each.invested != story.invested or each is story or not last.batch or not ended:
                continue
            if trading.residual(last.batch) and last.batch.status not in _CLOSED:
                closed = replace(last.batch, status=word)
                each.pictures.append(replace(last, since=now + trading.PLACED_AFTER, batch=closed))
                return

    def cancel(self, config: Json, now: datetime) -> None:
        """End an open leg of a batch. Raises `CannotActError`."""
        batch_id, symbol = str(config["batchId"]), str(config["ticker"])
        story = next((each for each in self.made if each.batch_id == batch_id), None)
        stood = _batch_at(story.pictures, now) if story else None
        if story is None or stood is None:
            raise CannotActError("no_order: there is no such batch")
        leg = next((leg for leg in stood.legs if leg.share.symbol == symbol), None)
        if leg is None or leg.status in trading.ENDED:
            raise CannotActError("no_order: that leg is not open")
        self._cut(story, symbol, stood, now)

    def _cut(self, story: Story, symbol: str, stood: Batch, now: datetime) -> None:
        """From now on the leg is cancelled, in every moment that is still to come."""
        past = [picture for picture in story.pictures if picture.since <= now]
        later = [picture for picture in story.pictures if picture.since > now]
        at_once = trading.cancelled(stood, symbol, stood)
        ended = at_once.status != "PLACED"
        status = "COMPLETED" if ended else "PROCESSING"
        final = replace(at_once, completed_at=now) if ended else at_once
        cut = [Picture(since=now, status=status, batch=final)]
        if not ended:
            cut += [replace(p, batch=trading.cancelled(p.batch, symbol, stood)) for p in later if p.batch]
        story.pictures = past + cut
        gone = [post for post in story.posts if post.at > now]
        story.posts = [post for post in story.posts if post.at <= now]
        self.timeline.drop(lambda post: any(post is each for each in gone))
        self._tell(story, since=now, withheld=any(post.withheld for post in gone))

    def _tell(self, story: Story, *, since: datetime | None = None, withheld: bool = False) -> None:
        """Post when the batch is placed and when it ends, and let the fills be held."""
        placed = next((p for p in story.pictures if p.batch and not p.batch.completed_at), None)
        ended = next((p for p in story.pictures if p.batch and p.batch.completed_at), None)
        for kind, picture in (("placed", placed), ("completed", ended)):
            if picture and picture.batch and (since is None or picture.since >= since):
                story.post(picture.since + timedelta(seconds=1), kind, picture.batch)
                self._send(story, replace(story.posts[-1], withheld=withheld))
        self.world.trade(story)

    def _send(self, story: Story, post: Post) -> None:
        story.posts[-1] = post
        self.timeline.add(post.at, Delivery(post=post, first_at=post.at))

    # ------------------------------------------------------------ all else

    def _finish(self, story: Story, person: Person, act: Act, now: datetime) -> None:
        story.say(now + trading.USED_AFTER, "USED")
        done_at = now + trading.PLACED_AFTER
        success: Json = {}
        if story.intent in CANCELS:
            self.timeline.add(done_at, lambda: self.cancel(dict(story.config), done_at))
        elif story.intent == "HOLDINGS_IMPORT":
            self.timeline.add(done_at, lambda: self._import(story, person, act, done_at))
        elif story.intent == "MF_HOLDINGS_IMPORT":
            self.timeline.add(done_at + MF_AFTER, lambda: self._import_funds(story, person, act, done_at + MF_AFTER))
        elif story.intent == "FETCH_FUNDS":
            success = {"funds": random.Random(f"{self.seed} {person.name} funds").randrange(10**7) / 100}
        elif story.intent == "CONNECT":
            success = {"broker": person.broker, "signup": False}
        story.pictures.append(Picture(since=done_at, status="COMPLETED", success=success))

    def _import(self, story: Story, person: Person, act: Act, now: datetime) -> None:
        person.consented = True
        person.log_in(now)
        at = now + IMPORTED_AFTER
        told = self.world.holdings.told(person, at, version=story.version, funds=bool(person.funds))
        content = {**told, "updating": False} | ({"notes": story.notes} if story.notes else {})
        self._letter(story, Letter(content=content), "holdings", at, act)

    def _import_funds(self, story: Story, person: Person, act: Act, now: datetime) -> None:
        letter = Letter(content=mf_payload(person, now), signs="transactionId")
        self._letter(story, letter, "mf-holdings", now, act)

    def _letter(self, story: Story, letter: Letter, kind: str, at: datetime, act: Act) -> None:
        post = Post(
            at=at, kind=kind, transaction_id=story.transaction_id, account=story.account.auth_id,
            batch=letter, signed_at=at, content=kind, withheld=act.withheld,
        )  # fmt: skip
        story.posts.append(post)
        self._send(story, post)

    @staticmethod
    def _fail(story: Story, error: tuple[int, str] | None, now: datetime, *, logged_in: bool = False) -> Picture:
        assert error is not None  # every act that fails has one
        if logged_in:
            story.say(now + trading.USED_AFTER, "USED")
        words = {"value": True, "code": error[0], "message": error[1]}
        at = now + (trading.PLACED_AFTER if logged_in else _ERROR_AFTER)
        story.pictures.append(Picture(since=at, status="ERRORED", error=words))
        return story.pictures[-1]


def _batch_at(pictures: Iterable[Picture], now: datetime) -> Batch | None:
    stood = [picture.batch for picture in pictures if picture.since <= now]
    return stood[-1] if stood else None
