"""The edge as a process: every answer, what is stored with it, and what stands in no one's way."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
import requests
from sqlalchemy import Engine

from config.queues import SETTLE_QUEUE
from config.server_errors import ServerError
from config.servers import start_broker, start_postgres
from config.serving import refuse_taken
from store.engine import connect
from store.migrate import migrate
from tests.edges import BOUND_S, GATEWAY, JWT_SECRET, SECRET, RunningEdge, edge, order, rows, signed, until

DOWN = "redis://127.0.0.1:1/0"


@pytest.fixture(name="running")
def _running(tmp_path: Path, database_url: str) -> Iterator[RunningEdge]:
    """An edge whose broker is away: most of what it promises does not need one."""
    with edge(tmp_path, database_url=database_url, broker_url=DOWN) as running:
        yield running


@pytest.fixture(name="lasting", scope="module")
def _lasting(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEdge]:
    """One edge for those who neither end it nor look at what it refused."""
    url = shared_engine.url.render_as_string(hide_password=False)
    with edge(tmp_path_factory.mktemp("lasting"), database_url=url, broker_url=DOWN) as running:
        yield running


@pytest.fixture(name="shared")
def _shared(lasting: RunningEdge, shared_engine: Engine) -> RunningEdge:
    """That edge, with nothing stored yet."""
    with shared_engine.begin() as connection:
        connection.exec_driver_sql("truncate events, deliveries, alerts cascade")
    return lasting


def answer(response: requests.Response) -> tuple[int, str]:
    """Status and what the body says."""
    said = response.json()
    return response.status_code, said.get("reason", said["status"])


def test_an_accepted_webhook_is_stored_as_it_came(shared: RunningEdge, shared_engine: Engine) -> None:
    """Raw bytes, allowed headers, verdict and key id are kept before the 200; a repeat adds a delivery."""
    body = json.dumps(signed(order())).encode()

    first = shared.post(body, headers={"Authorization": "Bearer x", "Cookie": "c=1", "X-Request-Id": "r1"})
    repeat = shared.post(signed(order()))

    assert (answer(first), answer(repeat)) == ((200, "accepted"), (200, "duplicate"))
    assert first.json()["event"] == repeat.json()["event"]
    first_one = "select body, headers, key_id, verdict, marks from deliveries order by delivery_id limit 1"
    (stored,) = rows(shared_engine, first_one)
    assert (stored[0], *stored[2:]) == (body, "k1", "verified", [])
    assert stored[1]["x-request-id"] == "r1"  # type: ignore[index]
    assert not {"authorization", "cookie"} & set(stored[1])  # type: ignore[call-overload]
    assert rows(shared_engine, "select count(*) from deliveries") == [(2,)]
    ((event, state, in_s),) = rows(
        shared_engine, "select event_id::text, state, extract(epoch from next_attempt_at - stored_at)::int from events"
    )
    assert (event, state) == (first.json()["event"], "received")
    assert in_s in (29, 30)


def test_each_refusal_has_its_status(running: RunningEdge, engine: Engine) -> None:
    """400 for what is no webhook, 401 for what is not signed, 404, 405 and 413; all JSON, none stored."""
    old = (datetime.now(UTC) - timedelta(days=8)).isoformat()

    assert answer(running.post(b"{")) == (400, "not-json")
    assert answer(running.post(b"[1]")) == (400, "not-an-object")
    assert answer(running.post(order())) == (401, "no-checksum")
    assert answer(running.post(signed(order(), secret="another"))) == (401, "bad-checksum")
    assert answer(running.post({**signed(order()), "smallcaseAuthId": None})) == (401, "no-id")
    assert answer(running.post(signed(order(), stamp=old))) == (401, "stale")
    assert answer(running.post(signed(order()), headers={"Content-Encoding": "gzip"})) == (400, "encoded")
    assert answer(running.post(b" " * (1 << 20) + b"{}")) == (413, "too-large")
    assert answer(running.post(signed(order()), headers={"Content-Type": "text/plain"})) == (200, "accepted")
    assert running.get("/").status_code == 404
    assert running.get(f"/webhooks/{GATEWAY}").json()["reason"] == "method-not-allowed"
    until(lambda: len(rows(engine, "select 1 from refusals")) == 8)


def test_an_unknown_gateway_is_not_found(shared: RunningEdge) -> None:
    """The answer is JSON and the record names no gateway of ours."""
    response = shared.post(signed(order()))
    other = shared.url.replace(GATEWAY, "nobody")

    assert response.ok
    assert answer(requests.post(other, data=b"{}", timeout=BOUND_S)) == (404, "unknown-gateway")


def raw(port: int, *parts: bytes, end: bool = False) -> bytes:
    """What the edge answers to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=BOUND_S) as one:
        for part in parts:
            one.sendall(part)
        if end:
            one.shutdown(socket.SHUT_WR)
        found = b""
        while not found.endswith(b"}") and (more := one.recv(1 << 16)):
            found += more
        return found


def test_bodies_cut_short_and_chunks_are_counted(shared: RunningEdge) -> None:
    """Fewer bytes than promised are refused, chunked bodies are taken, and cut at the cap with 413."""
    head = f"POST /webhooks/{GATEWAY} HTTP/1.1\r\nHost: x\r\n".encode()
    body = json.dumps(signed(order(7))).encode()
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    huge = b"10000\r\n" + b" " * 0x10000 + b"\r\n"

    assert b"cut-short" in raw(shared.port, head + b"Content-Length: 9999\r\n\r\n", body, end=True)
    assert b"accepted" in raw(shared.port, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n")
    assert b"too-large" in raw(shared.port, head + b"Transfer-Encoding: chunked\r\n\r\n", huge * 17, end=True)


def test_silent_senders_do_not_hold_the_edge(tmp_path: Path, database_url: str) -> None:
    """As many half-sent bodies as there are threads: they are ended, and good traffic goes on."""
    settings = {"TIEOUT_EDGE_THREADS": "4", "TIEOUT_EDGE_READ_S": "1", "TIEOUT_COMMIT_WAIT_S": "1"}
    head = f"POST /webhooks/{GATEWAY} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode()
    with edge(tmp_path, database_url=database_url, broker_url=DOWN, **settings) as running, requests.Session() as kept:
        kept.post(running.url, json=signed(order(1)), timeout=BOUND_S)
        silent = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(8)]
        for one in silent:
            one.sendall(head)
        answers = [answer(running.post(signed(order(n))))[1] for n in (2, 3)]
        answers.append(answer(kept.post(running.url, json=signed(order(4)), timeout=BOUND_S))[1])
        for one in silent:
            one.close()

    assert answers == ["accepted"] * 3
    assert "Traceback" not in running.said()


def test_twenty_bodies_share_a_signature_and_no_more(shared: RunningEdge, shared_engine: Engine) -> None:
    """A further body is marked; after twenty the rest are refused, even when they come at once."""
    stamp = datetime.now(UTC).isoformat()
    bodies = [signed(order(9, filled=n), stamp=stamp) for n in range(30)]

    with ThreadPoolExecutor(15) as pool:
        answers = [answer(response) for response in pool.map(shared.post, bodies)]
    again = [answer(shared.post(body))[1] for body in bodies]

    assert sorted(answers) == [(200, "accepted")] * 20 + [(401, "signature-reused")] * 10
    assert sorted(again) == ["duplicate"] * 20 + ["signature-reused"] * 10
    marked = "select count(*) from deliveries where marks = '{signature-reused}'"
    assert rows(shared_engine, marked) == [(19,)]


def test_what_nothing_can_be_asked_for_is_parked(shared: RunningEdge, shared_engine: Engine) -> None:
    """A verified body of unknown shape is stored, parked, alerted and answered 200."""
    unknown = shared.post(signed({"smallcaseAuthId": "5f03" * 6, "pending": True}))
    nameless = shared.post(signed({"smallcaseAuthId": "5f03" * 6, "orders": []}))

    assert answer(unknown) == answer(nameless) == (200, "accepted")
    states = rows(shared_engine, "select family, state, reason, next_attempt_at from events order by reason")
    assert states == [
        ("orders", "parked", "no-transaction", None),
        ("unknown", "parked", "unknown-shape", None),
    ]
    assert rows(shared_engine, "select name, subject from alerts order by name") == [
        ("no-transaction", nameless.json()["event"]),
        ("unknown-shape", unknown.json()["event"]),
    ]


def test_odd_timestamps_are_accepted_and_marked(shared: RunningEdge, shared_engine: Engine) -> None:
    """Unreadable ones and those of the future are evidence, not grounds to refuse."""
    future = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    assert answer(shared.post(signed(order(1), stamp="yesterday"))) == (200, "accepted")
    assert answer(shared.post(signed(order(2), stamp=future))) == (200, "accepted")
    marks = rows(shared_engine, "select marks[1] from deliveries order by delivery_id")
    assert marks == [("timestamp-unreadable",), ("timestamp-future",)]


def test_no_secret_is_ever_recorded(running: RunningEdge, engine: Engine) -> None:
    """Samples of refused bodies and their headers have our secrets taken out."""
    running.post(f"{{ {SECRET} {JWT_SECRET}".encode(), headers={"User-Agent": SECRET, "X-Gateway-Secret": SECRET})
    until(lambda: bool(rows(engine, "select 1 from refusals")))

    ((sample, headers),) = rows(engine, "select convert_from(sample, 'UTF8'), headers::text from refusals")

    assert "[redacted]" in str(sample)
    assert "[redacted]" in str(headers)
    assert SECRET not in f"{sample}{headers}{running.said()}"
    assert JWT_SECRET not in f"{sample}{headers}"


def test_rotated_keys_verify_within_their_windows(tmp_path: Path, database_url: str, engine: Engine) -> None:
    """Old and new secret both verify while both are valid; the id of the one that did is stored."""
    keys = "old@/2020-01-01:one-secret-gone now:two-secret-here next@2000-01-01/2999-01-01:three-secret"
    with edge(tmp_path, database_url=database_url, broker_url=DOWN, TIEOUT_GATEWAY_API_SECRETS=keys) as running:
        answers = [
            answer(running.post(signed(order(n), secret=secret)))[1]
            for n, secret in enumerate(("one-secret-gone", "two-secret-here", "three-secret"))
        ]

    assert answers == ["bad-checksum", "accepted", "accepted"]
    assert rows(engine, "select key_id from events order by transaction_id") == [("now",), ("next",)]


def test_no_valid_key_asks_the_sender_to_come_again(tmp_path: Path, database_url: str) -> None:
    """It is our own fault, so it is never a 4xx."""
    with edge(
        tmp_path, database_url=database_url, broker_url=DOWN, TIEOUT_GATEWAY_API_SECRETS="k1@/2020-01-01:gone"
    ) as running:
        response = running.post(signed(order()))

    assert (response.status_code, response.json()["reason"]) == (503, "no-valid-key")
    assert int(response.headers["Retry-After"]) > 0


def test_a_committed_webhook_is_announced_by_its_ids(tmp_path: Path, database_url: str, servers_folder: Path) -> None:
    """The message carries gateway and transaction, never the body."""
    broker = start_broker(servers_folder / f"broker-{tmp_path.name}")
    try:
        with edge(tmp_path, database_url=database_url, broker_url=broker.url) as running:
            running.post(signed(order(5)))
            until(lambda: bool(_messages(broker.url)))
            message = _messages(broker.url)[0]
    finally:
        broker.stop()

    assert f"{GATEWAY}:TRX_{5:032x}" in message
    assert "COMPLETED" not in message


def _messages(broker_url: str) -> list[str]:
    with redis.Redis.from_url(broker_url, decode_responses=True) as client:
        return [
            base64.b64decode(json.loads(str(found))["body"]).decode()
            for found in client.lrange(f"tieout:{SETTLE_QUEUE}", 0, -1)
        ]


def test_a_stalled_broker_delays_no_answer(tmp_path: Path, database_url: str, servers_folder: Path) -> None:
    """With the broker frozen, every webhook is stored and answered at once, and the edge stays ready."""
    broker = start_broker(servers_folder / f"broker-{tmp_path.name}")
    try:
        with edge(tmp_path, database_url=database_url, broker_url=broker.url) as running:
            running.post(signed(order(0)))
            os.kill(broker.pid, signal.SIGSTOP)
            started = time.monotonic()
            answers = [answer(running.post(signed(order(n))))[1] for n in range(1, 41)]
            took_s = time.monotonic() - started
            ready = running.get("/readyz").status_code
            os.kill(broker.pid, signal.SIGCONT)
    finally:
        broker.stop()

    assert answers == ["accepted"] * 40
    assert took_s < 5
    assert ready == 200


def test_without_the_database_a_webhook_is_asked_to_come_again(tmp_path: Path, servers_folder: Path) -> None:
    """503 with Retry-After while it is down, alive but not ready; accepted again when it is back."""
    folder = servers_folder / f"postgres-{tmp_path.name}"
    server = start_postgres(folder)
    engine = connect(server.url)
    migrate(engine)
    engine.dispose()
    with edge(tmp_path, database_url=server.url, broker_url=DOWN, TIEOUT_COMMIT_WAIT_S="1") as running:
        assert answer(running.post(signed(order(1)))) == (200, "accepted")
        server.stop()
        refused = running.post(signed(order(2)))
        health = (running.get("/livez").status_code, running.get("/readyz").status_code)
        server = start_postgres(folder)
        until(lambda: running.post(signed(order(2))).status_code == 200)
        until(lambda: running.get("/readyz").status_code == 200)
    engine = connect(server.url)
    stored = rows(engine, "select count(*) from events")
    engine.dispose()
    server.stop()

    assert (refused.status_code, refused.json()["reason"], health) == (503, "cannot-save", (200, 503))
    assert int(refused.headers["Retry-After"]) > 0
    assert stored == [(2,)]


def test_a_database_that_takes_no_writes_is_not_ready(running: RunningEdge, engine: Engine, database_url: str) -> None:
    """A read-only database answers 503 and fails readiness, and both recover with it."""
    name = database_url.rsplit("/", 1)[1]
    _alter(engine, f"alter database {name} set default_transaction_read_only = on")
    _alter(
        engine,
        f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}' and pid <> pg_backend_pid()",
    )
    assert answer(running.post(signed(order(1)))) == (503, "cannot-save")
    until(lambda: running.get("/readyz").status_code == 503)

    _alter(engine, f"set transaction read write; alter database {name} reset default_transaction_read_only")

    until(lambda: running.get("/readyz").status_code == 200)
    assert answer(running.post(signed(order(1)))) == (200, "accepted")


def _alter(engine: Engine, statement: str) -> None:
    engine.dispose()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("set default_transaction_read_only = off")
        connection.exec_driver_sql(statement.removeprefix("set transaction read write; "))


def test_a_schema_that_is_not_ours_is_not_ready(running: RunningEdge, engine: Engine) -> None:
    """The answer says what to do."""
    with engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = 'older'")

    until(lambda: running.get("/readyz").status_code == 503)

    assert "tieout db migrate" in running.get("/readyz").json()["reason"]


def test_two_processes_save_the_same_events_without_a_deadlock(
    tmp_path: Path, database_url: str, engine: Engine
) -> None:
    """The same hundred events through two edges at once: each stored once, every answer a 200."""
    bodies = [signed(order(n)) for n in range(100)]
    with (
        edge(tmp_path, database_url=database_url, broker_url=DOWN) as one,
        edge(tmp_path, database_url=database_url, broker_url=DOWN) as two,
        ThreadPoolExecutor(32) as pool,
    ):
        posts = [pool.submit(which.post, body) for body in bodies for which in (one, two) for _ in range(2)]
        answers = [answer(post.result()) for post in posts]

    assert answers.count((200, "accepted")) == 100
    assert answers.count((200, "duplicate")) == 300
    assert rows(engine, "select (select count(*) from events), (select count(*) from deliveries)") == [(100, 400)]


def test_what_was_answered_is_stored_when_the_edge_is_ended(tmp_path: Path, database_url: str, engine: Engine) -> None:
    """SIGTERM under load: each accepted id is in the database."""
    with edge(tmp_path, database_url=database_url, broker_url=DOWN) as running, ThreadPoolExecutor(8) as pool:
        posts = [pool.submit(_tried, running, n) for n in range(400)]
        until(lambda: sum(post.done() for post in posts) > 40)
        running.process.send_signal(signal.SIGTERM)
        accepted = {event for post in posts if (event := post.result())}

    stored = {event for (event,) in rows(engine, "select event_id::text from events")}
    assert 40 <= len(accepted) <= len(stored)
    assert accepted <= stored


def test_an_open_request_is_answered_when_the_edge_is_ended(running: RunningEdge, engine: Engine) -> None:
    """SIGTERM while a commit is held up: it is finished, and the sender gets its 200."""
    with engine.connect() as connection, ThreadPoolExecutor(1) as pool:
        connection.exec_driver_sql("lock table events in exclusive mode")
        post = pool.submit(running.post, signed(order(1)))
        until(lambda: bool(rows(engine, "select 1 from pg_locks where not granted")))
        running.process.send_signal(signal.SIGTERM)
        until(lambda: "Shutting down" in running.said() or "Stopping" in running.said())
        connection.rollback()

        assert answer(post.result()) == (200, "accepted")

    assert running.process.wait(BOUND_S) == 0


def _tried(running: RunningEdge, number: int) -> str | None:
    try:
        response = running.post(signed(order(number)))
    except requests.RequestException:
        return None
    return str(response.json()["event"]) if response.ok else None


def test_identity_is_the_first_bytes_of_a_digest(shared: RunningEdge) -> None:
    """The answer's id needs nothing read back: it follows from gateway, family and content."""
    content = order(3)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    event = shared.post(signed(content)).json()["event"]

    assert event.replace("-", "") == hashlib.sha256(f"{GATEWAY}\0orders\0".encode() + canonical).hexdigest()[:32]


def test_a_second_edge_does_not_share_the_port_of_the_first(shared: RunningEdge) -> None:
    """It would take half of the webhooks with keys of its own; it says which setting moves it, and ends with 3."""
    with pytest.raises(ServerError, match=f"port {shared.port}.*TIEOUT_EDGE_PORT"):
        refuse_taken("127.0.0.1", shared.port, setting="TIEOUT_EDGE_PORT", wait_s=0)


def test_an_edge_that_is_killed_leaves_nobody_on_its_port(running: RunningEdge) -> None:
    """Its serving process follows it; else it would serve on beside the next edge, with the keys of old."""
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait(BOUND_S)

    refuse_taken("127.0.0.1", running.port, setting="TIEOUT_EDGE_PORT", wait_s=BOUND_S)
