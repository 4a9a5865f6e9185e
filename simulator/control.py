"""Steering the day over the loopback: status, play, continue, log, files, truth, and a small page."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from simulator.api import Api
from simulator.clock import MovingClock
from simulator.day import instant_text
from simulator.journal import Journal
from simulator.plan import Plan
from simulator.player import Player, WrongPhaseError
from simulator.serving import HTML, TEXT, Reply, Request, json_reply

_LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
_SHOWN_FAULTS = 20


class Control:
    """All that can be asked of the simulator: the Gateway's API, and how the day stands."""

    def __init__(
        self, plan: Plan, *, api: Api, player: Player, clock: MovingClock, journal: Journal, home: Path
    ) -> None:
        """Show and steer that player."""
        self._plan, self._api, self._player = plan, api, player
        self._clock, self._journal, self._home = clock, journal, home
        self._routes: dict[tuple[str, str], Callable[[], Reply]] = {
            ("GET", "/"): self._page,
            ("GET", "/control/status"): lambda: json_reply(self.status()),
            ("POST", "/control/play"): lambda: self._steer(self._player.play),
            ("POST", "/control/continue"): lambda: self._steer(self._player.carry_on),
            ("GET", "/control/log"): lambda: Reply(body=self._journal.text(), kind=TEXT),
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
        if (route := self._routes.get((request.method, request.path))) is None:
            return json_reply({"error": "no such page: GET / shows what there is"}, 404)
        return route()

    def status(self) -> dict[str, object]:
        """How the day stands."""
        return {
            "phase": self._player.phase,
            "step": self._player.step,
            "instant": instant_text(self._clock.instant),
            "posted": self._player.posted,
            "to_post": len(self._plan.posts),
            "transactions": len(self._plan.stories),
            "answers": dict(sorted(self._journal.answers.items())),
            "questions": dict(sorted(self._journal.questions.items())),
            "retries": self._journal.retries,
            "faults": len(self._journal.faults),
        }

    def _steer(self, act: Callable[[], None]) -> Reply:
        try:
            act()
        except WrongPhaseError as error:
            return json_reply({"error": str(error)}, 409)
        return json_reply(self.status())

    def _files(self) -> Reply:
        files = sorted(path for path in self._home.iterdir() if path.is_file() and path.suffix != ".part")
        return json_reply([{"name": path.name, "bytes": path.stat().st_size} for path in files])

    def _page(self) -> Reply:
        rows = "".join(f"<tr><th>{escape(k)}<td>{escape(str(v))}" for k, v in self.status().items())
        faults = "".join(f"<li>{escape(str(fault))}" for fault in self._journal.faults[:_SHOWN_FAULTS])
        body = _PAGE.format(rows=rows, faults=f"<h2>Faults</h2><ul>{faults}</ul>" if faults else "")
        return Reply(body=body.encode(), kind=HTML, headers={"content-security-policy": _POLICY})


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
