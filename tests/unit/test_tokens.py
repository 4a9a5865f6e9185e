"""JSON Web Tokens, made and checked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from config.keys import Key
from gateway.tokens import LIFETIME, REASONS, BadTokenError, connected_token, guest_token, read_token

NOW = datetime(2026, 1, 14, 9, 0, tzinfo=UTC)
ACCOUNT = "5f0321b5f3743c31d95abd35"
DEMO = Key(key_id="demo", secret=b"gatewayDemo_secret")
CLAIMED = Key(key_id="claimed", secret=b"have-a-good-day")
API = Key(key_id="api", secret=b"the-other-secret-of-the-same-gateway-and-more-bytes")
OTHER = Key(key_id="other", secret=b"the-secret-of-another-gateway-altogether-and-more")
OURS = Key(key_id="ours", secret=b"a-secret-of-our-own-of-forty-eight-bytes-and-more")
#: The two tokens of the Gateway's getting-started page.
SAMPLE_GUEST = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJndWVzdCI6dHJ1ZSwiZXhwIjoyNTU2MTI0MTk5fQ"
    ".PHmNnVVqhtB7sZjo5_VWlOs5p_HQzIr3qaS9CV0kiAo"
)
SAMPLE_CONNECTED = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    ".eyJzbWFsbGNhc2VBdXRoSWQiOiI1ZjAzMjFiNWYzNzQzYzMxZDk1YWJkMzUiLCJleHAiOjI1NTYxMjQxOTl9"
    ".EC6B435Xsw02dDy_LCmHqKmEmJOqhq3f2MuSOjUmxYs"
)


def test_the_connected_sample_token_verifies_with_the_demo_secret() -> None:
    """The page's connected token was signed with gatewayDemo_secret."""
    connected = read_token(SAMPLE_CONNECTED, [CLAIMED, DEMO], now=NOW)
    assert (connected.account, connected.key_id) == (ACCOUNT, "demo")


def test_the_guest_sample_token_verifies_and_is_refused_as_a_guest() -> None:
    """The page's guest token was signed with gatewayDemo_secret too, and names nobody."""
    with pytest.raises(BadTokenError) as refused:
        read_token(SAMPLE_GUEST, [DEMO], now=NOW)
    assert refused.value.reason == "guest"


@pytest.mark.parametrize("token", [SAMPLE_GUEST, SAMPLE_CONNECTED])
def test_the_sample_tokens_do_not_verify_with_the_secret_the_page_names(token: str) -> None:
    """The page says have-a-good-day signed them; it did not."""
    with pytest.raises(BadTokenError) as refused:
        read_token(token, [CLAIMED], now=NOW)
    assert refused.value.reason == "bad-signature"


def test_our_connected_token_reads_back() -> None:
    """A token we make names its account and lives a quarter of an hour."""
    connected = read_token(connected_token(OURS, ACCOUNT, now=NOW), [OURS], now=NOW)
    assert connected.account == ACCOUNT
    assert connected.expires_at == (NOW + LIFETIME).timestamp()


def test_our_tokens_are_plain_hs256() -> None:
    """Any implementation of JWT verifies ours, with nothing but the documented claims and times."""
    token = guest_token(OURS, now=NOW)
    claims = jwt.decode(token, OURS.secret, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    assert claims == {"guest": True, "iat": int(NOW.timestamp()), "exp": int((NOW + LIFETIME).timestamp())}
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}


def _token(claims: dict[str, object], algorithm: str = "HS256") -> str:
    return jwt.encode(claims, OURS.secret, algorithm=algorithm)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "malformed"),
        ("a.b.c", "malformed"),
        ("x" * 5000, "malformed"),
        (_token({"smallcaseAuthId": ACCOUNT, "exp": 2556124199}, algorithm="HS384"), "alg-other"),
        (jwt.encode({"smallcaseAuthId": ACCOUNT, "exp": 2556124199}, None, algorithm="none"), "alg-none"),
        (_token({"smallcaseAuthId": ACCOUNT}), "no-expiry"),
        (_token({"smallcaseAuthId": ACCOUNT, "exp": int((NOW - timedelta(seconds=1)).timestamp())}), "expired"),
        (_token({"guest": True, "smallcaseAuthId": ACCOUNT, "exp": 2556124199}), "guest"),
        (_token({"exp": 2556124199}), "no-account"),
        (_token({"smallcaseAuthId": 17, "exp": 2556124199}), "no-account"),
        (_token({"smallcaseAuthId": ACCOUNT.upper(), "exp": 2556124199}), "no-account"),
        (_token({"smallcaseAuthId": "", "exp": 2556124199}), "no-account"),
        (_token({"smallcaseAuthId": ACCOUNT, "exp": True}), "no-expiry"),
        (_token({"smallcaseAuthId": ACCOUNT, "exp": 2556124199})[:-2] + "AA", "bad-signature"),
        (jwt.encode({"smallcaseAuthId": ACCOUNT, "exp": 2556124199}, API.secret), "crossed-keys"),
        (jwt.encode({"smallcaseAuthId": ACCOUNT, "exp": 2556124199}, OTHER.secret), "other-gateway"),
        (jwt.encode({"smallcaseAuthId": ACCOUNT, "exp": 2556124199}, "x" * 40), "bad-signature"),
        ("é" * 9, "malformed"),
    ],
)
def test_a_token_that_proves_nothing_is_refused(token: str, reason: str) -> None:
    """Each way of proving nothing has its reason."""
    with pytest.raises(BadTokenError) as refused:
        read_token(token, [OURS], now=NOW, api_keys=[API], elsewhere=[OTHER])
    assert refused.value.reason == reason
    assert str(refused.value) == REASONS[reason]


def test_a_key_outside_its_window_verifies_nothing() -> None:
    """A retired key no longer proves anything; that it was retired is the reason."""
    retired = Key(key_id="old", secret=OURS.secret, not_after=NOW)
    with pytest.raises(BadTokenError) as refused:
        read_token(connected_token(OURS, ACCOUNT, now=NOW), [retired], now=NOW)
    assert refused.value.reason == "retired-key"
