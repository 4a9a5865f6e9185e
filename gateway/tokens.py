"""JSON Web Tokens: made for each call, short-lived; those the SDK returns are checked here. HS256 only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import jwt
from jwt import PyJWS
from jwt.algorithms import HMACAlgorithm

from config.keys import Key

LIFETIME: Final = timedelta(minutes=15)
MAX_TOKEN: Final = 4096
_ALGORITHM: Final = "HS256"


class BadTokenError(Exception):
    """A token that proves nothing; `reason` is one word for it, the text says what is wrong."""

    def __init__(self, reason: str, words: str) -> None:
        """Name the reason."""
        super().__init__(words)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """Whose token it is, and which of our keys verified it."""

    account: str
    key_id: str
    expires_at: int  #: epoch seconds


def guest_token(key: Key, *, now: datetime) -> str:
    """A guest token of that JWT secret, good for a quarter of an hour."""
    return _made({"guest": True}, key, now)


def connected_token(key: Key, account: str, *, now: datetime) -> str:
    """A token for one connected account (smallcaseAuthId), good for a quarter of an hour."""
    return _made({"smallcaseAuthId": account}, key, now)


def read_token(token: str, keys: Sequence[Key], *, now: datetime) -> Connected:
    """Whose token the SDK returned, by the keys valid now.

    Raises `BadTokenError`: malformed, not-ours, no-expiry, expired, guest, no-account.
    """
    claims, key = _verified(token, keys, now)
    expires_at = claims.get("exp")
    if isinstance(expires_at, bool) or not isinstance(expires_at, int):
        raise BadTokenError("no-expiry", "the token has no expiry: it would be good for ever")
    if expires_at <= now.timestamp():
        raise BadTokenError("expired", "the token has expired: have the SDK return a new one")
    if claims.get("guest"):
        raise BadTokenError("guest", "a guest's token names no account")
    account = claims.get("smallcaseAuthId")
    if not isinstance(account, str) or not account:
        raise BadTokenError("no-account", "the token has no smallcaseAuthId")
    return Connected(account=account, key_id=key.key_id, expires_at=expires_at)


class _GivenKey(HMACAlgorithm):
    """HS256 with a key that the Gateway gives: its length is not ours to choose, so not ours to warn of."""

    def check_key_length(self, key: bytes) -> str | None:  # noqa: ARG002
        """No word about it."""
        return None


_JWS: Final = PyJWS(algorithms=[])
_JWS.register_algorithm(_ALGORITHM, _GivenKey(HMACAlgorithm.SHA256))


def _made(claims: dict[str, object], key: Key, now: datetime) -> str:
    lives = {"iat": int(now.timestamp()), "exp": int((now + LIFETIME).timestamp())}
    payload = json.dumps({**claims, **lives}, separators=(",", ":")).encode()
    return _JWS.encode(payload, key.secret, algorithm=_ALGORITHM)


def _verified(token: str, keys: Sequence[Key], now: datetime) -> tuple[Mapping[str, object], Key]:
    """The claims and the key that signed them. Their times are for the caller to judge."""
    if len(token) > MAX_TOKEN:
        raise BadTokenError("malformed", f"the token is longer than {MAX_TOKEN} characters")
    for key in keys:
        if not key.valid_at(now):
            continue
        try:
            return _claims(_JWS.decode(token, key.secret, algorithms=[_ALGORITHM])), key
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError as error:
            raise BadTokenError("malformed", f"the token is not an HS256 JWT: {type(error).__name__}") from None
    raise BadTokenError("not-ours", "no key valid now signed the token: is it the JWT secret, not the API secret?")


def _claims(payload: bytes) -> Mapping[str, object]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        raise jwt.DecodeError("no JSON") from None
    if not isinstance(claims, dict):
        raise jwt.DecodeError("no object")
    return claims
