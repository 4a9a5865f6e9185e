"""Who may ask the API: the API secret in one header, a token signed with the JWT secret in the other.

A simulated clock leaps: between making a token and using it, hours may pass on it. So a token is
expired if it ended before the day began, and good for the whole day otherwise.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping, Sequence
from datetime import datetime

import jwt
from jwt.types import Options

from simulator.keyring import Keyring
from simulator.signing import Secrets

_REMEMBERED = 1000
_TOKEN_S = 3600
_OPTIONS: Options = {"require": ["exp"], "verify_exp": False, "verify_iat": False, "verify_nbf": False}


class AccessError(Exception):
    """A question refused; the text is what the Gateway says."""


class Access:
    """Checks both headers; a token that was once good with a secret is remembered."""

    def __init__(self, secrets: Secrets | Keyring, *, since: datetime) -> None:
        """Take the secrets, and the instant at which the day begins."""
        self.keyring = secrets if isinstance(secrets, Keyring) else Keyring(secrets)
        self._since = since.timestamp()
        self._good: dict[tuple[str, str], Mapping[str, object]] = {}
        self._given: dict[tuple[str, str], tuple[int, str]] = {}

    def account(self, headers: Mapping[str, str], now: datetime | None = None) -> str | None:
        """The smallcaseAuthId of a connected token, None of a guest's. Raises `AccessError`.

        After a rotation each header is checked by itself: old and new ones may be mixed while both are good.
        """
        taken = self.keyring.taken(now) if now else [self.keyring.current]
        secret = headers.get("x-gateway-secret")
        if secret is None:
            raise AccessError("missing x-gateway-secret: invalid gateway")
        if not any(hmac.compare_digest(secret.encode(), each.api.encode()) for each in taken):
            raise AccessError("invalid gateway secret")
        claims = self._claims(headers.get("x-gateway-authtoken"), [each.jwt for each in taken])
        account = claims.get("smallcaseAuthId")
        return account if isinstance(account, str) else None

    def person_token(self, account: str) -> str:
        """The token that the SDK gives to a person's client: good for an hour, by the wall's clock.

        The same one for half of that, so that the same answer is the same to the byte.
        """
        now, secret = int(time.time()), self.keyring.current.jwt
        made_at, token = self._given.get((account, secret), (0, ""))
        if now - made_at >= _TOKEN_S // 2:
            claims = {"smallcaseAuthId": account, "iat": now, "exp": now + _TOKEN_S}
            token = jwt.encode(claims, secret, algorithm="HS256")
            self._given[account, secret] = now, token
        return token

    def _claims(self, token: str | None, secrets: Sequence[str]) -> Mapping[str, object]:
        if not token:
            raise AccessError("missing x-gateway-authtoken: invalid jwt")
        for secret in secrets:
            if (known := self._good.get((token, secret))) is not None:
                return known
        return self._decoded(token, secrets)

    def _decoded(self, token: str, secrets: Sequence[str]) -> Mapping[str, object]:
        problem: Exception | None = None
        for secret in secrets:
            try:
                claims: Mapping[str, object] = jwt.decode(token, secret, algorithms=["HS256"], options=_OPTIONS)
            except jwt.MissingRequiredClaimError:
                raise AccessError("invalid jwt: no exp") from None
            except jwt.InvalidTokenError as error:
                problem = problem or error
                continue
            self._check(claims)
            if len(self._good) >= _REMEMBERED:
                self._good.clear()
            self._good[token, secret] = claims
            return claims
        raise AccessError(f"invalid jwt: {problem}") from None

    def _check(self, claims: Mapping[str, object]) -> None:
        expires_at = claims["exp"]
        if isinstance(expires_at, bool) or not isinstance(expires_at, int | float):
            raise AccessError("invalid jwt: exp is no number")
        if expires_at <= self._since:
            raise AccessError("jwt expired")
        if claims.get("guest") is not True and not isinstance(claims.get("smallcaseAuthId"), str):
            raise AccessError("invalid jwt: neither guest nor smallcaseAuthId")
