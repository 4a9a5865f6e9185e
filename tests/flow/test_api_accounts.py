"""Accounts, links and tokens: one account never with two users; each refusal with its own reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from sqlalchemy import Engine, text

from gateway.tokens import REASONS, connected_token, guest_token
from recon.values import Origin
from store.registrations import fill
from store.transactions import ensure
from tests.api_calls import API, JWT, NOW, Backend, a_gateway, backend
from tieout.accounts import NotLinkedError, learn, unlink

OTHER_JWT = b"the-jwt-secret-of-the-second-gateway-and-more"
NOWHERE = "redis://127.0.0.1:1/0"
SOON = 4102444800  #: epoch seconds, in the year 2100


@pytest.fixture(name="company")
def _company(shared_engine: Engine) -> Backend:
    """A backend with two gateways, each with secrets of its own."""
    second = a_gateway("http://127.0.0.1:1", name="second", jwt=OTHER_JWT, api=b"the-api-secret-of-the-second-gateway")
    return backend(shared_engine, NOWHERE, a_gateway("http://127.0.0.1:1"), second)


def an_account() -> str:
    """A smallcaseAuthId that nobody has."""
    return uuid4().hex[:24]


def sdk_token(account: str, *, secret: bytes = JWT, algorithm: str | None = "HS256", **more: object) -> str:
    """A token as the SDK returns it."""
    return jwt.encode({"smallcaseAuthId": account, "exp": SOON, **more}, secret, algorithm=algorithm)


def _link(company: Backend, token: str, user: str) -> tuple[int, dict[str, object]]:
    answer = company.post("/accounts/link", {"gateway": "simulated", "user": user, "smallcaseAuthToken": token})
    return answer.status_code, answer.json


def _mint(company: Backend, user: str, **more: object) -> tuple[int, dict[str, object]]:
    answer = company.post("/tokens", {"gateway": "simulated", "kind": "connected", "user": user, **more})
    return answer.status_code, answer.json


FORGED: dict[str, Callable[[str], str]] = {
    "malformed": lambda _: "not.a.token",
    "alg-none": lambda a: jwt.encode({"smallcaseAuthId": a, "exp": SOON}, None, algorithm="none"),
    "alg-other": lambda a: sdk_token(a, secret=JWT * 2, algorithm="HS512"),
    "crossed-keys": lambda a: sdk_token(a, secret=API),
    "other-gateway": lambda a: sdk_token(a, secret=OTHER_JWT),
    "bad-signature": lambda a: sdk_token(a, secret=b"nobody's secret, but long enough for HS256"),
    "expired": lambda a: sdk_token(a, exp=int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())),
    "guest": lambda a: sdk_token(a, guest=True),
    "no-expiry": lambda a: jwt.encode({"smallcaseAuthId": a}, JWT, algorithm="HS256"),
    "no-account": lambda _: jwt.encode({"exp": SOON}, JWT, algorithm="HS256"),
}


def test_an_account_that_the_sdk_proves_is_linked(company: Backend) -> None:
    """It is the user's from then on; linking it again changes nothing."""
    account, user = an_account(), "u-1"
    status, said = _link(company, sdk_token(account), user)
    assert (status, said["status"], said["account"], said["user"]) == (201, "linked", account, user)
    assert _link(company, sdk_token(account), user)[0] == 200
    whole = company.get(f"/accounts/{account}").json
    assert (whole["account"]["user"], [c["change"] for c in whole["history"]]) == (user, ["linked"])
    found = company.get(f"/accounts?user={user}").json["accounts"]
    assert account in [row["account"] for row in found]


@pytest.mark.parametrize("reason", FORGED)
def test_a_token_that_proves_nothing_is_refused_with_its_reason(company: Backend, reason: str) -> None:
    """Nothing is linked; the refusal is kept, and the account that the token claims is not believed."""
    account = an_account()
    status, said = _link(company, FORGED[reason](account), "u-forged")
    assert (status, said["reason"]) == (422, reason)
    assert str(said["why"]) in REASONS[reason]
    assert company.get(f"/accounts/{account}").status_code == 404
    kept = company.one("select change, account, source from account_links order by link_id desc limit 1")
    assert kept == ("refused", None, "sdk-token")


def test_every_reason_of_a_bad_token_is_tried() -> None:
    """All but the key outside its window, which the unit tests have."""
    assert set(FORGED) == REASONS.keys() - {"retired-key"}


def test_an_account_is_never_with_two_users(company: Backend) -> None:
    """The second is refused and recorded, an alert is raised, the first keeps it."""
    account = an_account()
    assert _link(company, sdk_token(account), "u-1")[0] == 201
    status, said = _link(company, sdk_token(account), "u-2")
    assert (status, said["reason"]) == (403, "account-of-another-user")
    assert "u-1" not in json.dumps(said)
    kept = company.one(
        "select user_ref, held_by, reason from account_links where account = :a and change = 'refused'", a=account
    )
    assert kept == ("u-2", "u-1", "account-of-another-user")
    assert company.one("select user_ref from accounts where account = :a", a=account) == ("u-1",)
    assert company.one("select count(*) from alerts where subject = :a", a=account) == (1,)


def test_of_many_users_at_once_one_gets_the_account(company: Backend) -> None:
    """Whoever is first; the others are refused."""
    account, answers = an_account(), list[int]()
    barrier = threading.Barrier(6)

    def run(user: str) -> None:
        barrier.wait(10)
        answers.append(_link(company, sdk_token(account), user)[0])

    threads = [threading.Thread(target=run, args=(f"u-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == [201, *[403] * 5]
    linked = company.one("select count(*) from account_links where account = :a and change = 'linked'", a=account)
    assert linked == (1,)


def test_an_unlinked_account_can_be_linked_again(company: Backend) -> None:
    """The history keeps who had it, until when, and why not any more."""
    account = an_account()
    _link(company, sdk_token(account), "u-1")
    with company.engine.begin() as connection:
        assert unlink(connection, gateway="simulated", account=account, reason="sold", by="me", now=NOW) == "u-1"
    with pytest.raises(NotLinkedError), company.engine.begin() as connection:
        unlink(connection, gateway="simulated", account=account, reason="sold", by="me", now=NOW)
    assert _link(company, sdk_token(account), "u-2")[0] == 201
    sql = "select change, user_ref, reason from account_links where account = :a order by link_id"
    assert company.all(sql, a=account) == [
        ("linked", "u-1", None),
        ("unlinked", "u-1", "sold"),
        ("linked", "u-2", None),
    ]


def test_an_account_is_no_user(company: Backend) -> None:
    """A user's id that is an account's would make the books ambiguous."""
    account, other = an_account(), an_account()
    _link(company, sdk_token(account), "u-1")
    status, said = _link(company, sdk_token(other), account)
    assert (status, said["reason"]) == (422, "user-is-an-account")


# ---------------------------------------------------------------- tokens


def test_a_guests_token_is_minted_for_anybody(company: Backend) -> None:
    """Short-lived, and good with the JWT secret alone."""
    answer = company.post("/tokens", {"gateway": "simulated", "kind": "guest"})
    assert answer.status_code == 201
    claims = jwt.decode(str(answer.json["token"]), JWT, algorithms=["HS256"])
    assert claims["guest"] is True
    assert claims["exp"] - claims["iat"] == 900


def test_a_connected_token_is_minted_for_the_users_own_account(company: Backend) -> None:
    """Without naming the account if there is one, by name if there are several."""
    first, second, user = an_account(), an_account(), f"u-{uuid4()}"
    assert _mint(company, user)[1]["reason"] == "no-linked-account"
    _link(company, sdk_token(first), user)
    status, said = _mint(company, user)
    assert (status, said["account"]) == (201, first)
    assert jwt.decode(str(said["token"]), JWT, algorithms=["HS256"])["smallcaseAuthId"] == first
    _link(company, sdk_token(second), user)
    assert _mint(company, user)[1]["reason"] == "several-accounts"
    assert _mint(company, user, account=second)[1]["account"] == second


def test_a_connected_token_of_another_users_account_is_refused_and_kept(company: Backend) -> None:
    """With its own reason; nobody's and an unknown account have another."""
    theirs, nobodys = an_account(), an_account()
    _link(company, sdk_token(theirs), "u-1")
    assert _mint(company, "u-2", account=theirs)[1]["reason"] == "account-of-another-user"
    assert _mint(company, "u-2", account=nobodys)[1]["reason"] == "account-not-linked"
    sql = "select user_ref, held_by, source from account_links where account = :a and change = 'refused'"
    assert company.all(sql, a=theirs) == [("u-2", "u-1", "token-request")]


def test_a_creation_with_another_users_account_is_refused(company: Backend) -> None:
    """Before the Gateway is asked; the Idempotency-Key stays free."""
    theirs, key = an_account(), str(uuid4())
    _link(company, sdk_token(theirs), "u-1")
    wanted = {"gateway": "simulated", "intent": "FETCH_FUNDS", "user": "u-2", "account": theirs}
    refused = company.create(wanted, key)
    assert (refused.status_code, refused.json["reason"]) == (403, "account-of-another-user")
    assert company.all("select 1 from creations where idempotency_key = :k", k=key) == []


def test_a_token_is_not_in_any_log_or_row(company: Backend) -> None:
    """Neither what is minted nor what the SDK returned is kept."""
    account, token = an_account(), sdk_token(an_account())
    _link(company, token, "u-1")
    _link(company, sdk_token(account), "u-9")
    minted = str(_mint(company, "u-9")[1].get("token"))
    kept = "".join(
        str(company.all(f"select to_jsonb(t) from {table} t"))
        for table in ("accounts", "account_links", "creations", "alerts", "api_keys")
    )
    assert token not in kept
    assert minted not in kept


# ---------------------------------------------------------------- what transactions tell


def _registered(company: Backend, user: str | None, account: str, *, known: bool = True) -> int:
    transaction_id = f"TRX_{uuid4().hex}"
    with company.engine.begin() as connection:
        origin = Origin.REGISTRATION
        named = {"gateway": "simulated", "book": "test", "origin": origin, "ids": [transaction_id], "now": NOW}
        txn = ensure(connection, **named)[transaction_id]  # type: ignore[arg-type]
        facts = dict.fromkeys(("created_at", "expire_at", "intent", "requested"))
        row = {"gateway": "simulated", "transaction_id": transaction_id, "user_ref": user, "account": None, **facts}
        fill(connection, [row], now=NOW)
        statement = "update transactions set account = :a, broker = 'kite', known = :k where txn = :t"
        connection.execute(text(statement), {"a": account, "k": known, "t": txn})
    return txn


def _learn(company: Backend, *txns: int, now: datetime = NOW) -> None:
    with company.engine.begin() as connection:
        learn(connection, txns=txns, now=now)


def test_an_answer_that_names_an_account_makes_it_known(company: Backend) -> None:
    """With its broker, and nobody's as long as nobody registered the transaction for a user."""
    account = an_account()
    _learn(company, _registered(company, None, account))
    row = company.get(f"/accounts/{account}").json["account"]
    assert (row["user"], row["broker"], row["book"]) == (None, "kite", "test")


def test_a_transaction_registered_for_a_user_links_what_the_api_says(company: Backend) -> None:
    """The authenticated answer names the account that logged in for it."""
    account = an_account()
    txn = _registered(company, "u-5", account)
    _learn(company, txn)
    _learn(company, txn)
    sql = "select user_ref, source, change from account_links where account = :a"
    assert company.all(sql, a=account) == [("u-5", "transaction", "linked")]


def test_a_transaction_the_api_does_not_know_links_nothing(company: Backend) -> None:
    """What only a webhook or the company says is no proof of who logged in."""
    account = an_account()
    _learn(company, _registered(company, "u-5", account, known=False))
    assert company.get(f"/accounts/{account}").json["account"]["user"] is None


def test_a_transaction_of_one_user_that_another_logged_in_for_is_a_conflict(company: Backend) -> None:
    """Refused and recorded once, however often it is asked for."""
    account = an_account()
    _learn(company, _registered(company, "u-5", account))
    txn = _registered(company, "u-6", account)
    _learn(company, txn)
    _learn(company, txn)
    sql = "select user_ref, held_by from account_links where account = :a and change = 'refused'"
    assert company.all(sql, a=account) == [("u-6", "u-5")]
    assert company.get(f"/accounts/{account}").json["account"]["user"] == "u-5"


def test_what_a_person_took_apart_stays_apart(company: Backend) -> None:
    """An earlier transaction does not link it again; a later one does."""
    account = an_account()
    txn = _registered(company, "u-5", account)
    _learn(company, txn)
    with company.engine.begin() as connection:
        later = NOW + timedelta(hours=1)
        unlink(connection, gateway="simulated", account=account, reason="wrong login", by="me", now=later)
    _learn(company, txn)
    assert company.get(f"/accounts/{account}").json["account"]["user"] is None


def test_our_own_tokens_read_back_as_the_sdks_do(company: Backend) -> None:
    """What we mint for a guest links nothing, what we mint for an account proves that account."""
    key, now = company.office.gateways["simulated"].secrets[0], datetime.now(UTC)
    assert _link(company, guest_token(key, now=now), "u-1")[1]["reason"] == "guest"
    assert _link(company, connected_token(key, an_account(), now=now), "u-1")[0] == 201
