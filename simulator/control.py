"""Looking at the simulator and steering it over the loopback; its page shows what it has done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from simulator.api import Api, picture_at
from simulator.clock import MovingClock
from simulator.day import instant_text
from simulator.journal import Journal
from simulator.page import page
from simulator.player import Player
from simulator.serving import JSON, TEXT, Reply, Request, json_reply
from simulator.story import Story
from simulator.switches import Switches

_LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """What is played, for people."""

    title: str = "The Gateway's stand-in"
    story: str = "It plays one trading day. Nothing here is real."


class Control:
    """All that can be asked of the simulator: the Gateway's API, and how the day stands."""

    def __init__(
        self,
        *,
        api: Api,
        player: Player,
        clock: MovingClock,
        journal: Journal,
        home: Path,
        truth: Callable[[], bytes],
        title: Title,
    ) -> None:
        """Show and steer that player; `truth` tells what was planted so far."""
        self._api, self._player, self._clock = api, player, clock
        self._journal, self._home, self._title = journal, home, title
        self._switches = Switches(api=api, player=player, clock=clock, journal=journal, status=self.status)
        self._shows: Mapping[str, Callable[[], Reply]] = {
            "/": self._page,
            "/control/status": lambda: json_reply(self.status()),
            "/control/log": lambda: Reply(body=journal.text(), kind=TEXT),
            "/control/calls": lambda: Reply(body=journal.calls(), kind=TEXT),
            "/control/accounts": lambda: _lines(self._people()),
            "/control/transactions": lambda: _lines(map(self._transaction, self._stories())),
            "/control/files": self._files,
            "/control/truth": lambda: Reply(body=truth(), kind=JSON),
        }

    def answer(self, request: Request) -> Reply:
        """The answer to any request."""
        if (said := self._api.answer(request)) is not None:
            return said
        if request.headers.get("host", "").rsplit(":", 1)[0] not in _LOCAL:
            return json_reply({"error": "the control is for this machine alone: ask 127.0.0.1"}, 403)
        if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return json_reply({"error": "another site's page may not steer the day"}, 403)
        if request.method == "GET" and (show := self._shows.get(request.path)) is not None:
            return show()
        if request.method == "POST" and (switched := self._switches.answer(request)) is not None:
            return switched
        return json_reply({"error": "no such page: GET / shows what there is"}, 404)

    def status(self) -> dict[str, object]:
        """How the day stands."""
        player, journal, faults = self._player, self._journal, self._api.faults
        return {
            "phase": player.phase,
            "step": player.step,
            "instant": instant_text(self._clock.instant),
            "speed": self._clock.speed,
            "advancing": player.advancing,
            "posted": player.posted,
            "to_post": player.posted + player.timeline.to_post(),
            "withheld": player.withheld,
            "transactions": len(self._api.stories),
            "people": len(self._api.doings.world.people),
            "answers": dict(sorted(journal.answers.items())),
            "questions": dict(sorted(journal.questions.items())),
            "retries": journal.retries,
            "faults": len(journal.faults),
            "faults_on": len(faults.scripted),
            "faults_done": dict(sorted(faults.done.items())),
            "rotations": self._api.keyring.rotations,
            **self._api.gate.status(),
        }

    def _stories(self) -> list[Story]:
        """Every transaction that is made by now, oldest first."""
        now = self._clock.instant
        made = [story for story in list(self._api.stories.values()) if story.created_at <= now]
        return sorted(made, key=lambda story: (story.created_at, story.transaction_id))

    def _transaction(self, story: Story) -> dict[str, object]:
        picture = picture_at(story, self._clock.instant)
        return {
            "transaction_id": story.transaction_id,
            "intent": story.intent,
            "plot": story.plot,
            "account": story.account.auth_id or None,
            "created_at": instant_text(story.created_at),
            "status": picture.status,
            "batch": picture.batch.status if picture.batch else None,
        }

    def _people(self) -> Iterable[dict[str, object]]:
        """Everybody, with the state in which a question for their holdings ends now."""
        now, world = self._clock.instant, self._api.doings.world
        for person in world.people:
            told = person.snapshot_at(now)
            yield {
                "account": person.account.auth_id,
                "broker": person.broker,
                "name": person.name,
                "state": person.state(now),
                "snapshot_at": instant_text(told) if told else None,
                "securities": len(world.holdings.standings(person, told)) if told else 0,
                "funds": len(person.funds),
                "smallcases": len(person.smallcases),
            }

    def _files(self) -> Reply:
        files = sorted(path for path in self._home.iterdir() if path.is_file() and path.suffix != ".part")
        return json_reply([{"name": path.name, "bytes": path.stat().st_size} for path in files])

    def _page(self) -> Reply:
        latest = [self._transaction(story) for story in self._stories()[-_SHOWN:]]
        journal = self._journal
        return page(
            self._title.title,
            self._title.story,
            self.status(),
            transactions=[_row(t, "transaction_id", "intent", "account", "status") for t in reversed(latest)],
            webhooks=[_row(w, "instant", "kind", "transaction_id", "status") for w in reversed(journal.posts)],
            calls=[_row(c, "instant", "path", "transaction_id", "status") for c in reversed(journal.calls_made)],
            faults=[("seen in the service", str(dict(fault))) for fault in journal.faults[:_SHOWN]]
            + [("done to answers", f"{what}: {count}") for what, count in sorted(self._api.faults.done.items())],
        )


def _row(facts: Mapping[str, object], *keys: str) -> tuple[str, ...]:
    return tuple("" if facts.get(key) is None else str(facts.get(key)) for key in keys)


def _lines(rows: Iterable[Mapping[str, object]]) -> Reply:
    return Reply(body="".join(json.dumps(row) + "\n" for row in rows).encode(), kind=TEXT)
