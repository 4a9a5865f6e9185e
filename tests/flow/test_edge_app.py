"""The edge's app asked without a web server: the same code over a real database, one request at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from flask.testing import FlaskClient
from pydantic import SecretStr

from config.logs import configure_logging
from config.settings import Settings
from tests.edges import GATEWAY, SECRET, order, signed
from webhook.build import Built, build

AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture(name="built")
def _built(database_url: str) -> Iterator[Built]:
    """An edge whose broker is away."""
    settings = Settings(gateway_name=GATEWAY, gateway_api_secrets=SecretStr(f"k1:{SECRET}"), body_max_bytes=4096)
    built = build(settings, database_url=database_url, broker_url=AWAY)
    yield built
    built.close()


@pytest.fixture(name="client")
def _client(built: Built) -> FlaskClient:
    """Who posts to it."""
    return built.app.test_client()


def posted(client: FlaskClient, body: bytes | dict[str, object], *, gateway: str = GATEWAY) -> tuple[int, str]:
    """Post a webhook: the status, and what the answer says of it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(f"/webhooks/{gateway}", data=raw)
    return answer.status_code, answer.json.get("reason", answer.json["status"]) if answer.json else ""


def test_a_webhook_is_accepted_once_and_its_repeat_is_a_duplicate(client: FlaskClient) -> None:
    """The same content with another timestamp is a further delivery."""
    assert posted(client, signed(order())) == (200, "accepted")
    assert posted(client, signed(order(), stamp="2099-01-01T00:00:00Z")) == (200, "duplicate")


def test_every_refusal_has_its_status_and_its_reason(client: FlaskClient) -> None:
    """What is wrong with a request is told in one word, and never by a 5xx."""
    unsigned = {**signed(order()), "checksum": "0" * 64}

    assert posted(client, signed(order()), gateway="nobody") == (404, "unknown-gateway")
    assert posted(client, b"{") == (400, "not-json")
    assert posted(client, b"[]") == (400, "not-an-object")
    assert posted(client, b" " * 5000) == (413, "too-large")
    assert posted(client, unsigned) == (401, "bad-checksum")
    assert posted(client, signed(order(), stamp="2001-01-01T00:00:00Z")) == (401, "stale")
    assert client.post(f"/webhooks/{GATEWAY}", data=b"x", headers={"Content-Encoding": "gzip"}).status_code == 400
    assert client.get(f"/webhooks/{GATEWAY}").status_code == 405
    assert client.get("/elsewhere").status_code == 404


def test_a_signature_carries_only_so_many_bodies(client: FlaskClient) -> None:
    """One captured triple signs any body, so after twenty of them the rest are refused."""
    first = signed(order())
    answers = [posted(client, {**first, "filled": n}) for n in range(22)]

    assert answers == [(200, "accepted")] * 20 + [(401, "signature-reused")] * 2


def test_an_unknown_shape_is_kept(client: FlaskClient) -> None:
    """What is signed but not understood is stored for a person, not refused."""
    assert posted(client, signed({"smallcaseAuthId": "5f0321b5f3743c31d95abd35", "news": 1})) == (200, "accepted")


def test_long_headers_are_left_out_whole(client: FlaskClient) -> None:
    """A header that does not fit is dropped, the webhook is not."""
    raw = json.dumps(signed(order(7))).encode()

    assert client.post(f"/webhooks/{GATEWAY}", data=raw, headers={"X-Request-Id": "a" * 20_000}).status_code == 200


def test_it_lives_and_is_ready(client: FlaskClient) -> None:
    """Ready means that a webhook can be saved, whatever the broker does."""
    assert client.get("/livez").json == {"status": "alive"}
    assert client.get("/readyz").json == {"status": "ready"}


def test_an_edge_without_a_valid_key_says_so_when_it_starts(
    database_url: str,
) -> None:
    """And not only when the first webhook is answered 503; nor is a service without any gateway silent."""
    late = Settings(gateway_name=GATEWAY, gateway_api_secrets=SecretStr(f"k1@/2020-01-01:{SECRET}"))
    stream = StringIO()
    for settings in (late, Settings()):
        configure_logging(settings, stream=stream)
        build(settings, database_url=database_url, broker_url=AWAY).close()
    structlog.reset_defaults()
    said = stream.getvalue()

    assert "edge.no-valid-key" in said
    assert "edge.no-gateway" in said
    assert SECRET not in said
