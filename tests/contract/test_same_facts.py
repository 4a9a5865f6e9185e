"""The same facts, held by recorded bodies and by a running simulator. Each names where it is known from.

DOC is the Gateway's own documentation, SDK what its makers published as source, CODE one integrator's belief,
TESTED what was computed, INF a design assumption.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from config.keys import parse_keys
from gateway.consent import NeedsConsent, read_reply
from gateway.holdings import read_holdings
from gateway.investments import read_investments
from gateway.replies import Reply
from gateway.verify import verify
from gateway.wire import NoSuchTransaction, is_unclear, read_details, read_orders, read_webhook
from recon.values import Answer
from tests.playing import ENV, Edge, Running, started, wait_for

SAMPLES = Path(__file__).parents[1] / "samples"
PAISA = Decimal("0.01")
SCENARIO = """
title = "What the facts are about"
story = "One of each. Nothing else."
[[person]]
name = "asha"
broker = "kite"
holds = { TCS = 4, INFY = 10 }
smallcase = { INFY = 3 }
funds = 2
[[person]]
name = "ravi"
broker = "groww"
holds = { ITC = 40 }
consent = false
[[step]]
at = "09:30"
person = "asha"
buy = { AXISBANK = 3, HDFCBANK = 1, WIPRO = 4 }
unplaced = ["WIPRO"]
[[step]]
at = "09:40"
person = "asha"
buy = { INFY = 1 }
does = "closes-login"
[[step]]
at = "09:50"
person = "asha"
buy = { INFY = 1 }
does = "times-out"
[[step]]
at = "10:10"
person = "asha"
intent = "HOLDINGS_IMPORT"
[[step]]
at = "10:20"
person = "asha"
intent = "HOLDINGS_IMPORT"
version = "v2"
notes = "first import"
[[step]]
at = "10:30"
person = "asha"
intent = "MF_HOLDINGS_IMPORT"
[[step]]
at = "10:40"
person = "ravi"
buy = { ITC = 1 }
does = "never"
"""
RECORDED = {
    "completed": "details/transaction-details.json",
    "initialized": "details/initialized.json",
    "errored": "details/errored.json",
    "timed-out": "details/timed-out.json",
    "absent": "details/absent-list.json",
    "orders": "orders/transactions.json",
    "placed-webhook": "webhook/placed.json",
    "completed-webhook": "webhook/completed.json",
    "holdings-webhook": "holdings/webhook.json",
    "mf-webhook": "mf-webhook/flat.json",
    "holdings-v1": "holdings/v1.json",
    "holdings-v2": "holdings/v2.json",
    "no-consent": "holdings/forbidden.json",
    "investments": "investments/aggregated.json",
}
Bodies = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is known of a body, and where from."""

    said: str
    source: str
    body: str
    holds: Callable[[bytes], object]


def details(body: bytes) -> Answer:
    """A transaction's answer, read about the transaction it names."""
    return read_details(body, str(told(body)["transactionId"]))


def told(body: bytes) -> dict[str, Any]:
    """The transaction of an answer as JSON."""
    data = json.loads(body)["data"]
    found: dict[str, Any] = data["transactionDetails"]
    return found


def legs(body: bytes) -> list[dict[str, Any]]:
    """The placed legs of a completed answer's batch."""
    details = told(body)
    batches = details.get("orderBatches") or details["success"]["data"]["batches"]
    found: list[dict[str, Any]] = batches[0]["orders"]
    return found


def amounts_add_up(body: bytes) -> bool:
    """Whether the batch's amounts are the sums of its fills."""
    (batch,) = details(body).batches
    buys = [leg for leg in batch.legs if leg.side == "BUY"]
    sums = sum((leg.filled * (leg.average_price or 0) for leg in buys), Decimal(0))
    return batch.buy_amount is not None and abs(sums - batch.buy_amount) < PAISA


def ends_after_five_minutes(body: bytes) -> bool:
    """Whether it expires five minutes after its creation."""
    answer = details(body)
    assert answer.created_at
    assert answer.expire_at
    return answer.expire_at - answer.created_at == timedelta(minutes=5)


def verifies(body: bytes, key: str) -> bool:
    """Whether the edge takes it, signed with its own id, and with no other; a recorded one is signed here."""
    event = json.loads(body, parse_int=str, parse_float=str)
    ours = {}
    for name in ("smallcaseAuthId", "transactionId"):
        message = f"{event['timestamp']}{event.get(name, '')}".encode()
        ours[name] = hmac.new(b"another-secret", message, hashlib.sha256).hexdigest()
    zeros = "0" * 64
    signed = {name: body.replace(zeros.encode(), sign.encode()) for name, sign in ours.items()}
    keys, now = parse_keys("k1:another-secret"), _stamped(event["timestamp"])
    good = {name for name, each in signed.items() if verify(each, keys, now=now).ok and ours[name].encode() in each}
    return good == {key}


def _stamped(timestamp: str) -> datetime:
    if timestamp.isdigit():
        return datetime.fromtimestamp(int(timestamp) / 1000, UTC)
    return datetime.fromisoformat(timestamp)


def transactable_adds_up(body: bytes) -> bool:
    """Whether transactableQuantity is what is held and the NSE position, in every row that NSE lists."""
    rows = [row for row in json.loads(body)["data"]["securities"] if row["nseTicker"]]
    return all(
        row["transactableQuantity"] == row["holdings"]["quantity"] + row["positions"]["nse"]["quantity"] for row in rows
    )


def needs_consent(body: bytes) -> bool:
    """Whether a 403 with that body is read as missing consent."""
    with pytest.raises(NeedsConsent):
        read_reply(Reply(http_status=403, body=body, took_ms=1), read_holdings)
    return True


def is_absent(body: bytes) -> bool:
    """Whether it says that there is no such transaction."""
    with pytest.raises(NoSuchTransaction):
        read_details(body, "TRX_" + "0" * 32)
    return True


LEG = ("status", "tradingsymbol", "exchange", "transactionType", "orderType", "product", "quantity", "filledQuantity",
       "averagePrice", "exchangeOrderId")  # fmt: skip
FACTS = (
    Fact("an answer is an envelope of success, errors and data", "DOC, SDK", "completed",
         lambda b: set(json.loads(b)) == {"success", "errors", "data"}),
    Fact("COMPLETED is a transaction's final update", "DOC", "completed", lambda b: details(b).status == "COMPLETED"),
    Fact("a leg that is filled says COMPLETE, not COMPLETED", "DOC", "completed",
         lambda b: {leg["status"] for leg in legs(b)} == {"COMPLETE"}),
    Fact("a leg has these ten fields and no more", "DOC, SDK", "completed",
         lambda b: all(set(leg) == set(LEG) for leg in legs(b))),
    Fact("exchangeOrderId is a text of 16 digits", "DOC", "completed",
         lambda b: all(isinstance(i := leg["exchangeOrderId"], str) and len(i) == 16 for leg in legs(b))),
    Fact("legs that were not sent are told apart, under unplaced", "DOC, SDK", "completed",
         lambda b: [leg.symbol for leg in details(b).batches[0].legs if not leg.placed] == ["WIPRO"]),
    Fact("amounts are sums of fills, before charges", "DOC, TESTED", "completed", amounts_add_up),
    Fact("a transaction lives five minutes", "DOC", "completed", ends_after_five_minutes),
    Fact("a batch has 24 hexadecimal digits, a transaction TRX_ and 32", "DOC", "completed",
         lambda b: len(details(b).batches[0].batch_id) == 24 and len(details(b).transaction_id) == 36),
    Fact("what nobody began has no batch", "DOC", "initialized",
         lambda b: (details(b).status, details(b).batches) == ("INITIALIZED", ())),
    Fact("a flow that failed says why, in a word", "DOC, SDK", "errored",
         lambda b: (details(b).status, details(b).error_message) == ("ERRORED", "user_cancelled")),
    Fact("after timed_out an order may exist", "SDK, INF", "timed-out", lambda b: is_unclear(details(b))),
    Fact("an unknown transaction is an error, with a list of texts", "SDK", "absent",
         lambda b: is_absent(b) and isinstance(json.loads(b)["errors"], list)),
    Fact("order details name transactions with their batches", "DOC, CODE", "orders",
         lambda b: all(batches for batches in read_orders(b).values())),
    Fact("a webhook comes when an order is placed", "DOC", "placed-webhook",
         lambda b: (batch := read_webhook(b)[2]) is not None and batch.status == "PLACED" and not batch.filled),
    Fact("and when every leg is in its final state", "DOC", "completed-webhook",
         lambda b: (batch := read_webhook(b)[2]) is not None and batch.completed_at is not None),
    Fact("it names account and transaction at the top", "DOC, CODE", "completed-webhook",
         lambda b: all(read_webhook(b)[:2])),
    Fact("its checksum is over timestamp and smallcaseAuthId", "DOC, CODE", "completed-webhook",
         lambda b: verifies(b, "smallcaseAuthId")),
    Fact("that of holdings likewise", "DOC", "holdings-webhook", lambda b: verifies(b, "smallcaseAuthId")),
    Fact("that of mutual funds is over timestamp and transactionId", "CODE", "mf-webhook",
         lambda b: verifies(b, "transactionId")),
    Fact("mutual funds come as a summary and transactions", "DOC", "mf-webhook",
         lambda b: {"summary", "transactions"} <= set(json.loads(b))),
    Fact("notes given at creation come back with the holdings", "DOC", "holdings-webhook",
         lambda b: json.loads(b)["notes"] == "first import"),
    Fact("holdings of version 2 are a list with ISINs", "DOC", "holdings-v2",
         lambda b: (h := read_holdings(b)).version == "v2" and all(line.isin for line in h.lines)),
    Fact("what may be sold is what is held and the day's NSE position", "DOC", "holdings-v2", transactable_adds_up),
    Fact("no equity has a market price", "CODE", "holdings-v2", lambda b: b'"ltp"' not in b),
    Fact("holdings of version 1 are an object with shares and no ISIN", "DOC", "holdings-v1",
         lambda b: (h := read_holdings(b)).version == "v1" and all(row.held and not row.isin for row in h.lines)),
    Fact("a snapshot tells its instant", "SDK", "holdings-v2", lambda b: read_holdings(b).snapshot_date is not None),
    Fact("without consent holdings are forbidden", "DOC, INF", "no-consent", needs_consent),
    Fact("investments are told summed up", "DOC", "investments", lambda b: len(read_investments(b).lines) == 1),
)  # fmt: skip


@pytest.fixture(name="recorded", scope="module")
def _recorded() -> Bodies:
    """What was recorded."""
    return {name: (SAMPLES / path).read_bytes() for name, path in RECORDED.items()}


@pytest.fixture(name="simulated", scope="module")
def _simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bodies]:
    """What a running simulator posts and answers."""
    folder = tmp_path_factory.mktemp("facts")
    file = folder / "facts.toml"
    file.write_text(SCENARIO)
    edge = Edge(clock=folder / "clock")
    edge.start()
    with started(folder, edge, "--scenario", str(file)) as simulator:
        yield bodies_of(simulator, edge)
    edge.stop()


def bodies_of(simulator: Running, edge: Edge) -> Bodies:
    """One body of each kind: the timed-out answer while it is one, the rest at the end of the morning."""
    asked = at(simulator, "04:21:00", lambda made: answer(simulator, transaction=made[2]))
    made = transactions(simulator)
    timed_out = asked
    at(simulator, "05:30:00", lambda _: b"")
    made = transactions(simulator)
    posts = {name: body for body in edge.bodies for name in [kind(json.loads(body))] if name}
    return {
        **posts,
        "timed-out": timed_out,
        "completed": answer(simulator, transaction=made[0]),
        "errored": answer(simulator, transaction=made[1]),
        "initialized": answer(simulator, transaction=made[-1]),
        "absent": answer(simulator, transaction="TRX_" + "0" * 32),
        "orders": answer(simulator, "orders", transaction=f"{made[0]},{made[1]}"),
        "holdings-v1": answer(simulator, "user/holdings", person="asha", version="v1"),
        "holdings-v2": answer(simulator, "user/holdings", person="asha", version="v2"),
        "no-consent": answer(simulator, "user/holdings", person="ravi", version="v2"),
        "investments": answer(simulator, "user/investments", person="asha", aggregatedData="true"),
    }


def at(simulator: Running, instant: str, ask: Callable[[list[str]], bytes]) -> bytes:
    """Play until then, and ask."""
    assert simulator.post(f"/control/advance?to=2026-11-18T{instant}Z") == 200
    wait_for(lambda: simulator.status()["advancing"] is False)
    return ask(transactions(simulator))


def transactions(simulator: Running) -> list[str]:
    """The transactions that were made, oldest first."""
    lines = simulator.get("/control/transactions").splitlines()
    return [json.loads(line)["transaction_id"] for line in lines]


def kind(event: Mapping[str, Any]) -> str:
    """Which of the webhooks it is."""
    if "summary" in event:
        return "mf-webhook"
    if "securities" in event:
        return "holdings-webhook" if "notes" in event else ""
    return {"PLACED": "placed-webhook"}.get(event["status"], "completed-webhook")


def answer(simulator: Running, path: str = "transactiondetails", *, person: str = "", **query: str) -> bytes:
    """Ask the API as a guest, or as that person."""
    who: dict[str, object] = {"guest": True}
    if person:
        people = [json.loads(line) for line in simulator.get("/control/accounts").splitlines()]
        who = {"smallcaseAuthId": next(each["account"] for each in people if each["name"] == person)}
    token = jwt.encode({**who, "exp": int(time.time()) + 600}, ENV["SIMULATOR_JWT_SECRET"], algorithm="HS256")
    if "transaction" in query:
        query["transactionId"] = query.pop("transaction")
    return requests.get(
        f"{simulator.url}/v1/simulated/engine/{path}",
        params=query,
        headers={"x-gateway-secret": ENV["SIMULATOR_API_SECRET"], "x-gateway-authtoken": token},
        timeout=5,
    ).content


@pytest.mark.filterwarnings("ignore:The HMAC key is")
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.said} ({fact.source})")
@pytest.mark.parametrize("origin", ["recorded", "simulated"])
def test_a_fact_holds_of_both(fact: Fact, origin: str, request: pytest.FixtureRequest) -> None:
    """What was recorded and what the simulator says agree on everything that is known."""
    bodies: Bodies = request.getfixturevalue(origin)
    assert fact.holds(bodies[fact.body])


@pytest.mark.filterwarnings("ignore:The HMAC key is")
def test_every_body_is_there_from_both_sides(recorded: Bodies, simulated: Bodies) -> None:
    """No fact is held by one side alone."""
    assert set(recorded) == set(simulated)
    assert {fact.body for fact in FACTS} <= set(recorded)
