"""Webhook bodies, signed as the Gateway documents it: HMAC-SHA256 over timestamp and smallcaseAuthId.

Those of a mutual-fund import are signed over timestamp and transactionId.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass

from simulator.day import instant_text
from simulator.letters import Letter
from simulator.orders import Json
from simulator.story import Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The gateway's two secrets; the API secret signs webhooks, the JWT secret never does."""

    jwt: str
    api: str


def checksum(secret: str, timestamp: str, identity: str) -> str:
    """Lower-case hex over the two texts, joined by nothing."""
    return _over(secret, timestamp + identity)


def webhook_body(post: Post, secrets: Secrets) -> bytes:
    """The bytes of that webhook."""
    timestamp = instant_text(post.signed_at)
    body: Json = {
        "transactionId": post.transaction_id,
        "smallcaseAuthId": post.account,
        **post.batch.said(),
        "timestamp": timestamp,
    }
    signs = post.batch.signs if isinstance(post.batch, Letter) else "smallcaseAuthId"
    if (sign := _checksum(post, timestamp + str(body[signs]), secrets)) is not None:
        body["checksum"] = sign
    return json.dumps(body, separators=(",", ":")).encode()


def _over(secret: str, message: str) -> str:
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


def _checksum(post: Post, message: str, secrets: Secrets) -> str | None:
    match post.checksum:
        case "right":
            return _over(secrets.api, message)
        case "other-secret":
            return _over(secrets.jwt, message)
        case "random":
            return hashlib.sha256(post.transaction_id.encode()).hexdigest()
        case _:
            return None
