"""Plays the day: moves the clock, posts each webhook, waits for its answer, moves on; holds twice."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from simulator.clock import MovingClock
from simulator.day import Day, instant_text
from simulator.journal import Journal
from simulator.plan import Plan
from simulator.signing import Secrets, webhook_body
from simulator.story import Post

ANSWER_S = 15.0  #: longest wait for one answer
GIVE_UP_S = 90.0  #: longest retrying of one post
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5
_AWAY = 503


class WrongPhaseError(Exception):
    """That cannot be done now; the message says when it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service answered to a post, and how long that took."""

    status: int
    text: str
    ack_ms: float


class Poster:
    """One persistent connection to the service's edge."""

    def __init__(self, url: str) -> None:
        """Post to that address."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url} is no http address of an edge")
        self._path = parts.path or "/"
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=ANSWER_S)

    def post(self, body: bytes) -> Answer:
        """Post once. Raises `OSError` or `http.client.HTTPException` when there is no answer."""
        start = time.perf_counter()
        try:
            self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return Answer(status=response.status, text=text, ack_ms=round(1000 * (time.perf_counter() - start), 3))

    def close(self) -> None:
        """End the connection; the next post opens another."""
        self._connection.close()


class Player(threading.Thread):
    """The thread that plays; `phase` and `step` tell where it is."""

    def __init__(
        self,
        plan: Plan,
        *,
        poster: Poster,
        clock: MovingClock,
        journal: Journal,
        secrets: Secrets,
        at_hold: Callable[[str], None],
    ) -> None:
        """Play that plan; `at_hold` writes the files of a hold before it is announced."""
        super().__init__(name="player", daemon=True)
        self._plan, self._poster, self._clock, self._journal = plan, poster, clock, journal
        self._secrets, self._at_hold = secrets, at_hold
        self._go = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._away = False
        self.phase, self.step, self.posted, self.withheld = "ready", "close", 0, 0

    def play(self) -> None:
        """Begin. Raises `WrongPhaseError` unless ready."""
        self._leave("ready", "the day can be played once: it is ready only before it has begun")

    def carry_on(self) -> None:
        """Go on after a hold. Raises `WrongPhaseError` unless holding."""
        self._leave("holding", "there is nothing to continue: the day is not holding")

    def run(self) -> None:
        """Play the day to its end."""
        self._go.acquire()
        for step, until in _steps(self._plan.day):
            self.step = step
            self._play_until(until)
            self._hold(step, until)
            self._go.acquire()
        self.phase, self.step = "done", "end"
        self._journal.step(phase="done", instant=instant_text(self._clock.instant))

    def _leave(self, phase: str, otherwise: str) -> None:
        with self._lock:
            if self.phase != phase:
                raise WrongPhaseError(f"{otherwise} (it is {self.phase})")
            self.phase = "playing"
        self._go.release()

    def _play_until(self, until: datetime) -> None:
        posts = self._plan.posts
        while (turn := self.posted + self.withheld) < len(posts) and posts[turn].at <= until:
            if posts[turn].withheld:
                self._keep_back(posts[turn])
                self.withheld += 1
            else:
                self._deliver(posts[turn])
                self.posted += 1

    def _hold(self, step: str, until: datetime) -> None:
        self._clock.move(until)
        self._poster.close()  # the edge may close an idle connection
        self._at_hold(step)
        self.phase = "holding"
        self._journal.step(phase="holding", step=step, instant=instant_text(until))

    def _keep_back(self, post: Post) -> None:
        self._clock.move(post.at)
        self._journal.withheld(**_facts(post))

    def _deliver(self, post: Post) -> None:
        self._clock.move(post.at)
        facts = _facts(post)
        answer = self._answered(webhook_body(post, self._secrets), facts)
        if answer is None:
            return
        self._journal.post(status=answer.status, answer=answer.text, ack_ms=answer.ack_ms, **facts)
        if answer.status != post.expect:
            self._journal.fault(problem=f"answered {answer.status}, expected {post.expect}", **facts)

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


def _facts(post: Post) -> dict[str, str]:
    return {"instant": instant_text(post.at), "kind": post.kind, "transaction_id": post.transaction_id}


def _steps(day: Day) -> tuple[tuple[str, datetime], ...]:
    return ("close", day.close), ("evening", day.evening)
