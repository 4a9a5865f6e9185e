"""The simulator's far side as a service meets it: faults, forms, a clock ahead, new keys, one-time passwords."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from gateway.fields import WireError
from gateway.replies import GatewayError, Reply, answer_of
from recon.values import Answer
from tests.playing import ENV, Edge, Running, started, wait_for

HEAD = 'title = "x"\nstory = "y"\n'
PEOPLE = '[[person]]\nname = "asha"\nfunds = 2\nholds = {INFY = 9}\n[[person]]\nname = "ravi"\n'
STEP = '[[step]]\nat = "10:00"\nperson = "asha"\nbuy = {INFY = 2}\n'
JWT, API = ENV["SIMULATOR_JWT_SECRET"], ENV["SIMULATOR_API_SECRET"]

pytestmark = pytest.mark.filterwarnings("ignore:The HMAC key is")


@pytest.fixture(name="edge")
def _edge(tmp_path: Path) -> Iterator[Edge]:
    """An edge that listens."""
    edge = Edge(clock=tmp_path / "clock")
    edge.start()
    yield edge
    edge.stop()


@dataclass
class Side:
    """A running simulator, asked as a service asks."""

    running: Running

    def get(
        self, path: str, *, key: str = JWT, secret: str = API, who: object = None, **query: str
    ) -> requests.Response:
        """Ask as a guest, or as that account."""
        return requests.get(
            f"{self.running.url}/v1/simulated/engine/{path}", params=query, headers=headers(key, secret, who), timeout=8
        )

    def post(self, path: str, body: object, *, who: object = None) -> requests.Response:
        """Post to the API."""
        return requests.post(self.running.url + path, json=body, headers=headers(JWT, API, who), timeout=8)

    def control(self, path: str, body: object) -> requests.Response:
        """Steer it."""
        return requests.post(f"{self.running.url}/control/{path}", json=body, timeout=8)

    def advance(self, to: str) -> None:
        """Play until then."""
        assert self.running.post(f"/control/advance?to=2026-11-18T{to}Z") == 200
        wait_for(lambda: self.running.status()["advancing"] is False)

    def made(self) -> list[str]:
        """The transactions by now."""
        return [json.loads(line)["transaction_id"] for line in self.running.get("/control/transactions").splitlines()]

    def account(self, name: str) -> str:
        """Whose account that is."""
        people = map(json.loads, self.running.get("/control/accounts").splitlines())
        return str(next(each["account"] for each in people if each["name"] == name))


def headers(key: str, secret: str, who: object) -> dict[str, str]:
    """Both headers."""
    claims: Mapping[str, Any] = {"smallcaseAuthId": who} if who else {"guest": True}
    token = jwt.encode({**claims, "exp": int(time.time()) + 600}, key, algorithm="HS256")
    return {"x-gateway-secret": secret, "x-gateway-authtoken": token}


@pytest.fixture(name="side")
def _side(tmp_path: Path, edge: Edge) -> Iterator[Side]:
    """Asha has bought, at noon."""
    with scenario(tmp_path, edge, HEAD + PEOPLE + STEP) as running:
        side = Side(running)
        side.advance("06:30:00")
        yield side


def scenario(tmp_path: Path, edge: Edge, text: str) -> Any:
    """A simulator that plays this scenario."""
    file = tmp_path / "scenario.toml"
    file.write_text(text)
    return started(tmp_path, edge, "--scenario", str(file))


def read(response: requests.Response, transaction_id: str) -> Answer:
    """The answer as the service reads it."""
    return answer_of(Reply(http_status=response.status_code, body=response.content, took_ms=1), transaction_id)


FAULTS = ("400", "408", "429", "500", "503", "half", "html", "empty", "wrong-types", "missing-fields")


def test_a_fault_is_no_answer(side: Side) -> None:
    """Each once for the transaction, and then it is told again."""
    (transaction,) = side.made()
    for what in FAULTS:
        assert side.control("faults", {"what": what, "times": 1}).status_code == 200
        faulty = side.get("transactiondetails", transactionId=transaction)
        with pytest.raises((GatewayError, WireError)):
            read(faulty, transaction)
        assert ("retry-after" in faulty.headers) == (what in {"429", "503"})
        assert read(side.get("transactiondetails", transactionId=transaction), transaction).status == "COMPLETED"
    assert side.running.status()["faults_done"] == dict.fromkeys(FAULTS, 1)


def test_some_faults_only_take_longer_or_say_more(side: Side) -> None:
    """A stall, a dripping answer and unknown fields mean what they meant."""
    (transaction,) = side.made()
    plain = read(side.get("transactiondetails", transactionId=transaction), transaction)
    for fault in ({"what": "stall", "for_s": 0.3}, {"what": "drip", "for_s": 0.3}, {"what": "extra-fields"}):
        side.control("faults", {**fault, "times": 1})
        begun = time.monotonic()
        assert read(side.get("transactiondetails", transactionId=transaction), transaction) == plain
        assert time.monotonic() - begun > 0.25 or fault["what"] == "extra-fields"


def test_a_connection_can_be_reset(side: Side) -> None:
    """By chance: with a share of a half some are and some are not."""
    side.control("faults", {"what": "reset", "share": 0.5})
    seen = set()
    for _ in range(20):
        try:
            seen.add(side.get("transactiondetails", transactionId="TRX_0").status_code)
        except requests.ConnectionError:
            seen.add(0)
    assert seen == {0, 404}
    side.control("faults/clear", {})
    assert side.get("transactiondetails", transactionId="TRX_0").status_code == 404


def test_a_fault_that_makes_no_sense_is_refused(side: Side) -> None:
    """With the reason."""
    said = side.control("faults", {"what": "fire"})
    assert said.status_code == 400
    assert "`what` is one of 400" in said.json()["error"]
    assert "nobody knows `shar`: did you mean `share`?" in side.control("faults", {"what": "500", "shar": 1}).text


def test_each_form_means_the_same(tmp_path: Path, edge: Edge) -> None:
    """Nested one way or another, batches here or there: read alike."""
    text = HEAD + PEOPLE + STEP + '[gateway]\nnesting = "any"\nbatches = "any"\nerrors = "any"\n'
    with scenario(tmp_path, edge, text) as running:
        side = Side(running)
        side.advance("06:30:00")
        (transaction,) = side.made()
        replies = [side.get("transactiondetails", transactionId=transaction) for _ in range(30)]
        answers = {repr(read(reply, transaction)) for reply in replies}
        absent = {type(side.get("transactiondetails", transactionId="TRX_0").json()["errors"]) for _ in range(20)}
    assert len(answers) == 1
    assert 6 < len({reply.content for reply in replies}) <= 9
    assert absent == {list, str, dict}


def test_a_clock_may_be_ahead(tmp_path: Path, edge: Edge) -> None:
    """Webhooks and answers are stamped later than it is; the checksum is over the stamp."""
    with scenario(tmp_path, edge, HEAD + PEOPLE + STEP + "[gateway]\nahead_s = 90\n") as running:
        side = Side(running)
        side.advance("06:30:00")
        (transaction,) = side.made()
        answer = read(side.get("transactiondetails", transactionId=transaction), transaction)
    assert answer.created_at == datetime.fromisoformat("2026-11-18T04:31:30+00:00")
    ahead = [datetime.fromisoformat(json.loads(body)["timestamp"]) for body in edge.bodies]
    came = [datetime.fromisoformat(instant) for instant in edge.instants]
    assert [stamp - at for stamp, at in zip(ahead, came, strict=True)] == [timedelta(seconds=90)] * 2


def test_new_keys_sign_at_once_and_old_ones_open_for_a_while(side: Side, edge: Edge) -> None:
    """Old and new are taken until then; afterwards the old ones are refused."""
    edge.secrets = [b"new-api"]
    new = {"jwt": "new-jwt", "api": "new-api", "old_until": "2026-11-18 13:00"}
    assert side.control("rotate", {**new, "jwt": API}).status_code == 400
    assert side.control("rotate", new).status_code == 200
    assert side.get("transactiondetails", transactionId="TRX_0").status_code == 404
    assert side.get("transactiondetails", key="new-jwt", secret="new-api", transactionId="TRX_0").status_code == 404
    side.advance("07:30:00")
    assert side.get("transactiondetails", transactionId="TRX_0").status_code == 401
    assert side.get("transactiondetails", key="new-jwt", secret="new-api", transactionId="TRX_0").status_code == 404


def test_a_one_time_password_opens_mutual_funds(side: Side, edge: Edge) -> None:
    """A wrong one does not, three lock it, and another intent has none."""
    assets = {"pan": "ABCDE1234F", "phone": "9999999999"}
    asked = {"intent": "MF_HOLDINGS_IMPORT", "assetConfig": assets}
    create = "/gateway/simulated/transaction"
    made = [side.post(create, asked, who=side.account("asha")).json()["data"]["transactionId"] for _ in range(2)]
    other = side.post(create, {"intent": "CONNECT"}).json()["data"]["transactionId"]

    def verify(transaction: str, otp: str) -> tuple[int, str]:
        reply = side.post("/gateway/mf/verifyOtp", {"transactionId": transaction, "otp": otp})
        return reply.status_code, (reply.json()["errors"] or [""])[0]

    assert verify(other, "123456") == (400, "InvalidIntent")
    assert verify("TRX_0", "123456") == (400, "TransactionIdNotFound")
    assert [verify(made[1], "0") for _ in range(4)] == [(406, "Incorrect OTP")] * 3 + [(400, "wrong_attempts_exceeded")]
    assert verify(made[0], "123456") == (200, "")
    side.advance("06:40:00")
    assert "summary" in json.loads(edge.bodies[-1])
    assert verify(made[1], "123456") == (400, "TransactionIdExpired")


def test_its_page_lets_nothing_in(side: Side) -> None:
    """No script, one style by its hash, values escaped, nothing for another host's name."""
    page = requests.get(side.running.url, timeout=5)
    style = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert side.made()[0] in page.text
    assert requests.get(side.running.url, headers={"host": "evil.example"}, timeout=5).status_code == 403
