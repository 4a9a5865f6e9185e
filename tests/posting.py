"""A stand-in that takes one kind of call, a creation, and fails it in whatever way a test says; over real HTTP."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

BOUND_S = 20.0


@dataclass
class Posting:
    """The running stand-in: what it was sent, what it says, and a gate that holds its answers back when closed."""

    url: str = ""
    bodies: list[dict[str, object]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    says: Callable[[int], bytes | None] = field(default_factory=lambda: created)
    gate: threading.Event = field(default_factory=threading.Event)


def created(_: int) -> bytes:
    """A good answer with an id of its own."""
    data = {"transactionId": f"TRX_{uuid4().hex}", "expireAt": "2026-11-20T04:50:00.000Z"}
    return answer(200, {"success": True, "errors": None, "data": data})


def answer(status: int, document: object, **headers: str) -> bytes:
    """An answer with that JSON."""
    return raw(status, json.dumps(document).encode(), length=None, **headers)


def raw(status: int, body: bytes, *, length: int | None = None, **headers: str) -> bytes:
    """An answer with that body, of that stated length if it is not its own."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


@contextmanager
def posting() -> Iterator[Posting]:
    """A stand-in on a free port, its gate open. `says` returning None resets the connection."""
    told, listening = Posting(), socket.create_server(("127.0.0.1", 0))
    told.gate.set()
    told.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread = threading.Thread(target=_accept, args=(listening, told), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.gate.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def _accept(listening: socket.socket, told: Posting) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, told), daemon=True).start()


def _serve(connection: socket.socket, told: Posting) -> None:
    connection.settimeout(BOUND_S)
    with connection:
        head, body = _request(connection)
        told.heads.append(head)
        told.bodies.append(json.loads(body))
        said = told.says(len(told.bodies))
        told.gate.wait(BOUND_S)
        if said is None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        try:
            connection.sendall(said)
        except OSError:
            return


def _request(connection: socket.socket) -> tuple[str, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    while len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head.decode("latin-1"), body
