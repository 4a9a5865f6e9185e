"""What the edge is measured against: `python -m bench.serve NAME PORT THREADS`, on the same server.

`bare` reads the body and returns a constant; `verified` also verifies and stores nothing; `single`
commits each request by itself; `null` is no web server at all and measures the generator.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from queue import SimpleQueue

from flask import Flask, Response, request

from config.keys import parse_keys
from config.serving import server, tune
from gateway.verify import Checks, Verdict, event_id, signature, verify
from inbox.arrivals import Arrival, Saver, saver

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
    """One route that verifies and commits each request by itself, over a pool of connections."""
    app, keys, pool = Flask("single"), parse_keys(os.environ[KEYS]), _Pool(os.environ[DATABASE])

    @app.post("/webhooks/<gateway>")
    def webhook(gateway: str) -> Response:
        body, now = request.get_data(), datetime.now(UTC)
        verdict = verify(body, keys, now=now, checks=CHECKS)
        with pool.taken() as connection:
            outcome = connection.save([_arrival(gateway, verdict, body, now)])
        text = f'{{"status":"{outcome}","event":"{event_id(gateway, verdict).hex()}"}}'
        return Response(text.encode(), mimetype="application/json")

    tune()
    return app


class _Pool:
    def __init__(self, url: str) -> None:
        self._free: SimpleQueue[Saver] = SimpleQueue()
        for _ in range(CONNECTIONS):
            self._free.put(saver(url, reuse_max=20, first_announce_s=30))

    @contextmanager
    def taken(self) -> Iterator[Saver]:
        found = self._free.get()
        try:
            yield found
        finally:
            self._free.put(found)


def _arrival(gateway: str, verdict: Verdict, body: bytes, now: datetime) -> Arrival:
    shape = verdict.shape
    return Arrival(
        event_id=event_id(gateway, verdict),
        gateway=gateway,
        book="test",
        family=str(verdict.family),
        transaction_id=shape.transaction_id if shape else None,
        batch_id=shape.batch_id if shape else None,
        account=shape.account if shape else None,
        key_id=verdict.key_id or "",
        received_at=now,
        body=body,
        headers=b"{}",
        signature=signature(gateway, verdict),
        marks="",
        parked=None,
    )


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
