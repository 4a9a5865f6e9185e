"""A far side over real HTTP that answers anything: mutated bodies, and mischief with the connection itself."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from bench.fuzz.mutations import Means, Mutated

_LINGER_NOT: Final = struct.pack("ii", 1, 0)
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOUND_S: Final = 30.0  #: the far side itself ends after so long


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What is said to one call: which way, and the body that is told, if one is."""

    way: str
    answer: Mutated


def means(told: Says) -> Means:
    """What may be booked: nothing, if the connection is at fault."""
    return told.answer.means if told.way in _HONEST else Means.NOTHING


@contextmanager
def far_side(told: Says) -> Iterator[str]:
    """A server that answers every connection in that way; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()
    thread = threading.Thread(target=_serve, args=(listener, told, stopped), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(BOUND_S)


def _serve(listener: socket.socket, told: Says, stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            connection.settimeout(5)
            connection.recv(65536)
            WAYS[told.way](connection, told.answer, stopped)


def _length(answer: Mutated) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
        answer.status,
        len(answer.body),
    )


def _honest(connection: socket.socket, answer: Mutated, _: threading.Event) -> None:
    connection.sendall(_length(answer) + answer.body)


def _chunked(connection: socket.socket, answer: Mutated, _: threading.Event) -> None:
    parts = [answer.body[at : at + 200] for at in range(0, len(answer.body), 200)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n" % answer.status
    connection.sendall(head + chunks + b"0\r\n\r\n")


def _zipped(connection: socket.socket, answer: Mutated, _: threading.Event) -> None:
    body = gzip.compress(answer.body)
    head = b"HTTP/1.1 %d X\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (answer.status, len(body))
    connection.sendall(head + body)


def _drip(connection: socket.socket, answer: Mutated, stopped: threading.Event) -> None:
    _slowly(connection, _length(answer) + answer.body + b" " * 1000, stopped, each_s=0.05)


def _dripping_head(connection: socket.socket, _: Mutated, stopped: threading.Event) -> None:
    _slowly(connection, b"HTTP/1.1 200 OK\r\n" + b"X-Long: y\r\n" * 1000, stopped, each_s=0.05)


def _endless(connection: socket.socket, _: Mutated, stopped: threading.Event) -> None:
    connection.sendall(_OK + b"\r\n")
    _for_ever(connection, b'{"a":' * 20_000, stopped)


def _endless_chunks(connection: socket.socket, _: Mutated, stopped: threading.Event) -> None:
    connection.sendall(_OK + b"Transfer-Encoding: chunked\r\n\r\n")
    _for_ever(connection, b"10000\r\n" + b" " * 65536 + b"\r\n", stopped)


def _endless_head(connection: socket.socket, _: Mutated, stopped: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    _for_ever(connection, b"X-More: " + b"y" * 5000 + b"\r\n", stopped)


def _endless_interim(connection: socket.socket, _: Mutated, stopped: threading.Event) -> None:
    _for_ever(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 100, stopped)


def _bomb(connection: socket.socket, _: Mutated, stopped: threading.Event) -> None:
    """A few kilobytes that unpack to hundreds of megabytes."""
    body = gzip.compress(bytes(1 << 20), 9) * 300
    head = _OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    connection.sendall(head)
    _slowly(connection, body, stopped, each_s=0.0, bit=4096)


def _bad_zip(connection: socket.socket, answer: Mutated, _: threading.Event) -> None:
    head = _OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(answer.body)
    connection.sendall(head + answer.body)


def _silent(_: socket.socket, __: Mutated, stopped: threading.Event) -> None:
    stopped.wait(BOUND_S)


def _reset(connection: socket.socket, answer: Mutated, _: threading.Event) -> None:
    connection.sendall(_length(answer) + answer.body[: len(answer.body) // 2])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)


def _cut(connection: socket.socket, answer: Mutated, _: threading.Event) -> None:
    head = _OK + b"Content-Length: %d\r\n\r\n" % (len(answer.body) + 10)
    connection.sendall(head + answer.body)


def _garbled(connection: socket.socket, answer: Mutated, _: threading.Event) -> None:
    connection.sendall(b"HTTP/9 what\r\n\r\n" + answer.body)


def _bad_chunks(connection: socket.socket, answer: Mutated, _: threading.Event) -> None:
    connection.sendall(_OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + answer.body)


def _elsewhere(connection: socket.socket, _: Mutated, __: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")


def _long_pause(connection: socket.socket, _: Mutated, __: threading.Event) -> None:
    """A pause that nobody could keep."""
    head = b"HTTP/1.1 429 X\r\nRetry-After: 999999999999999999999\r\nContent-Length: 0\r\n\r\n"
    connection.sendall(head)


def _slowly(connection: socket.socket, wire: bytes, stopped: threading.Event, *, each_s: float, bit: int = 16) -> None:
    end = time.monotonic() + BOUND_S
    for at in range(0, len(wire), bit):
        if stopped.wait(each_s) or time.monotonic() > end:
            return
        connection.sendall(wire[at : at + bit])


def _for_ever(connection: socket.socket, wire: bytes, stopped: threading.Event) -> None:
    end = time.monotonic() + BOUND_S
    while not stopped.is_set() and time.monotonic() < end:
        connection.sendall(wire)
        time.sleep(0.001)


Way = Callable[[socket.socket, Mutated, threading.Event], None]

#: Ways in which the whole body arrives.
_HONEST: Final = frozenset({"honest", "chunked", "zipped"})
WAYS: Final[Mapping[str, Way]] = {
    "honest": _honest, "chunked": _chunked, "zipped": _zipped, "drip": _drip, "dripping-head": _dripping_head,
    "endless": _endless, "endless-chunks": _endless_chunks, "endless-head": _endless_head,
    "endless-interim": _endless_interim, "bomb": _bomb, "bad-zip": _bad_zip, "silent": _silent, "reset": _reset,
    "cut": _cut, "garbled": _garbled, "bad-chunks": _bad_chunks, "elsewhere": _elsewhere, "long-pause": _long_pause,
}  # fmt: skip
