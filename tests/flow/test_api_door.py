"""The private API's door: keys, scopes, browsers, bodies; nothing passes that was not let in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
import structlog
from sqlalchemy import Engine

from config.logs import configure_logging
from config.settings import Settings
from console.api.door import scope_of
from console.app import create_app
from store.engine import connect
from tests.api_calls import HOST, PORT, Backend, a_gateway, backend
from tieout.callers import SCOPES, BadKeyRequestError, make, revoke, rotate
from tieout.desk.keys import listing

NOWHERE = "redis://127.0.0.1:1/0"
ROUTES = (
    ("POST", "/transactions"),
    ("POST", "/transactions/register"),
    ("GET", "/transactions/x"),
    ("POST", "/accounts/link"),
    ("GET", "/accounts"),
    ("GET", "/accounts/x"),
    ("POST", "/tokens"),
)


@pytest.fixture(name="company")
def _company(shared_engine: Engine) -> Backend:
    """A backend with two gateways, neither of which is there."""
    return backend(
        shared_engine, NOWHERE, a_gateway("http://127.0.0.1:1"), a_gateway("http://127.0.0.1:1", name="second")
    )


def _reason(company: Backend, authorization: str | None, **headers: str) -> tuple[int, str]:
    given = {"Host": HOST, **({"Authorization": authorization} if authorization is not None else {}), **headers}
    answer = company.app.test_client().get("/api/v1/accounts", headers=given)
    return answer.status_code, (answer.json or {}).get("reason", "")


def test_every_address_needs_a_key(company: Backend) -> None:
    """Without one each answers 401 in JSON and names the way to call."""
    for method, path in ROUTES:
        answer = company.app.test_client().open(f"/api/v1{path}", method=method, headers={"Host": HOST})
        assert (answer.status_code, (answer.json or {})["reason"]) == (401, "no-key"), path
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Basic dXNlcjpwYXNz",
        "Bearer tk_0123456789abcdef",
        "Bearer tk_0.x",
        "Bearer é",
        "tk_0123456789abcdef.x",
    ],
)
def test_what_is_no_key_is_refused(company: Backend, authorization: str) -> None:
    """Whatever it is instead."""
    status, reason = _reason(company, authorization)
    assert status == 401
    assert reason in {"no-key", "bad-key"}


def test_a_wrong_secret_and_an_unknown_id_look_the_same(company: Backend) -> None:
    """Nobody learns which ids there are."""
    key_id, _, secret = company.token.partition(".")
    answers = [
        company.app.test_client().get("/api/v1/accounts", headers={"Host": HOST, "Authorization": f"Bearer {token}"})
        for token in (f"{key_id}.{'A' * 43}", f"tk_{'0' * 16}.{secret}")
    ]
    assert answers[0].data == answers[1].data
    assert answers[0].status_code == 401


def test_a_key_opens_only_what_its_scope_names(company: Backend) -> None:
    """Each address needs its own scope."""
    for scope in SCOPES:
        company.token = company.key(scope)
        answers = {path: company.app.test_client().open(
            f"/api/v1{path}", method=method, headers={"Host": HOST, "Authorization": f"Bearer {company.token}"}
        ).status_code for method, path in ROUTES}  # fmt: skip
        assert 403 in answers.values()
        assert set(answers.values()) <= {403, 200, 404, 415}


def test_a_view_without_a_scope_is_closed(company: Backend) -> None:
    """Every route of the API has a scope; what has none answers nobody."""
    with company.app.app_context():
        endpoints = [rule.endpoint for rule in company.app.url_map.iter_rules() if rule.rule.startswith("/api/")]
        assert endpoints
        assert all(scope_of(endpoint) in SCOPES for endpoint in endpoints)
        assert scope_of("health.livez") is None
        assert scope_of(None) is None


def test_a_key_for_one_gateway_is_for_that_one(company: Backend) -> None:
    """It neither writes to another nor sees it."""
    company.token = company.key(gateways=["second"])
    refused = company.create({"intent": "CONNECT", "gateway": "simulated"})
    assert (refused.status_code, refused.json["reason"]) == (403, "not-this-gateway")
    transaction_id = "TRX_" + "7" * 32
    registered = {"transactionId": transaction_id, "gateway": "simulated"}
    assert company.post("/transactions/register", registered).json["reason"] == "not-this-gateway"
    company.token = company.key()
    assert company.post("/transactions/register", registered).status_code == 201
    company.token = company.key(gateways=["second"])
    assert company.get(f"/transactions/{transaction_id}").status_code == 404


def test_rotation_leaves_two_keys_valid_for_a_while(company: Backend) -> None:
    """The old one ends after the overlap, the new one is the same client's."""
    old = company.token
    with company.engine.begin() as connection:
        new, _ = rotate(connection, key_id=old.partition(".")[0], overlap=timedelta(days=1))
    assert _reason(company, f"Bearer {old}")[0] == 200
    assert _reason(company, f"Bearer {new.token}")[0] == 200
    assert (new.client, set(new.scopes)) == ("backend", set(SCOPES))
    with company.engine.begin() as connection:
        rotate(connection, key_id=old.partition(".")[0], overlap=timedelta(0))
    assert _reason(company, f"Bearer {old}") == (401, "expired-key")


def test_a_revoked_key_is_refused_at_once_and_for_good(company: Backend) -> None:
    """It cannot be rotated back to life either."""
    key_id = company.token.partition(".")[0]
    with company.engine.begin() as connection:
        revoke(connection, key_id=key_id, why="found in a log")
    assert _reason(company, f"Bearer {company.token}") == (401, "revoked-key")
    with pytest.raises(BadKeyRequestError, match="revoked"), company.engine.begin() as connection:
        rotate(connection, key_id=key_id, overlap=timedelta(days=1))


@pytest.mark.parametrize(
    ("client", "scopes"), [("a b", ["tokens:mint"]), ("", ["tokens:mint"]), ("a", []), ("a", ["all"])]
)
def test_a_key_that_makes_no_sense_is_not_made(company: Backend, client: str, scopes: list[str]) -> None:
    """The message names what there is."""
    with pytest.raises(BadKeyRequestError), company.engine.begin() as connection:
        make(connection, client=client, scopes=scopes)


@pytest.fixture(name="log")
def _log() -> Iterator[StringIO]:
    """What is logged."""
    stream = StringIO()
    configure_logging(Settings(_env_file=None), stream=stream)
    yield stream
    structlog.reset_defaults()


def test_no_secret_of_a_key_is_stored_or_shown(company: Backend, log: StringIO) -> None:
    """Not in the database, not in listings, logs, repr or answers."""
    token = company.key()
    secret = token.partition(".")[2]
    with company.engine.begin() as connection:
        new = make(connection, client="other", scopes=["tokens:mint"])
    _reason(company, f"Bearer {token}x")
    stored = str(company.all("select to_jsonb(k) from api_keys k"))
    seen = stored + str(listing(company.engine)) + repr(new) + log.getvalue()
    assert "api.refused" in log.getvalue()
    assert secret not in seen
    assert new.token.partition(".")[2] not in seen


@pytest.mark.parametrize("header", ["Origin", "Sec-Fetch-Site"])
def test_a_browser_is_refused(company: Backend, header: str) -> None:
    """A key does not belong into a page."""
    assert _reason(company, f"Bearer {company.token}", **{header: "same-origin"}) == (403, "from-a-browser")


def test_another_host_is_refused_unless_a_setting_names_it(company: Backend) -> None:
    """The setting opens the API alone; the pages stay the loopback's."""
    assert _reason(company, f"Bearer {company.token}", Host="api.example")[0] == 421
    desk = company.app.extensions["desk"]
    settings = Settings(_env_file=None, console_port=PORT, api_hosts="api.example other.example:9000")
    app = create_app(
        settings, engine=desk.engine, watch=desk.watch, clock=desk.clock, rules=desk.rules, office=company.office
    )
    headers = {"Host": "API.example", "Authorization": f"Bearer {company.token}"}
    assert app.test_client().get("/api/v1/accounts", headers=headers).status_code == 200
    assert app.test_client().get("/livez", headers=headers).status_code == 421


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b"{}", "text/plain", 415, "wrong-content-type"),
        (b"{}", "application/x-www-form-urlencoded", 415, "wrong-content-type"),
        (b"", "application/json", 411, "no-length"),
        (b"[]", "application/json", 400, "not-json"),
        (b'{"intent":"CONNECT","intent":"CONNECT"}', "application/json", 400, "not-json"),
        (b'{"intent":NaN}', "application/json", 400, "not-json"),
        (b'{"user":"\\u0000"}', "application/json", 400, "not-json"),
        (b"\xff{}", "application/json", 400, "not-json"),
        (b'{"a":' + b"[" * 20 + b"]" * 20 + b"}", "application/json", 400, "not-json"),
        (b"{" + b" " * (64 << 10) + b"}", "application/json", 413, "too-large"),
    ],
)
def test_a_body_that_is_no_plain_json_is_refused(
    company: Backend, body: bytes, kind: str, status: int, reason: str
) -> None:
    """With the reason, before anything is looked up."""
    headers = {"Host": HOST, "Authorization": f"Bearer {company.token}", "Idempotency-Key": "k"}
    answer = company.app.test_client().post("/api/v1/transactions", data=body, content_type=kind, headers=headers)
    assert (answer.status_code, (answer.json or {})["reason"]) == (status, reason)
    assert set(answer.json or {}) >= {"what", "why", "fix"}


def test_what_is_not_there_is_said_in_json(company: Backend) -> None:
    """Wrong addresses and methods, too; unknown parts of the address are refused by name."""
    headers = {"Host": HOST, "Authorization": f"Bearer {company.token}"}
    client = company.app.test_client()
    for method, path, status in (
        ("GET", "/api/v1/nothing", 404),
        ("PUT", "/api/v1/tokens", 405),
        ("GET", "/api/", 404),
    ):
        answer = client.open(path, method=method, headers=headers)
        assert (answer.status_code, answer.mimetype) == (status, "application/json")
    asked = company.get("/accounts?colour=red")
    assert (asked.status_code, asked.json["reason"]) == (422, "not-valid")
    assert "colour" in asked.json["why"]


def test_the_pages_stay_read_only_beside_the_api(company: Backend) -> None:
    """A POST to a page is refused as ever."""
    assert company.app.test_client().post("/livez", headers={"Host": HOST}).status_code == 405


def test_a_database_that_is_away_is_said_in_json(company: Backend) -> None:
    """503 with a pause, and the way to repeat a creation."""
    away = connect("postgresql://nobody@127.0.0.1:1/none")
    lost = backend(company.engine, NOWHERE, a_gateway("http://127.0.0.1:1"))
    lost.app.extensions["office"] = replace(company.office, engine=away)
    answer = lost.get("/accounts")
    assert (answer.status_code, answer.json["reason"]) == (503, "database-away")
    assert answer.headers["Retry-After"] == "5"


def test_the_last_use_of_a_key_is_noted_to_the_minute(company: Backend) -> None:
    """So that one sees which key can go."""
    _reason(company, f"Bearer {company.token}")
    sql = "select used_at = date_trunc('minute', used_at) from api_keys where key_id = :k"
    assert company.one(sql, k=company.token.partition(".")[0]) == (True,)
