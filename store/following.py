"""Following by hand: giving up, taking up again, and the list of what was followed to its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, TextClause, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A transaction at its end, and what told it. Instants by the domain's clock."""

    gateway: str
    transaction_id: str
    account: str | None
    status: str | None
    created_at: datetime
    found_by: str  #: webhook or following
    found_at: datetime
    asks: int


_GIVE_UP = text("""
with given as (
  update transactions set ask_at = null, given_up = 'by-hand', given_up_at = :now
  where gateway = :gateway and transaction_id = :transaction_id and found_by is null and given_up is null
  returning txn, generation
), noted as (
  insert into attempts (txn, generation, outcome, reason, detail)
  select txn, generation, 'given-up', 'by-hand', :reason from given
)
select txn from given
""")

_TAKE_UP = text("""
with taken as (
  update transactions
  set ask_at = :now, given_up = null, given_up_at = null, followed_from = :now, found_by = null, found_at = null,
      retries = 0, announce_at = null, announced = 0, rest_until = null
  where gateway = :gateway and transaction_id = :transaction_id and (given_up is not null or found_by is not null)
  returning txn, generation
), noted as (
  insert into attempts (txn, generation, outcome, reason, detail)
  select txn, generation, 'taken-up', 'by-hand', :reason from taken
)
select txn from taken
""")

_ENDED = text("""
select gateway, transaction_id, account, status, coalesce(created_at, registered_at) as created_at,
  found_by, found_at, asks
from transactions
where found_by is not null and (cast(:gateway as text) is null or gateway = :gateway)
  and (cast(:found_by as text) is null or found_by = :found_by)
order by found_at, txn limit :limit
""")

_GATEWAYS_OF = text("select gateway from transactions where transaction_id = :transaction_id order by gateway")


def give_up(connection: Connection, *, gateway: str, transaction_id: str, now: datetime, reason: str) -> bool:
    """Follow it no more; False if it is not followed."""
    return _changed(connection, _GIVE_UP, gateway, transaction_id, now, reason)


def take_up(connection: Connection, *, gateway: str, transaction_id: str, now: datetime, reason: str) -> bool:
    """Follow it again from now on; False if it is followed already."""
    return _changed(connection, _TAKE_UP, gateway, transaction_id, now, reason)


def ended(connection: Connection, *, gateway: str | None, found_by: str | None, limit: int | None) -> Iterator[Ended]:
    """The transactions at their end, in the order in which that was known."""
    named = {"gateway": gateway, "found_by": found_by, "limit": limit}
    return (Ended(**row) for row in connection.execute(_ENDED, named).mappings())


def gateways_of(connection: Connection, *, transaction_id: str) -> list[str]:
    """The gateways at which that id is known."""
    return list(connection.execute(_GATEWAYS_OF, {"transaction_id": transaction_id}).scalars())


def _changed(
    connection: Connection, change: TextClause, gateway: str, transaction_id: str, now: datetime, reason: str
) -> bool:
    named = {"gateway": gateway, "transaction_id": transaction_id, "now": now, "reason": reason}
    return connection.execute(change, named).one_or_none() is not None
