"""What is due: announced again by the sweep, freed from dead workers, put back by people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

DEATHS = 5  #: claims in a row that never finished before a unit is poison

#: Whether an event names what its family's unit is made of, and that unit's text.
ASKABLE = """
case {0}family when 'holdings' then {0}account is not null when 'mf-holdings' then true
else {0}transaction_id is not null end"""
UNIT = """
case e.family when 'holdings' then e.gateway || ':holdings:' || e.account
when 'mf-holdings' then e.gateway || '\\:mf-holdings:' || e.event_id
else e.gateway || ':' || e.transaction_id end as unit"""

_FREE = text("""
with dead as (
  select txn from transactions where lease_until < clock_timestamp() order by txn limit :limit
  for no key update skip locked
), freed as (
  update transactions t
  set lease_until = null, generation = generation + 1, deaths = deaths + 1, announce_at = null,
      ask_at = case when deaths + 1 >= :deaths then null else ask_at end,
      given_up = case when deaths + 1 >= :deaths then 'poison' else given_up end,
      given_up_at = case when deaths + 1 >= :deaths then coalesce(:now, clock_timestamp()) else given_up_at end
  from dead where t.txn = dead.txn
  returning t.txn, t.gateway, t.transaction_id, t.generation - 1 as generation, t.deaths
), lost as (
  insert into attempts (txn, generation, outcome, reason)
  select txn, generation, 'lost', case when deaths >= :deaths then 'poison' else 'worker-lost' end from freed
), put_back as (
  update events e
  set state = case when f.deaths >= :deaths then 'parked' else 'waiting' end,
      reason = case when f.deaths >= :deaths then 'poison' else 'worker-lost' end,
      next_attempt_at = case when f.deaths >= :deaths then null else clock_timestamp() end
  from freed f
  where e.gateway = f.gateway and e.transaction_id = f.transaction_id and e.state = 'claimed'
    and e.family not in ('holdings', 'mf-holdings')
)
select gateway, transaction_id, deaths from freed
""")

_ASK_AGAIN = text("""
update transactions t set ask_at = :now, announce_at = null, announced = 0
where gateway = :gateway and ask_at > :now
  and (cast(:trade_date as date) is null
       or (registered_at at time zone 'Asia/Kolkata')::date <= cast(:trade_date as date))
""")

_REPLAY = text(f"""
with chosen as (
  select event_id, gateway, transaction_id, family, state from events where event_id = any(:ids) order by event_id
), unit as (
  select t.txn from transactions t
  where (t.gateway, t.transaction_id) in (
    select gateway, transaction_id from chosen where state = 'parked' and family not in ('holdings', 'mf-holdings'))
  order by t.txn for no key update
), revived as (
  update transactions t
  set deaths = 0, retries = 0, ask_at = least(t.ask_at, :now), announce_at = null, rest_until = null,
      given_up = null, given_up_at = null, followed_from = case when given_up is null then followed_from else :now end
  from unit where t.txn = unit.txn
  returning t.txn, t.generation
), noted as (
  insert into attempts (txn, generation, outcome, reason, detail)
  select txn, generation, 'replayed', 'by-hand', :reason from revived
), put_back as (
  update events e set state = 'received', reason = null, announced = 0, next_attempt_at = clock_timestamp()
  from chosen where e.event_id = chosen.event_id and e.state = 'parked' and {ASKABLE.format("e.")}
  returning e.event_id
)
select c.event_id, c.state, p.event_id is not null as put_back
from chosen c left join put_back p using (event_id) order by c.event_id
""")

_PARKED = text("""
select event_id from events where state = 'parked'
  and (cast(:gateway as text) is null or gateway = :gateway) and (cast(:reason as text) is null or reason = :reason)
order by received_at, event_id limit :limit
""")

_STANDING = text("""
select txn, status, intent, expire_at, created_at, registered_at, followed_from, known, absent_at, final, settled,
       exists (select from batches b where b.txn = t.txn) as batches,
       exists (select from batches b where b.txn = t.txn and b.status = 'PLACED') as placed
from transactions t where txn = any(:txns)
""")

_PARK_NAMELESS = text(f"""
update events set state = 'parked', next_attempt_at = null,
  reason = case family when 'holdings' then 'no-account' else 'no-transaction' end
where state in ('received', 'waiting') and not ({ASKABLE.format("")}) and next_attempt_at <= clock_timestamp()
""")


def free_dead(connection: Connection, *, limit: int, now: datetime | None = None) -> Sequence[Row[Any]]:
    """End the claims whose lease ended: gateway, transaction_id, deaths. At five deaths the unit is parked.

    `now` is the domain's instant at which what is parked counts as given up.
    """
    return connection.execute(_FREE, {"limit": limit, "deaths": DEATHS, "now": now}).all()


def ask_again(connection: Connection, *, gateway: str, trade_date: date | None, now: datetime) -> int:
    """Have every followed transaction known by the end of that trade date asked for now; how many."""
    named = {"gateway": gateway, "trade_date": trade_date, "now": now}
    return connection.execute(_ASK_AGAIN, named).rowcount


def put_back(connection: Connection, *, ids: Sequence[UUID], now: datetime, reason: str) -> Sequence[Row[Any]]:
    """Make parked events received again: for each that exists its former state and whether it was put back."""
    return connection.execute(_REPLAY, {"ids": list(ids), "now": now, "reason": reason}).all()


def parked_events(connection: Connection, *, gateway: str | None, reason: str | None, limit: int) -> list[UUID]:
    """Parked events, oldest first, of that gateway and reason; None is any."""
    named = {"gateway": gateway, "reason": reason, "limit": limit}
    return [row.event_id for row in connection.execute(_PARKED, named)]


def standings(connection: Connection, *, txns: Sequence[int]) -> Sequence[Row[Any]]:
    """What decides when to ask for each of these transactions again."""
    return connection.execute(_STANDING, {"txns": list(txns)}).all()


def park_nameless(connection: Connection) -> int:
    """Park events that name no transaction, or no account: nothing can be asked about them."""
    return connection.execute(_PARK_NAMELESS).rowcount
