"""A stand-in for the Gateway's API that answers as each test says, over real HTTP, and can hold an answer back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol
from urllib.parse import parse_qs, urlparse

Json = dict[str, object]


@dataclass
class Says:
    """One answer: its status, body and headers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Stub:
    """The running stand-in: what was asked, what it says, and a gate that holds answers back when closed."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    says: Callable[[str], Says] = field(default_factory=lambda: known)
    gate: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)


def a_leg(number: int = 1, **changed: object) -> Json:
    """One leg, complete."""
    leg: Json = {
        "status": "COMPLETE",
        "tradingsymbol": "AXISBANK",
        "exchange": "NSE",
        "transactionType": "BUY",
        "orderType": "MARKET",
        "product": "CNC",
        "quantity": 1,
        "filledQuantity": 1,
        "averagePrice": 420.1,
        "exchangeOrderId": f"10000000{number:08}",
    }
    return {**leg, **changed}


def a_transaction(transaction_id: str, **changed: object) -> Json:
    """One transaction with one complete batch of one leg."""
    batch: Json = {
        "batchId": f"b{transaction_id[-8:]}",
        "status": "COMPLETED",
        "variety": "regular",
        "quantity": 1,
        "filled": 1,
        "buyAmount": 420.1,
        "sellAmount": 0,
        "completedDate": "2026-01-14T06:30:02.118Z",
        "orders": [a_leg()],
        "unplaced": [],
    }
    stated: Json = {
        "transactionId": transaction_id,
        "status": "COMPLETED",
        "intent": "TRANSACTION",
        "authId": "5f0321b5f3743c31d95abd35",
        "broker": "kite",
        "createdAt": "2026-01-14T06:25:02.118Z",
        "expireAt": "2026-01-14T06:30:02.118Z",
        "orderBatches": [batch],
    }
    return {**stated, **changed}


def known(transaction_id: str, **changed: object) -> Says:
    """A good answer about that transaction."""
    return said(
        {"success": True, "errors": None, "data": {"transactionDetails": a_transaction(transaction_id, **changed)}}
    )


def unknown(transaction_id: str) -> Says:
    """The answer that the transaction is not known."""
    return said({"success": False, "errors": ["invalid_transactionId"], "data": None}, status=404)


def said(document: object, *, status: int = 200, **headers: str) -> Says:
    """That document with that status."""
    return Says(status, json.dumps(document).encode(), headers)


class Gated(Protocol):
    """A stand-in that has an address, and a gate that holds answers back when closed."""

    url: str
    gate: threading.Event
    began: threading.Event


#: Notes what is asked, by path and headers, and tells how to answer it once the gate is open.
Hears = Callable[[str, Message], Callable[[], Says]]


@contextmanager
def serving(stub: Gated, hears: Hears) -> Iterator[None]:
    """Serve a stand-in on a free port, its gate open; at the end nobody is held back any more."""
    stub.gate.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stub, hears))
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stub.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def gateway_stub() -> Iterator[Stub]:
    """A stand-in on a free port, its gate open."""
    stub = Stub()

    def hears(path: str, headers: Message) -> Callable[[], Says]:
        transaction_id = parse_qs(urlparse(path).query)["transactionId"][0]
        stub.asked.append(transaction_id)
        stub.headers.append(dict(headers))
        return lambda: stub.says(transaction_id)

    with serving(stub, hears):
        yield stub


def _handler(stub: Gated, hears: Hears) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            """Answer as the test says."""
            answer = hears(self.path, self.headers)
            stub.began.set()
            stub.gate.wait(60)
            says = answer()
            try:
                self.send_response(says.status)
                for name, value in says.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(says.body)))
                self.end_headers()
                self.wfile.write(says.body)
                self.wfile.flush()
            except ConnectionError:
                self.close_connection = True

    return Handler
