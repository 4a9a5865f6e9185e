"""What to announce next of orders: units whose time has come, the oldest day first and on it the most at stake.

What is chosen is moved on in the same statement, so that nothing is announced twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from store.due import ASKABLE, UNIT

#: Rupees at stake in transaction `t`: what the books say, else what was asked for.
VALUE = """coalesce(
    (select sum(coalesce(o.filled, o.quantity) * coalesce(o.average_price, g.price))
     from our_lines o left join guide_prices g on g.exchange = o.exchange and g.symbol = o.symbol where o.txn = t.txn),
    t.value, 0)"""
_DAY = "(({}) at time zone 'Asia/Kolkata')::date as day"
_WHOSE = "({0}.gateway = :gateway or (cast(:gateway as text) is null and {0}.gateway <> all(:others)))"
_ORDER = "order by day, value desc, at"

_OPEN_EVENTS = f"""
  select e.event_id, {_DAY.format("e.received_at")}, {VALUE} as value, e.received_at as at
  from events e left join transactions t on t.gateway = e.gateway and t.transaction_id = e.transaction_id
  where e.state in ('received', 'waiting', 'claimed') and e.next_attempt_at <= clock_timestamp()
    and {ASKABLE.format("e.")} and e.family not in ('holdings', 'mf-holdings') and {_WHOSE.format("e")}"""
_EVENTS = text(f"""
with fresh as ({_OPEN_EVENTS} and coalesce(t.retries, 0) = 0
  {_ORDER} limit :limit for update of e skip locked
), again as ({_OPEN_EVENTS} and t.retries > 0
  {_ORDER} limit :retries for update of e skip locked
), due as (
  select * from (select * from fresh union all select * from again) chosen {_ORDER} limit :limit
), moved as (
  update events e
  set announced = announced + 1,
      next_attempt_at = clock_timestamp() + least(cast(:most as interval), :first * (2 ^ least(announced, 20)))
  from due where e.event_id = due.event_id
  returning e.event_id, {UNIT}
)
select unit from moved join due using (event_id) {_ORDER}, unit
""")

_OPEN_QUESTIONS = f"""
  select t.txn, {_DAY.format("coalesce(t.created_at, t.registered_at)")}, {VALUE} as value,
         coalesce(t.created_at, t.registered_at) as at
  from transactions t
  where t.ask_at <= :now and t.lease_until is null and (t.announce_at is null or t.announce_at <= clock_timestamp())
    and (t.rest_until is null or t.rest_until <= clock_timestamp()) and {_WHOSE.format("t")}"""
_QUESTIONS = text(f"""
with fresh as ({_OPEN_QUESTIONS} and t.retries = 0
  {_ORDER} limit :limit for no key update of t skip locked
), again as ({_OPEN_QUESTIONS} and t.retries > 0
  {_ORDER} limit :retries for no key update of t skip locked
), due as (
  select * from (select * from fresh union all select * from again) chosen {_ORDER} limit :limit
), moved as (
  update transactions t
  set announced = announced + 1,
      announce_at = clock_timestamp() + least(cast(:most as interval), :first * (2 ^ least(announced, 20)))
  from due where t.txn = due.txn
  returning t.txn, t.gateway || ':' || t.transaction_id as unit
)
select unit from moved join due using (txn) {_ORDER}, txn
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many units of one gateway may be announced; without a name, of all gateways but `others`."""

    gateway: str | None = None
    others: Sequence[str] = ()
    limit: int
    retries: int  #: of those, units whose last question gave no answer


def due_events(connection: Connection, share: Share, *, first: timedelta, most: timedelta) -> list[str]:
    """Units of events whose time has come, in order; each is moved on, twice as far each time, from `first`."""
    rows = connection.execute(_EVENTS, {**_named(share), "first": first, "most": most})
    return list(dict.fromkeys(rows.scalars()))


def due_questions(
    connection: Connection, share: Share, *, now: datetime, first: timedelta, most: timedelta
) -> list[str]:
    """Units to be asked for by the domain's clock, in order, and not announced a moment ago; moved on likewise."""
    rows = connection.execute(_QUESTIONS, {**_named(share), "now": now, "first": first, "most": most})
    return list(dict.fromkeys(rows.scalars()))


def _named(share: Share) -> dict[str, object]:
    return {"gateway": share.gateway, "others": list(share.others), "limit": share.limit, "retries": share.retries}
