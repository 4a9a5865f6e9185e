"""Creating a transaction: the one call that must not be repeated by itself, so each failure says whether it was sent.

A connection of its own for each call: an old one that the other side had closed would leave it open
whether the request was read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError, NewConnectionError, ProxyError
from urllib3.exceptions import SSLError as TLSError

from config.clock import Clock, since_start
from config.settings import Gateway
from gateway.client import (
    CONNECT,
    GatewayBusy,
    GatewayError,
    GatewayOurs,
    Reply,
    first_valid,
    read_whole,
    retry_after,
    session_to,
)
from gateway.deadline import until
from gateway.fields import Nonsense, WireError, as_object, instant, read_object, text
from gateway.wire import error_words, says_ours

LIFESPAN: Final = timedelta(minutes=5)  #: of a transaction whose expiry is not said
LONGEST_ID: Final = 128  #: of a transactionId; documented ones have 36 characters
_NOT_SENT = (ConnectTimeoutError, NameResolutionError, NewConnectionError, ProxyError, TLSError)
_TOO_MANY: Final = 429
_REFUSED: Final = frozenset({400, 404, 405, 406, 409, 410, 413, 414, 415, 422})
_OURS: Final = frozenset({401, 403})
_OPEN: Final = re.compile(r"internal|timed?[\s_-]*out|in[\s_-]*(queue|process)", re.IGNORECASE)


class NotCreatedError(GatewayError):
    """It certainly was not created, and may be tried again: nothing was sent, or it was turned away unread."""

    kind = "busy"


class RejectedError(GatewayError):
    """The Gateway read it and refused it: the same body will be refused again."""

    kind = "refused"


class LostError(GatewayError):
    """It was sent and the answer does not tell whether it was created."""

    kind = "unclear"

    def __init__(self, words: str, *, http_status: int | None = None) -> None:
        """Say what came, and with which status, if any did."""
        super().__init__(words)
        self.http_status = http_status


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What the Gateway created; `expire_at` is told, or creation and five minutes."""

    transaction_id: str
    expire_at: datetime
    http_status: int


def ask_creation(gateway: Gateway, body: bytes, *, token: str, deadline: timedelta, wall: Clock) -> Reply:
    """Send the creation, once. Raises `NotCreatedError`, `GatewayOurs` or `LostError`."""
    begun = since_start()
    url = f"{gateway.url}/gateway/{quote(gateway.name, safe='')}/transaction"
    headers = _headers(gateway, token, wall.now())
    try:
        with (
            until(begun + deadline),
            session_to(gateway.url) as session,
            session.post(
                url,
                data=body,
                headers=headers,
                timeout=(min(CONNECT, deadline).total_seconds(), deadline.total_seconds()),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            answer = read_whole(response, begun + deadline)
            took_ms = (since_start() - begun) // timedelta(milliseconds=1)
            pause = retry_after(response.headers.get("Retry-After"), wall.now())
            return Reply(http_status=response.status_code, body=answer, took_ms=took_ms, retry_after=pause)
    except requests.RequestException as error:
        raise _failed(error) from None
    except (GatewayBusy, Nonsense) as error:
        raise LostError(str(error)) from None


def created_by(reply: Reply, *, asked_at: datetime) -> Created:
    """The transaction in a reply; `asked_at` is the domain's instant of asking.

    Raises `GatewayOurs`, `NotCreatedError`, `RejectedError` or `LostError`.
    """
    status = reply.http_status
    words = error_words(reply.body)
    if status in _OURS or (status in _REFUSED and says_ours(words)):
        raise GatewayOurs(f"HTTP {status}: the Gateway refuses our keys, our token or the gateway's name")
    if status == _TOO_MANY:
        raise NotCreatedError("HTTP 429: the Gateway takes no more at the moment", retry_after=reply.retry_after)
    if status in _REFUSED:
        raise RejectedError(f"HTTP {status}{f': {words}' if words else ''}")
    if not requests.codes.ok <= status < requests.codes.multiple_choices:
        raise LostError(f"HTTP {status}", http_status=status)
    try:
        return _created(reply, asked_at)
    except (WireError, ValueError) as error:
        raise LostError(f"HTTP {status}, {error}", http_status=status) from None


def _created(reply: Reply, asked_at: datetime) -> Created:
    document = read_object(reply.body)
    words = error_words(reply.body)
    if document.get("success") is False:
        if says_ours(words):
            raise GatewayOurs("the Gateway refuses our keys, our token or the gateway's name")
        if words and not _OPEN.search(words):
            raise RejectedError(words)
    data = as_object(document.get("data"), "data")
    transaction_id = text(data, "transactionId")
    if not transaction_id or len(transaction_id) > LONGEST_ID or not transaction_id.isprintable():
        raise Nonsense("the answer names no transactionId that can be one")
    expire_at = instant(data, "expireAt") or (asked_at + LIFESPAN)
    return Created(transaction_id=transaction_id, expire_at=expire_at, http_status=reply.http_status)


def _headers(gateway: Gateway, token: str, now: datetime) -> dict[str, str | bytes]:
    secret = first_valid(gateway.api_secrets, now, "TIEOUT_GATEWAY_API_SECRETS").secret
    return {
        "x-gateway-secret": secret,
        "x-gateway-authtoken": token,
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Connection": "close",
    }


def _failed(error: requests.RequestException) -> GatewayError:
    """Whether a failed call had been sent: only what failed before the request left was not."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(error, requests.ConnectTimeout) or isinstance(reason, _NOT_SENT):
        return NotCreatedError(f"the Gateway cannot be reached: {type(reason or error).__name__}")
    return LostError(f"no answer: {type(error).__name__}")
