"""Mutual funds without a broker: a one-time password opens them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import datetime

from simulator.act import Act
from simulator.doings import CannotActError, Doings
from simulator.people import Person
from simulator.serving import Reply, Request, json_reply, refusal
from simulator.story import Story

RIGHT = "123456"
MOST_ATTEMPTS = 3


class Otp:
    """Answers `verifyOtp`."""

    def __init__(self, doings: Doings) -> None:
        """Open the funds of these people."""
        self._doings = doings
        self._wrong: Counter[str] = Counter()

    def answer(self, request: Request, now: datetime) -> tuple[Reply, str]:
        """The answer, and the transactionId it is about."""
        try:
            said = json.loads(request.body)
            transaction_id, otp = str(said["transactionId"]), str(said["otp"])
        except (ValueError, KeyError, TypeError):
            return refusal(400, "InputException: transactionId and otp are needed"), ""
        story = self._doings.stories.get(transaction_id)
        if story is None:
            return refusal(400, "TransactionIdNotFound"), transaction_id
        return self._verify(story, otp, now), transaction_id

    def _verify(self, story: Story, otp: str, now: datetime) -> Reply:
        if story.intent != "MF_HOLDINGS_IMPORT":
            return refusal(400, "InvalidIntent")
        if now >= story.expire_at:
            return refusal(400, "TransactionIdExpired")
        if self._wrong[story.transaction_id] >= MOST_ATTEMPTS:
            return refusal(400, "wrong_attempts_exceeded")
        if otp != RIGHT:
            self._wrong[story.transaction_id] += 1
            return refusal(406, "Incorrect OTP")
        try:
            self._doings.act(story, self._whose(story), Act(), now)
        except CannotActError as error:
            return refusal(400, str(error))
        return json_reply({"success": True, "errors": None, "data": {"transactionId": story.transaction_id}})

    def _whose(self, story: Story) -> Person:
        """Whoever the PAN belongs to: the same one each time."""
        people = list(self._doings.world.people)
        if (own := self._doings.world.people.of(story.account.auth_id)) is not None:
            return own
        if not people:
            raise CannotActError("MFCException: invalid PAN/mobile combination")
        turn = int(hashlib.sha256(str(story.config.get("pan", "")).encode()).hexdigest(), 16)
        return people[turn % len(people)]
