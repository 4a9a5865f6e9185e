"""What the edge is measured against: `python -m bench.serve NAME PORT THREADS`, on the same server.

`bare` reads the body and returns a constant; `verified` also verifies and stores nothing; `single`
is the edge with one commit a request; `null` is no web server at all and measures the generator.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from datetime import UTC, datetime
from queue import SimpleQueue

from flask import Flask, Response, request

from config.broker import sender
from config.clock import clock_from
from config.keys import parse_keys
from config.logs import configure_logging
from config.serving import server, tune
from config.settings import load_settings
from gateway.checks import checks_from
from gateway.verify import Checks, event_id, verify
from inbox.announcing import Announcer
from inbox.arrivals import ACCEPTED, Arrival, Saver, saver
from inbox.refusals import Refusals
from webhook.app import create_app
from webhook.receive import Edge

KEYS, DATABASE = "BENCH_KEYS", "BENCH_DATABASE_URL"
CONNECTIONS = 32  #: of `single`: of 8, 16, 32 and 64 tried the quickest, or level with it
CHECKS = Checks()
NULL_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def bare() -> Flask:
    """One route that reads the body and returns a constant."""
    app = Flask("bare")

    @app.post("/webhooks/<gateway>")
    def webhook(gateway: str) -> Response:  # noqa: ARG001 as the edge's route
        request.get_data()
        return Response(b"{}", mimetype="application/json")

    tune()
    return app


def verified() -> Flask:
    """One route that verifies and stores nothing."""
    app, keys = Flask("verified"), parse_keys(os.environ[KEYS])

    @app.post("/webhooks/<gateway>")
    def webhook(gateway: str) -> Response:
        verdict = verify(request.get_data(), keys, now=datetime.now(UTC), checks=CHECKS)
        return Response(b'{"event":"%s"}' % event_id(gateway, verdict).hex().encode(), mimetype="application/json")

    tune()
    return app


def single() -> Flask:
    """The edge as in production, but for its writer: every request commits by itself, over a pool of connections."""
    settings = load_settings()
    configure_logging(settings)
    database_url, broker_url = os.environ[DATABASE], os.environ["TIEOUT_BROKER_URL"]
    announcer = Announcer(sender(broker_url), silence_s=settings.announce_silence_s)
    edge = Edge(
        gateways={gateway.name: gateway for gateway in settings.gateways()},
        checks=checks_from(settings),
        clock=clock_from(None),
        save=_Pool(database_url, announcer).save,
        refusals=Refusals(database_url, secrets=[]),
        body_max_bytes=settings.body_max_bytes,
    )
    app = create_app(edge, problem=lambda: None)
    tune()
    return app


class _Pool:
    def __init__(self, url: str, announcer: Announcer) -> None:
        self._announcer = announcer
        self._free: SimpleQueue[Saver] = SimpleQueue()
        for _ in range(CONNECTIONS):
            self._free.put(saver(url, reuse_max=20, first_announce_s=30))

    def save(self, arrival: Arrival) -> str:
        found = self._free.get()
        try:
            outcome = found.save([arrival])
        finally:
            self._free.put(found)
        if outcome == ACCEPTED:
            self._announcer.announce([f"{arrival.gateway}:{arrival.transaction_id}"])
        return outcome


def null(port: int) -> None:
    """Answer every read with a constant, from one loop, until the process is ended."""
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    poll, sockets = select.epoll(), {}
    poll.register(listener.fileno(), select.EPOLLIN)
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                one, _ = listener.accept()
                sockets[one.fileno()] = one
                poll.register(one.fileno(), select.EPOLLIN)
            elif sockets[number].recv(1 << 16):
                sockets[number].send(NULL_ANSWER)
            else:
                poll.unregister(number)
                sockets.pop(number).close()


def main(name: str, port: int, threads: int) -> None:
    """Serve until a signal ends it."""
    if name == "null":
        null(port)
    app = f"bench.serve:{name}"
    server(app=app, host="127.0.0.1", port=port, processes=1, threads=threads, header_read_s=10, factory=True).serve()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
