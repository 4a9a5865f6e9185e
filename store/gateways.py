"""The state of each gateway that all workers share: its breaker, and until when it asked to be left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

_BLOCK = text("""
insert into gateway_states as g (gateway, blocked_until, reason)
values (:gateway, clock_timestamp() + :pause, :reason)
on conflict (gateway) do update
set blocked_until = greatest(g.blocked_until, excluded.blocked_until), reason = excluded.reason
""")

_OPEN = text("""
insert into gateway_states as g (gateway, breaker, blocked_until, reason, failures)
values (:gateway, 'open', clock_timestamp() + :first, :reason, 1)
on conflict (gateway) do update
set breaker = 'open', reason = excluded.reason, failures = g.failures + 1,
    changed_at = case when g.breaker = 'closed' then clock_timestamp() else g.changed_at end,
    blocked_until = clock_timestamp() + least(cast(:most as interval), :first * (2 ^ least(g.failures, 20)))
returning failures, blocked_until, changed_at
""")

_PROBE = text("""
update gateway_states set breaker = 'half-open', blocked_until = clock_timestamp() + :patience
where gateway = :gateway and breaker <> 'closed' and blocked_until <= clock_timestamp()
""")

_CLOSE = text("""
update gateway_states
set breaker = 'closed', failures = 0, blocked_until = null, reason = null, changed_at = clock_timestamp()
where gateway = :gateway and breaker <> 'closed'
""")

_ALL = text("select gateway, breaker, blocked_until, reason, failures, changed_at from gateway_states order by gateway")


def block(connection: Connection, *, gateway: str, pause: timedelta, reason: str) -> None:
    """Leave the whole gateway alone for that long; a longer block stands."""
    connection.execute(_BLOCK, {"gateway": gateway, "pause": pause, "reason": reason})


def open_breaker(connection: Connection, *, gateway: str, first: timedelta, most: timedelta, reason: str) -> Row[Any]:
    """Open the breaker; each failure in a row doubles the pause. `failures` is 1 when it was closed."""
    named = {"gateway": gateway, "first": first, "most": most, "reason": reason}
    return connection.execute(_OPEN, named).one()


def take_probe(connection: Connection, *, gateway: str, patience: timedelta) -> bool:
    """Whether we are the one who tries a blocked gateway again; others wait for `patience`."""
    return connection.execute(_PROBE, {"gateway": gateway, "patience": patience}).rowcount == 1


def close_breaker(connection: Connection, *, gateway: str) -> bool:
    """Close the breaker; whether it was not closed."""
    return connection.execute(_CLOSE, {"gateway": gateway}).rowcount == 1


def states(connection: Connection) -> list[Row[Any]]:
    """The state of every gateway that ever was blocked."""
    return list(connection.execute(_ALL))
