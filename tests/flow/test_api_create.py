"""Creating through the private API: against the simulator's process, and a stand-in that fails as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from sqlalchemy import Engine, text

from store import gateways
from tests.api_calls import API, BASKET, JWT, NOW, Backend, a_gateway, backend
from tests.playing import ENV, Edge, Running, started
from tests.posting import Posting, answer, created, posting, raw
from tieout.accounts import BY_HAND, Link, link

TRANSACTION = {"intent": "TRANSACTION", "user": "u-1", "orderConfig": BASKET}


@pytest.fixture(name="simulator", scope="module")
def _simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A simulator's process, whose webhooks go nowhere."""
    folder: Path = tmp_path_factory.mktemp("simulator")
    edge = Edge(folder / "clock")
    edge.start()
    with started(folder, edge, "--transactions", "5") as running:
        yield running
    edge.stop()


@pytest.fixture(name="company")
def _company(shared_engine: Engine, broker_url: str, simulator: Running) -> Iterator[Backend]:
    """A company's backend whose gateway is the simulator."""
    jwt, api = (ENV[f"SIMULATOR_{name}_SECRET"].encode() for name in ("JWT", "API"))
    yield backend(shared_engine, broker_url, a_gateway(simulator.url, jwt=jwt, api=api))
    requests.post(f"{simulator.url}/control/up", timeout=5)


@pytest.fixture(name="stand_in")
def _stand_in() -> Iterator[Posting]:
    """A Gateway that answers as told."""
    with posting() as told:
        yield told


@pytest.fixture(name="tried")
def _tried(shared_engine: Engine, broker_url: str, stand_in: Posting) -> Backend:
    """A company's backend whose gateway is the stand-in."""
    return backend(shared_engine, broker_url, a_gateway(stand_in.url), deadline_s=1)


def _row(company: Backend, key: str) -> list[tuple[object, ...]]:
    sql = "select state, transaction_id from creations where idempotency_key = :key order by creation_id"
    return company.all(sql, key=key)


def test_a_created_transaction_is_kept_with_its_user_and_basket(company: Backend, simulator: Running) -> None:
    """The Gateway's id and expiry come back; the row has what was asked for and for whom, and is followed."""
    given = company.create(TRANSACTION)
    assert given.status_code == 201, given.json
    transaction_id = given.json["transactionId"]
    stored = company.one(
        "select origin, user_ref, intent, requested, expire_at - created_at, ask_at is not null from transactions"
        " where transaction_id = :t",
        t=transaction_id,
    )
    basket = [{"exchange": "NSE", "symbol": "TCS", "side": "BUY", "quantity": "10"}]
    assert stored[:4] == ("registration", "u-1", "TRANSACTION", basket)
    assert stored[5] is True
    read = company.get(f"/transactions/{transaction_id}").json["transaction"]
    assert (read["user"], read["intent"], read["requested"]) == ("u-1", "TRANSACTION", basket)
    assert transaction_id in simulator.get("/control/log").decode()


@pytest.mark.parametrize("intent", ["CONNECT", "HOLDINGS_IMPORT", "MF_HOLDINGS_IMPORT"])
def test_intents_without_a_basket_are_created_too(company: Backend, intent: str) -> None:
    """The body is what the intent takes, nothing more."""
    config = {"pan": "ABCDE1234F", "phone": "9876543210", "email": "a@b.in"}
    more = {"assetConfig": config} if intent == "MF_HOLDINGS_IMPORT" else {}
    given = company.create({"intent": intent, "user": "u-1", **more})
    assert given.status_code == 201, given.json


@pytest.mark.parametrize("wanted", [{"intent": "TRANSACTION", "orderConfig": BASKET}, {"intent": "FETCH_FUNDS"}])
def test_a_linked_user_is_asked_for_with_a_connected_token(
    company: Backend, simulator: Running, wanted: dict[str, object]
) -> None:
    """The Gateway takes it as that account's; the transaction is kept with it."""
    account = str(json.loads(simulator.get("/control/accounts").splitlines()[0])["account"])
    with company.engine.begin() as connection:
        said = Link(gateway="simulated", book="test", account=account, user_ref="u-77", source=BY_HAND, by="test")
        link(connection, said, now=NOW)
    given = company.create({**wanted, "user": "u-77"})
    assert given.status_code == 201, given.json
    assert (given.json["token"], given.json["account"]) == ("connected", account)
    sql = "select account from transactions where transaction_id = :t"
    assert company.one(sql, t=given.json["transactionId"]) == (account,)


def test_an_intent_for_connected_users_is_refused_for_a_stranger(company: Backend) -> None:
    """Here, with the way to link, not at the Gateway."""
    refused = company.create({"intent": "FETCH_FUNDS", "user": "u-78"})
    assert (refused.status_code, refused.json["reason"]) == (422, "no-linked-account")


def test_the_same_key_gives_the_same_answer(company: Backend) -> None:
    """However often it is sent, one transaction is created."""
    key = str(uuid4())
    first, second = company.create(TRANSACTION, key), company.create(TRANSACTION, key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(_row(company, key)) == 1


def test_the_same_request_in_another_order_is_the_same(company: Backend) -> None:
    """The order of fields means nothing."""
    key = str(uuid4())
    first = company.create(TRANSACTION, key)
    second = company.create(dict(reversed(TRANSACTION.items())), key)
    assert first.json == second.json


def test_the_same_key_for_another_request_is_refused(company: Backend) -> None:
    """A key is for one transaction."""
    key = str(uuid4())
    assert company.create(TRANSACTION, key).status_code == 201
    other = company.create({**TRANSACTION, "user": "u-2"}, key)
    assert (other.status_code, other.json["reason"]) == (422, "key-reused")


def test_another_clients_key_is_its_own(company: Backend) -> None:
    """Two clients may choose the same Idempotency-Key; a rotated key keeps its client's."""
    key = str(uuid4())
    first = company.create(TRANSACTION, key).json["transactionId"]
    company.token = company.key(client="another")
    assert company.create(TRANSACTION, key).json["transactionId"] != first
    company.token = company.key(client="backend")
    assert company.create(TRANSACTION, key).json["transactionId"] == first


def test_a_creation_without_a_key_is_refused(company: Backend) -> None:
    """Without one, nobody could tell a repetition from a second order."""
    refused = company.post("/transactions", TRANSACTION)
    assert (refused.status_code, refused.json["reason"]) == (400, "bad-idempotency-key")


@pytest.mark.parametrize("down", ["reset", "503"])
def test_a_lost_answer_is_unclear_and_the_same_key_creates_anew(
    company: Backend, simulator: Running, down: str
) -> None:
    """Reset or 5xx after sending: nobody knows; an id that nobody got cannot be used, so it may be made again."""
    key = str(uuid4())
    requests.post(f"{simulator.url}/control/down?how={down}", timeout=5).raise_for_status()
    lost = company.create(TRANSACTION, key)
    assert (lost.status_code, lost.json["reason"]) == (504, "answer-lost"), lost.json
    requests.post(f"{simulator.url}/control/up", timeout=5).raise_for_status()
    again = company.create(TRANSACTION, key)
    assert again.status_code == 201
    assert _row(company, key) == [("unclear", None), ("created", again.json["transactionId"])]


def test_a_gateway_that_is_not_there_was_not_asked(company: Backend, simulator: Running) -> None:
    """A connection that is refused cannot have created anything."""
    gateway = a_gateway("http://127.0.0.1:1")
    away = backend(company.engine, "redis://127.0.0.1:1/0", gateway)
    away.token = company.token
    key = str(uuid4())
    refused = away.create(TRANSACTION, key)
    assert (refused.status_code, refused.json["reason"]) == (503, "gateway-busy")
    assert int(refused.headers["Retry-After"]) >= 1
    assert _row(company, key) == [("failed", None)]
    assert company.create(TRANSACTION, key).status_code == 201


def test_crossed_keys_are_said_and_the_same_key_may_be_used_again(company: Backend, simulator: Running) -> None:
    """The Gateway refuses our keys: nothing was created, an alert is raised."""
    crossed = backend(company.engine, "redis://127.0.0.1:1/0", a_gateway(simulator.url))
    crossed.token, key = company.token, str(uuid4())
    refused = crossed.create(TRANSACTION, key)
    assert (refused.status_code, refused.json["reason"]) == (502, "gateway-refuses-keys")
    assert company.one("select count(*) from alerts where name = 'keys-refused'") == (1,)
    assert company.create(TRANSACTION, key).status_code == 201


LOST: dict[str, Callable[[int], bytes | None]] = {
    "reset": lambda _: None,
    "half": lambda _: raw(200, b'{"success":true,"da', length=900),
    "page": lambda _: raw(200, b"<html>bad gateway</html>"),
    "no id": lambda _: answer(200, {"success": True, "data": {}}),
    "id of another type": lambda _: answer(200, {"success": True, "data": {"transactionId": 17}}),
    "id that is none": lambda _: answer(200, {"success": True, "data": {"transactionId": "x" * 129}}),
    "empty": lambda _: raw(200, b""),
    "204": lambda _: raw(204, b""),
    "302": lambda _: raw(302, b"", Location="http://127.0.0.1:1/"),
    "500": lambda _: answer(500, {"success": False, "errors": ["internal_error"]}),
    "internal error in a 200": lambda _: answer(200, {"success": False, "errors": ["internal_error"]}),
}


@pytest.mark.parametrize("way", LOST)
def test_whatever_does_not_tell_leaves_it_unclear(tried: Backend, stand_in: Posting, way: str) -> None:
    """Each way of not answering; afterwards the same key creates."""
    stand_in.says, key = LOST[way], str(uuid4())
    lost = tried.create(TRANSACTION, key)
    assert (lost.status_code, lost.json["reason"]) == (504, "answer-lost"), lost.json
    stand_in.says = created
    assert tried.create(TRANSACTION, key).status_code == 201
    assert [state for state, _ in _row(tried, key)] == ["unclear", "created"]


def test_an_answer_after_the_deadline_is_lost(tried: Backend, stand_in: Posting) -> None:
    """The caller is answered within the deadline, whatever the Gateway does."""
    stand_in.gate.clear()
    lost = tried.create(TRANSACTION)
    assert (lost.status_code, lost.json["reason"]) == (504, "answer-lost")


def test_what_the_gateway_refuses_is_stored_as_the_answer(tried: Backend, stand_in: Posting) -> None:
    """The same body would be refused again, so the same key gives the refusal again without asking."""
    stand_in.says = lambda _: answer(422, {"success": False, "errors": ["invalid ticker"]})
    key = str(uuid4())
    first, second = tried.create(TRANSACTION, key), tried.create(TRANSACTION, key)
    assert (first.status_code, first.json["reason"]) == (422, "gateway-refused")
    assert "invalid ticker" in first.json["why"]
    assert (second.status_code, second.json) == (422, first.json)
    assert len(stand_in.bodies) == 1


def test_too_many_calls_are_passed_on_with_their_pause(tried: Backend, stand_in: Posting) -> None:
    """429 was turned away unread: nothing was created."""
    stand_in.says = lambda _: answer(429, {}, Retry_After="7")
    key = str(uuid4())
    busy = tried.create(TRANSACTION, key)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "7")
    assert _row(tried, key) == [("failed", None)]


def test_a_stopped_gateway_is_not_asked(tried: Backend, stand_in: Posting) -> None:
    """While the breaker is open nothing is sent; what was answered before is still given."""
    before = str(uuid4())
    assert tried.create(TRANSACTION, before).status_code == 201
    with tried.engine.begin() as connection:
        pause = timedelta(minutes=1)
        gateways.open_breaker(connection, gateway="simulated", first=pause, most=pause, reason="ours")
    asked = len(stand_in.bodies)
    stopped = tried.create(TRANSACTION)
    again = tried.create(TRANSACTION, before)
    with tried.engine.begin() as connection:
        gateways.close_breaker(connection, gateway="simulated")
    assert (stopped.status_code, stopped.json["reason"]) == (503, "gateway-busy")
    assert again.status_code == 201
    assert len(stand_in.bodies) == asked


def test_the_gateway_gets_exactly_what_was_asked_and_both_secrets_where_they_belong(
    tried: Backend, stand_in: Posting
) -> None:
    """The envelope's own fields stay here; the API secret is a header, the JWT secret is sent nowhere."""
    tried.create(TRANSACTION)
    assert stand_in.bodies == [{"intent": "TRANSACTION", "orderConfig": BASKET}]
    assert f"x-gateway-secret: {API.decode()}" in stand_in.heads[0]
    assert JWT.decode() not in stand_in.heads[0]


def test_while_a_creation_is_under_way_the_same_key_is_told_to_wait(tried: Backend, stand_in: Posting) -> None:
    """The second is told 409; nobody holds a database transaction meanwhile."""
    stand_in.gate.clear()
    key, first = str(uuid4()), []
    thread = threading.Thread(target=lambda: first.append(tried.create(TRANSACTION, key)))
    thread.start()
    _until(lambda: len(stand_in.bodies) == 1)
    open_transactions = tried.all(
        "select query from pg_stat_activity where datname = current_database() and xact_start is not null"
        " and pid <> pg_backend_pid() and backend_type = 'client backend'"
    )
    second = tried.create(TRANSACTION, key)
    stand_in.gate.set()
    thread.join(10)
    assert open_transactions == []
    assert (second.status_code, second.json["reason"]) == (409, "in-flight")
    assert first[0].status_code == 201


def test_a_creation_whose_process_died_becomes_unclear(tried: Backend, stand_in: Posting) -> None:
    """Its lease ends, then the same key creates anew; an answer that comes after that is handed to nobody."""
    stand_in.gate.clear()
    key, late = str(uuid4()), []
    thread = threading.Thread(target=lambda: late.append(tried.create(TRANSACTION, key)))
    thread.start()
    _until(lambda: len(stand_in.bodies) == 1)
    with tried.engine.begin() as connection:
        statement = "update creations set lease_until = clock_timestamp() - interval '1 s' where idempotency_key = :key"
        connection.execute(text(statement), {"key": key})
    second = threading.Thread(target=lambda: late.append(tried.create(TRANSACTION, key)))
    second.start()
    _until(lambda: len(stand_in.bodies) == 2)
    stand_in.gate.set()
    thread.join(10)
    second.join(10)
    assert sorted(given.status_code for given in late) == [201, 504]
    states = _row(tried, key)
    assert [state for state, _ in states] == ["unclear", "created"]
    handed_out = tried.all("select transaction_id from transactions where transaction_id = :t", t=states[0][1])
    assert handed_out == []


def test_personal_data_is_sent_and_not_kept(tried: Backend, stand_in: Posting) -> None:
    """PAN, phone and email are in the call and in no table."""
    secret = {"pan": "ABCDE1234F", "phone": "9876543210", "email": "someone@example.com", "fromDate": "2020-01-01"}
    wanted = {"intent": "MF_HOLDINGS_IMPORT", "user": "u-3", "assetConfig": secret, "notes": "hello"}
    assert tried.create(wanted).status_code == 201
    assert stand_in.bodies[-1]["assetConfig"] == secret
    stand_in.says = lambda _: answer(422, {"success": False, "errors": [f"no such PAN {secret['pan']}"]})
    assert "no such PAN [not kept]" in tried.create(wanted).json["why"]
    dump = json.dumps(tried.all("select to_jsonb(c) from creations c"), default=str)
    dump += json.dumps(tried.all("select to_jsonb(t) from transactions t"), default=str)
    assert not [value for value in secret.values() if value in dump]


def test_an_expiry_that_is_not_said_is_five_minutes(tried: Backend, stand_in: Posting) -> None:
    """From creation, by the domain's clock."""
    stand_in.says = lambda _: answer(200, {"success": True, "data": {"transactionId": "TRX_" + "f" * 32}})
    assert tried.create(TRANSACTION).json["expireAt"] == "2026-11-20T04:50:00.000Z"
    assert tried.one("select expire_at from transactions where transaction_id = :t", t="TRX_" + "f" * 32) == (
        datetime(2026, 11, 20, 4, 50, tzinfo=UTC),
    )


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("waited in vain")
