"""What the queue looks like now: reads for the overview, each one set-based statement.

Ages and leases are told by the database's clock; what arrived when, by the domain's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGroup:
    """Open events of one state and reason; `scheduled` ones wait for an instant still to come."""

    state: str  #: received, claimed, waiting
    reason: str | None
    scheduled: bool
    count: int
    oldest_s: int  #: age of the oldest
    next_at: datetime | None  #: when the first of them is due


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedGroup:
    """Events put aside for one reason."""

    reason: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Transactions as units of work."""

    open: int  #: with at least one open event
    due: int  #: of those, with an event whose time has come and a gateway that is called
    due_for_s: int  #: how long the longest due has been so
    claimed: int
    lapsed: int  #: claimed, but the lease has ended
    followed: int  #: not at their end, asked again by schedule
    ask_due: int
    next_ask_at: datetime | None
    unjudged: int  #: a side changed since the verdict
    held: int = 0  #: with an event whose time has come, of a gateway whose calls are stopped; not in `due`


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A sign of life of one part of the service."""

    kind: str  #: worker, canary, edge, beat, sweep
    name: str
    sent_at: datetime | None
    seen_at: datetime
    age_s: int
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayState:
    """Whether calls to one gateway go out."""

    gateway: str
    breaker: str
    blocked_until: datetime | None
    blocked: bool
    reason: str | None
    failures: int
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The newest run of one periodic job."""

    job: str
    ran_at: datetime
    age_s: int


_OPEN = text("""
select state, reason, state = 'waiting' and next_attempt_at > clock_timestamp() as scheduled,
  count(*) as count,
  greatest(0, extract(epoch from clock_timestamp() - min(stored_at)))::bigint as oldest_s,
  min(next_attempt_at) as next_at
from events where state in ('received', 'waiting', 'claimed') group by 1, 2, 3 order by 1, 4 desc
""")


def open_groups(connection: Connection) -> list[OpenGroup]:
    """All open events, grouped; empty when nothing is open."""
    return [OpenGroup(**row) for row in connection.execute(_OPEN).mappings()]


_PARKED = text("""
select coalesce(reason, 'no reason given') as reason, count(*) as count, min(received_at) as oldest_at
from events where state = 'parked' group by 1 order by 2 desc, 1
""")


def parked_groups(connection: Connection) -> list[ParkedGroup]:
    """All parked events by reason, most first."""
    return [ParkedGroup(**row) for row in connection.execute(_PARKED).mappings()]


_ARRIVED = text("""
select state, count(*) as count from events
where received_at >= :start and received_at < :end group by 1
""")


def arrived(connection: Connection, *, start: datetime, end: datetime) -> dict[str, int]:
    """How many events arrived in that span, by their state now."""
    rows = connection.execute(_ARRIVED, {"start": start, "end": end})
    return {row["state"]: row["count"] for row in rows.mappings()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast events that came in a span were settled, from stored to done; None: none of them is done."""

    came: int
    done: int
    median_ms: int | None
    slow_ms: int | None  #: 95 of 100 took no longer


_PACE = text("""
select count(*) as came, count(took) as done,
  percentile_disc(0.5) within group (order by took) as median_ms,
  percentile_disc(0.95) within group (order by took) as slow_ms
from (
  select (extract(epoch from done_at - stored_at) * 1000)::bigint as took
  from events where received_at > :since
) e
""")


def pace(connection: Connection, *, since: datetime) -> Pace:
    """The pace of the events received after that instant of the domain's clock."""
    return Pace(**connection.execute(_PACE, {"since": since}).mappings().one())


_UNITS = text("""
with open as (
  select gateway, case family when 'holdings' then account when 'mf-holdings' then event_id::text
      else coalesce(transaction_id, event_id::text) end as unit, min(next_attempt_at) as due_at
  from events where state in ('received', 'waiting', 'claimed') group by 1, 2
), ready as (
  select o.due_at, g.gateway is not null as stopped from open o
  left join gateway_states g on g.gateway = o.gateway
    and (g.breaker <> 'closed' or g.blocked_until > clock_timestamp())
  where o.due_at <= clock_timestamp()
), leases as (
  select lease_until from transactions where lease_until is not null
  union all select lease_until from holding_accounts where lease_until is not null
)
select
  (select count(*) from open) as open,
  (select count(*) from ready where not stopped) as due,
  (select count(*) from ready where stopped) as held,
  (select coalesce(extract(epoch from clock_timestamp() - min(due_at)), 0)::bigint
     from ready where not stopped) as due_for_s,
  (select count(*) from leases) as claimed,
  (select count(*) from leases where lease_until <= clock_timestamp()) as lapsed,
  (select count(*) from transactions where ask_at is not null) as followed,
  (select count(*) from transactions where ask_at <= :now) as ask_due,
  (select min(ask_at) from transactions where ask_at is not null) as next_ask_at,
  (select count(*) from unjudged) as unjudged
""")


def units(connection: Connection, *, now: datetime) -> Units:
    """Count the units of work; `now` is the domain's instant, by which questions are due."""
    return Units(**connection.execute(_UNITS, {"now": now}).mappings().one())


_SIGNS = text("""
select kind, name, sent_at, seen_at, coalesce(detail, '{}'::jsonb) as detail,
  greatest(0, extract(epoch from clock_timestamp() - seen_at))::bigint as age_s
from signs_of_life order by kind, seen_at desc limit 200
""")


def signs(connection: Connection) -> list[Sign]:
    """Every part's newest sign of life, freshest first within its kind."""
    return [Sign(**row) for row in connection.execute(_SIGNS).mappings()]


_GATEWAYS = text("""
select gateway, breaker, blocked_until, coalesce(blocked_until > clock_timestamp(), false) as blocked,
  reason, failures, changed_at
from gateway_states order by gateway
""")


def gateway_states(connection: Connection) -> list[GatewayState]:
    """The breaker of each gateway that was ever called."""
    return [GatewayState(**row) for row in connection.execute(_GATEWAYS).mappings()]


_PERIODS = text("""
select job, max(ran_at) as ran_at,
  greatest(0, extract(epoch from clock_timestamp() - max(ran_at)))::bigint as age_s
from periods group by job order by job
""")


def periods(connection: Connection) -> list[Period]:
    """The newest run of each periodic job."""
    return [Period(**row) for row in connection.execute(_PERIODS).mappings()]


_KNOWN_GATEWAYS = text("""
with recursive named as (
  (select gateway, book from transactions order by gateway, transaction_id limit 1)
  union all
  select t.gateway, t.book from named n cross join lateral
    (select gateway, book from transactions where gateway > n.gateway
     order by gateway, transaction_id limit 1) t
)
select gateway, book from named
""")


def known_gateways(connection: Connection) -> list[tuple[str, str]]:
    """Every gateway with a transaction, with its book; skips along the index, reads no table."""
    return [(row.gateway, row.book) for row in connection.execute(_KNOWN_GATEWAYS)]
