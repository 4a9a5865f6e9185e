"""Webhook bodies, signed as the Gateway documents it: HMAC-SHA256 over timestamp and smallcaseAuthId.

Those of a mutual-fund import are signed over timestamp and transactionId.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from simulator.day import instant_text
from simulator.letters import Letter
from simulator.orders import Json
from simulator.story import Post


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The gateway's two secrets; the API secret signs webhooks, the JWT secret never does."""

    jwt: str
    api: str


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = re.compile(r'(?<=")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z(?=")')


def skewed(text: str, skew: timedelta) -> str:
    """JSON with every instant in it so much later."""
    return _INSTANT.sub(lambda found: instant_text(datetime.fromisoformat(found[0]) + skew), text)


def checksum(secret: str, timestamp: str, identity: str) -> str:
    """Lower-case hex over the two texts, joined by nothing."""
    return _over(secret, timestamp + identity)


def webhook_body(post: Post, secrets: Secrets, *, skew: timedelta = timedelta(0), epoch: bool = False) -> bytes:
    """The bytes of that webhook, by a clock that is so much ahead; `epoch`: stamped in milliseconds, a number."""
    said: Json = {"transactionId": post.transaction_id, "smallcaseAuthId": post.account, **post.batch.said()}
    if not post.account:
        del said["smallcaseAuthId"]
    if skew:
        said = json.loads(skewed(json.dumps(said), skew))
    stamped = post.signed_at + skew
    millis = (stamped - _EPOCH) // timedelta(milliseconds=1)
    timestamp = str(millis) if epoch else instant_text(stamped)
    body: Json = {**said, "timestamp": millis if epoch else timestamp}
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
