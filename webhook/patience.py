"""End connections that began a request and then fell silent.

The server hands a request to a thread before its body has come, and a read in that thread cannot be
given a time limit; so a few silent senders would hold every thread. The kernel knows when each
connection last sent and received: one that received after we last answered, and then nothing for
longer than a request may take, is ended. Idle kept-alive connections are left alone.

Linux only. Elsewhere, and against senders that drip byte by byte, a proxy in front must do it.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from operator import itemgetter
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812 an exception's name
from typing import Final

import structlog

_FDS: Final = Path("/proc/self/fd")
_INFO: Final = Struct("=44xI4xI100xI")  #: of tcp_info: ms since data was last sent, and received; segments sent
_LOOK_S: Final = 1.0

log = structlog.get_logger(__name__)


def watch(port: int, *, limit_s: float, at_once: int) -> None:
    """Start a thread that ends connections to that port silent for longer than the limit.

    A whole request that waits for a thread looks like one whose body does not come. So only as many
    as there are threads, `at_once`, are ended at a time, the longest silent first: they hold them.
    """
    if sys.platform == "linux":
        threading.Thread(target=_run, args=(port, limit_s, at_once), name="patience", daemon=True).start()


def _run(port: int, limit_s: float, at_once: int) -> None:
    while True:
        time.sleep(min(_LOOK_S, limit_s))
        with ExitStack() as stack:
            ages = [(_silent_ms(one, port), one) for one in map(stack.enter_context, _sockets())]
            silent = sorted(((age, one) for age, one in ages if age > limit_s * 1000), key=itemgetter(0), reverse=True)
            for _, one in silent[:at_once]:
                _end(one)
            if silent:
                log.warning("edge.connections.ended", silent_longer_than_s=limit_s, count=len(silent[:at_once]))


def _sockets() -> Iterator[socket.socket]:
    """Every socket of this process, on a descriptor of its own."""
    for entry in _FDS.iterdir():
        with suppress(OSError):  # closed in the meantime
            if str(entry.readlink()).startswith("socket:"):
                yield socket.socket(fileno=os.dup(int(entry.name)))


def _silent_ms(one: socket.socket, port: int) -> int:
    """How long a connection to that port has been silent amid a request; 0 for every other socket."""
    try:
        if one.family not in (socket.AF_INET, socket.AF_INET6) or one.getsockname()[1] != port:
            return 0
        one.getpeername()  # the listening socket has none
        info = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        sent_ms, received_ms, segments_sent = _INFO.unpack(info)
    except (OSError, StructError):  # closed in the meantime; an old kernel
        return 0
    return int(received_ms) if sent_ms > received_ms or segments_sent == 0 else 0


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
