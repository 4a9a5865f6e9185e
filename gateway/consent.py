"""What an answer about one account may say instead of an answer: no consent, our keys, nothing, later.

Missing consent is a state of the account with a next step, never a fault of the gateway: it says nothing
about our keys, and nothing stops for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from gateway.client import GatewayOurs, GatewayRefused, GatewayUnclear, Reply, raise_for
from gateway.fields import WireError, as_object, read_object
from gateway.wire import EmptyAnswer, KeysRefused, NoSuchTransaction, error_words

FORBIDDEN: Final = 403
_NO_ERRORS: Final[tuple[object, ...]] = (None, [], "", {})
_KEYS: Final = re.compile(
    r"invalid[\s_-]*(jwt|gateway|secret|token|signature)|jwt[\s_-]*(expired|malformed)|wrong[\s_-]*secret",
    re.IGNORECASE,
)
_CONSENT: Final = re.compile(
    r"consent|not[\s_-]*(connected|linked|imported|permitted)|no[\s_-]*(holdings?|permission)[\s_-]*(import|found|access)?"
    r"|holdings?[\s_-]*(are[\s_-]*|were[\s_-]*)?not|guest",
    re.IGNORECASE,
)

T = TypeVar("T")


class NeedsConsent(WireError):  # noqa: N818 its name is its meaning
    """The account has not allowed it, or not yet imported anything: the customer has to."""

    kind = "needs-consent"


def read_reply(reply: Reply, read: Callable[[bytes], T]) -> T:
    """What a reply about one account says, read by `read`.

    Raises `NeedsConsent`, `GatewayBusy`, `GatewayOurs`, `GatewayRefused`, `GatewayUnclear` or `Nonsense`.
    """
    try:
        if reply.http_status == FORBIDDEN or _says_consent(reply):
            _raise_forbidden(reply)
        raise_for(reply)
        return read(reply.body)
    except EmptyAnswer as error:
        raise GatewayUnclear(str(error)) from None
    except KeysRefused as error:
        raise GatewayOurs(str(error)) from None
    except NoSuchTransaction:
        raise GatewayRefused(f"HTTP {reply.http_status}: the API does not know this account") from None


def data_of(body: bytes) -> Mapping[str, object]:
    """The data in an answer about one account, or the body itself where it is no envelope.

    Raises `Nonsense`, `EmptyAnswer`, `KeysRefused` or `NeedsConsent`.
    """
    document = read_object(body)
    words = error_words(body)
    failed = document.get("success") is False or document.get("errors") not in _NO_ERRORS
    if failed or (words and not document.get("data")):
        _raise_words(words)
    if "data" not in document and "success" not in document:
        return document
    data = document.get("data")
    if data in (None, {}, [], ""):
        raise EmptyAnswer("the answer is empty")
    return {"data": data} if isinstance(data, list) else as_object(data, "data")


def _raise_words(words: str) -> None:
    if _KEYS.search(words):
        raise KeysRefused("the API refuses our keys or our gateway's name")
    if _CONSENT.search(words):
        raise NeedsConsent(f"the API says: {words}")
    raise EmptyAnswer("the answer reports an error and no data")


def _says_consent(reply: Reply) -> bool:
    refused = 400 <= reply.http_status < 500 and reply.http_status not in {401, 408, 425, 429}  # noqa: PLR2004
    words = error_words(reply.body) if refused else ""
    return bool(words and _CONSENT.search(words) and not _KEYS.search(words))


def _raise_forbidden(reply: Reply) -> None:
    words = error_words(reply.body)
    if _KEYS.search(words):
        raise GatewayOurs(f"HTTP {reply.http_status}: check the two secrets and the gateway's name")
    raise NeedsConsent(f"HTTP {reply.http_status}{f': {words}' if words else ''}")
