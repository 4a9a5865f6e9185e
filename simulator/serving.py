"""A small HTTP/1.1 server on asyncio: one thread, persistent connections, little work per answer."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

MAX_HEAD, MAX_BODY = 32 * 1024, 1 << 20
DRIPS = 40  #: bits in which a dripping answer comes
JSON, HTML, TEXT = "application/json", "text/html; charset=utf-8", "application/x-ndjson"


class BadRequestError(Exception):
    """Bytes that are no request we read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; header names in lower case, the last of repeated ones."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer, perhaps held back for a while."""

    status: int = 200
    body: bytes = b""
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    reset: bool = False  #: no answer: the connection is reset
    drip_s: float = 0.0  #: the body comes bit by bit, over so long

    def wire(self) -> bytes:
        """The answer's bytes."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"content-type: {self.kind}",
            f"content-length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join((*lines, "", "")).encode() + self.body


Answerer = Callable[[Request], Reply]


def json_reply(value: object, status: int = 200) -> Reply:
    """An answer in JSON."""
    return Reply(status=status, body=json.dumps(value, separators=(",", ":")).encode())


def refusal(status: int, *errors: str, retry_after_s: int | None = None) -> Reply:
    """A refusal in the Gateway's envelope."""
    body = json.dumps({"success": False, "errors": list(errors), "data": None}, separators=(",", ":")).encode()
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    return Reply(status=status, body=body, headers=headers)


RESET = Reply(status=0, reset=True)
_LINGER_NOT = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """One client. Requests are answered in the order in which they come."""

    def __init__(self, answer: Answerer, connections: set[Connection]) -> None:
        """Answer by that function; be counted among the open connections."""
        self._answer, self._connections = answer, connections
        self._received = b""
        self._waiting = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the name is given
        """Forget it."""
        self._transport = None
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._received += data
        self._next()

    def close(self) -> None:
        """End the connection."""
        if self._transport:
            self._transport.close()

    def _next(self) -> None:
        while not self._waiting and self._transport:
            try:
                taken = take_request(self._received)
            except BadRequestError as error:
                self._say(Reply(status=400, body=str(error).encode(), headers={"connection": "close"}))
                self.close()
                return
            if taken is None:
                return
            request, self._received = taken
            self._reply(self._answer(request), close=request.headers.get("connection", "").lower() == "close")

    def _reply(self, reply: Reply, *, close: bool) -> None:
        if reply.delay_s:
            self._waiting = True
            asyncio.get_running_loop().call_later(reply.delay_s, self._reply_late, reply, close)
            return
        if reply.drip_s:
            self._waiting = True
            wire = reply.wire()
            self._drip(wire, close, reply.drip_s / DRIPS, max(1, len(wire) // DRIPS))
            return
        self._say(reply)
        if close:
            self.close()

    def _reply_late(self, reply: Reply, close: bool) -> None:  # noqa: FBT001 call_later takes no keywords
        self._waiting = False
        self._say(reply)
        if close:
            self.close()
        self._next()

    def _drip(self, wire: bytes, close: bool, pause_s: float, bit: int) -> None:  # noqa: FBT001 call_later likewise
        if not self._transport:
            return
        self._transport.write(wire[:bit])
        if rest := wire[bit:]:
            asyncio.get_running_loop().call_later(pause_s, self._drip, rest, close, pause_s, bit)
            return
        self._waiting = False
        if close:
            self.close()
        self._next()

    def _say(self, reply: Reply) -> None:
        if not self._transport:
            return
        if reply.reset:
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            self._transport.abort()
            self._transport = None
            return
        self._transport.write(reply.wire())


def take_request(received: bytes) -> tuple[Request, bytes] | None:
    """The first request in these bytes and what follows it; None while it is not complete.

    Raises `BadRequestError`.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        if len(received) > MAX_HEAD:
            raise BadRequestError("the head is too long")
        return None
    first, *lines = received[:end].decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length, start = _length(headers), end + 4
    if len(received) < start + length:
        return None
    return _request(first, headers, received[start : start + length]), received[start + length :]


def _length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise BadRequestError("send a content-length: chunks are not read here")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise BadRequestError("a content-length that is no number up to 1 MiB")
    return int(length)


def _request(first: str, headers: Mapping[str, str], body: bytes) -> Request:
    try:
        method, target, _ = first.split(" ")
        parts = urlsplit(target)
    except ValueError:
        raise BadRequestError("no request line") from None
    query = parse_qs(parts.query)
    return Request(method=method, path=unquote(parts.path), query=query, headers=headers, body=body)
