"""The console's pages of accounts and keys: read-only, escaped, without a secret."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from tests.api_calls import HOST, Backend, a_gateway, backend
from tieout.accounts import BY_HAND, Link, link, unlink
from tieout.callers import revoke

NOW = datetime(2026, 11, 20, 4, 45, tzinfo=UTC)
ACCOUNT = "5f0321b5f3743c31d95abd35"
ATTACK = "<script>alert(1)</script>"


@pytest.fixture(name="company")
def _company(shared_engine: Engine) -> Backend:
    """A backend whose database has an account with a history."""
    made = backend(shared_engine, "redis://127.0.0.1:1/0", a_gateway("http://127.0.0.1:1"))
    for user in ("user-1", "user-2"):
        with shared_engine.begin() as connection:
            wanted = Link(gateway="simulated", book="test", account=ACCOUNT, user_ref=user, source=BY_HAND, by=ATTACK)
            link(connection, wanted, now=NOW)
    return made


def _page(company: Backend, path: str) -> str:
    answer = company.app.test_client().get(path, headers={"Host": HOST})
    assert answer.status_code == 200, path
    return answer.text


def test_accounts_and_what_was_refused_are_shown(company: Backend) -> None:
    """Whose each is, filtered by the address alone; text from outside is escaped."""
    assert "user-1" in _page(company, "/accounts")
    assert "account-of-another-user" in _page(company, "/accounts")
    assert ACCOUNT in _page(company, "/accounts?user=user-1")
    assert "Nothing matches" in _page(company, "/accounts?user=user-9")
    assert "Nothing matches" in _page(company, "/accounts?unlinked=1")
    assert ATTACK not in _page(company, "/accounts") + _page(company, f"/accounts/{ACCOUNT}")


def test_an_account_shows_its_history(company: Backend) -> None:
    """Newest first, with reasons."""
    with company.engine.begin() as connection:
        unlink(connection, gateway="simulated", account=ACCOUNT, reason="sold", by="me", now=NOW)
    page = _page(company, f"/accounts/{ACCOUNT}?gateway=simulated")
    assert page.index("unlinked") < page.index("refused") < page.index("linked</th>", page.index("refused"))
    assert "sold" in page


def test_keys_are_shown_without_their_secrets(company: Backend) -> None:
    """Client, scopes, state."""
    key_id, _, secret = company.token.partition(".")
    page = _page(company, "/keys")
    assert key_id in page
    assert secret not in page
    with company.engine.begin() as connection:
        revoke(connection, key_id=key_id, why="found in a log")
    assert "found in a log" in _page(company, "/keys")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/accounts/none", 404), ("/accounts/%00", 404), ("/accounts?user=%00", 400), ("/accounts?after=x", 400)],
)
def test_an_address_that_makes_no_sense_is_said_so(company: Backend, path: str, status: int) -> None:
    """In words, never a traceback."""
    assert company.app.test_client().get(path, headers={"Host": HOST}).status_code == status


def test_the_pages_change_nothing(company: Backend) -> None:
    """A POST is refused."""
    for path in ("/accounts", f"/accounts/{ACCOUNT}", "/keys"):
        assert company.app.test_client().post(path, headers={"Host": HOST}).status_code == 405
