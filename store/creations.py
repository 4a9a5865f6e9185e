"""Creations: one row for each time the Gateway was asked to create, by the caller's idempotency key.

At most one of a key stands: asked for, created or refused. One whose answer was lost stands no more, so the
same key may create anew. Leases are by the database's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

_FORGET = text("""
update creations set state = 'unclear', reason = 'nobody answered', ended_at = clock_timestamp()
where client = :client and idempotency_key = :key and state = 'asking' and lease_until < clock_timestamp()
""")
_OTHER = text("""
select exists (
  select from creations where client = :client and idempotency_key = :key and digest <> :digest and state <> 'failed'
)
""")
_BEGIN = text("""
insert into creations (client, idempotency_key, digest, gateway, user_ref, intent, lease_until)
values (:client, :key, :digest, :gateway, :user_ref, :intent, clock_timestamp() + :lease)
on conflict (client, idempotency_key) where state in ('asking', 'created', 'refused') do nothing
returning creation_id
""")
_STANDING = text("""
select creation_id, digest, state, answer_status, answer, lease_until - clock_timestamp() as left
from creations
where client = :client and idempotency_key = :key and state in ('asking', 'created', 'refused')
""")
_TOKEN = text("update creations set account = :account where creation_id = :creation_id")
_END = text("""
update creations
set state = :state, reason = :reason, http_status = :http_status, transaction_id = :transaction_id,
    answer_status = :answer_status, answer = :answer, ended_at = clock_timestamp()
where creation_id = :creation_id
  and (state = 'asking' or (state = 'created' and transaction_id = :transaction_id))
""").bindparams(bindparam("answer", type_=JSONB(none_as_null=True)))
_LATE = text("""
update creations set transaction_id = :transaction_id, reason = 'answered too late'
where creation_id = :creation_id and state = 'unclear'
""")
_LATELY = text("""
select state, count(*) as n from creations where began_at > clock_timestamp() - cast(:since as interval) group by state
""")


def begin(
    connection: Connection,
    *,
    client: str,
    key: str,
    digest: bytes,
    gateway: str,
    user_ref: str | None,
    intent: str,
    lease: timedelta,
) -> int | None:
    """The id of a new creation, None if one of that key stands.

    One that was asked for and whose lease ended is unclear from now on.
    """
    named = {"client": client, "key": key}
    connection.execute(_FORGET, named)
    about = {"digest": digest, "gateway": gateway, "user_ref": user_ref, "intent": intent, "lease": lease}
    begun: int | None = connection.execute(_BEGIN, {**named, **about}).scalar_one_or_none()
    return begun


def is_other(connection: Connection, *, client: str, key: str, digest: bytes) -> bool:
    """Whether the key was used for another request."""
    return bool(connection.execute(_OTHER, {"client": client, "key": key, "digest": digest}).scalar_one())


def standing(connection: Connection, *, client: str, key: str) -> Row[Any] | None:
    """The creation of that key that stands, None if it has just ceased to."""
    return connection.execute(_STANDING, {"client": client, "key": key}).one_or_none()


def with_account(connection: Connection, *, creation_id: int, account: str) -> None:
    """Note with whose connected token it is asked for."""
    connection.execute(_TOKEN, {"creation_id": creation_id, "account": account})


def end(
    connection: Connection,
    *,
    creation_id: int,
    state: str,
    reason: str | None = None,
    http_status: int | None = None,
    transaction_id: str | None = None,
    answer_status: int | None = None,
    answer: Mapping[str, object] | None = None,
) -> bool:
    """Write what became of it; False if it was given up as unclear meanwhile. Saying the same twice does no harm."""
    named = {
        "creation_id": creation_id,
        "state": state,
        "reason": reason and reason[:500],
        "http_status": http_status,
        "transaction_id": transaction_id,
        "answer_status": answer_status,
        "answer": answer,
    }
    return connection.execute(_END, named).rowcount == 1


def came_late(connection: Connection, *, creation_id: int, transaction_id: str) -> None:
    """Keep an id that came after the creation was given up; it was handed to nobody."""
    connection.execute(_LATE, {"creation_id": creation_id, "transaction_id": transaction_id})


def lately(connection: Connection, *, since: timedelta) -> dict[str, int]:
    """How many creations of that span ended how, by state."""
    return {row.state: row.n for row in connection.execute(_LATELY, {"since": since})}
