"""Explaining a refusal: what was tried, and which mistake would have given that checksum."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime

import pytest

from config.keys import parse_keys
from gateway.explain import Row, explain
from gateway.verify import Checks

NOW = datetime(2024, 1, 15, 10, 31, tzinfo=UTC)
STAMP = "2024-01-15T10:30:00.000Z"
ACCOUNT, TRANSACTION = "5f0321b5f3743c31d95abd35", "TRX_00000000000000000000000000000001"
API = parse_keys("k1:right old@/2024-01-01:rotated q:'quoted'")
JWT = parse_keys("j1:crossed")


def explained(checksum: str, **more: object) -> tuple[Row, ...]:
    """The explanation of an order webhook with that checksum."""
    content = {"batchId": "65a5" * 6, "transactionId": TRANSACTION, "smallcaseAuthId": ACCOUNT, **more}
    body = json.dumps({**content, "timestamp": STAMP, "checksum": checksum}).encode()
    return explain(body, gateway="acme", api_keys=API, jwt_keys=JWT, now=NOW, checks=Checks())


def digest(secret: str, text: str = STAMP + ACCOUNT) -> bytes:
    """The signature of that text."""
    return hmac.digest(secret.encode(), text.encode(), "sha256")


@pytest.mark.parametrize(
    ("checksum", "value", "fix"),
    [
        (digest("crossed").hex(), "JWT secret j1", "crossed"),
        (digest("rotated").hex(), "API secret old", "widen the window of old"),
        (digest("quoted").hex(), "without its quotes", "take the quotes off"),
        (digest("right").hex().upper(), "hex, upper case", "writes it in hex, upper case"),
        (base64.b64encode(digest("right")).decode(), "base64", "set this family's encoding to base64"),
        (digest("right", f"{STAMP}.{ACCOUNT}").hex(), "{timestamp}.{smallcaseAuthId}", "formula"),
        (digest("right", ACCOUNT + STAMP).hex(), "{smallcaseAuthId}{timestamp}", "formula"),
        (digest("right", STAMP + TRANSACTION).hex(), "{timestamp}{transactionId}", "formula"),
        ("0" * 64, "nothing that was tried", "another one"),
    ],
)
def test_the_mistake_is_named_with_its_fix(checksum: str, value: str, fix: str) -> None:
    """Each usual mistake is found by trying it, and the fix is told."""
    *_, last = explained(checksum)

    assert last.what == "would match"
    assert value in last.value
    assert fix in last.fix


def test_a_verified_webhook_names_its_key() -> None:
    """Nothing else is tried when it verifies."""
    *_, last = explained(digest("right").hex())

    assert (last.what, last.value) == ("matches", "API secret k1")


def test_the_formula_its_text_and_the_fingerprints_are_shown() -> None:
    """What was signed is shown, the secrets never."""
    rows = {row.what: row.value for row in explained("0" * 64)}

    assert rows["formula"] == "hex of HMAC-SHA256 over {timestamp}{smallcaseAuthId}"
    assert rows["text"] == STAMP + ACCOUNT
    assert API[0].fingerprint in rows["API secret k1"]
    assert not any(secret in str(rows) for secret in ("right", "rotated", "crossed"))


def test_the_same_value_for_both_secrets_is_pointed_out() -> None:
    """The demo gateway does it, and nobody else should."""
    rows = explain(b"{}", gateway="g", api_keys=API, jwt_keys=API, now=NOW, checks=Checks())

    assert any("the same value" in row.value for row in rows)


@pytest.mark.parametrize(("body", "fix"), [(b"{", "raw body"), (b'{"batchId":"x"}', "24 hex")])
def test_a_body_that_is_not_read_is_explained_too(body: bytes, fix: str) -> None:
    """The last row says what to do."""
    *_, last = explain(body, gateway="g", api_keys=API, jwt_keys=JWT, now=NOW, checks=Checks())

    assert fix in last.fix
