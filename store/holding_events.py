"""Webhooks about holdings: what they name, and the mutual-fund ones one by one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

_NAMED = text("""
select distinct transaction_id from events
where gateway = :gateway and account = :account and family = 'holdings' and transaction_id is not null
  and state in ('received', 'waiting', 'claimed') order by transaction_id
""")

#: What a webhook said is compared with the answers that follow; the first may say that it is being updated.
_RAISE = text("""
with told as (
  select t.txn from transactions t
  where (t.gateway, t.transaction_id) in (
    select gateway, transaction_id from events
    where gateway = :gateway and account = :account and family = 'holdings' and transaction_id is not null
      and stored_at > clock_timestamp() - interval '2 days')
  order by t.txn for no key update
)
update transactions t set rev = t.rev + 1, quiet = false from told where t.txn = told.txn
""")

_TAKE = text("""
select event_id, gateway, book, account, transaction_id, received_at, stored_at,
       (select body from deliveries d where d.event_id = e.event_id order by d.delivery_id limit 1) as body
from events e
where event_id = :event and family = 'mf-holdings' and state in ('received', 'waiting', 'claimed')
for update
""")

_DONE = text("""
update events set state = 'done', reason = null, next_attempt_at = null, attempts = attempts + 1,
  done_at = clock_timestamp()
where event_id = :event
""")

_PARK = text("""
update events set state = 'parked', reason = :reason, next_attempt_at = null, attempts = attempts + 1
where event_id = :event
""")

_OWNER = text("""
select account from transactions where gateway = :gateway and transaction_id = :transaction_id
""")


def transactions_named(connection: Connection, *, gateway: str, account: str) -> list[str]:
    """The transactions that the account's open holdings webhooks name."""
    return list(connection.execute(_NAMED, {"gateway": gateway, "account": account}).scalars())


def raise_told(connection: Connection, *, gateway: str, account: str) -> None:
    """Have the transactions judged again that the account's holdings webhooks of the last two days name."""
    connection.execute(_RAISE, {"gateway": gateway, "account": account})


def take(connection: Connection, event_id: UUID) -> Row[Any] | None:
    """An open mutual-fund webhook with its body, locked until the end; None if there is nothing to do."""
    return connection.execute(_TAKE, {"event": event_id}).one_or_none()


def done(connection: Connection, event_id: UUID) -> None:
    """Its content is kept."""
    connection.execute(_DONE, {"event": event_id})


def park(connection: Connection, event_id: UUID, *, reason: str) -> None:
    """It cannot be read: people decide."""
    connection.execute(_PARK, {"event": event_id, "reason": reason})


def owner(connection: Connection, *, gateway: str, transaction_id: str) -> str | None:
    """The account that the transaction is of, as far as the API said."""
    named = {"gateway": gateway, "transaction_id": transaction_id}
    found: str | None = connection.execute(_OWNER, named).scalar_one_or_none()
    return found
