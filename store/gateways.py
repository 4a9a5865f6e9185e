"""The state of each gateway that all workers share: its breaker, and until when it asked to be left alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

_BLOCK = text("""
insert into gateway_states as g (gateway, blocked_until, reason)
values (:gateway, clock_timestamp() + :pause, :reason)
on conflict (gateway) do update
set blocked_until = greatest(g.blocked_until, excluded.blocked_until), reason = excluded.reason
""")

_OPEN = text("""
with opened as (
  insert into gateway_states as g (gateway, breaker, blocked_until, reason, failures)
  values (:gateway, 'open', clock_timestamp() + :first, :reason, 1)
  on conflict (gateway) do update
  set breaker = 'open', reason = excluded.reason, failures = g.failures + 1, striking = '{}',
      changed_at = case when g.breaker = 'closed' then clock_timestamp() else g.changed_at end,
      blocked_until = clock_timestamp() + least(cast(:most as interval), :first * (2 ^ least(g.failures, 20)))
  returning failures, blocked_until, changed_at
), noted as (
  insert into breaker_changes (gateway, breaker, reason)
  select :gateway, case when failures = 1 then 'opened' else 'kept open' end, :reason from opened
)
select failures, blocked_until, changed_at from opened
""")

_STRIKE = text("""
insert into gateway_states as g (gateway, striking) values (:gateway, array[cast(:txn as bigint)])
on conflict (gateway) do update
set striking = case when :txn = any(g.striking) then g.striking else g.striking || cast(:txn as bigint) end
returning breaker, cardinality(striking) as strikes
""")

_FORGIVE = text("update gateway_states set striking = '{}' where gateway = any(:gateways) and striking <> '{}'")

_PROBE = text("""
with taken as (
  update gateway_states set breaker = 'half-open', blocked_until = clock_timestamp() + :patience
  where gateway = :gateway and breaker <> 'closed' and blocked_until <= clock_timestamp()
  returning gateway, reason
)
insert into breaker_changes (gateway, breaker, reason) select gateway, 'half-open', reason from taken
""")

_CLOSE = text("""
with closed as (
  update gateway_states
  set breaker = 'closed', failures = 0, blocked_until = null, reason = null, changed_at = clock_timestamp(),
      striking = '{}'
  where gateway = :gateway and breaker <> 'closed'
  returning gateway
)
insert into breaker_changes (gateway, breaker) select gateway, 'closed' from closed
""")

#: What somebody holds is left to him: it does not wait.
_WAKE = text("""
with resting as (
  select txn from transactions
  where gateway = :gateway and lease_until is null
    and (announce_at > clock_timestamp() or rest_until > clock_timestamp())
  order by txn for no key update skip locked
), woken as (
  update transactions t set announce_at = null, announced = 0, rest_until = null, retries = 0
  from resting where t.txn = resting.txn
), waiting as (
  select event_id from events
  where gateway = :gateway and state = 'waiting' and reason <> 'unclear' and next_attempt_at > clock_timestamp()
  order by event_id for no key update skip locked
)
update events e set next_attempt_at = clock_timestamp(), announced = 0 from waiting where e.event_id = waiting.event_id
""")

_ALL = text("""
select gateway, breaker, blocked_until, coalesce(blocked_until > clock_timestamp(), false) as blocked, reason, failures,
  changed_at, striking
from gateway_states order by gateway
""")

_BREAKERS = text("""
select gateway, breaker, coalesce(blocked_until > clock_timestamp(), false) as blocked from gateway_states
""")

_CHANGES = text("""
select gateway, at, breaker, reason from breaker_changes where gateway = :gateway order by change_id desc limit :limit
""")

#: A day suffices, and only its partition is read.
_ANSWERED = text("""
select max(s.answered_at) from snapshots s join transactions t using (txn)
where t.gateway = :gateway and s.answered_at > now() - interval '1 day'
""")


def block(connection: Connection, *, gateway: str, pause: timedelta, reason: str) -> None:
    """Leave the whole gateway alone for that long; a longer block stands."""
    connection.execute(_BLOCK, {"gateway": gateway, "pause": pause, "reason": reason})


def open_breaker(connection: Connection, *, gateway: str, first: timedelta, most: timedelta, reason: str) -> Row[Any]:
    """Open the breaker; each failure in a row doubles the pause. `failures` is 1 when it was closed."""
    named = {"gateway": gateway, "first": first, "most": most, "reason": reason}
    return connection.execute(_OPEN, named).one()


def strike(connection: Connection, *, gateway: str, txn: int) -> int:
    """Note that this question got no answer; how many transactions in a row got none. 0 unless it is closed."""
    row = connection.execute(_STRIKE, {"gateway": gateway, "txn": txn}).one()
    return int(row.strikes) if row.breaker == "closed" else 0


def forgive(connection: Connection, *, gateways: Sequence[str]) -> None:
    """These gateways answered."""
    connection.execute(_FORGIVE, {"gateways": sorted(set(gateways))})


def take_probe(connection: Connection, *, gateway: str, patience: timedelta) -> bool:
    """Whether we are the one who tries a blocked gateway again; others wait for `patience`."""
    return connection.execute(_PROBE, {"gateway": gateway, "patience": patience}).rowcount == 1


def close_breaker(connection: Connection, *, gateway: str) -> bool:
    """Close the breaker; whether it was not closed."""
    return connection.execute(_CLOSE, {"gateway": gateway}).rowcount == 1


def wake(connection: Connection, *, gateway: str) -> None:
    """Let everything that waits for that gateway wait no longer than by the domain's clock."""
    connection.execute(_WAKE, {"gateway": gateway})


def breakers(connection: Connection) -> dict[str, tuple[str, bool]]:
    """By gateway, its breaker and whether its calls are blocked just now."""
    return {row.gateway: (row.breaker, row.blocked) for row in connection.execute(_BREAKERS)}


def changes(connection: Connection, *, gateway: str, limit: int) -> Sequence[Row[Any]]:
    """The newest changes of a breaker: gateway, at (database's clock), breaker, reason."""
    return connection.execute(_CHANGES, {"gateway": gateway, "limit": limit}).all()


def states(connection: Connection) -> list[Row[Any]]:
    """The state of every gateway that ever was blocked."""
    return list(connection.execute(_ALL))


def answered_at(connection: Connection, *, gateway: str) -> datetime | None:
    """When the API last answered about a transaction, by the database's clock; None if not within a day."""
    found: datetime | None = connection.execute(_ANSWERED, {"gateway": gateway}).scalar_one()
    return found
