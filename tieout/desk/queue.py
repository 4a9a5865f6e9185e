"""The queue at a glance: what is open and why, who works, and whether four depths agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Engine

from config.calendar import IST
from config.queues import QUEUES
from store import desk_queue, desk_refusals
from store.desk_queue import GatewayState, OpenGroup, Pace, ParkedGroup, Period, Sign, Units
from store.desk_refusals import Alert, RefusedReason
from tieout.desk.broker import BrokerView, BrokerWatch

ALIVE_S = 30  #: a worker or process, which shows itself every 5 s, silent for longer counts as gone
SWEEP_LATE_S = 30
SHOWN_GONE_S = 900  #: who fell silent is shown for so long; then only if it was the last of its kind
PACE_SPAN = timedelta(minutes=5)
CANARY_LATE_S = 180  #: canaries are sent each minute
DUE_LATE_S = 60  #: due work that nobody was told of, longer than the sweep's pace explains
ALERTS_SHOWN = 5
REFUSALS_SPAN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    """Four counts of the same work, and in words where they do not fit together."""

    waiting: int | None  #: messages in the broker; None: it is away
    unacked: int | None  #: messages workers hold
    claimed: int  #: units under a lease
    open: int  #: units with open events
    disagreements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The last message that went through one queue and back."""

    queue: str
    seen_at: datetime | None
    age_s: int | None
    took_ms: int | None

    @property
    def late(self) -> bool:
        """Whether the queue may be standing still."""
        return self.age_s is None or self.age_s > CANARY_LATE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The events that arrived on the IST day of `now`."""

    received: int
    done: int
    parked: int

    @property
    def open(self) -> int:
        """Neither done nor parked."""
        return self.received - self.done - self.parked


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueNow:
    """Everything the overview shows."""

    as_of: datetime
    groups: tuple[OpenGroup, ...]
    parked: tuple[ParkedGroup, ...]
    today: Today
    pace: Pace  #: of the last `PACE_SPAN`
    units: Units
    depths: Depths
    signs: tuple[Sign, ...]
    canaries: tuple[Canary, ...]
    gateways: tuple[GatewayState, ...]
    periods: tuple[Period, ...]
    alerts: tuple[Alert, ...]
    refusals: tuple[RefusedReason, ...]
    broker: BrokerView

    @property
    def waiting(self) -> int:
        """Open events that nobody works on and whose time is not still to come."""
        return sum(g.count for g in self.groups if g.state != "claimed" and not g.scheduled)

    @property
    def in_flight(self) -> int:
        """Events that a worker has claimed."""
        return sum(g.count for g in self.groups if g.state == "claimed")

    @property
    def scheduled(self) -> int:
        """Open events that wait for an instant still to come."""
        return sum(g.count for g in self.groups if g.scheduled)

    @property
    def parked_count(self) -> int:
        """Events put aside for a person."""
        return sum(g.count for g in self.parked)

    @property
    def oldest_s(self) -> int | None:
        """Age of the oldest open event; None when nothing is open."""
        return max((g.oldest_s for g in self.groups), default=None)

    @property
    def reasons(self) -> tuple[OpenGroup, ...]:
        """The open groups that wait for a reason."""
        return tuple(g for g in self.groups if g.reason)

    @property
    def workers(self) -> tuple[Sign, ...]:
        """Signs of life of workers, freshest first."""
        return self._of("worker")

    @property
    def workers_alive(self) -> int:
        """Workers heard of lately."""
        return sum(1 for sign in self.workers if sign.age_s <= ALIVE_S)

    @property
    def parts(self) -> tuple[Sign, ...]:
        """The signs of life of all parts that a person should see: no worker that ended long ago."""
        newest = {sign.kind: sign for sign in reversed(self.signs)}
        return tuple(
            sign
            for sign in self.signs
            if sign.kind != "canary" and (sign.age_s <= SHOWN_GONE_S or newest[sign.kind] is sign)
        )

    @property
    def stopped(self) -> tuple[GatewayState, ...]:
        """Gateways to which no call goes out."""
        return tuple(state for state in self.gateways if state.breaker != "closed" or state.blocked)

    @property
    def sweep(self) -> Sign | None:
        """The last sweep."""
        return next(iter(self._of("sweep")), None)

    @property
    def beat(self) -> Sign | None:
        """The last tick of the schedule."""
        return next(iter(self._of("beat")), None)

    def silent(self, sign: Sign) -> bool:
        """Whether that part should have shown itself since."""
        return sign.age_s > (SWEEP_LATE_S if sign.kind == "sweep" else ALIVE_S)

    def _of(self, kind: str) -> tuple[Sign, ...]:
        return tuple(sign for sign in self.signs if sign.kind == kind)


def queue_now(engine: Engine, watch: BrokerWatch, *, now: datetime) -> QueueNow:
    """Look at database and broker; `now` is the domain's instant. A broker away is shown, not raised."""
    broker = watch.look()
    start, end = ist_day(now)
    with engine.connect() as connection:
        units = desk_queue.units(connection, now=now)
        signs = tuple(desk_queue.signs(connection))
        arrived = desk_queue.arrived(connection, start=start, end=end)
        return QueueNow(
            as_of=now,
            groups=tuple(desk_queue.open_groups(connection)),
            parked=tuple(desk_queue.parked_groups(connection)),
            today=Today(received=sum(arrived.values()), done=arrived.get("done", 0), parked=arrived.get("parked", 0)),
            pace=desk_queue.pace(connection, since=now - PACE_SPAN),
            units=units,
            depths=depths(units, broker),
            signs=signs,
            canaries=canaries(signs),
            gateways=tuple(desk_queue.gateway_states(connection)),
            periods=tuple(desk_queue.periods(connection)),
            alerts=tuple(desk_refusals.alerts(connection, limit=ALERTS_SHOWN)),
            refusals=tuple(desk_refusals.refused_reasons(connection, since=now - REFUSALS_SPAN)),
            broker=broker,
        )


def ist_day(now: datetime) -> tuple[datetime, datetime]:
    """Midnight to midnight, in India, of the day in which that instant lies; both UTC."""
    start = datetime.combine(now.astimezone(IST).date(), time(), IST)
    return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)


def depths(units: Units, broker: BrokerView) -> Depths:
    """Hold broker and database against each other."""
    away = broker.away is not None
    return Depths(
        waiting=None if away else broker.waiting,
        unacked=None if away else broker.unacked,
        claimed=units.claimed,
        open=units.open,
        disagreements=tuple(_disagreements(units, broker)),
    )


def _disagreements(units: Units, broker: BrokerView) -> list[str]:
    found = []
    if units.lapsed:
        found.append(f"{units.lapsed} claimed past the lease: a worker died; the sweep hands the work to another")
    if broker.away:
        return found
    if units.due and units.due_for_s > DUE_LATE_S and not (broker.waiting or broker.unacked):
        found.append(
            f"{units.due} due in the database, none in the broker: the sweep should have announced them, is it running?"
        )
    if units.claimed and not broker.unacked and not units.lapsed:
        found.append(
            f"{units.claimed} claimed, but workers hold no message: the broker forgot, or the worker died just now"
        )
    settle = broker.depths[0]
    if settle.waiting and not (units.open or units.ask_due or units.unjudged):
        found.append(
            f"{settle.waiting} in the broker for work that is done: harmless, a worker drops each when it comes to it"
        )
    return found


def canaries(signs: Sequence[Sign]) -> tuple[Canary, ...]:
    """The canary of each queue; one never seen has no instant."""
    seen = {sign.name: sign for sign in signs if sign.kind == "canary"}
    return tuple(_canary(queue, seen.get(queue)) for queue in QUEUES)


def _canary(queue: str, sign: Sign | None) -> Canary:
    if sign is None:
        return Canary(queue=queue, seen_at=None, age_s=None, took_ms=None)
    took = (sign.seen_at - sign.sent_at) / timedelta(milliseconds=1) if sign.sent_at else None
    return Canary(queue=queue, seen_at=sign.seen_at, age_s=sign.age_s, took_ms=None if took is None else round(took))
