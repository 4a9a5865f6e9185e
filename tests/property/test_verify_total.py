"""Verifying never raises, whatever is posted; identity depends on content alone."""

from __future__ import annotations

import hmac
import json
import string
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from config.keys import parse_keys
from gateway.explain import explain
from gateway.verify import Checks, event_id, signature, verify

NOW = datetime(2024, 1, 15, 10, 31, tzinfo=UTC)
KEYS = parse_keys("k1:a-secret-of-some-length k2@2024-01-01/:another")
SECRET = b"a-secret-of-some-length"
ACCOUNT = "5f0321b5f3743c31d95abd35"
NAMES = (
    "batchId", "orders", "transactionId", "smallcaseAuthId", "timestamp", "checksum", "securities", "smallcases",
    "summary", "transactions", "dtSummary", "gateway", "data", "x",
)  # fmt: skip

texts = st.text(st.characters(), max_size=40) | st.sampled_from(
    [ACCOUNT, "TRX_" + "a" * 32, "a" * 64, "2024-01-15T10:30:00Z"],
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(scalars, lambda v: st.lists(v, max_size=4) | st.dictionaries(texts, v, max_size=4), max_leaves=12)
documents = st.dictionaries(st.sampled_from(NAMES) | texts, values, max_size=10)
clean = st.text(st.sampled_from(string.printable + "é₹😀"), max_size=12)
clean_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | clean,
    lambda v: st.lists(v, max_size=4) | st.dictionaries(clean, v, max_size=4),
    max_leaves=12,
)
contents = st.dictionaries(clean.map(lambda name: f"n{name}"), clean_values, max_size=6)


def signed(content: dict[str, object], stamp: str = "2024-01-15T10:30:00Z") -> dict[str, object]:
    """The content of an order with its checksum."""
    checksum = hmac.digest(SECRET, f"{stamp}{ACCOUNT}".encode(), "sha256").hex()
    return {**content, "orders": [], "smallcaseAuthId": ACCOUNT, "timestamp": stamp, "checksum": checksum}


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_get_a_verdict(body: bytes) -> None:
    """Bytes that are no JSON are refused, never raised over."""
    assert not verify(body, KEYS, now=NOW).ok


@settings(max_examples=150, deadline=None)
@given(documents)
def test_any_document_gets_a_verdict_and_an_explanation(document: dict[str, object]) -> None:
    """Any JSON document is judged and explained, and no secret is shown."""
    body = json.dumps(document).encode()

    verdict = verify(body, KEYS, now=NOW)
    rows = explain(body, gateway="g", api_keys=KEYS, jwt_keys=KEYS, now=NOW, checks=Checks())

    assert verdict.reason
    assert "a-secret-of-some-length" not in repr(rows) or "a-secret-of-some-length" in repr(document)


@settings(max_examples=120, deadline=None)
@given(texts)
def test_any_timestamp_gets_a_verdict(stamp: str) -> None:
    """Dates at the ends of time, other scripts' digits, nonsense: all are judged."""
    body = json.dumps({"orders": [], "smallcaseAuthId": ACCOUNT, "timestamp": stamp, "checksum": "x"})

    assert verify(body.encode(), KEYS, now=NOW).reason


@settings(max_examples=80, deadline=None)
@given(contents, st.randoms())
def test_identity_knows_no_key_order_no_white_space_and_no_timestamp(
    content: dict[str, object],
    random: object,
) -> None:
    """The same content, written another way and signed at another instant, is the same event."""
    names = list(signed(content))
    random.shuffle(names)  # type: ignore[attr-defined]
    later = signed(content, stamp="1705314600")
    first = verify(json.dumps(signed(content), separators=(",", ":"), ensure_ascii=False).encode(), KEYS, now=NOW)
    again = verify(json.dumps({name: later[name] for name in names}, indent=3).encode(), KEYS, now=NOW)

    assert first.ok, first.reason
    assert again.ok, again.reason
    assert event_id("g", first) == event_id("g", again) != event_id("h", first)
    assert signature("g", first) != signature("g", again)


@settings(max_examples=80, deadline=None)
@given(contents, contents)
def test_other_content_is_another_event(one: dict[str, object], other: dict[str, object]) -> None:
    """Two contents have one identity only if they are equal, types included."""
    ids = [event_id("g", verify(json.dumps(signed(c)).encode(), KEYS, now=NOW)) for c in (one, other)]

    assert (ids[0] == ids[1]) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))
