"""What is known of all transactions of a gateway: what is at its end, what is open, when we last heard.

A transaction is at its end once `found_by` says what told so; all others are listed by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from store.dispatch import VALUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What came in and what became of it. Instants by the domain's clock."""

    known: int
    found_by_webhook: int
    found_by_following: int
    told_at: datetime | None  #: the company last told of transactions, be it that there were none
    webhook_at: datetime | None
    created_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A transaction that is not at its end."""

    transaction_id: str
    account: str | None
    created_at: datetime
    expire_at: datetime | None
    status: str | None
    error_message: str | None
    known: bool | None
    absences: int
    settled: bool
    batches: bool
    ask_at: datetime | None
    asks: int
    asked_at: datetime | None  #: database's clock
    retries: int
    given_up: str | None
    given_up_at: datetime | None
    value: Decimal
    last_reason: str | None  #: why the newest question gave no answer


_FEED = text("""
select count(*) as known,
  count(*) filter (where found_by = 'webhook') as found_by_webhook,
  count(*) filter (where found_by = 'following') as found_by_following,
  greatest(
    (select max(registered_at) from transactions where gateway = :gateway
     and origin <> 'webhook' and origin <> 'books'),
    (select max(imported_at) from imports where kind = 'transactions' and (gateway is null or gateway = :gateway))
  ) as told_at,
  (select max(received_at) from events where gateway = :gateway) as webhook_at,
  count(*) filter (where coalesce(created_at, registered_at) >= :today) as created_today
from transactions where gateway = :gateway
""")

_OPEN = text(f"""
select t.transaction_id, t.account, coalesce(t.created_at, t.registered_at) as created_at, t.expire_at, t.status,
  t.error_message, t.known, cardinality(t.absent_at) as absences, t.settled,
  exists (select from batches b where b.txn = t.txn) as batches, t.ask_at, t.asks, t.asked_at, t.retries,
  t.given_up, t.given_up_at, {VALUE} as value,
  case when t.retries > 0 then (
    select reason from attempts a where a.txn = t.txn and a.outcome = 'waiting' order by a.at desc limit 1
  ) end as last_reason
from transactions t where t.gateway = :gateway and t.found_by is null
order by coalesce(t.created_at, t.registered_at), t.txn
""")


def feed(connection: Connection, *, gateway: str, today: datetime) -> Feed:
    """Count the transactions of a gateway; `today` is the instant at which the IST day began."""
    return Feed(**connection.execute(_FEED, {"gateway": gateway, "today": today}).mappings().one())


def followed(connection: Connection, *, gateway: str) -> Iterator[Followed]:
    """Every transaction of that gateway that is not at its end, oldest first."""
    return (Followed(**row) for row in connection.execute(_OPEN, {"gateway": gateway}).mappings())
