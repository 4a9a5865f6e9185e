"""What may be done to the simulator while it runs: pace, limits, faults, keys, and acts of people."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from simulator.act import read_act
from simulator.api import Api
from simulator.clock import MovingClock
from simulator.day import instant_text
from simulator.doings import CannotActError
from simulator.exchange import date_in_india
from simulator.faults import read_fault
from simulator.gate import DOWN
from simulator.journal import Journal
from simulator.keyring import SameSecretsError
from simulator.people import Person
from simulator.player import Player, WrongPhaseError
from simulator.serving import Reply, Request, json_reply
from simulator.signing import Secrets
from simulator.table import BadTableError, Table

MOST_SPEED = 100_000


class Switches:
    """Each answers a POST; what cannot be done is said with its reason."""

    def __init__(
        self, *, api: Api, player: Player, clock: MovingClock, journal: Journal, status: Callable[[], object]
    ) -> None:
        """Steer these; `status` is what a good answer shows."""
        self._api, self._player, self._clock, self._journal, self._status = api, player, clock, journal, status
        self._by_path: Mapping[str, Callable[[Request], Reply]] = {
            "/control/play": lambda _: self._steer(self._player.play),
            "/control/continue": lambda _: self._steer(self._player.carry_on),
            "/control/advance": self._advance,
            "/control/speed": self._speed,
            "/control/down": self._down,
            "/control/up": lambda _: self._switched(down=""),
            "/control/limit": self._limit,
            "/control/faults": self._fault,
            "/control/faults/clear": self._clear,
            "/control/rotate": self._rotate,
            "/control/act": self._act,
        }

    def answer(self, request: Request) -> Reply | None:
        """The answer, or None if the path is none of these."""
        if (switch := self._by_path.get(request.path)) is None:
            return None
        try:
            return switch(request)
        except (BadTableError, SameSecretsError) as error:
            return json_reply({"error": str(error)}, 400)
        except (WrongPhaseError, CannotActError) as error:
            return json_reply({"error": str(error)}, 409)

    def _steer(self, act: Callable[[], None]) -> Reply:
        act()
        return json_reply(self._status())

    def _advance(self, request: Request) -> Reply:
        """Play until `to`, an instant, or for `by` seconds; the answer comes at once, `advancing` tells the end."""
        try:
            until = _until(request, self._clock.instant)
        except ValueError:
            raise BadTableError("give to=INSTANT (ISO 8601 with a zone, not past) or by=SECONDS") from None
        return self._steer(lambda: self._player.advance(until))

    def _speed(self, request: Request) -> Reply:
        """Let the clock run `x` times as fast as the wall's; 0 lets it stand."""
        try:
            speed = float(request.query.get("x", [""])[-1])
        except ValueError:
            speed = -1.0
        if not 0 <= speed <= MOST_SPEED:
            raise BadTableError(f"x is a number from 0, the clock stands, to {MOST_SPEED}")
        return self._steer(lambda: self._player.run_at(speed))

    def _down(self, request: Request) -> Reply:
        how = request.query.get("how", [DOWN[0]])[-1]
        if how not in DOWN:
            raise BadTableError(f"how is one of {', '.join(DOWN)}")
        return self._switched(down=how)

    def _switched(self, *, down: str) -> Reply:
        self._api.gate.down = down
        self._journal.step(down=down, instant=instant_text(self._clock.instant))
        return json_reply(self._status())

    def _limit(self, request: Request) -> Reply:
        above = request.query.get("above", [""])[-1]
        if not above.isdecimal():
            raise BadTableError("above is a number of calls in any sliding second, 0 for no limit")
        self._api.gate.most = int(above)
        return json_reply(self._status())

    def _fault(self, request: Request) -> Reply:
        """Add a fault to those that are on."""
        table = _body(request)
        fault = read_fault(table, date_in_india(self._clock.instant))
        table.end()
        self._api.faults.scripted.append(fault)
        return json_reply(self._status())

    def _clear(self, _: Request) -> Reply:
        self._api.faults.scripted.clear()
        return json_reply(self._status())

    def _rotate(self, request: Request) -> Reply:
        """New secrets sign from now on; the old ones are taken until `old_until`, at once no more without it."""
        table, now = _body(request), self._clock.instant
        new = Secrets(jwt=table.text("jwt"), api=table.text("api"))
        old_until = table.instant("old_until", date_in_india(now), now)
        table.end()
        self._api.keyring.rotate(new, old_until=old_until)
        self._journal.step(rotated=True, instant=instant_text(now), old_until=instant_text(old_until))
        return json_reply(self._status())

    def _act(self, request: Request) -> Reply:
        """Let somebody do something with a transaction; how it ends, and what the client is given."""
        table = _body(request)
        story = self._api.stories.get(table.text("transaction_id"))
        person = self._person(table.text("person"))
        act = read_act(table)
        table.end()
        if story is None:
            raise BadTableError("there is no such transaction")
        end = self._api.doings.act(story, person, act, self._clock.instant)
        token = self._api.person_token(person.account.auth_id) if story.account == person.account else None
        return json_reply(
            {
                "transaction_id": story.transaction_id,
                "account": person.account.auth_id,
                "batch_id": end.batch.batch_id if end.batch else None,
                "ends": end.status,
                "ends_at": instant_text(end.since),
                "error": end.error,
                "smallcaseAuthToken": token,
            }
        )

    def _person(self, named: str) -> Person:
        people = self._api.doings.world.people
        if (person := people.of(named) or people.named(named)) is None:
            raise BadTableError(f"nobody is called {named!r}: GET /control/accounts lists everybody")
        return person


def _body(request: Request) -> Table:
    try:
        return Table(json.loads(request.body or b"{}"), "")
    except ValueError:
        raise BadTableError("the body is no JSON") from None


def _until(request: Request, now: datetime) -> datetime:
    """Raises ValueError."""
    if by := request.query.get("by"):
        until = now + timedelta(seconds=float(by[-1]))
    else:
        until = datetime.fromisoformat(request.query.get("to", [""])[-1].replace(" ", "+"))
    if until.tzinfo is None or until < now:
        raise ValueError("past, or without a zone")
    return until.astimezone(UTC)
