"""Who may ask the API: the API secret in one header, a token signed with the JWT secret in the other.

A simulated clock leaps: between making a token and using it, hours may pass on it. So a token is
expired if it ended before the day began, and good for the whole day otherwise.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime

import jwt
from jwt.types import Options

from simulator.signing import Secrets

_REMEMBERED = 1000
_OPTIONS: Options = {"require": ["exp"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}


class AccessError(Exception):
    """A question refused; the text is what the Gateway says."""


class Access:
    """Checks both headers; a token that was once good is remembered."""

    def __init__(self, secrets: Secrets, *, since: datetime) -> None:
        """Take the two secrets, which must differ, and the instant at which the day begins."""
        self._secrets, self._since = secrets, since.timestamp()
        self._good: dict[str, Mapping[str, object]] = {}

    def account(self, headers: Mapping[str, str]) -> str | None:
        """The smallcaseAuthId of a connected token, None of a guest's. Raises `AccessError`."""
        secret = headers.get("x-gateway-secret")
        if secret is None:
            raise AccessError("missing x-gateway-secret: invalid gateway")
        if not hmac.compare_digest(secret.encode(), self._secrets.api.encode()):
            raise AccessError("invalid gateway secret")
        claims = self._claims(headers.get("x-gateway-authtoken"))
        account = claims.get("smallcaseAuthId")
        return account if isinstance(account, str) else None

    def _claims(self, token: str | None) -> Mapping[str, object]:
        if not token:
            raise AccessError("missing x-gateway-authtoken: invalid jwt")
        if (known := self._good.get(token)) is not None:
            return known
        claims = self._decoded(token)
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[token] = claims
        return claims

    def _decoded(self, token: str) -> Mapping[str, object]:
        try:
            claims: Mapping[str, object] = jwt.decode(token, self._secrets.jwt, algorithms=["HS256"], options=_OPTIONS)
        except jwt.MissingRequiredClaimError:
            raise AccessError("invalid jwt: no exp") from None
        except jwt.InvalidTokenError as error:
            raise AccessError(f"invalid jwt: {error}") from None
        self._check(claims)
        return claims

    def _check(self, claims: Mapping[str, object]) -> None:
        expires_at = claims["exp"]
        if isinstance(expires_at, bool) or not isinstance(expires_at, int | float):
            raise AccessError("invalid jwt: exp is no number")
        if expires_at <= self._since:
            raise AccessError("jwt expired")
        if claims.get("guest") is not True and not isinstance(claims.get("smallcaseAuthId"), str):
            raise AccessError("invalid jwt: neither guest nor smallcaseAuthId")
