"""A call ends within its deadline, whatever the far side does: headers that drip are cut as a body is.

A socket's own timeout starts anew with every byte that comes, so each read here is given what is left
of the whole.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_UNTIL: Final[ContextVar[timedelta | None]] = ContextVar("until", default=None)


@contextmanager
def until(deadline: timedelta) -> Iterator[None]:
    """Cut what is read inside at that moment of the clock that only goes forward."""
    token = _UNTIL.set(deadline)
    try:
        yield
    finally:
        _UNTIL.reset(token)


class TimedAdapter(HTTPAdapter):
    """requests' own adapter, over connections that keep to the deadline."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests does, with our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Likewise through a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Reader(io.RawIOBase):
    """Reads from a socket, each time for no longer than the deadline leaves."""

    def __init__(self, sock: socket.socket, opened: io.BufferedIOBase) -> None:
        self._sock, self._opened = sock, opened

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if (end := _UNTIL.get()) is not None:
            left = end - timedelta(microseconds=time.monotonic_ns() // 1000)
            if left <= timedelta(0):
                raise TimeoutError("the deadline is over")
            self._sock.settimeout(left.total_seconds())
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        self._opened.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reader(sock, self.fp))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Final = {"http": _Pool, "https": _SecurePool}
