"""Who may ask the API: the API secret in one header, a token signed with the JWT secret in the other."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping

import jwt

from simulator.signing import Secrets

_REMEMBERED = 1000


class AccessError(Exception):
    """A question refused; the text is what the Gateway says."""


class Access:
    """Checks both headers. A token that was once good is remembered until it expires."""

    def __init__(self, secrets: Secrets) -> None:
        """Take the two secrets, which must differ."""
        self._secrets = secrets
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
        known = self._good.get(token)
        if known and isinstance(known["exp"], int | float) and known["exp"] > time.time():
            return known
        claims = self._decoded(token)
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[token] = claims
        return claims

    def _decoded(self, token: str) -> Mapping[str, object]:
        try:
            claims: Mapping[str, object] = jwt.decode(
                token, self._secrets.jwt, algorithms=["HS256"], options={"require": ["exp"]}
            )
        except jwt.ExpiredSignatureError:
            raise AccessError("jwt expired") from None
        except jwt.MissingRequiredClaimError:
            raise AccessError("invalid jwt: no exp") from None
        except jwt.InvalidTokenError as error:
            raise AccessError(f"invalid jwt: {error}") from None
        if claims.get("guest") is not True and not isinstance(claims.get("smallcaseAuthId"), str):
            raise AccessError("invalid jwt: neither guest nor smallcaseAuthId")
        return claims
