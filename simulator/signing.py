"""Webhook bodies, signed as the Gateway documents it: HMAC-SHA256 over timestamp and smallcaseAuthId."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass

from simulator.day import instant_text
from simulator.orders import Json
from simulator.story import Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The gateway's two secrets; the API secret signs webhooks, the JWT secret never does."""

    jwt: str
    api: str


def checksum(secret: str, timestamp: str, identity: str) -> str:
    """Lower-case hex over the two texts, joined by nothing."""
    return hmac.new(secret.encode(), (timestamp + identity).encode(), hashlib.sha256).hexdigest()


def webhook_body(post: Post, secrets: Secrets) -> bytes:
    """The bytes of that webhook."""
    timestamp = instant_text(post.signed_at)
    body: Json = {
        "transactionId": post.transaction_id,
        "smallcaseAuthId": post.account,
        **post.batch.said(),
        "timestamp": timestamp,
    }
    if (sign := _checksum(post, timestamp, secrets)) is not None:
        body["checksum"] = sign
    return json.dumps(body, separators=(",", ":")).encode()


def _checksum(post: Post, timestamp: str, secrets: Secrets) -> str | None:
    match post.checksum:
        case "right":
            return checksum(secrets.api, timestamp, post.account)
        case "other-secret":
            return checksum(secrets.jwt, timestamp, post.account)
        case "random":
            return hashlib.sha256(post.transaction_id.encode()).hexdigest()
        case _:
            return None
