"""Steering the day over the loopback: status, play, continue, log, files, truth, and a small page."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

from simulator.api import Api
from simulator.clock import MovingClock
from simulator.day import instant_text
from simulator.gate import DOWN
from simulator.journal import Journal
from simulator.plan import Plan
from simulator.player import Player, WrongPhaseError
from simulator.serving import HTML, TEXT, Reply, Request, json_reply
from simulator.world import World

_LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
_SHOWN_FAULTS = 20
MOST_SPEED = 100_000


class Control:
    """All that can be asked of the simulator: the Gateway's API, and how the day stands."""

    def __init__(
        self, plan: Plan, *, api: Api, player: Player, clock: MovingClock, journal: Journal, home: Path, world: World
    ) -> None:
        """Show and steer that player."""
        self._plan, self._api, self._player = plan, api, player
        self._clock, self._journal, self._home, self._world = clock, journal, home, world
        self._switches: dict[str, Callable[[Request], Reply]] = {
            "/control/down": self._down,
            "/control/up": self._up,
            "/control/limit": self._limit,
            "/control/advance": self._advance,
            "/control/speed": self._speed,
        }
        self._routes: dict[tuple[str, str], Callable[[], Reply]] = {
            ("GET", "/"): self._page,
            ("GET", "/control/status"): lambda: json_reply(self.status()),
            ("POST", "/control/play"): lambda: self._steer(self._player.play),
            ("POST", "/control/continue"): lambda: self._steer(self._player.carry_on),
            ("GET", "/control/log"): lambda: Reply(body=self._journal.text(), kind=TEXT),
            ("GET", "/control/calls"): lambda: Reply(body=self._journal.calls(), kind=TEXT),
            ("GET", "/control/accounts"): self._people,
            ("GET", "/control/files"): self._files,
            ("GET", "/control/truth"): lambda: Reply(body=self._plan.truth_json()),
        }

    def answer(self, request: Request) -> Reply:
        """The answer to any request."""
        if (said := self._api.answer(request)) is not None:
            return said
        if request.headers.get("host", "").rsplit(":", 1)[0] not in _LOCAL:
            return json_reply({"error": "the control is for this machine alone: ask 127.0.0.1"}, 403)
        if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return json_reply({"error": "another site's page may not steer the day"}, 403)
        if request.method == "POST" and (switch := self._switches.get(request.path)) is not None:
            return switch(request)
        if (route := self._routes.get((request.method, request.path))) is None:
            return json_reply({"error": "no such page: GET / shows what there is"}, 404)
        return route()

    def status(self) -> dict[str, object]:
        """How the day stands."""
        return {
            "phase": self._player.phase,
            "step": self._player.step,
            "instant": instant_text(self._clock.instant),
            "speed": self._clock.speed,
            "advancing": self._player.advancing,
            "posted": self._player.posted,
            "to_post": sum(not post.withheld for post in self._plan.posts),
            "withheld": self._player.withheld,
            "transactions": len(self._plan.stories),
            "answers": dict(sorted(self._journal.answers.items())),
            "questions": dict(sorted(self._journal.questions.items())),
            "retries": self._journal.retries,
            "faults": len(self._journal.faults),
            **self._api.gate.status(),
        }

    def _advance(self, request: Request) -> Reply:
        """Play until `to`, an instant, or for `by` seconds; the answer comes at once, `advancing` tells the end."""
        try:
            until = _until(request, self._clock.instant)
        except ValueError:
            return json_reply({"error": "give to=INSTANT (ISO 8601 with a zone, not past) or by=SECONDS"}, 400)
        return self._steer(lambda: self._player.advance(until))

    def _speed(self, request: Request) -> Reply:
        """Let the clock run `x` times as fast as the wall's; 0 lets it stand."""
        try:
            speed = float(request.query.get("x", [""])[-1])
        except ValueError:
            speed = -1.0
        if not 0 <= speed <= MOST_SPEED:
            return json_reply({"error": f"x is a number from 0, the clock stands, to {MOST_SPEED}"}, 400)
        self._player.run_at(speed)
        return json_reply(self.status())

    def _steer(self, act: Callable[[], None]) -> Reply:
        try:
            act()
        except WrongPhaseError as error:
            return json_reply({"error": str(error)}, 409)
        return json_reply(self.status())

    def _down(self, request: Request) -> Reply:
        how = request.query.get("how", [DOWN[0]])[-1]
        if how not in DOWN:
            return json_reply({"error": f"how is one of {', '.join(DOWN)}"}, 400)
        return self._switched(down=how)

    def _up(self, _: Request) -> Reply:
        return self._switched(down="")

    def _switched(self, *, down: str) -> Reply:
        self._api.gate.down = down
        self._journal.step(down=down, instant=instant_text(self._clock.instant))
        return json_reply(self.status())

    def _limit(self, request: Request) -> Reply:
        above = request.query.get("above", [""])[-1]
        if not above.isdecimal():
            return json_reply({"error": "above is a number of calls in any sliding second, 0 for no limit"}, 400)
        self._api.gate.most = int(above)
        return json_reply(self.status())

    def _people(self) -> Reply:
        """Everybody with the state in which a question for their holdings ends now, a line each."""
        now = self._clock.instant
        lines = [
            {
                "account": person.account.auth_id,
                "broker": person.broker,
                "name": person.name,
                "state": person.state(now),
                "snapshot_at": instant_text(told) if (told := person.snapshot_at(now)) else None,
                "securities": len(self._world.holdings.standings(person, told)) if told else 0,
                "funds": len(person.funds),
                "smallcases": len(person.smallcases),
            }
            for person in self._world.people
        ]
        return Reply(body="".join(json.dumps(line) + "\n" for line in lines).encode(), kind=TEXT)

    def _files(self) -> Reply:
        files = sorted(path for path in self._home.iterdir() if path.is_file() and path.suffix != ".part")
        return json_reply([{"name": path.name, "bytes": path.stat().st_size} for path in files])

    def _page(self) -> Reply:
        rows = "".join(f"<tr><th>{escape(k)}<td>{escape(str(v))}" for k, v in self.status().items())
        faults = "".join(f"<li>{escape(str(fault))}" for fault in self._journal.faults[:_SHOWN_FAULTS])
        body = _PAGE.format(rows=rows, faults=f"<h2>Faults</h2><ul>{faults}</ul>" if faults else "")
        return Reply(body=body.encode(), kind=HTML, headers={"content-security-policy": _POLICY})


def _until(request: Request, now: datetime) -> datetime:
    """Raises ValueError."""
    if by := request.query.get("by"):
        until = now + timedelta(seconds=float(by[-1]))
    else:
        until = datetime.fromisoformat(request.query.get("to", [""])[-1].replace(" ", "+"))
    if until.tzinfo is None or until < now:
        raise ValueError("past, or without a zone")
    return until.astimezone(UTC)


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Simulated Gateway</title>
<style>body{{font:16px system-ui;margin:2rem;color-scheme:light dark}}
th{{text-align:left;padding-right:2rem}}</style>
<h1>The Gateway's stand-in</h1><p>It plays one trading day. Nothing here is real.</p>
<table>{rows}</table>{faults}
<form method="post" action="/control/play"><button>Play</button></form>
<form method="post" action="/control/continue"><button>Continue</button></form>
<p><a href="/control/log">Log</a> · <a href="/control/files">Files</a> ·
<a href="/control/truth">Truth</a></p></html>
"""
