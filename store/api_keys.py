"""API keys: who may call, for what, and until when. Validity is by the database's clock; secrets are not here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

_STANDS = """
case when revoked_at is not null then 'revoked'
     when not_before > clock_timestamp() then 'not-yet'
     when not_after <= clock_timestamp() then 'expired'
     else 'valid' end as state
"""
_INSERT = text("""
insert into api_keys (key_id, client, scopes, gateways, digest, not_after)
values (:key_id, :client, :scopes, :gateways, :digest, :not_after)
""")
_FIND = text(
    f"select key_id, client, scopes, gateways, digest, not_after, {_STANDS} from api_keys where key_id = :key_id"
)
_USED = text("""
update api_keys set used_at = date_trunc('minute', clock_timestamp())
where key_id = :key_id and (used_at is null or used_at < date_trunc('minute', clock_timestamp()))
""")
_END = text("""
update api_keys set not_after = least(not_after, clock_timestamp() + :overlap)
where key_id = :key_id and revoked_at is null returning not_after
""")
_REVOKE = text("""
update api_keys set revoked_at = clock_timestamp(), revoked_why = :why
where key_id = :key_id and revoked_at is null
""")
_ALL = text(f"""
select key_id, client, {_STANDS}, scopes, gateways, encode(substring(digest for 4), 'hex') as fingerprint,
  created_at, not_before, not_after, used_at, revoked_at, revoked_why
from api_keys order by client, created_at, key_id
""")


def insert(
    connection: Connection,
    *,
    key_id: str,
    client: str,
    scopes: Sequence[str],
    gateways: Sequence[str],
    digest: bytes,
    not_after: datetime | None,
) -> None:
    """Keep a key by the digest of its secret, valid from now on."""
    named = {"key_id": key_id, "client": client, "scopes": list(scopes), "gateways": list(gateways)}
    connection.execute(_INSERT, {**named, "digest": digest, "not_after": not_after})


def find(connection: Connection, *, key_id: str) -> Row[Any] | None:
    """The key with its digest and `state`: valid, not-yet, expired or revoked."""
    return connection.execute(_FIND, {"key_id": key_id}).one_or_none()


def used(connection: Connection, *, key_id: str) -> None:
    """Note that the key was used this minute; written once a minute."""
    connection.execute(_USED, {"key_id": key_id})


def end(connection: Connection, *, key_id: str, overlap: timedelta) -> datetime | None:
    """Let the key end after that time, never later than it would have; when, None if it is revoked or unknown."""
    ends: datetime | None = connection.execute(_END, {"key_id": key_id, "overlap": overlap}).scalar_one_or_none()
    return ends


def revoke(connection: Connection, *, key_id: str, why: str) -> bool:
    """End the key at once; False if it is unknown or was revoked already."""
    return connection.execute(_REVOKE, {"key_id": key_id, "why": why}).rowcount == 1


def listing(connection: Connection) -> list[Row[Any]]:
    """All keys by client; of each secret no more than the beginning of its digest."""
    return list(connection.execute(_ALL))
