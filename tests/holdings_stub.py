"""A stand-in for the holdings side of the Gateway's API: answers for each account as told, over real HTTP."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from tests.gateway_stub import Says, said, serving

SAMPLES = Path(__file__).parent / "samples"
Json = dict[str, object]


@dataclass
class HoldingsStub:
    """What was asked by whom, what is said, and a gate that holds answers back when closed."""

    url: str = ""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  #: what, account, query
    says: Callable[[str], Says] = field(default_factory=lambda: held)
    invests: Callable[[str], Says] = field(default_factory=lambda: invested)
    gate: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)

    def of(self, what: str) -> list[str]:
        """The accounts that were asked about, in order."""
        return [account for kind, account, _ in self.asked if kind == what]


def held(account: str, **changed: object) -> Says:
    """A good answer: one security, as of the morning of 15 January 2026, and these keys changed."""
    body = json.loads((SAMPLES / "holdings" / "v2.json").read_text())
    data: Json = {
        **body["data"],
        "smallcaseAuthId": account,
        "snapshotDate": "2026-01-14T10:31:00.000Z",
        "lastUpdate": "2026-01-14T10:31:00.000Z",
    }
    return said({**body, "data": {**data, **changed}})


def invested(_account: str) -> Says:
    """A good answer about investments."""
    return Says(200, (SAMPLES / "investments" / "public-private.json").read_bytes())


def forbidden(_account: str) -> Says:
    """The answer for an account that never agreed."""
    return Says(403, (SAMPLES / "holdings" / "forbidden.json").read_bytes())


@contextmanager
def holdings_stub() -> Iterator[HoldingsStub]:
    """A stand-in on a free port, its gate open."""
    stub = HoldingsStub()

    def hears(path: str, headers: Message) -> Callable[[], Says]:
        url = urlparse(path)
        what, account = url.path.rpartition("/")[2], account_of(headers["x-gateway-authtoken"])
        stub.asked.append((what, account, {name: values[0] for name, values in parse_qs(url.query).items()}))
        return lambda: stub.says(account) if what == "holdings" else stub.invests(account)

    with serving(stub, hears):
        yield stub


def account_of(token: str) -> str:
    """Whose token it is; the signature is another test's business."""
    payload = token.split(".")[1]
    claims: dict[str, str] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims.get("smallcaseAuthId", "guest")
