"""`tieout keys` and `tieout accounts` as people and as machines read them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from cli import context
from cli.main import tieout
from tieout.callers import SCOPES, let_in

ACCOUNT = "5f0321b5f3743c31d95abd35"


@pytest.fixture(autouse=True)
def _settings(shared_engine: Engine, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The settings that lead the command line to this file's servers."""
    named = {
        "DATABASE_URL": shared_engine.url.render_as_string(hide_password=False),
        "BROKER_URL": broker_url,
        "GATEWAY_NAME": "acme",
        "GATEWAY_SECRETS": "a:b",
        "GATEWAY_API_SECRETS": "a:c",
    }
    for name, value in named.items():
        monkeypatch.setenv(f"TIEOUT_{name}", value)
    context.settings.cache_clear()
    yield
    context.settings.cache_clear()


def _run(*words: str) -> Result:
    return CliRunner().invoke(tieout, words)


def _good(*words: str) -> str:
    result = _run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_key_is_printed_once_and_lets_its_client_in(shared_engine: Engine) -> None:
    """The key alone on stdout; listings know its id, scopes and state, not its secret."""
    token = _good("keys", "create", "backend", "--scope", "tokens:mint", "--gateway", "acme").strip()
    with shared_engine.begin() as connection:
        caller = let_in(connection, f"Bearer {token}")
    assert (caller.client, caller.scopes, caller.gateways) == (
        "backend",
        frozenset({"tokens:mint"}),
        frozenset({"acme"}),
    )
    listed = _good("keys", "list", "--json") + _good("keys", "list") + _good("keys", "list", "--csv")
    assert token.partition(".")[0] in listed
    assert token.partition(".")[2] not in listed


def test_a_key_is_rotated_and_revoked(shared_engine: Engine) -> None:
    """The new one has the old one's client and scopes; both end when they are told to."""
    first = json.loads(_good("keys", "create", "other", "--scope", "all", "--json"))
    assert first["scopes"] == sorted(SCOPES)
    second = json.loads(_good("keys", "rotate", first["key_id"], "--json"))
    assert (second["client"], second["scopes"]) == ("other", first["scopes"])
    _good("keys", "revoke", second["key_id"], "--reason", "test")
    rows = {row["key_id"]: row for row in map(json.loads, _good("keys", "list", "--json").splitlines())}
    assert rows[first["key_id"]]["state"] == "valid"
    assert rows[first["key_id"]]["not_after"] is not None
    assert (rows[second["key_id"]]["state"], rows[second["key_id"]]["revoked_why"]) == ("revoked", "test")


@pytest.mark.parametrize(
    "words",
    [
        ("create", "backend", "--scope", "everything"),
        ("create", "back end", "--scope", "tokens:mint"),
        ("create", "backend", "--scope", "tokens:mint", "--gateway", "other"),
        ("create", "backend"),
        ("rotate", "tk_0000000000000000"),
        ("revoke", "tk_0000000000000000", "--reason", "x"),
    ],
)
def test_a_wrong_call_ends_with_two_and_says_why(words: tuple[str, ...]) -> None:
    """Nothing is made or changed."""
    result = _run("keys", *words)
    assert result.exit_code == 2
    assert result.stderr


def test_an_account_is_linked_shown_and_unlinked() -> None:
    """By hand, with who did it and why; a second user is refused with 1."""
    assert "user-1's" in _good("accounts", "link", ACCOUNT, "user-1")
    assert "already" in _good("accounts", "link", ACCOUNT, "user-1")
    refused = _run("accounts", "link", ACCOUNT, "user-2")
    assert refused.exit_code == 1
    assert "account-of-another-user" in refused.stderr
    assert "unlink it first" in refused.stderr
    whole = json.loads(_good("accounts", "show", ACCOUNT, "--json"))
    assert (whole["user_ref"], whole["refused"]) == ("user-1", 1)
    assert [c["change"] for c in whole["history"]] == ["refused", "linked"]
    assert "by-hand" in _good("accounts", "show", ACCOUNT)
    _good("accounts", "unlink", ACCOUNT, "--reason", "wrong login")
    rows = [json.loads(line) for line in _good("accounts", "list", "--unlinked", "--json").splitlines()]
    assert [row["account"] for row in rows] == [ACCOUNT]
    assert _run("accounts", "unlink", ACCOUNT, "--reason", "again").exit_code == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "0" * 24), 2),
        (("link", "nobody", "user-1"), 2),
        (("link", ACCOUNT, " user"), 2),
        (("link", ACCOUNT, "user-1", "--gateway", "other"), 2),
        (("list", "--limit", "0"), 2),
    ],
)
def test_what_cannot_be_done_with_an_account_is_said(words: tuple[str, ...], code: int) -> None:
    """With the exit code that the contract promises."""
    result = _run("accounts", *words)
    assert result.exit_code == code, result.output
    assert result.stderr


def test_no_secret_of_a_key_is_in_the_database(shared_engine: Engine) -> None:
    """Only its SHA-256."""
    token = _good("keys", "create", "third", "--scope", "tokens:mint").strip()
    with shared_engine.connect() as connection:
        rows = str(connection.execute(text("select to_jsonb(k) from api_keys k")).all())
    assert token.partition(".")[0] in rows
    assert token.partition(".")[2] not in rows
