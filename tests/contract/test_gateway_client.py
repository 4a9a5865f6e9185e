"""The client against a stand-in over real HTTP: what each status says to do, and how long a call may take."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from config.clock import FixedClock
from config.keys import Key
from config.settings import Gateway
from gateway.client import (
    MAX_ANSWER_BYTES,
    GatewayBusy,
    GatewayClient,
    GatewayError,
    GatewayOurs,
    GatewayRefused,
    GatewayUnclear,
    Reply,
    answer_of,
    orders_of,
    retry_after,
)
from gateway.fields import WireError
from gateway.wire import Nonsense, NoSuchTransaction
from tests.gateway_stub import Says, Stub, a_transaction, gateway_stub, said

NOW = datetime(2026, 1, 14, 7, 0, tzinfo=UTC)
TRANSACTION = "TRX_0123456789abcdef0123456789abcdef"
SECOND = timedelta(seconds=1)
JWT = Key(key_id="jwt", secret=b"jwt-secret-that-nobody-else-knows-0123456789")
API = Key(key_id="api", secret=b"api-secret-that-nobody-else-knows-0123456789")


@pytest.fixture(name="stub")
def _stub() -> Iterator[Stub]:
    """The stand-in of the Gateway."""
    with gateway_stub() as stub:
        yield stub


def a_client(url: str, *, orders_path: str | None = None, keys: tuple[Key, ...] = (JWT,)) -> GatewayClient:
    """A client that gives up after a second."""
    gateway = Gateway(name="demo", url=url, secrets=keys, api_secrets=(API,), orders_path=orders_path)
    return GatewayClient(gateway, deadline=SECOND, wall=FixedClock(NOW))


def a_reply(status: int, body: bytes = b"{}", *, pause: timedelta | None = None) -> Reply:
    """A reply with that status."""
    return Reply(http_status=status, body=body, took_ms=1, retry_after=pause)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (408, b"", GatewayBusy),
        (425, b"", GatewayBusy),
        (429, b"", GatewayBusy),
        (500, b"", GatewayBusy),
        (502, b"<html>", GatewayBusy),
        (503, b'{"errors": ["Invalid JWT"]}', GatewayBusy),
        (401, b"", GatewayOurs),
        (403, b"<html>", GatewayOurs),
        (400, b'{"errors": ["invalid gateway"]}', GatewayOurs),
        (301, b"", GatewayOurs),
        (400, b'{"errors": ["bad format"]}', GatewayRefused),
        (422, b"", GatewayRefused),
        (410, b"{}", GatewayRefused),
        (404, b"{}", NoSuchTransaction),
        (404, b'{"errors": "TransactionIdNotFound"}', NoSuchTransaction),
        (400, b'{"message": "transactionId does not exist"}', NoSuchTransaction),
        (404, b"<html>", Nonsense),
        (204, b"", GatewayUnclear),
        (200, b"", Nonsense),
        (200, b"{}", GatewayUnclear),
        (200, b'{"success": false, "errors": ["Invalid JWT"]}', GatewayOurs),
    ],
)
def test_each_status_says_what_to_do(status: int, body: bytes, error: type[Exception]) -> None:
    """Busy, ours, refused, unclear, unknown or nonsense: never a bare HTTP error."""
    with pytest.raises((GatewayError, WireError)) as raised:
        answer_of(a_reply(status, body), TRANSACTION)
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", timedelta(0)),
        ("17", 17 * SECOND),
        ("99999999999999999999", timedelta(hours=1)),
        ("Wed, 14 Jan 2026 07:01:00 GMT", 60 * SECOND),
        ("Wed, 14 Jan 2026 06:00:00 GMT", timedelta(0)),
        ("Wed, 14 Jan 2027 07:01:00 GMT", timedelta(hours=1)),
        ("Wed, 14 Jan 2026 07:01:00", None),
    ],
)
def test_retry_after_is_read_in_both_forms(header: str | None, pause: timedelta | None) -> None:
    """Seconds or a date, at most an hour; what cannot be read is as if absent."""
    assert retry_after(header, NOW) == pause


def test_a_busy_answer_carries_the_pause_it_asks_for(stub: Stub) -> None:
    """Retry-After goes with the error."""
    stub.says = lambda _: said({}, status=429, Retry_After="17")
    with pytest.raises(GatewayBusy) as busy:
        answer_of(a_client(stub.url).ask_details(TRANSACTION), TRANSACTION)
    assert busy.value.retry_after == 17 * SECOND


def test_several_orders_are_asked_for_in_one_call(stub: Stub) -> None:
    """The path is a setting, since the public record does not give it."""
    ids = [TRANSACTION, "TRX_" + "2" * 32]
    stub.says = lambda asked: said(
        {"success": True, "errors": None, "data": [a_transaction(i) for i in asked.split(",")]}
    )
    client = a_client(stub.url, orders_path="/v1/{gateway}/engine/orders")
    assert sorted(orders_of(client.ask_orders(ids))) == sorted(ids)
    assert stub.asked == [",".join(ids)]


def test_orders_without_a_path_are_our_fault(stub: Stub) -> None:
    """The message names the setting."""
    with pytest.raises(GatewayOurs, match="TIEOUT_GATEWAY_ORDERS_PATH"):
        a_client(stub.url).ask_orders([TRANSACTION])


def test_without_a_valid_key_nothing_is_asked(stub: Stub) -> None:
    """A retired key signs nothing; the message names the setting and not the key."""
    retired = Key(key_id="old", secret=JWT.secret, not_after=NOW)
    with pytest.raises(GatewayOurs, match="TIEOUT_GATEWAY_SECRETS") as refused:
        a_client(stub.url, keys=(retired,)).ask_details(TRANSACTION)
    assert JWT.secret.decode() not in str(refused.value)
    assert stub.asked == []


def test_an_answer_without_end_is_cut_off(stub: Stub) -> None:
    """A body larger than the cap is nonsense, not a full memory."""
    stub.says = lambda _: Says(200, b" " * (MAX_ANSWER_BYTES + 1))
    client = GatewayClient(Gateway(name="demo", url=stub.url, secrets=(JWT,), api_secrets=(API,)), deadline=20 * SECOND)
    with pytest.raises(Nonsense):
        client.ask_details(TRANSACTION)


@pytest.mark.parametrize(
    "begins", [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"]
)
def test_an_answer_that_drips_ends_at_the_deadline(begins: bytes) -> None:
    """Status line, headers or body: each byte comes in time and the whole does not: busy, soon after the deadline."""
    with _raw_server(partial(_drip, begins)) as url:
        begun = time.monotonic()
        with pytest.raises(GatewayBusy):
            a_client(url).ask_details(TRANSACTION)
        assert time.monotonic() - begun < 5


def test_a_connection_closed_by_the_other_side_is_tried_once_more() -> None:
    """A kept connection that the server closed meanwhile costs nothing but a second try."""
    turns: list[int] = []

    def close_first(connection: socket.socket) -> None:
        turns.append(1)
        if len(turns) > 1:
            connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    with _raw_server(close_first) as url:
        assert a_client(url).ask_details(TRANSACTION).http_status == 503
    assert len(turns) == 2


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
def test_a_broken_answer_is_busy(answer: bytes) -> None:
    """Closed at once, no HTTP at all, or cut short."""
    with _raw_server(lambda connection: connection.sendall(answer)) as url, pytest.raises(GatewayBusy):
        a_client(url).ask_details(TRANSACTION)


def test_a_client_shows_no_secret() -> None:
    """Neither itself nor its gateway show a key."""
    client = a_client("http://127.0.0.1:1")
    shown = repr(client) + repr(client._gateway) + repr(vars(client))
    with pytest.raises(GatewayBusy) as busy:
        client.ask_details(TRANSACTION)
    shown += str(busy.value) + repr(busy.value)
    for key in (JWT, API):
        assert key.secret.decode() not in shown


@contextmanager
def _raw_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads one request a connection and then does as told."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    answer(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def _drip(begins: bytes, connection: socket.socket) -> None:
    connection.sendall(begins)
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.1)
