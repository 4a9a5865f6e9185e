"""The simulator speaks the documented protocol: signatures, headers, envelopes."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import jwt
import pytest

from config.keys import parse_keys
from gateway.verify import event_id, verify
from gateway.wire import NoSuchTransaction, read_details, read_orders, read_webhook
from simulator.access import Access
from simulator.api import Api
from simulator.clock import MovingClock
from simulator.day import Day
from simulator.journal import Journal
from simulator.plan import Plan, plan_day
from simulator.serving import Reply, Request
from simulator.signing import Secrets, checksum, webhook_body

DAY = Day(date(2026, 11, 18))
SECRETS = Secrets(jwt="jwt-secret-" * 6, api="api-secret-" * 6)
DETAILS = "/v1/simulated/engine/transactiondetails"


def hmac_by_hand(key: bytes, message: bytes) -> str:
    """HMAC-SHA256 by RFC 2104, from SHA-256 alone."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).hexdigest()


@pytest.fixture(name="plan", scope="module")
def _plan() -> Plan:
    """A day with everything in it."""
    return plan_day(DAY, seed=3, transactions=120, gateway="simulated")


@pytest.fixture(name="clock")
def _clock(tmp_path: Path) -> MovingClock:
    """A clock at 20:05."""
    clock = MovingClock(tmp_path / "clock", DAY.start)
    clock.move(DAY.evening)
    return clock


@pytest.fixture(name="api")
def _api(plan: Plan, clock: MovingClock, tmp_path: Path) -> Iterator[Api]:
    """The API of that day."""
    journal = Journal(tmp_path / "log.jsonl")
    yield Api(
        plan.stories,
        gateway="simulated",
        clock=clock,
        access=Access(SECRETS, since=DAY.start),
        journal=journal,
    )
    journal.close()


def headers(secret: str = SECRETS.api, key: str = SECRETS.jwt, **claims: object) -> dict[str, str]:
    """Both headers, good unless told otherwise."""
    said = {"guest": True, "exp": int(time.time()) + 600} | claims
    token = jwt.encode({name: value for name, value in said.items() if value is not None}, key, algorithm="HS256")
    return {"x-gateway-secret": secret, "x-gateway-authtoken": token}


def ask(api: Api, path: str = DETAILS, *, given: dict[str, str] | None = None, **query: str) -> Reply:
    """Ask with good headers unless others are given."""
    request = Request(
        method="GET",
        path=path,
        query={name: [value] for name, value in query.items()},
        headers=headers() if given is None else given,
    )
    reply = api.answer(request)
    assert reply is not None
    return reply


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2024-01-15T10:30:00.000Z", "d1921394115d7aa4ea30939a6e5e9442d1398ee9062d119c02ceb6f998742c9e"),
        ("1705314600000", "3d9e461d27ab4e824e06570a7ed5f0c9119b5f245688b8c9379398ef2a456aaf"),
    ],
)
def test_a_checksum_is_the_documented_hmac(timestamp: str, expected: str) -> None:
    """Lower-case hex of HMAC-SHA256 over timestamp and smallcaseAuthId, joined by nothing."""
    identity = "5f0321b5f3743c31d95abd35"
    assert hmac_by_hand(b"test_api_secret", (timestamp + identity).encode()) == expected
    assert checksum("test_api_secret", timestamp, identity) == expected


def test_every_honest_webhook_is_signed_with_the_api_secret(plan: Plan) -> None:
    """And no forged checksum is right by chance or by the other secret."""
    for post in plan.posts:
        body = json.loads(webhook_body(post, SECRETS))
        right = hmac_by_hand(SECRETS.api.encode(), (body["timestamp"] + body["smallcaseAuthId"]).encode())
        assert (body.get("checksum") == right) == (post.expect == 200)


def test_forged_bodies_carry_a_signature_that_was_sent_before(plan: Plan) -> None:
    """The captured triple belongs to an earlier honest webhook, and the body differs."""
    sent: dict[str, bytes] = {}
    forged = 0
    for post in plan.posts:
        body = webhook_body(post, SECRETS)
        sign = json.loads(body).get("checksum", "")
        if post.kind in {"forged-body", "forged-unknown"}:
            forged += 1
            assert sent[sign] != body
        sent.setdefault(sign, body)
    assert forged


def test_good_headers_are_answered(api: Api, plan: Plan) -> None:
    """With the API secret and a token of the JWT secret, a known transaction is told."""
    reply = ask(api, transactionId=plan.stories[0].transaction_id)
    assert reply.status in {200, 429, 500, 503}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (headers(secret=SECRETS.jwt), "invalid gateway secret"),
        (headers(key=SECRETS.api), "invalid jwt"),
        (headers(secret=SECRETS.jwt, key=SECRETS.api), "invalid gateway secret"),
        (headers(exp=None), "no exp"),
        (headers(exp=int(DAY.start.timestamp()) - 1), "jwt expired"),
        (headers(exp="soon"), "invalid jwt"),
        (headers(guest=None), "neither guest nor smallcaseAuthId"),
        ({"x-gateway-secret": SECRETS.api}, "missing x-gateway-authtoken"),
        ({"x-gateway-authtoken": headers()["x-gateway-authtoken"]}, "missing x-gateway-secret"),
        ({**headers(), "x-gateway-authtoken": "no.token.atall"}, "invalid jwt"),
        (
            {**headers(), "x-gateway-authtoken": jwt.encode({"guest": True, "exp": 1 << 40}, SECRETS.jwt, "HS512")},
            "invalid jwt",
        ),
    ],
)
def test_each_wrong_header_has_its_own_refusal(api: Api, plan: Plan, given: dict[str, str], says: str) -> None:
    """401 in the Gateway's envelope; the two secrets are not interchangeable."""
    reply = ask(api, given=given, transactionId=plan.stories[0].transaction_id)
    said = json.loads(reply.body)
    assert reply.status == 401
    assert (said["success"], said["data"]) == (False, None)
    assert says in said["errors"][0]


def test_another_gateways_name_is_refused(api: Api) -> None:
    """403 in the envelope."""
    reply = ask(api, "/v1/other/engine/transactiondetails", transactionId="TRX_0")
    assert reply.status == 403
    assert json.loads(reply.body)["errors"] == ["invalid gateway"]


def test_an_unknown_transaction_is_404(api: Api) -> None:
    """In the envelope, in words that the service reads as: there is no such transaction."""
    reply = ask(api, transactionId="TRX_" + "0" * 32)
    assert reply.status == 404
    with pytest.raises(NoSuchTransaction):
        read_details(reply.body, "TRX_" + "0" * 32)


def test_a_connected_token_sees_only_its_own(api: Api, plan: Plan) -> None:
    """Another account's transaction does not exist for it."""
    story = next(story for story in plan.stories if story.plot == "complete")
    own = headers(guest=None, smallcaseAuthId=story.account.auth_id)
    other = headers(guest=None, smallcaseAuthId="f" * 24)
    assert ask(api, given=own, transactionId=story.transaction_id).status == 200
    assert ask(api, given=other, transactionId=story.transaction_id).status == 404


def test_every_answer_can_be_read(api: Api, plan: Plan) -> None:
    """After at most two failures each transaction's answer is read, with its batch as planned."""
    for story in plan.stories:
        for _ in story.faults:
            ask(api, transactionId=story.transaction_id)
        answer = read_details(ask(api, transactionId=story.transaction_id).body, story.transaction_id)
        batch = story.pictures[-1].batch
        assert answer.account == story.account.auth_id
        assert [leg.quantity for leg in answer.requested] == [leg.quantity for leg in story.requested]
        assert [b.batch_id for b in answer.batches] == ([batch.batch_id] if batch else [])


def test_faults_come_first_and_then_never_again(api: Api, plan: Plan) -> None:
    """A failing transaction fails at most twice."""
    for story in plan.stories:
        replies = [ask(api, transactionId=story.transaction_id) for _ in range(len(story.faults) + 1)]
        assert len(story.faults) <= 2
        assert replies[-1].status == 200
        assert replies[-1].delay_s == 0


def test_an_answer_is_of_its_instant(api: Api, plan: Plan, clock: MovingClock) -> None:
    """Before its creation a transaction is unknown, then initialized, processing, completed."""
    story = next(story for story in plan.stories if story.plot == "complete")
    seen = []
    for picture in story.pictures:
        clock.move(picture.since)
        seen.append(read_details(ask(api, transactionId=story.transaction_id).body, story.transaction_id).status)
    clock.move(DAY.start)
    assert seen == ["INITIALIZED", "USED", "PROCESSING", "COMPLETED"]
    assert ask(api, transactionId=story.transaction_id).status == 404


def test_order_details_leave_out_what_is_not_completed(api: Api, plan: Plan) -> None:
    """Open, failed and unknown ids are dropped without a word."""
    done = next(story for story in plan.stories if story.plot == "complete")
    still = next(story for story in plan.stories if story.plot == "stale-open")
    names = ",".join((still.transaction_id, "TRX_" + "0" * 32, done.transaction_id))
    found = read_orders(ask(api, "/v1/simulated/engine/orders", transactionId=names).body)
    assert list(found) == [done.transaction_id]
    assert found[done.transaction_id][0].batch_id == done.batch_id


def test_every_webhook_can_be_read(plan: Plan) -> None:
    """As account, transaction and batch."""
    for post in plan.posts:
        account, transaction_id, batch = read_webhook(webhook_body(post, SECRETS))
        assert (account, transaction_id) == (post.account, post.transaction_id)
        assert batch is not None


def test_the_edge_takes_exactly_the_webhooks_it_should(plan: Plan) -> None:
    """With the API secret as key: honest and captured signatures are good, forged checksums are not."""
    keys = parse_keys(f"sim1:{SECRETS.api}")
    verdicts = [verify(webhook_body(post, SECRETS), keys, now=post.at) for post in plan.posts]
    assert [verdict.ok for verdict in verdicts] == [post.expect == 200 for post in plan.posts]
    assert {verdict.family for verdict in verdicts if verdict.ok} == {"orders"}
    good = {event_id("simulated", verdict) for verdict in verdicts if verdict.ok}
    assert len(good) == plan.events()["accepted"]


def test_a_transaction_can_be_created(api: Api, clock: MovingClock) -> None:
    """It is initialized at once and expires after five minutes."""
    basket = {"type": "SECURITIES", "securities": [{"ticker": "INFY", "quantity": 2, "type": "BUY"}]}
    body = json.dumps({"intent": "TRANSACTION", "orderConfig": basket}).encode()
    request = Request(method="POST", path="/gateway/simulated/transaction", query={}, headers=headers(), body=body)
    reply = api.answer(request)
    assert reply is not None
    made = json.loads(reply.body)["data"]
    answer = read_details(ask(api, transactionId=made["transactionId"]).body, made["transactionId"])
    assert (answer.status, len(answer.requested)) == ("INITIALIZED", 1)
    assert answer.expire_at is not None
    assert (answer.expire_at - clock.instant).total_seconds() == 300


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"intent":"DANCE"}', b'{"intent":"TRANSACTION","orderConfig":[1]}']
)
def test_a_creation_that_makes_no_sense_is_refused(api: Api, body: bytes) -> None:
    """400 in the envelope."""
    request = Request(method="POST", path="/gateway/simulated/transaction", query={}, headers=headers(), body=body)
    reply = api.answer(request)
    assert reply is not None
    assert reply.status == 400
