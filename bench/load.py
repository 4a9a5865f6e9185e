"""A load generator that is faster than what it measures: raw sockets, one request open on each."""

from __future__ import annotations

import gc
import re
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

TIMEOUT_S = 30.0
RECEIVE_BYTES = 4096
_LENGTH = re.compile(rb"content-length: (\d+)\r\n", re.IGNORECASE)


class LoadError(Exception):
    """The server went away or answered nothing in time."""


@dataclass(slots=True)
class Load:
    """What one run sent and got."""

    took_s: float = 0.0
    answers: list[bytes] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.took_s

    def percentile_ms(self, percent: int) -> float:
        """The latency that so many of a hundred answers did not exceed."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000


def run(port: int, requests: Sequence[bytes], *, connections: int) -> Load:
    """Send the requests over so many connections, the next when an answer has come.

    Raises `LoadError`.
    """
    sockets = [_connect(port) for _ in range(connections)]
    gc.disable()
    try:
        return _drive({s.fileno(): s for s in sockets}, iter(requests))
    finally:
        gc.enable()
        for one in sockets:
            one.close()


def _drive(sockets: dict[int, socket.socket], requests: Iterator[bytes]) -> Load:
    load = Load()
    sent_at: dict[int, float] = {}
    partial: dict[int, bytes] = {}
    poll, clock = select.epoll(), time.perf_counter
    start = clock()
    for number, request in zip(sockets, requests, strict=False):
        poll.register(number, select.EPOLLIN)
        sent_at[number] = clock()
        sockets[number].send(request)
    while sent_at:
        ready = poll.poll(TIMEOUT_S)
        if not ready:
            raise LoadError("the server answers no more")
        for number, _ in ready:
            answer = partial.pop(number, b"") + _received(sockets[number])
            if not _whole(answer):
                partial[number] = answer
                continue
            now = clock()
            load.answers.append(answer)
            load.latencies_s.append(now - sent_at.pop(number))
            if following := next(requests, None):
                sent_at[number] = now
                sockets[number].send(following)
    load.took_s = clock() - start
    poll.close()
    return load


def _received(one: socket.socket) -> bytes:
    if found := one.recv(RECEIVE_BYTES):
        return found
    raise LoadError("the server closed a connection")


def _whole(answer: bytes) -> bool:
    """Whether the answer's head and all of its body have come."""
    end = answer.find(b"\r\n\r\n")
    length = _LENGTH.search(answer)
    return end >= 0 and length is not None and len(answer) >= end + 4 + int(length[1])


def _connect(port: int) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found
