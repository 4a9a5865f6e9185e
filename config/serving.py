"""The web server's options, in one place: what serves the edge also serves what it is measured against."""

from __future__ import annotations

import gc
import sys
from typing import Final

from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

BACKLOG: Final = 1024
SWITCH_S: Final = 0.05
STOP_S: Final = 20  #: from SIGTERM until a process that does not end is killed


def server(
    *, app: str, host: str, port: int, processes: int, threads: int, header_read_s: int, factory: bool = False
) -> MPServer:
    """A granian that serves a WSGI app with HTTP/1.1 only; `serve()` on it blocks until a signal ends it.

    A process takes twice as many requests as it has threads; further connections wait unread, which
    is what bounds its memory.
    """
    return MPServer(
        app,
        factory=factory,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=threads,
        runtime_threads=1,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=header_read_s * 1000),
        websockets=False,
        backlog=BACKLOG,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_S,
    )


def tune() -> None:
    """Fit the interpreter of a serving process to many threads with short work; call it when all is loaded.

    A thread that waits for the interpreter asks for it every 5 ms by default: with dozens of threads
    that asking, and the switches it forces, cost more than the work. Every request waits for
    something soon and lets go then. What is loaded now stays, so no collection looks at it again.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
