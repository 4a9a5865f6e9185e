"""The web server's options, in one place: what serves the edge also serves what it is measured against."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from multiprocessing.process import BaseProcess
from typing import Final

from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from config.server_errors import ServerError

BACKLOG: Final = 1024
SWITCH_S: Final = 0.05
STOP_S: Final = 20  #: from SIGTERM until a process that does not end is killed
PORT_WAIT_S: Final = 5.0  #: for whoever held the port before: a killed server's process takes a moment to follow it
LOOK_AGAIN_S: Final = 0.1
SERVER_LOGGER: Final = "_granian"
PASSED_ON: Final[dict[str, object]] = {SERVER_LOGGER: {"level": "INFO", "propagate": True}}


def server(
    *,
    app: str,
    host: str,
    port: int,
    processes: int,
    threads: int,
    header_read_s: int,
    factory: bool = False,
    own_logs: bool = True,
) -> MPServer:
    """A granian that serves a WSGI app with HTTP/1.1 only; `serve()` on it blocks until a signal ends it.

    A process takes twice as many requests as it has threads; further connections wait unread, which
    is what bounds its memory. Without `own_logs` what the server says goes the way of all log lines.
    """
    logging.getLogger(SERVER_LOGGER).addFilter(_worth_a_line)
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
        log_dictconfig=None if own_logs else {"handlers": {}, "formatters": {}, "loggers": PASSED_ON},
    )


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Not the server's advice about many threads: they wait for commits, they do not compute."""
    return "Python threads" not in record.getMessage()


def tune() -> None:
    """Fit the interpreter of a serving process to many threads with short work; call it when all is loaded.

    A thread that waits for the interpreter asks for it every 5 ms by default: with dozens of threads
    that asking, and the switches it forces, cost more than the work. Every request waits for
    something soon and lets go then. What is loaded now stays, so no collection looks at it again.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def refuse_taken(host: str, port: int, *, setting: str, wait_s: float = PORT_WAIT_S) -> None:
    """Refuse a port that somebody listens on, after waiting so long for it. Raises `ServerError`.

    The server itself would share the port in silence, and then half of the requests would go to
    whoever has it already, with other settings and other keys.
    """
    deadline = time.monotonic() + wait_s
    while (said := _taken(host, port)) is not None:
        if time.monotonic() > deadline:
            raise ServerError(f"cannot listen on {host} port {port}: {said}; stop what does, or set {setting}")
        time.sleep(LOOK_AGAIN_S)


def _taken(host: str, port: int) -> str | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None


def end_with_parent() -> None:
    """End this serving process when the server that started it dies, even by SIGKILL; call it in that process.

    Left alone it would serve on for ever beside the next server, with the settings and keys of old.
    """
    if (parent := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_follow, args=(parent,), name="parent", daemon=True).start()


def _follow(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_S)
    os._exit(1)
