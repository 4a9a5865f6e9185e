"""The Gateway's API: what each transaction is at the simulated instant."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from simulator.access import Access, AccessError
from simulator.accounts import Accounts
from simulator.clock import MovingClock
from simulator.day import instant_text
from simulator.draw import Account
from simulator.gate import Gate
from simulator.journal import Journal
from simulator.orders import Json, Leg, Picture
from simulator.people import People
from simulator.serving import HTML, Reply, Request, json_reply, refusal
from simulator.story import Story, basket
from simulator.world import World

INTENTS = frozenset({"CONNECT", "TRANSACTION", "HOLDINGS_IMPORT", "MF_HOLDINGS_IMPORT", "FETCH_FUNDS", "CANCEL_ORDER"})
STALL_S = 2.0
_PATH = re.compile(
    r"/(?:v1/(?P<gw>[^/]+)/engine/(?P<what>transactiondetails|orders|user/holdings|user/investments)"
    r"|gateway/(?P<gw2>[^/]+)/(?P<what2>transaction|user/holdings))"
)
_PAGE = b"<!doctype html><title>502</title><h1>Bad gateway</h1>"


class Api:
    """Answers the Gateway's documented questions. Used from one thread."""

    def __init__(
        self,
        stories: Iterable[Story],
        *,
        gateway: str,
        clock: MovingClock,
        access: Access,
        journal: Journal,
        gate: Gate | None = None,
        world: World | None = None,
    ) -> None:
        """Answer for these transactions of that gateway."""
        self.gate = gate or Gate()
        self._accounts = Accounts(world or World(people=People()))
        self._stories = {story.transaction_id: story for story in stories}
        self._gateway, self._clock, self._access, self._journal = gateway, clock, access, journal
        self._asked: Counter[str] = Counter()
        self._created = 0

    def answer(self, request: Request) -> Reply | None:
        """The answer, or None if the path is none of the API's."""
        if (match := _PATH.fullmatch(request.path)) is None:
            return None
        what, gateway = match["what"] or match["what2"], match["gw"] or match["gw2"]
        if (refused := self.gate.refuse()) is not None:
            reply, about = refused, ",".join(request.query.get("transactionId", []))
        else:
            reply, about = self._checked(request, what, gateway)
        self._journal.question(
            status=reply.status, instant=instant_text(self._clock.instant), path=what, transaction_id=about
        )
        return reply

    def _checked(self, request: Request, what: str, gateway: str) -> tuple[Reply, str]:
        method = "POST" if what == "transaction" else "GET"
        if request.method != method:
            return refusal(405, f"method not allowed: {method} is"), ""
        try:
            account = self._access.account(request.headers)
        except AccessError as error:
            return refusal(401, str(error)), ""
        if gateway != self._gateway:
            return refusal(403, "invalid gateway"), ""
        if what.startswith("user/"):
            about = what.removeprefix("user/")
            return self._accounts.answer(about, request, account, self._clock.instant), account or ""
        answers: dict[str, Callable[[Request, str | None], tuple[Reply, str]]] = {
            "transaction": self._create,
            "transactiondetails": self._details,
            "orders": self._orders,
        }
        return answers[what](request, account)

    def _create(self, request: Request, account: str | None) -> tuple[Reply, str]:
        try:
            asked = json.loads(request.body)
            intent, config = asked["intent"], asked.get("orderConfig") or {}
            securities = config.get("securities") or []
        except (ValueError, KeyError, TypeError, AttributeError):
            return refusal(400, "the body is no JSON object with an intent"), ""
        if intent not in INTENTS:
            return refusal(400, f"unknown intent {intent!r}"), ""
        story = self._new(account or "", securities)
        expire_at = instant_text(story.expire_at)
        return _good({"transactionId": story.transaction_id, "expireAt": expire_at}), story.transaction_id

    def _new(self, account: str, securities: Sequence[Json]) -> Story:
        self._created += 1
        name = hashlib.sha256(f"{self._gateway} {self._created}".encode()).hexdigest()[:32]
        story = Story(
            plot="created",
            transaction_id=f"TRX_{name}",
            account=Account(account, "kite"),
            batch_id="",
            gateway=self._gateway,
            created_at=self._clock.instant,
            requested=list[Leg](),
            asked=securities,
        )
        story.say(story.created_at, "INITIALIZED")
        story.pictures.append(Picture(since=story.expire_at, status="INITIALIZED", expired=True))
        self._stories[story.transaction_id] = story
        return story

    def _details(self, request: Request, account: str | None) -> tuple[Reply, str]:
        transaction_id = request.query.get("transactionId", [""])[0]
        story = self._visible(transaction_id, account)
        if story is None:
            return refusal(404, "invalid_transactionId"), transaction_id
        good = _good({"transactionDetails": self._said(story)})
        turn = self._asked[transaction_id]
        self._asked[transaction_id] += 1
        return (_faulty(story.faults[turn], good) if turn < len(story.faults) else good), transaction_id

    def _orders(self, request: Request, account: str | None) -> tuple[Reply, str]:
        """Only transactions at their end; others and unknown ones are silently left out."""
        values = request.query.get("transactionId", []) + request.query.get("transactionIds", [])
        asked = [name for value in values for name in value.split(",")]
        found = (story for name in asked if (story := self._visible(name, account)))
        done = [said for story in found if (said := self._said(story))["status"] == "COMPLETED"]
        entries = [{"transactionId": said["transactionId"], "orderBatches": said["orderBatches"]} for said in done]
        return _good({"transactions": entries}), ",".join(asked)

    def _visible(self, transaction_id: str, account: str | None) -> Story | None:
        story = self._stories.get(transaction_id)
        if story is None or (account is not None and account != story.account.auth_id):
            return None
        return None if story.created_at > self._clock.instant else story

    def _said(self, story: Story) -> Json:
        picture = picture_at(story, self._clock.instant)
        return {
            "transactionId": story.transaction_id,
            "intent": "TRANSACTION",
            "status": picture.status,
            "gateway": self._gateway,
            "smallcaseAuthId": story.account.auth_id,
            "broker": story.account.broker,
            "createdAt": instant_text(story.created_at),
            "updatedAt": instant_text(picture.since),
            "expireAt": instant_text(story.expire_at),
            "expired": picture.expired,
            "orderConfig": {"type": "SECURITIES", "securities": [*basket(story.requested), *story.asked]},
            "orderBatches": [picture.batch.said()] if picture.batch else [],
            "error": picture.error,
        }


def picture_at(story: Story, instant: datetime) -> Picture:
    """What is said of that transaction at that instant."""
    index = bisect_right(story.pictures, instant, key=lambda picture: picture.since)
    return story.pictures[max(0, index - 1)]


def _good(data: Json) -> Reply:
    return json_reply({"success": True, "errors": None, "data": data})


def _faulty(fault: str, good: Reply) -> Reply:
    match fault:
        case "half":
            return Reply(body=good.body[: len(good.body) // 2])
        case "html":
            return Reply(body=_PAGE, kind=HTML)
        case "stall":
            return Reply(body=good.body, delay_s=STALL_S)
        case "429":
            return refusal(429, "too many requests", retry_after_s=1)
        case _:
            return refusal(int(fault), "internal_error")
