"""Accounts whose holdings are due: announced by the sweep, freed from dead workers, put back by people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from store.dispatch import Share
from store.due import UNIT
from store.holding_units import UNLINKED

_FREE = text("""
with dead as (
  select holder from holding_accounts where lease_until < clock_timestamp() order by holder limit :limit
  for no key update skip locked
), freed as (
  update holding_accounts a
  set lease_until = null, generation = generation + 1, deaths = deaths + 1, announce_at = null,
      next_fetch_at = case when deaths + 1 >= :deaths then null else next_fetch_at end,
      state = case when deaths + 1 >= :deaths then 'poison' else state end
  from dead where a.holder = dead.holder
  returning a.holder, a.gateway, a.account, a.generation - 1 as generation, a.deaths
), lost as (
  insert into holding_attempts (holder, generation, outcome, reason)
  select holder, generation, 'lost', case when deaths >= :deaths then 'poison' else 'worker-lost' end from freed
), put_back as (
  update events e
  set state = case when f.deaths >= :deaths then 'parked' else 'waiting' end,
      reason = case when f.deaths >= :deaths then 'poison' else 'worker-lost' end,
      next_attempt_at = case when f.deaths >= :deaths then null else clock_timestamp() end
  from freed f
  where e.gateway = f.gateway and e.account = f.account and e.family = 'holdings' and e.state = 'claimed'
)
select gateway, account, deaths from freed
""")

_WHOSE = "({0}.gateway = :gateway or (cast(:gateway as text) is null and {0}.gateway <> all(:others)))"
_MOVED = "clock_timestamp() + least(cast(:most as interval), :first * (2 ^ least(announced, 20)))"
_OPEN = "e.state in ('received', 'waiting', 'claimed') and e.next_attempt_at <= clock_timestamp()"
#: Fetches whose time has come, and webhooks that nobody answered yet: what has waited longest goes first.
_DUE = text(f"""
with fetches as (
  select a.holder, a.gateway, a.account, a.next_fetch_at as since from holding_accounts a
  where a.next_fetch_at <= :now and a.lease_until is null
    and (a.announce_at is null or a.announce_at <= clock_timestamp())
    and (a.rest_until is null or a.rest_until <= clock_timestamp()) and {_WHOSE.format("a")}
  order by a.next_fetch_at limit :limit for no key update skip locked
), told as (
  select e.event_id, e.gateway, e.account, e.received_at as since from events e
  where e.family = 'holdings' and e.account is not null and {_OPEN} and {_WHOSE.format("e")}
  order by e.received_at limit :limit for update skip locked
), due as (
  select gateway, account, min(since) as since
  from (select gateway, account, since from fetches union all select gateway, account, since from told) waiting
  group by gateway, account order by since limit :limit
), fetched as (
  update holding_accounts a set announced = announced + 1, announce_at = {_MOVED}
  from fetches f join due using (gateway, account) where a.holder = f.holder
), heard as (
  update events e set announced = announced + 1, next_attempt_at = {_MOVED}
  from told t join due using (gateway, account) where e.event_id = t.event_id
)
select gateway || ':holdings:' || account from due order by since, account
""")
_FUNDS = text(f"""
with told as (
  select e.event_id from events e where e.family = 'mf-holdings' and {_OPEN} and {_WHOSE.format("e")}
  order by e.received_at limit :limit for update skip locked
)
update events e set announced = announced + 1, next_attempt_at = {_MOVED}
from told t where e.event_id = t.event_id
returning {UNIT}
""")

_REVIVE = text(f"""
with named as (
  select distinct gateway, account from events
  where event_id = any(:ids) and family = 'holdings' and account is not null and state = 'parked'
), revived as (
  update holding_accounts a
  set deaths = 0, next_fetch_at = least(a.next_fetch_at, :now), announce_at = null, rest_until = null
  from named n where a.gateway = n.gateway and a.account = n.account and a.state <> '{UNLINKED}'
  returning a.holder, a.generation
)
insert into holding_attempts (holder, generation, outcome, reason, detail)
select holder, generation, 'replayed', 'by-hand', :reason from revived
""")


def free_dead(connection: Connection, *, limit: int, deaths: int) -> Sequence[Row[Any]]:
    """End the claims whose lease ended: gateway, account, deaths. At `deaths` of them the account is parked."""
    return connection.execute(_FREE, {"limit": limit, "deaths": deaths}).all()


def due(connection: Connection, share: Share, *, now: datetime, first: timedelta, most: timedelta) -> list[str]:
    """Accounts whose fetch is due by the domain's clock, or of which a webhook waits; longest waiting first.

    Each is moved on in the same statement, twice as far each time, from `first`.
    """
    named = {"gateway": share.gateway, "others": list(share.others), "limit": share.limit}
    return list(connection.execute(_DUE, {**named, "now": now, "first": first, "most": most}).scalars())


def due_funds(connection: Connection, share: Share, *, first: timedelta, most: timedelta) -> list[str]:
    """Mutual-fund webhooks that wait to be taken in, which needs no call; moved on likewise."""
    named = {"gateway": share.gateway, "others": list(share.others), "limit": share.limit}
    return list(connection.execute(_FUNDS, {**named, "first": first, "most": most}).scalars())


def revive(connection: Connection, *, ids: Sequence[UUID], now: datetime, reason: str) -> None:
    """Have the accounts of these parked events asked for again, before the events are put back."""
    connection.execute(_REVIVE, {"ids": list(ids), "now": now, "reason": reason})
