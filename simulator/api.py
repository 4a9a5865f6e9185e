"""The Gateway's API: what each transaction is at the simulated instant."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from simulator.access import Access, AccessError
from simulator.accounts import Accounts
from simulator.asked import AskedWronglyError, read_asked
from simulator.clock import MovingClock
from simulator.day import instant_text
from simulator.doings import Doings
from simulator.faults import Faults
from simulator.gate import Gate
from simulator.habits import Habits
from simulator.journal import Journal
from simulator.keyring import Keyring
from simulator.orders import Json, Picture
from simulator.otp import Otp
from simulator.people import People
from simulator.serving import HTML, Reply, Request, json_reply, refusal
from simulator.shapes import Shapes
from simulator.signing import skewed
from simulator.story import Story, basket
from simulator.timeline import Timeline
from simulator.world import World

STALL_S = 2.0
BAD = 400
_PATH = re.compile(
    r"/(?:v1/(?P<gw>[^/]+)/engine/(?P<what>transactiondetails|orders|user/holdings|user/investments)"
    r"|gateway/mf/(?P<otp>verifyOtp)|gateway/(?P<gw2>[^/]+)/(?P<what2>transaction|user/holdings))"
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
        doings: Doings | None = None,
        faults: Faults | None = None,
        shapes: Shapes | None = None,
        skew: timedelta = timedelta(0),
    ) -> None:
        """Answer for these transactions of that gateway."""
        self.gate, self.faults, self.shapes = gate or Gate(), faults or Faults(0), shapes or Shapes()
        self._skew = skew
        self.habits: Habits | None = None  #: people come of themselves to what is made here
        self.stories = {story.transaction_id: story for story in stories}
        self.doings = doings or Doings(
            gateway=gateway, seed=0, world=World(people=People()), timeline=Timeline(), stories=self.stories
        )
        self.stories = self.doings.stories = {**self.doings.stories, **self.stories}
        self._accounts = Accounts(self.doings.world)
        self._otp = Otp(self.doings)
        self._gateway, self._clock, self._access, self._journal = gateway, clock, access, journal
        self._asked: Counter[str] = Counter()

    @property
    def keyring(self) -> Keyring:
        """The secrets that open it."""
        return self._access.keyring

    def person_token(self, auth_id: str) -> str:
        """The token that a person's client is given."""
        return self._access.person_token(auth_id)

    def answer(self, request: Request) -> Reply | None:
        """The answer, or None if the path is none of the API's."""
        if (match := _PATH.fullmatch(request.path)) is None:
            return None
        what = match["what"] or match["what2"] or match["otp"]
        gateway = match["gw"] or match["gw2"] or self._gateway
        if (refused := self.gate.refuse()) is not None:
            reply, about = refused, ",".join(request.query.get("transactionId", []))
        else:
            good, about = self._checked(request, what, gateway)
            shown = self.shapes.refusal(good) if good.status >= BAD else good
            reply = self.faults.befall(what, about, self._clock.instant, self._skewed(shown))
        self._journal.question(
            status=reply.status, instant=instant_text(self._clock.instant), path=what, transaction_id=about
        )
        return reply

    def _checked(self, request: Request, what: str, gateway: str) -> tuple[Reply, str]:
        method = "POST" if what in {"transaction", "verifyOtp"} else "GET"
        if request.method != method:
            return refusal(405, f"method not allowed: {method} is"), ""
        try:
            account = self._access.account(request.headers, self._clock.instant)
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
            "verifyOtp": lambda asked, _: self._otp.answer(asked, self._clock.instant),
        }
        return answers[what](request, account)

    def _skewed(self, reply: Reply) -> Reply:
        return replace(reply, body=skewed(reply.body.decode(), self._skew).encode()) if self._skew else reply

    def _create(self, request: Request, account: str | None) -> tuple[Reply, str]:
        try:
            asked = read_asked(request.body, connected=account is not None)
        except AskedWronglyError as error:
            return refusal(400, str(error)), ""
        story = self.doings.create(asked, account or "", self._clock.instant)
        if self.habits is not None:
            self.habits.begin(story, self._clock.instant)
        expire_at = instant_text(story.expire_at)
        return _good({"transactionId": story.transaction_id, "expireAt": expire_at}), story.transaction_id

    def _details(self, request: Request, account: str | None) -> tuple[Reply, str]:
        transaction_id = request.query.get("transactionId", [""])[0]
        story = self._visible(transaction_id, account)
        if story is None:
            return refusal(404, "invalid_transactionId"), transaction_id
        good = _good(self.shapes.data(self._said(story)))
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
        story = self.stories.get(transaction_id)
        if story is None or (account is not None and account != story.account.auth_id):
            return None
        return None if story.created_at > self._clock.instant else story

    def _said(self, story: Story) -> Json:
        picture = picture_at(story, self._clock.instant)
        said: Json = {
            "transactionId": story.transaction_id,
            "intent": story.intent,
            "status": picture.status,
            "gateway": self._gateway,
            "smallcaseAuthId": story.account.auth_id or None,
            "broker": story.account.broker or None,
            "createdAt": instant_text(story.created_at),
            "updatedAt": instant_text(picture.since),
            "expireAt": instant_text(story.expire_at),
            "expired": picture.expired,
            "orderConfig": _config(story),
            "orderBatches": [picture.batch.said()] if picture.batch else [],
            "error": picture.error,
        }
        if story.notes:
            said["notes"] = story.notes
        if story.acted and picture.status == "COMPLETED":
            said["success"] = self._success(story, picture)
        return said

    def _success(self, story: Story, picture: Picture) -> Json:
        """What the flow gave: the person's token for the client, and what the intent asked for."""
        return {
            "data": dict(picture.success or {}),
            "smallcaseAuthToken": self._access.person_token(story.account.auth_id),
            "broker": story.account.broker,
            "signup": False,
            "transactionId": story.transaction_id,
        }


def picture_at(story: Story, instant: datetime) -> Picture:
    """What is said of that transaction at that instant."""
    index = bisect_right(story.pictures, instant, key=lambda picture: picture.since)
    return story.pictures[max(0, index - 1)]


def _config(story: Story) -> Json | None:
    if story.intent != "TRANSACTION":
        return dict(story.config) or None
    return {"type": "SECURITIES", **story.config, "securities": [*basket(story.requested), *story.asked]}


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
