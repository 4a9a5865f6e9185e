"""Announcing what is due, gateway by gateway: never more than may go out now, so that the order holds.

Of the places there are, a quarter is kept for following when webhooks press, and a fifth is the most
that goes to questions which failed before: that is the retry budget. Holdings have one place in eight before
all orders, and whatever orders leave.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine

from config.broker import BrokerAwayError, Sender
from config.settings import Gateway
from gateway.rate import ONE_IN, Limiter
from store import dispatch, gateways, holding_due
from store.dispatch import Share

MOST: Final = timedelta(minutes=10)
LIMIT: Final = 2000  #: units announced at once
KEPT_FOR_FOLLOWING: Final = 4  #: one place in so many
FOR_RETRIES: Final = 5  #: likewise
CALLS_FOR_HOLDINGS: Final = 2  #: places that an account's holdings take


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeping:
    """What announcing needs: made once per process."""

    engine: Engine
    sender: Sender
    waiting: Callable[[], int]  #: messages in the settle queue; may raise `BrokerAwayError`
    queue_pause: int
    first: timedelta  #: pause before what was announced once is announced again
    gateways: Mapping[str, Gateway] = field(default_factory=dict)
    limiter: Limiter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """What one round did."""

    announced: int = 0
    paused: str | None = None  #: why it announced nothing


@dataclass(frozen=True, slots=True)
class Room:
    """How many units of a gateway may be announced. `squeezed`: none, for webhooks in the queue take all calls."""

    places: int
    squeezed: bool = False


def announce_due(sweeping: Sweeping, *, now: datetime) -> Dispatched:
    """Announce what is due and may go out; `now` is the domain's clock. Never raises for the broker's sake."""
    try:
        waiting = sweeping.waiting()
        if waiting > sweeping.queue_pause:
            return Dispatched(paused="queue-long")
        units = _due(sweeping, waiting, now)
        sweeping.sender.announce(units)
    except BrokerAwayError:
        return Dispatched(paused="broker-away")
    return Dispatched(announced=len(units))


def _due(sweeping: Sweeping, waiting: int, now: datetime) -> Sequence[str]:
    """What is due, moved on before it is announced."""
    units: list[str] = []
    with sweeping.engine.begin() as connection:
        states = gateways.breakers(connection)
        for name, room in _rooms(sweeping, waiting, states).items():
            units += _of_gateway(connection, sweeping, name, room, now)
    return list(dict.fromkeys(units))


def _rooms(sweeping: Sweeping, waiting: int, states: Mapping[str, tuple[str, bool]]) -> dict[str | None, Room]:
    """How much of each gateway may be announced; None stands for gateways that are not set up."""
    rooms: dict[str | None, Room] = {None: Room(LIMIT)}
    for name, gateway in sweeping.gateways.items():
        breaker, blocked = states.get(name, ("closed", False))
        bucket = sweeping.limiter.look(gateway, pressed=waiting > 0) if sweeping.limiter else None
        free = LIMIT if bucket is None else 0 if bucket.blocked else bucket.free - waiting
        places = 0 if blocked else free if breaker == "closed" else min(free, 1)
        may_be_asked = breaker == "closed" and not blocked and not (bucket and bucket.blocked)
        rooms[name] = Room(max(0, places), squeezed=may_be_asked and places <= 0 < waiting)
    return rooms


def _of_gateway(connection: Connection, sweeping: Sweeping, name: str | None, room: Room, now: datetime) -> list[str]:
    """Units of events and questions of one gateway; what one kind leaves free, the others may use."""
    times = {"first": sweeping.first, "most": MOST}
    others = () if name else tuple(sweeping.gateways)

    def share(limit: int) -> Share:
        return Share(gateway=name, others=others, limit=limit, retries=max(1, limit // FOR_RETRIES))

    units = holding_due.due_funds(connection, share(LIMIT), **times)
    if kept := 1 if room.squeezed else _one_in(room.places, ONE_IN * CALLS_FOR_HOLDINGS):
        held = holding_due.due(connection, share(kept), now=now, **times)
        room, units = Room(max(0, room.places - CALLS_FOR_HOLDINGS * len(held))), units + held
    if room.places:
        orders = _orders(connection, share, room.places, now, times)
        units += orders
        if (left := room.places - len(orders)) > 0:
            units += holding_due.due(connection, share(max(1, left // CALLS_FOR_HOLDINGS)), now=now, **times)
    return units


def _orders(
    connection: Connection, share: Callable[[int], Share], places: int, now: datetime, times: Mapping[str, timedelta]
) -> list[str]:
    first = places - _one_in(places, KEPT_FOR_FOLLOWING)
    units = dispatch.due_events(connection, share(first), **times)
    units += dispatch.due_questions(connection, share(places - len(units)), now=now, **times)
    if len(units) < places and first < places:
        units += dispatch.due_events(connection, share(places - len(units)), **times)
    return units


def _one_in(places: int, many: int) -> int:
    """Of these places one in so many; of few of them, one by chance as often."""
    return (places + random.randrange(many)) // many  # noqa: S311 no secret
