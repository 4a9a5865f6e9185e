"""The part of the API that a connected person is asked for: holdings and investments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from simulator.people import Person
from simulator.serving import Reply, Request, json_reply, refusal
from simulator.world import World

NO_CONSENT = "user_consent_denied: holdings are not shared"
_GUEST = "guest user: a connected user's token is needed"
_VERSIONS = ("v1", "v2")


class Accounts:
    """Answers for one account each, named by the token."""

    def __init__(self, world: World) -> None:
        """Answer for these people."""
        self._world = world

    def answer(self, what: str, request: Request, auth_id: str | None, now: datetime) -> Reply:
        """The answer to `holdings` or `investments` for that account; 403 for a guest or without consent."""
        if auth_id is None:
            return refusal(403, _GUEST)
        person = self._world.people.of(auth_id)
        if person is None or not person.consented or person.refreshed_at is None:
            return refusal(403, NO_CONSENT)
        answers: dict[str, Callable[[Request, Person, datetime], Reply]] = {
            "holdings": self._holdings,
            "investments": self._investments,
        }
        return answers[what](request, person, now)

    def _holdings(self, request: Request, person: Person, now: datetime) -> Reply:
        version = _last(request, "version", "v1")
        if version not in _VERSIONS:
            return refusal(400, f"version is one of {', '.join(_VERSIONS)}")
        funds = _last(request, "mfHoldings", "false").lower() == "true"
        told = self._world.holdings.told(person, now, version=version, funds=funds)
        return json_reply({"success": True, "errors": None, "data": told})

    def _investments(self, request: Request, person: Person, now: datetime) -> Reply:
        holdings = self._world.holdings
        if _last(request, "aggregatedData", "false").lower() == "true":
            return json_reply({"success": True, "errors": None, "data": holdings.investments(person, now)})
        wanted = _last(request, "iscid", "")
        each = [e for e in holdings.each_investment(person, now) if not wanted or _iscid(e) == wanted]
        return json_reply({"success": True, "errors": None, "data": each})


def _last(request: Request, name: str, otherwise: str) -> str:
    return request.query.get(name, [otherwise])[-1]


def _iscid(entry: object) -> object:
    investment = entry.get("investment") if isinstance(entry, dict) else None
    return investment.get("iscid") if isinstance(investment, dict) else None
