"""Hostile requests at a real edge: refused in words, at no cost to the good ones."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.edges import JWT_SECRET, SECRET, RunningEdge, edge, order, rows, signed
from tests.hostility import hostile, is_cut

NUMBER = int(os.environ.get("TIEOUT_TEST_HOSTILE", "150"))
SLOWEST_GOOD_S = 5.0
SETTINGS = {"TIEOUT_EDGE_READ_S": "1", "TIEOUT_COMMIT_WAIT_S": "2", "TIEOUT_LOG_LEVEL": "DEBUG"}


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_hostile_requests_cost_nothing_but_their_refusal(tmp_path: Path, database_url: str, engine: Engine) -> None:
    """No 5xx, no traceback, no stored secret, and every good webhook beside them is accepted in time."""
    with edge(tmp_path, database_url=database_url, broker_url="redis://127.0.0.1:1/0", **SETTINGS) as running:
        over, took = threading.Event(), list[float]()
        good = threading.Thread(target=_good, args=(running, over, took))
        good.start()
        with ThreadPoolExecutor(16) as pool:
            statuses = Counter(pool.map(lambda one: _status(running.port, one[1]), hostile(NUMBER, seed=1)))
        over.set()
        good.join()
        assert running.get("/readyz").status_code == 200

    assert not {status for status in statuses if status >= 500}, statuses
    assert statuses[200] > NUMBER // 20, statuses
    assert statuses[400] > NUMBER // 10, statuses
    assert took
    assert max(took) < SLOWEST_GOOD_S, f"the slowest good answer took {max(took):.2f} s"
    assert not re.search(r"Traceback|panicked", running.said()), running.said()[-3000:]
    assert _secrets_stored(engine) == 0
    print(f"{NUMBER} hostile: {dict(statuses)}; {len(took)} good, slowest {max(took) * 1000:.0f} ms")  # noqa: T201


def _good(running: RunningEdge, over: threading.Event, took: list[float]) -> None:
    number = 10**9
    while not over.is_set():
        number += 1
        started = time.monotonic()
        response = running.post(signed(order(number, smallcaseAuthId=f"{number:024x}")))
        took.append(time.monotonic() - started)
        assert response.status_code == 200, response.text
        over.wait(0.01)


def _status(port: int, request: bytes) -> int:
    """The status answered; 0 when the server itself hung up without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as one:
        try:
            one.sendall(request)
            if is_cut(request):
                one.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it hung up amid a body that is too large; it may have answered all the same
        try:
            answer = one.recv(4096)
        except OSError:
            return 0
    found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    return int(found[1]) if found else 0


def _secrets_stored(engine: Engine) -> int:
    looked = " union all ".join(
        f"select count(*) from {table} where position('{secret}'::bytea in {column}) > 0"
        for secret in (SECRET, JWT_SECRET)
        for table, column in (
            ("deliveries", "body"),
            ("deliveries", "convert_to(headers::text, 'UTF8')"),
            ("refusals", "coalesce(sample, '')"),
            ("refusals", "convert_to(coalesce(headers::text, ''), 'UTF8')"),
        )
    )
    return sum(int(str(count)) for (count,) in rows(engine, looked))
