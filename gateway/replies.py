"""What came back from the Gateway: an answer, or an error whose `kind` is what `inbox.decide` goes by.

No error or repr holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import requests

from gateway.fields import Nonsense
from gateway.wire import (
    EmptyAnswer,
    KeysRefused,
    NoSuchTransaction,
    error_words,
    read_details,
    read_orders,
    says_absent,
    says_ours,
)
from recon.values import Answer, Batch

MAX_RETRY_AFTER: Final = timedelta(hours=1)
TOO_MANY: Final = timedelta(seconds=2)  #: the pause after a 429 that names none
_BUSY: Final = frozenset({408, 425, 429})
_OURS: Final = frozenset({401, 403})
_SLOWER: Final = frozenset({429, 503})


class GatewayError(Exception):
    """A call that gave no answer. `kind` says what to do; the text is safe to show."""

    kind = "busy"

    def __init__(self, words: str, *, retry_after: timedelta | None = None) -> None:
        """Say what happened."""
        super().__init__(words)
        self.retry_after = retry_after


class GatewayBusy(GatewayError):  # noqa: N818 its name says what to do
    """Ask again later: it is overloaded, failing or too slow."""


class GatewayNoTurn(GatewayBusy):
    """It was not asked: our own limit, or the pause it asked for, lets no call out just now."""

    kind = "no-turn"


class GatewayOurs(GatewayError):  # noqa: N818
    """Our fault, for every call: wrong keys, wrong gateway, wrong address. Stop, tell people."""

    kind = "ours"


class GatewayRefused(GatewayError):  # noqa: N818
    """It will never answer this question: do not ask again."""

    kind = "refused"


class GatewayUnclear(GatewayError):  # noqa: N818
    """It answered and left open what happened: ask again before concluding anything."""

    kind = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: the status, the body as it came, the pause it asked for."""

    http_status: int
    body: bytes = field(repr=False)
    took_ms: int
    retry_after: timedelta | None = None


def answer_of(reply: Reply, transaction_id: str) -> Answer:
    """The answer in a reply about that transaction.

    Raises `GatewayBusy`, `GatewayOurs`, `GatewayRefused`, `GatewayUnclear`, `NoSuchTransaction`, `Nonsense`.
    """
    with _as_gateway_errors():
        raise_for(reply)
        return read_details(reply.body, transaction_id)


def orders_of(reply: Reply) -> dict[str, tuple[Batch, ...]]:
    """The batches in a reply, by transactionId. Raises as `answer_of`."""
    with _as_gateway_errors():
        raise_for(reply)
        return read_orders(reply.body)


def raise_for(reply: Reply) -> None:
    """Raise what a status other than 200 says to do."""
    status = reply.http_status
    if status == requests.codes.ok:
        return
    if status in _BUSY or status >= requests.codes.server_error:
        raise GatewayBusy(f"HTTP {status}", retry_after=reply.retry_after)
    if status == requests.codes.no_content:
        raise EmptyAnswer("HTTP 204")
    if status < requests.codes.bad_request:
        raise GatewayOurs(f"HTTP {status}: the address is not the Gateway's API, check TIEOUT_GATEWAY_URL")
    _raise_for_4xx(status, reply.body)


def _raise_for_4xx(status: int, body: bytes) -> None:
    words = error_words(body)
    if status in _OURS or says_ours(words):
        raise GatewayOurs(f"HTTP {status}: check the two secrets and the gateway's name, `tieout doctor --gateway`")
    if says_absent(words):
        raise NoSuchTransaction(f"HTTP {status}: the API does not know this transactionId")
    if status == requests.codes.not_found:
        if not body.lstrip().startswith(b"{"):
            raise Nonsense(f"HTTP {status} without a JSON object")
        raise NoSuchTransaction(f"HTTP {status}: the API does not know this transactionId")
    raise GatewayRefused(f"HTTP {status}")


@contextmanager
def _as_gateway_errors() -> Iterator[None]:
    try:
        yield
    except EmptyAnswer as error:
        raise GatewayUnclear(str(error)) from None
    except KeysRefused as error:
        raise GatewayOurs(str(error)) from None


def pause_asked_for(reply: Reply) -> timedelta | None:
    """For how long the whole gateway is to be left alone after this reply; None: it did not ask for that."""
    if reply.http_status not in _SLOWER:
        return None
    return reply.retry_after or (TOO_MANY if reply.http_status == requests.codes.too_many_requests else None)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The pause that a Retry-After header asks for, at most an hour; None if absent or unreadable."""
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return min(timedelta(seconds=int(value.strip()[:9])), MAX_RETRY_AFTER)
    try:
        pause = parsedate_to_datetime(value) - now
    except (TypeError, ValueError):
        return None
    return min(max(pause, timedelta(0)), MAX_RETRY_AFTER)
