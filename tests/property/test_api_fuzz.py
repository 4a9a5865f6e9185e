"""Whatever a caller sends, the API answers in words and never fails; whatever a forger changes, no token passes."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from hmac import new

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from config.keys import Key
from gateway.intents import INTENTS
from gateway.tokens import REASONS, BadTokenError, read_token
from tests.api_calls import HOST, JWT, Backend, a_gateway, backend

NOW = datetime(2026, 11, 20, 4, 45, tzinfo=UTC)
ACCOUNT = "5f0321b5f3743c31d95abd35"
KEYS = [Key(key_id="k1", secret=JWT)]
TOKEN = jwt.encode({"smallcaseAuthId": ACCOUNT, "exp": 4102444800}, JWT, algorithm="HS256")
PATHS = ("/transactions", "/transactions/register", "/accounts/link", "/tokens")
NAMES = (
    *(
        "gateway",
        "user",
        "account",
        "token",
        "intent",
        "orderConfig",
        "assetConfig",
        "responseConfig",
        "notes",
        "version",
    ),
    *(
        "transactionId",
        "createdAt",
        "expireAt",
        "smallcaseAuthToken",
        "kind",
        "type",
        "securities",
        "quantity",
        "ticker",
    ),
)
WORDS = (*INTENTS, "SECURITIES", "BUY", "guest", "connected", "simulated", ACCOUNT, TOKEN, "TRX_" + "a" * 32, "TCS")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(name="company")
def _company(engine: Engine) -> Backend:
    """A backend whose Gateway is not there."""
    return backend(engine, "redis://127.0.0.1:1/0", a_gateway("http://127.0.0.1:1"))


@given(path=st.sampled_from(PATHS), document=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_answered_in_words(company: Backend, path: str, document: dict[str, object]) -> None:
    """A status of the contract, with what, why and the fix; nothing is a failure of ours."""
    headers = {"Host": HOST, "Authorization": f"Bearer {company.token}", "Idempotency-Key": "k"}
    body = json.dumps(document, ensure_ascii=True).encode()
    answer = company.app.test_client().post(
        f"/api/v1{path}", data=body, content_type="application/json", headers=headers
    )
    said = answer.json or {}
    assert answer.status_code in {200, 201, 400, 403, 409, 422, 503}, (answer.status_code, said)
    assert answer.status_code < 300 or {"reason", "what", "why", "fix"} <= said.keys()
    assert TOKEN not in answer.text


@given(place=st.integers(0, len(TOKEN) - 1), letter=st.sampled_from("ABCXYZabcxyz0189-_.=\n é"))
def test_a_token_changed_anywhere_proves_nothing_else(place: int, letter: str) -> None:
    """It is refused with a known reason, or it is the same bytes written otherwise."""
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    assert _account(changed) in {ACCOUNT, None}


@given(
    claims=st.dictionaries(st.sampled_from(["exp", "guest", "smallcaseAuthId", "iat", "nbf"]), VALUES),
    headers=st.dictionaries(st.sampled_from(["typ", "kid", "crit", "b64", "jku", "x5c"]), VALUES, max_size=3),
)
def test_any_signed_claims_are_read_or_refused(claims: dict[str, object], headers: dict[str, object]) -> None:
    """Even rightly signed nonsense raises nothing but its reason."""
    assert _account(_signed(claims, headers)) in (claims.get("smallcaseAuthId"), None)


@given(token=st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_no_token(token: str) -> None:
    """It is refused with a known reason."""
    with pytest.raises(BadTokenError) as refused:
        read_token(token, KEYS, now=NOW)
    assert refused.value.reason in REASONS


def _account(token: str) -> str | None:
    """The account it proves, None if it is refused: with a known reason, or this fails."""
    try:
        return read_token(token, KEYS, now=NOW).account
    except BadTokenError:
        return None


def _signed(claims: dict[str, object], headers: dict[str, object]) -> str:
    """A token with these claims and headers, signed as RFC 7515 says, by hand: PyJWT would refuse some."""
    parts = [
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({**headers, "alg": "HS256"}, claims)
    ]
    signature = new(JWT, b".".join(parts), sha256).digest()
    return b".".join([*parts, urlsafe_b64encode(signature).rstrip(b"=")]).decode()
