"""Who may call the private API: keys with scopes, made, checked, rotated and revoked.

A key is `<id>.<secret>`. The secret is 256 random bits, so its SHA-256 can be kept: nobody can guess through
2^256 secrets however fast the hash is, and a slow hash on every call would only let strangers keep us busy.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection

from store import api_keys
from tieout.refusal import Refusal

SCOPES: Final = {
    "transactions:create": "create transactions through the Gateway",
    "transactions:register": "register transactions created elsewhere",
    "transactions:read": "read transactions",
    "tokens:mint": "get guest and connected tokens",
    "accounts:link": "link accounts to users by the token the SDK returned",
    "accounts:read": "read accounts and whose they are",
}
_FORM = re.compile(r"(?P<id>tk_[0-9a-f]{16})\.(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)
_CLIENT = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_NOBODY: Final = bytes(32)
_WHY: Final = {
    "not-yet": "the key is not valid yet",
    "expired": "the key has expired",
    "revoked": "the key was revoked",
}


class BadKeyRequestError(ValueError):
    """A key that cannot be made or changed; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, by which key, and what that key may do."""

    key_id: str
    client: str
    scopes: frozenset[str]
    gateways: frozenset[str]  #: empty: every one

    def require(self, scope: str) -> None:
        """Pass only with that scope. Raises `Refusal`: missing-scope."""
        if scope not in self.scopes:
            fix = f"make a key that has it: tieout keys create {self.client} --scope {scope}"
            raise Refusal("missing-scope", what="the call", why=f"the key {self.key_id} lacks {scope}", fix=fix)

    def require_gateway(self, gateway: str) -> None:
        """Pass only for a gateway of this key. Raises `Refusal`: not-this-gateway."""
        if self.gateways and gateway not in self.gateways:
            why = f"the key {self.key_id} is not for the gateway {gateway}"
            fix = f"name one of {', '.join(sorted(self.gateways))}, or use another key"
            raise Refusal("not-this-gateway", what="the call", why=why, fix=fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made. `token` is shown once and kept nowhere."""

    key_id: str
    client: str
    scopes: tuple[str, ...]
    not_after: datetime | None
    token: str = field(repr=False)


def let_in(connection: Connection, authorization: str | None) -> Caller:
    """Who calls, by the header `Authorization: Bearer <id>.<secret>`.

    An unknown id and a wrong secret get the same answer after the same work.
    Raises `Refusal`: no-key, bad-key, not-yet-key, expired-key, revoked-key.
    """
    form = _form(authorization)
    found = api_keys.find(connection, key_id=form["id"])
    given = sha256(form["secret"].encode()).digest()
    if not hmac.compare_digest(given, bytes(found.digest) if found else _NOBODY) or found is None:
        fix = "see `tieout keys list`; a secret that is lost is replaced with `tieout keys rotate`"
        raise Refusal("bad-key", what="the call", why="no such API key, or a wrong secret", fix=fix)
    if found.state != "valid":
        fix = "make a new one: tieout keys rotate, or tieout keys create"
        raise Refusal(f"{found.state}-key", what="the call", why=_WHY[found.state], fix=fix)
    api_keys.used(connection, key_id=found.key_id)
    scopes, gateways = frozenset(found.scopes), frozenset(found.gateways)
    return Caller(key_id=found.key_id, client=found.client, scopes=scopes, gateways=gateways)


def _form(authorization: str | None) -> re.Match[str]:
    scheme, _, token = (authorization or "").partition(" ")
    form = _FORM.fullmatch(token.strip()) if scheme.lower() == "bearer" else None
    if form is None:
        fix = "send the header `Authorization: Bearer <key id>.<secret>`; make a key with `tieout keys create`"
        why = "it has no API key" if not authorization else "its Authorization header holds no key of the right form"
        raise Refusal("no-key" if not authorization else "bad-key", what="the call", why=why, fix=fix)
    return form


def make(
    connection: Connection,
    *,
    client: str,
    scopes: Sequence[str],
    gateways: Sequence[str] = (),
    not_after: datetime | None = None,
) -> NewKey:
    """A new key beside any others of that client. Raises `BadKeyRequestError`."""
    if not _CLIENT.fullmatch(client):
        raise BadKeyRequestError("a client's name has letters, digits, ., - and _, at most 64: such as backend")
    if not scopes or (unknown := sorted(set(scopes) - SCOPES.keys())):
        said = f"no such scope: {', '.join(unknown)}" if scopes else "a key needs a scope"
        raise BadKeyRequestError(f"{said}; there are {', '.join(SCOPES)}")
    key_id, secret = f"tk_{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    wanted = tuple(sorted(set(scopes)))
    digest = sha256(secret.encode()).digest()
    api_keys.insert(
        connection,
        key_id=key_id,
        client=client,
        scopes=wanted,
        gateways=sorted(set(gateways)),
        digest=digest,
        not_after=not_after,
    )
    return NewKey(key_id=key_id, client=client, scopes=wanted, not_after=not_after, token=f"{key_id}.{secret}")


def rotate(connection: Connection, *, key_id: str, overlap: timedelta) -> tuple[NewKey, datetime]:
    """A new key in the place of that one, which stays valid for the overlap; the key, and when the old one ends.

    The client stays the same, and with it its idempotency keys. Raises `BadKeyRequestError`.
    """
    if (old := api_keys.find(connection, key_id=key_id)) is None:
        raise BadKeyRequestError(f"no key {key_id}: see `tieout keys list`")
    ends = api_keys.end(connection, key_id=key_id, overlap=overlap)
    if ends is None:
        raise BadKeyRequestError(f"{key_id} was revoked: make a new one with `tieout keys create {old.client}`")
    return make(connection, client=old.client, scopes=old.scopes, gateways=old.gateways), ends


def revoke(connection: Connection, *, key_id: str, why: str) -> None:
    """End the key at once, for good. Raises `BadKeyRequestError`."""
    if not api_keys.revoke(connection, key_id=key_id, why=why):
        raise BadKeyRequestError(f"no key {key_id} that is not revoked already: see `tieout keys list`")
