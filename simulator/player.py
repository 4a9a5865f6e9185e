"""Plays: moves the clock, posts each webhook, waits for its answer, moves on; holds at close and evening."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from simulator.clock import TICK_S, MovingClock
from simulator.day import Day, instant_text
from simulator.journal import Journal
from simulator.keyring import Keyring
from simulator.poster import Answer, Poster
from simulator.signing import webhook_body
from simulator.story import ACCEPTED, Post
from simulator.timeline import Delivery, Item, Timeline

GIVE_UP_S = 90.0  #: longest retrying of one post
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5
_AWAY = 503
_REDIRECTION = 300
#: After the first post: when the Gateway posts again what was not taken.
SCHEDULE = (timedelta(minutes=15), timedelta(hours=24), timedelta(hours=48))

Step = tuple[str, datetime]


class WrongPhaseError(Exception):
    """That cannot be done now; the message says when it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """How webhooks are signed: by the secrets of the moment, by a clock that may be ahead."""

    keyring: Keyring
    skew: timedelta = timedelta(0)
    epoch: bool = False

    def body(self, post: Post) -> bytes:
        """The bytes of that webhook, as they are sent now."""
        return webhook_body(post, self.keyring.current, skew=self.skew, epoch=self.epoch)


class Player(threading.Thread):
    """The thread that plays; `phase` and `step` tell where it is."""

    def __init__(
        self,
        timeline: Timeline,
        steps: Sequence[Step],
        *,
        poster: Poster,
        clock: MovingClock,
        journal: Journal,
        stamp: Stamp,
        at_hold: Callable[[str], None],
        scheduled: bool = False,
    ) -> None:
        """Play that timeline through these steps, holding at each; `at_hold` writes the files of a hold.

        `scheduled`: what is not taken is posted again when the Gateway would, not at once.
        """
        super().__init__(name="player", daemon=True)
        self.timeline, self._steps, self._scheduled = timeline, steps, scheduled
        self._poster, self._clock, self._journal = poster, clock, journal
        self._stamp, self._at_hold = stamp, at_hold
        self._wake = threading.Condition()
        self._going = False
        self._target: datetime | None = None
        self._away = False
        self.phase, self.step, self.posted, self.withheld = "ready", "close", 0, 0

    def play(self) -> None:
        """Begin. Raises `WrongPhaseError` unless ready."""
        self._leave("ready", "the day can be played once: it is ready only before it has begun")

    def carry_on(self) -> None:
        """Go on after a hold. Raises `WrongPhaseError` unless holding."""
        self._leave("holding", "there is nothing to continue: the day is not holding")

    def advance(self, until: datetime) -> None:
        """Play until then, and stand. Raises `WrongPhaseError` while playing or beyond the next hold."""
        with self._wake:
            if self.phase == "playing" or self._target:
                raise WrongPhaseError("it is playing: advance while it is ready, holding or done")
            held = next((at for _, at in self._steps if at > self._clock.instant), None)
            if self.phase != "done" and held and until > held:
                raise WrongPhaseError(f"the day holds at {instant_text(held)}: advance until then at most")
            self._target = until
            self._wake.notify()

    @property
    def advancing(self) -> bool:
        """Whether it plays until an instant it was told."""
        return self._target is not None

    def run_at(self, speed: float) -> None:
        """Let the clock run that fast, or stand still with 0; what falls due is done, held or not."""
        with self._wake:
            self._clock.run(speed)
            self._wake.notify()

    def run(self) -> None:
        """Play to the end, and then do what falls due."""
        for step, until in self._steps:
            self._idle()
            self.step = step
            self._play_until(until)
            self._hold(step, until)
        self._idle()
        self.phase, self.step = "done", "end"
        self._journal.step(phase="done", instant=instant_text(self._clock.instant))
        while True:
            self._idle()

    def _leave(self, phase: str, otherwise: str) -> None:
        with self._wake:
            if self.phase != phase or self._target:
                raise WrongPhaseError(f"{otherwise} (it is {self.phase})")
            self.phase, self._going = "playing", True
            self._wake.notify()

    def _idle(self) -> None:
        """Stand until told to go on; meanwhile do what falls due on a running clock or an advance."""
        while True:
            with self._wake:
                if not (self._going or self._target):
                    self._wake.wait(TICK_S if self._clock.speed else None)
                going, self._going = self._going, False
            if self._target:
                self._play_until(self._target)
                self._clock.move(self._target)
                self._target = None
            elif going:
                return
            else:
                self._clock.tick()
                self._play_until(self._clock.instant)

    def _play_until(self, until: datetime) -> None:
        while item := self.timeline.take(until):
            self._reach(item.at)
            self._do(item)
        if self._clock.speed:
            self._reach(until)

    def _reach(self, instant: datetime) -> None:
        """Leap there, or wait until a running clock comes by."""
        while wait_s := self._clock.wait_s(instant):
            time.sleep(min(wait_s, TICK_S))
            self._clock.tick()
        self._clock.move(instant)

    def _do(self, item: Item) -> None:
        if not isinstance(item.what, Delivery):
            item.what()
        elif item.what.post.withheld:
            self._journal.withheld(**_facts(item.what))
            self.withheld += 1
        else:
            self._deliver(item.what)
            self.posted += not item.what.attempt

    def _hold(self, step: str, until: datetime) -> None:
        self._clock.move(until)
        self._poster.close()  # the edge may close an idle connection
        self._at_hold(step)
        self.phase = "holding"
        self._journal.step(phase="holding", step=step, instant=instant_text(until))

    def _deliver(self, delivery: Delivery) -> None:
        facts = _facts(delivery)
        body = self._stamp.body(delivery.post)
        answer = self._once(body, facts) if self._scheduled else self._answered(body, facts)
        if answer is not None:
            self._journal.post(status=answer.status, answer=answer.text, ack_ms=answer.ack_ms, **facts)
            if answer.status != delivery.post.expect:
                self._journal.fault(problem=f"answered {answer.status}, expected {delivery.post.expect}", **facts)
        if self._scheduled and (answer is None or answer.status >= _REDIRECTION):
            self._post_again(delivery)

    def _post_again(self, delivery: Delivery) -> None:
        """Put it back for the next time on the schedule; a forger does not try again."""
        if delivery.post.expect == ACCEPTED and delivery.attempt < len(SCHEDULE):
            again = replace(delivery, attempt=delivery.attempt + 1)
            self.timeline.add(delivery.first_at + SCHEDULE[delivery.attempt], again)

    def _once(self, body: bytes, facts: dict[str, str]) -> Answer | None:
        answer, problem = self._attempt(body)
        if answer is None:
            self._journal.retry(problem=problem, **facts)
        return answer

    def _answered(self, body: bytes, facts: dict[str, str]) -> Answer | None:
        """Post until there is an answer other than 503, at most so long; then each once until one comes."""
        deadline, pause_s = time.monotonic() + (0 if self._away else GIVE_UP_S), _FIRST_PAUSE_S
        while True:
            answer, problem = self._attempt(body)
            if answer is not None:
                self._away = False
                return answer
            if time.monotonic() >= deadline:
                self._away = True
                self._journal.fault(problem=f"gave up: {problem}", **facts)
                return None
            self._journal.retry(problem=problem, **facts)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _attempt(self, body: bytes) -> tuple[Answer | None, str]:
        try:
            answer = self._poster.post(body)
        except (OSError, http.client.HTTPException) as error:
            return None, f"{type(error).__name__}: {error}"
        return (None, "503: " + answer.text) if answer.status == _AWAY else (answer, "")


def _facts(delivery: Delivery) -> dict[str, str]:
    post = delivery.post
    at = delivery.first_at + SCHEDULE[delivery.attempt - 1] if delivery.attempt else delivery.first_at
    facts = {"instant": instant_text(at), "kind": post.kind, "transaction_id": post.transaction_id}
    return facts | {"attempt": str(delivery.attempt)} if delivery.attempt else facts


def steps_of(days: Iterable[Day]) -> list[Step]:
    """The holds of these days: after the close and in the evening of each."""
    return [step for day in days for step in (("close", day.close), ("evening", day.evening))]
