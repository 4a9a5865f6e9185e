"""JSON Web Tokens: made for each call, short-lived; those the SDK returns are checked here. HS256 only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import jwt
from jwt import PyJWS
from jwt.algorithms import HMACAlgorithm

from config.keys import Key

LIFETIME: Final = timedelta(minutes=15)
MAX_TOKEN: Final = 4096
ACCOUNT: Final = re.compile(r"[0-9a-f]{24}", re.ASCII)  #: a smallcaseAuthId; one spelling, so that none has two owners
_ALGORITHM: Final = "HS256"

#: Why a token proves nothing, in the words a person can act on.
REASONS: Final = {
    "malformed": "it is no JSON Web Token: send the smallcaseAuthToken as the SDK returned it",
    "alg-none": "it is not signed at all (alg none): anybody could have written it",
    "alg-other": "it is not signed with HS256, the one algorithm that counts",
    "crossed-keys": "the API secret signed it, not the JWT secret: the two keys are crossed, here or where it was made",
    "other-gateway": "the secret of another gateway signed it: name that gateway, or use this one's SDK configuration",
    "retired-key": "a JWT secret that is not valid now signed it: see the windows in TIEOUT_GATEWAY_SECRETS",
    "bad-signature": "no secret of ours signed it: it is forged, or the JWT secret here is not the Gateway's",
    "no-expiry": "it has no expiry: it would be good for ever",
    "expired": "it has expired: have the SDK return a new one",
    "guest": "a guest's token names no account: have the user connect a broker first",
    "no-account": "its smallcaseAuthId is not 24 lower-case hex digits, or is missing",
}


class BadTokenError(Exception):
    """A token that proves nothing; `reason` is one of `REASONS`, the text says what is wrong."""

    def __init__(self, reason: str) -> None:
        """Name the reason."""
        super().__init__(REASONS[reason])
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """Whose token it is, and which of our keys verified it."""

    account: str
    key_id: str
    expires_at: int  #: epoch seconds


def guest_token(key: Key, *, now: datetime, lifetime: timedelta = LIFETIME) -> str:
    """A guest token of that JWT secret, good for a quarter of an hour unless told otherwise."""
    return _made({"guest": True}, key, now, lifetime)


def connected_token(key: Key, account: str, *, now: datetime, lifetime: timedelta = LIFETIME) -> str:
    """A token for one connected account (smallcaseAuthId), good for a quarter of an hour unless told otherwise."""
    return _made({"smallcaseAuthId": account}, key, now, lifetime)


def read_token(
    token: str, keys: Sequence[Key], *, now: datetime, api_keys: Sequence[Key] = (), elsewhere: Sequence[Key] = ()
) -> Connected:
    """Whose token the SDK returned, by the keys valid now.

    `api_keys` and `elsewhere` (other gateways' JWT secrets) verify nothing: they only tell why it failed.
    Raises `BadTokenError` with one of `REASONS`.
    """
    _check_algorithm(token)
    key = _signed_by(token, [key for key in keys if key.valid_at(now)])
    if key is None:
        raise BadTokenError(_why_unsigned(token, keys, api_keys, elsewhere))
    claims = _claims(token, key)
    expires_at = claims.get("exp")
    if isinstance(expires_at, bool) or not isinstance(expires_at, int):
        raise BadTokenError("no-expiry")
    if expires_at <= now.timestamp():
        raise BadTokenError("expired")
    if claims.get("guest"):
        raise BadTokenError("guest")
    account = claims.get("smallcaseAuthId")
    if not isinstance(account, str) or not ACCOUNT.fullmatch(account):
        raise BadTokenError("no-account")
    return Connected(account=account, key_id=key.key_id, expires_at=expires_at)


class _GivenKey(HMACAlgorithm):
    """HS256 with a key that the Gateway gives: its length is not ours to choose, so not ours to warn of."""

    def check_key_length(self, key: bytes) -> str | None:  # noqa: ARG002
        """No word about it."""
        return None


_JWS: Final = PyJWS(algorithms=[])
_JWS.register_algorithm(_ALGORITHM, _GivenKey(HMACAlgorithm.SHA256))


def _made(claims: dict[str, object], key: Key, now: datetime, lifetime: timedelta) -> str:
    lives = {"iat": int(now.timestamp()), "exp": int((now + lifetime).timestamp())}
    payload = json.dumps({**claims, **lives}, separators=(",", ":")).encode()
    return _JWS.encode(payload, key.secret, algorithm=_ALGORITHM)


def _check_algorithm(token: str) -> None:
    """Refuse what is no token, and what names another algorithm, before any key is tried."""
    if len(token) > MAX_TOKEN or not token.isascii():
        raise BadTokenError("malformed")
    try:
        algorithm = _JWS.get_unverified_header(token).get("alg")
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise BadTokenError("malformed") from None
    if algorithm != _ALGORITHM:
        raise BadTokenError("alg-none" if str(algorithm).lower() == "none" else "alg-other")


def _signed_by(token: str, keys: Iterable[Key]) -> Key | None:
    """The first of these keys that signed the token."""
    for key in keys:
        try:
            _JWS.decode(token, key.secret, algorithms=[_ALGORITHM])
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise BadTokenError("malformed") from None
        return key
    return None


def _why_unsigned(token: str, keys: Iterable[Key], api_keys: Iterable[Key], elsewhere: Iterable[Key]) -> str:
    if _signed_by(token, keys):
        return "retired-key"
    if _signed_by(token, api_keys):
        return "crossed-keys"
    return "other-gateway" if _signed_by(token, elsewhere) else "bad-signature"


def _claims(token: str, key: Key) -> Mapping[str, object]:
    try:
        claims = json.loads(_JWS.decode(token, key.secret, algorithms=[_ALGORITHM]))
    except (ValueError, RecursionError):
        raise BadTokenError("malformed") from None
    if not isinstance(claims, dict):
        raise BadTokenError("malformed")
    return claims
