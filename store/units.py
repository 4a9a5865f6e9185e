"""Units of work: one transaction of one gateway with all its open events but those about holdings.

Each function is one statement, so claiming and finishing cost one round trip each. Lock order:
the transaction's row, then its events. Times here are the database's; `now` is the domain's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

_CLAIM = text("""
with claimed as (
  update transactions t
  set generation = generation + 1, asks = asks + 1, announced = 0, asked_at = clock_timestamp(),
      rest_until = clock_timestamp() + cast(:pause as interval), lease_until = clock_timestamp() + :lease,
      given_up = null, given_up_at = null, followed_from = case when given_up is null then followed_from else :now end
  where gateway = :gateway and transaction_id = :transaction_id
    and lease_until is null and (rest_until is null or rest_until <= clock_timestamp())
    and (ask_at <= :now or exists (
      select from events e where e.gateway = :gateway and e.transaction_id = :transaction_id
      and e.family not in ('holdings', 'mf-holdings') and e.state in ('received', 'waiting', 'claimed')))
    and (:probe or not exists (
      select from gateway_states g where g.gateway = :gateway
      and (g.breaker <> 'closed' or g.blocked_until > clock_timestamp())))
  returning txn, generation, asked_at, lease_until, deaths
), taken as (
  update events e
  set state = 'claimed', reason = null, attempts = attempts + 1, announced = 0, next_attempt_at = claimed.lease_until
  from claimed
  where e.gateway = :gateway and e.transaction_id = :transaction_id
    and e.family not in ('holdings', 'mf-holdings') and e.state in ('received', 'waiting', 'claimed')
  returning 1
), noted as (
  insert into attempts (txn, generation, outcome, worker) select txn, generation, 'claimed', :worker from claimed
)
select txn, generation, asked_at, deaths, (select count(*) from taken) as events from claimed
""")

_HINDRANCE = text("""
select clock_timestamp() as now, t.lease_until, t.rest_until, g.breaker, g.blocked_until, g.reason
from transactions t left join gateway_states g on g.gateway = t.gateway
where t.gateway = :gateway and t.transaction_id = :transaction_id
""")

_DEFER = text("""
with moved as (
  update transactions set announce_at = :until
  where gateway = :gateway and transaction_id = :transaction_id and ask_at is not null
)
update events set state = 'waiting', reason = :reason, next_attempt_at = :until
where gateway = :gateway and transaction_id = :transaction_id and family not in ('holdings', 'mf-holdings')
  and state in ('received', 'waiting')
""")

_PUT_OFF = text("""
with unit as (
  select txn from transactions where gateway = :gateway and transaction_id = any(:ids) and lease_until is null
  order by txn for no key update
), moved as (
  update transactions t set announce_at = clock_timestamp() + cast(:wait as interval), announced = 0
  from unit where t.txn = unit.txn and t.ask_at is not null
)
update events set state = 'waiting', reason = :reason, announced = 0,
  next_attempt_at = clock_timestamp() + cast(:wait as interval)
where gateway = :gateway and transaction_id = any(:ids) and family not in ('holdings', 'mf-holdings')
  and (state = 'received' or (state = 'waiting' and announced > 0))
""")

_FENCE = text("""
with held as (
  select t.txn from transactions t
  join unnest(cast(:txns as bigint[]), cast(:generations as integer[])) as u (txn, generation)
    on t.txn = u.txn and t.generation = u.generation
  where t.lease_until is not null
  order by t.txn for no key update of t
)
update transactions t set lease_until = null, deaths = 0, retries = 0, announce_at = null
from held where t.txn = held.txn
returning t.txn
""")

_FINISH = text("""
with unit as materialized (
  select * from unnest(
    cast(:txn as bigint[]), cast(:generation as integer[]), cast(:gateway as text[]),
    cast(:transaction_id as text[]), cast(:asked_at as timestamptz[]), cast(:ask_at as timestamptz[]),
    cast(:http_status as smallint[]), cast(:took_ms as integer[]), cast(:given_up as text[]),
    cast(:found_by as text[]), cast(:known_at as timestamptz[])
  ) as u (
    txn, generation, gateway, transaction_id, asked_at, ask_at, http_status, took_ms, given_up, found_by, known_at)
), finished as (
  update events e set state = 'done', reason = null, next_attempt_at = null, done_at = clock_timestamp() from unit u
  where e.gateway = u.gateway and e.transaction_id = u.transaction_id and e.stored_at <= u.asked_at
    and e.family not in ('holdings', 'mf-holdings') and (
      e.state in ('received', 'waiting', 'claimed') or (e.state = 'parked' and e.reason = 'unknown-transaction'))
), later as (
  update events e set state = 'waiting', reason = 'asked-before-it',
      next_attempt_at = u.asked_at + cast(:pause as interval)
  from unit u
  where e.gateway = u.gateway and e.transaction_id = u.transaction_id and e.stored_at > u.asked_at
    and e.family not in ('holdings', 'mf-holdings') and e.state in ('received', 'waiting', 'claimed')
), followed as (
  update transactions t
  set ask_at = u.ask_at, given_up = u.given_up, given_up_at = case when u.given_up is not null then u.known_at end,
      found_by = case when u.found_by is not null then coalesce(t.found_by, u.found_by) end,
      found_at = case when u.found_by is not null then coalesce(t.found_at, u.known_at) end
  from unit u where t.txn = u.txn and (
    t.ask_at is distinct from u.ask_at or u.given_up is not null or (t.found_by is null) <> (u.found_by is null))
)
insert into attempts (txn, generation, outcome, http_status, took_ms, worker)
select txn, generation, 'done', http_status, took_ms, :worker from unit order by txn
""")

_WAIT = text("""
with mine as (
  update transactions
  set lease_until = null, deaths = 0, retries = retries + 1, announce_at = clock_timestamp() + :delay,
      rest_until = clock_timestamp() + least(cast(:delay as interval), :pause)
  where txn = :txn and generation = :generation and lease_until is not null
  returning txn
), waiting as (
  update events set state = 'waiting', reason = :reason, next_attempt_at = clock_timestamp() + :delay
  from mine where gateway = :gateway and transaction_id = :transaction_id
    and family not in ('holdings', 'mf-holdings') and state in ('received', 'waiting', 'claimed')
), noted as (
  insert into attempts (txn, generation, outcome, reason, detail, http_status, took_ms, worker)
  select txn, :generation, 'waiting', :reason, :detail, :http_status, :took_ms, :worker from mine
)
select txn from mine
""")

_PARK = text("""
with parked as (
  update events set state = 'parked', reason = :reason, next_attempt_at = null
  where gateway = :gateway and transaction_id = :transaction_id and state = 'claimed'
    and family not in ('holdings', 'mf-holdings')
), followed as (
  update transactions
  set ask_at = :ask_at, given_up = :given_up, given_up_at = case when cast(:given_up as text) is not null then :now end
  where txn = :txn
)
insert into attempts (txn, generation, outcome, reason, detail, http_status, took_ms, worker)
values (:txn, :generation, 'parked', :reason, :detail, :http_status, :took_ms, :worker)
""")

#: The failures for one reason since anything else came of a question; for attempts of either kind of unit.
FAILURES = """
select count(*) as attempts, coalesce(clock_timestamp() - min(at), interval '0') as age
from {attempts}
where {unit} = :unit and outcome = 'waiting' and reason = :reason and at > coalesce(
  (select max(at) from {attempts} where {unit} = :unit
   and (outcome in ('done', 'parked', 'replayed') or (outcome = 'waiting' and reason <> :reason))), '-infinity')
"""
_FAILURES = text(FAILURES.format(attempts="attempts", unit="txn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Whose claim it is: everything by which the other statements find its rows."""

    txn: int
    generation: int
    gateway: str
    transaction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """How a call went, for its row among the attempts of either kind of unit."""

    detail: str | None
    http_status: int | None
    took_ms: int | None
    worker: str


def claim(
    connection: Connection,
    *,
    gateway: str,
    transaction_id: str,
    now: datetime,
    lease: timedelta,
    pause: timedelta,
    worker: str,
    probe: bool,
) -> Row[Any] | None:
    """Take the unit: its txn, generation, asked_at, deaths and number of events; None if it must not be asked now.

    It must not if somebody holds it, nothing of it is open, it was asked for within `pause`, or its
    gateway is blocked and this is no probe. To be committed before the Gateway is called.
    """
    named = {"gateway": gateway, "transaction_id": transaction_id, "now": now, "lease": lease, "pause": pause}
    return connection.execute(_CLAIM, {**named, "worker": worker, "probe": probe}).one_or_none()


def hindrance(connection: Connection, *, gateway: str, transaction_id: str) -> Row[Any] | None:
    """What may have kept a claim from being given: lease, rest, breaker; None if there is no such row."""
    named = {"gateway": gateway, "transaction_id": transaction_id}
    return connection.execute(_HINDRANCE, named).one_or_none()


def defer(connection: Connection, *, gateway: str, transaction_id: str, until: datetime, reason: str) -> None:
    """Let the unit's unclaimed events wait until then, for that reason."""
    named = {"gateway": gateway, "transaction_id": transaction_id, "until": until, "reason": reason}
    connection.execute(_DEFER, named)


def put_off(
    connection: Connection, *, gateway: str, transaction_ids: Sequence[str], wait: timedelta, reason: str
) -> None:
    """Let units that were not claimed wait for that long, for that reason. It is no attempt."""
    named = {"gateway": gateway, "ids": list(transaction_ids), "wait": wait, "reason": reason}
    connection.execute(_PUT_OFF, named)


def fence(connection: Connection, *, claims: Sequence[tuple[int, int]]) -> set[int]:
    """Lock these transactions, in order, and end the claims of these generations.

    `claims` are txn and generation; the txns whose claim was still held come back, the others are lost.
    """
    named = {"txns": [txn for txn, _ in claims], "generations": [generation for _, generation in claims]}
    return set(connection.execute(_FENCE, named).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How one unit ends: what was asked, when, and when to ask again.

    One that is asked for no more was given up for a reason, or its end was found by somebody.
    """

    txn: int
    generation: int
    gateway: str
    transaction_id: str
    asked_at: datetime
    ask_at: datetime | None
    http_status: int
    took_ms: int
    given_up: str | None
    found_by: str | None
    known_at: datetime  #: domain's clock


def finish(connection: Connection, *, finished: Sequence[Finished], pause: timedelta, worker: str) -> None:
    """Events stored before their question are done; later ones wait for another, after `pause`."""
    columns = {f.name: [getattr(each, f.name) for each in finished] for f in fields(Finished)}
    connection.execute(_FINISH, {**columns, "pause": pause, "worker": worker})


def wait(
    connection: Connection, claimed: Claimed, called: Called, *, delay: timedelta, pause: timedelta, reason: str
) -> bool:
    """End the claim, its events waiting; False if it is no longer ours.

    It rests for `delay`, but no longer than `pause`: a new event may ask before an old one is tried again.
    """
    named = {**asdict(claimed), **asdict(called), "delay": delay, "pause": pause, "reason": reason}
    return connection.execute(_WAIT, named).one_or_none() is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """When to ask again, or why never, as of `now`, by the domain's clock."""

    ask_at: datetime | None
    given_up: str | None
    now: datetime


def park(connection: Connection, claimed: Claimed, called: Called, *, again: Again, reason: str) -> None:
    """Park the events of a claim that `fence` ended just before."""
    connection.execute(_PARK, {**asdict(claimed), **asdict(called), **asdict(again), "reason": reason})


def failures(connection: Connection, *, txn: int, reason: str) -> tuple[int, timedelta]:
    """How many times in a row it failed for that reason, and how long ago the first was."""
    row = connection.execute(_FAILURES, {"unit": txn, "reason": reason}).one()
    return row.attempts, row.age
