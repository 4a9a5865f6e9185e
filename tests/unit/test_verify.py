"""Verifying webhooks: the documented formula, several keys, what each refusal is called."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from config.keys import Key, parse_keys
from gateway.shapes import Family
from gateway.strict import Reader, canonical
from gateway.verify import (
    DOCUMENTED,
    BadFormulaError,
    Checks,
    Verdict,
    event_id,
    formula,
    read_timestamp,
    signature,
    verify,
)

NOW = datetime(2024, 1, 15, 10, 31, tzinfo=UTC)
STAMP = "2024-01-15T10:30:00.000Z"
ACCOUNT = "5f0321b5f3743c31d95abd35"
TRANSACTION = "TRX_00000000000000000000000000000001"
KEYS = parse_keys("k1:test_api_secret")
ORDER: dict[str, object] = {"batchId": "65a5" * 6, "transactionId": TRANSACTION, "smallcaseAuthId": ACCOUNT}


def signed(
    content: dict[str, object],
    *,
    stamp: object = STAMP,
    over: str = ACCOUNT,
    secret: str = "test_api_secret",  # noqa: S107 made up
) -> bytes:
    """That content as a webhook's body, signed over the id."""
    checksum = hmac.digest(secret.encode(), f"{stamp}{over}".encode(), "sha256").hex()
    return json.dumps({**content, "timestamp": stamp, "checksum": checksum}).encode()


def judged(body: bytes, *, keys: tuple[Key, ...] = KEYS, now: datetime = NOW, checks: Checks | None = None) -> Verdict:
    """The verdict at the tests' instant."""
    return verify(body, keys, now=now, checks=checks)


@pytest.mark.parametrize(
    ("stamp", "family", "content", "checksum"),
    [
        (f'"{STAMP}"', Family.ORDERS, ORDER, "d1921394115d7aa4ea30939a6e5e9442d1398ee9062d119c02ceb6f998742c9e"),
        ("1705314600000", Family.ORDERS, ORDER, "3d9e461d27ab4e824e06570a7ed5f0c9119b5f245688b8c9379398ef2a456aaf"),
        (
            f'"{STAMP}"',
            Family.MF_HOLDINGS,
            {"summary": [], "transactionId": TRANSACTION},
            "9f9190f8e0d1c70980b51c49de5536edb8677fe0ce53519f5dca4fbdc340380f",
        ),
    ],
)
def test_the_published_vectors_verify(stamp: str, family: Family, content: dict[str, object], checksum: str) -> None:
    """A timestamp counts as it was sent: a string's value, a number's own digits."""
    body = f'{json.dumps(content)[:-1]},"timestamp":{stamp},"checksum":"{checksum}"}}'.encode()

    verdict = judged(body)

    assert (verdict.ok, verdict.family, verdict.key_id) == (True, family, "k1")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff", "not-utf8"),
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"{} {}", "not-json"),
        (b"\xef\xbb\xbf{}", "not-json"),
        (b"[]", "not-an-object"),
        (b'"x"', "not-an-object"),
        (b'{"a":1,"a":1}', "duplicate-key"),
        (b'{"o":{"a":1,"\\u0061":1}}', "duplicate-key"),
        (b'{"a":NaN}', "not-finite"),
        (b'{"a":-Infinity}', "not-finite"),
        (b'{"a":"\\u0000"}', "bad-text"),
        (b'{"a":["\\ud800"]}', "bad-text"),
        (b'{"\\udc00":1}', "bad-text"),
        (b'{"a":' + b"1" * 41 + b"}", "number-too-long"),
        (b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", "too-deep"),
        (b"[" * 100_000, "too-deep"),
        (b'{"a":' * 100_000, "too-deep"),
        (b'{"batchId":"65","timestamp":1}', "bad-id"),
        (b'{"batchId":7}', "bad-id"),
        (b'{"batchId":null,"transactionId":"TRX_1"}', "bad-id"),
        (b"{}", "no-checksum"),
        (b'{"orders":[],"checksum":""}', "no-checksum"),
        (b'{"orders":[],"checksum":7}', "no-checksum"),
        (b'{"orders":[],"checksum":"x","timestamp":1}', "no-id"),
        (b'{"orders":[],"checksum":"x","smallcaseAuthId":"5f0321b5f3743c31d95abd35"}', "no-timestamp"),
        (b'{"orders":[],"checksum":"x","smallcaseAuthId":"5f0321b5f3743c31d95abd35","timestamp":true}', "no-timestamp"),
        (b'{"checksum":"x","smallcaseAuthId":7,"timestamp":1}', "no-id"),
        (
            '{"orders":[],"checksum":"é","smallcaseAuthId":"5f0321b5f3743c31d95abd35","timestamp":1}'.encode(),
            "bad-checksum",
        ),
    ],
)
def test_each_refusal_has_its_word(body: bytes, reason: str) -> None:
    """A refused body says why, and is never verified."""
    verdict = judged(body)

    assert (verdict.ok, verdict.reason) == (False, reason)


def test_brackets_in_strings_are_no_depth() -> None:
    """Depth counts nesting, not the brackets of a text, even one with escaped quotes."""
    body = signed({**ORDER, "label": '[[[["\\' * 50})

    assert judged(body).ok


def test_a_number_of_forty_digits_is_taken() -> None:
    """The cap counts digits, not signs, points and exponents."""
    body = b'{"a":-' + b"1" * 20 + b"." + b"1" * 20 + b"}"

    assert canonical(Reader().read(body)) == body


@pytest.mark.parametrize("form", ["upper", "base64", "padded"])
def test_a_checksum_in_another_form_is_refused(form: str) -> None:
    """Only the encoding of the setting counts."""
    body = json.loads(signed(ORDER))
    other = {
        "upper": body["checksum"].upper(),
        "base64": base64.b64encode(bytes.fromhex(body["checksum"])).decode(),
        "padded": body["checksum"] + " ",
    }[form]

    assert judged(json.dumps({**body, "checksum": other}).encode()).reason == "bad-checksum"


def test_formula_and_encoding_are_settings() -> None:
    """A family may be signed another way: base64, with a separator, the id first."""
    checks = Checks(formulas={**DOCUMENTED, Family.ORDERS: formula("base64 {smallcaseAuthId}.{timestamp}")})
    digest = hmac.digest(b"test_api_secret", f"{ACCOUNT}.{STAMP}".encode(), "sha256")
    body = json.dumps({**ORDER, "timestamp": STAMP, "checksum": base64.b64encode(digest).decode()}).encode()

    assert judged(body, checks=checks).ok
    assert judged(signed(ORDER), checks=checks).reason == "bad-checksum"


@pytest.mark.parametrize("text", ["", "hex", "hex {timestamp}", "md5 {timestamp}{transactionId}", "hex {timestamp}{x}"])
def test_a_formula_that_is_none_is_refused(text: str) -> None:
    """The message says how to write one."""
    with pytest.raises(BadFormulaError, match="timestamp"):
        formula(text)


def test_the_formula_is_chosen_by_shape_never_by_what_fits() -> None:
    """An order signed over its transaction's id is refused, though that formula serves funds."""
    assert judged(signed(ORDER, over=TRANSACTION)).reason == "bad-checksum"


@pytest.mark.parametrize(
    ("content", "over", "family"),
    [
        ({**ORDER, "securities": {}}, ACCOUNT, Family.UNKNOWN),
        ({"smallcaseAuthId": ACCOUNT, "transactionId": TRANSACTION}, ACCOUNT, Family.UNKNOWN),
        ({"transactionId": TRANSACTION}, TRANSACTION, Family.UNKNOWN),
        ({"smallcaseAuthId": 7, "transactionId": TRANSACTION}, TRANSACTION, Family.UNKNOWN),
        ({"smallcases": {}, "smallcaseAuthId": ACCOUNT}, ACCOUNT, Family.HOLDINGS),
        ({"dtSummary": [], "transactionId": TRANSACTION}, TRANSACTION, Family.MF_HOLDINGS),
        ({"gateway": "g", "data": {"transactionId": TRANSACTION}}, TRANSACTION, Family.MF_HOLDINGS),
    ],
)
def test_the_family_is_told_by_shape(content: dict[str, object], over: str, family: Family) -> None:
    """Keys of two families or of none are unknown, and verify by the id they name."""
    verdict = judged(signed(content, over=over))

    assert (verdict.ok, verdict.family) == (True, family)


def test_every_valid_key_verifies_and_its_id_is_told() -> None:
    """While secrets are rotated, both count, each within its window."""
    keys = parse_keys("old@/2024-01-16:one new@2024-01-15/:two next@2024-02-01/:three")

    assert judged(signed(ORDER, secret="one"), keys=keys).key_id == "old"
    assert judged(signed(ORDER, secret="two"), keys=keys).key_id == "new"
    assert judged(signed(ORDER, secret="three"), keys=keys).reason == "bad-checksum"
    assert judged(signed(ORDER, secret="one"), keys=keys, now=NOW + timedelta(days=1)).reason == "bad-checksum"


def test_no_valid_key_is_our_own_fault() -> None:
    """It has a reason of its own, so that the sender is asked to come again."""
    assert judged(signed(ORDER), keys=()).reason == "no-valid-key"


@pytest.mark.parametrize(
    ("stamp", "reason", "marks"),
    [
        (STAMP, "verified", ()),
        ("2024-01-08T10:30:59Z", "stale", ()),
        ("2024-01-08T16:01:00+05:30", "verified", ()),
        (1705314600, "verified", ()),
        (1704000000, "stale", ()),
        (1704000000000, "stale", ()),
        ("1704000000000", "stale", ()),
        ("2024-01-15T10:35:00Z", "verified", ("timestamp-future",)),
        ("2024-01-15T10:31:30Z", "verified", ()),
        ("2024-01-15 10:30", "verified", ("timestamp-unreadable",)),
        ("Mon Jan 15 2024", "verified", ("timestamp-unreadable",)),
        ("१७०५३१४६००", "verified", ("timestamp-unreadable",)),
        (10**30, "verified", ("timestamp-unreadable",)),
    ],
)
def test_age_is_read_from_what_can_be_read(stamp: object, reason: str, marks: tuple[str, ...]) -> None:
    """ISO with zone, epoch seconds and milliseconds are read; others are accepted and marked."""
    verdict = judged(signed(ORDER, stamp=stamp))

    assert (verdict.reason, verdict.marks) == (reason, marks)


def test_epoch_digits_are_seconds_or_milliseconds() -> None:
    """Ten digits are seconds, thirteen are milliseconds."""
    assert read_timestamp("1705314600") == read_timestamp("1705314600000") == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


def test_a_body_that_holds_our_secret_is_refused() -> None:
    """Stored bytes stay for ever, so a secret must never be among them."""
    secret = "a-secret-of-some-length"
    body = signed({**ORDER, "notes": f"psst {secret}"}, secret=secret)

    assert judged(body, keys=parse_keys(f"k1:{secret}")).reason == "holds-secret"


def test_identity_tells_numbers_from_text() -> None:
    """The number 1 and the text "1" are two contents, and so are 1 and 1.0."""
    ids = {event_id("g", judged(signed({**ORDER, "filled": value}))) for value in (1, "1", 1.0)}

    assert len(ids) == 3


def test_a_signature_names_the_triple() -> None:
    """Another body under the same triple has the same signature; another gateway's has not."""
    first, second = judged(signed(ORDER)), judged(signed({**ORDER, "filled": 1}))

    assert signature("g", first) == signature("g", second) != signature("h", first)
