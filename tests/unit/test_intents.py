"""What a transaction may be created with, checked before anything is sent."""

from __future__ import annotations

import json

import pytest

from config.settings import Gateway
from gateway.intents import INTENTS, Token, flaws, requested
from gateway.strict import Reader
from tests.api_calls import a_gateway
from tieout.refusal import Refusal
from tieout.wanted import read_registration, read_wanted

GATEWAYS: dict[str, Gateway] = {"demo": a_gateway("http://127.0.0.1:1", name="demo")}
BOTH = {**GATEWAYS, "second": a_gateway("http://127.0.0.1:1", name="second")}
MF = {"pan": "ABCDE1234F", "phone": "9876543210", "email": "a@b.in", "fromDate": "2020-02-29", "flow": "DETAILED"}


def _read(document: object) -> dict[str, object]:
    return Reader().read(json.dumps(document).encode())


def _leg(**more: object) -> dict[str, object]:
    return {"ticker": "TCS", **more}


def _basket(*legs: object) -> dict[str, object]:
    return {"orderConfig": {"type": "SECURITIES", "securities": list(legs)}}


GOOD = [
    ("CONNECT", {}),
    ("TRANSACTION", _basket(_leg(quantity=10, type="BUY"), _leg(ticker="M&M", quantity=1, type="SELL"))),
    ("TRANSACTION", _basket(_leg(), _leg(ticker="INFY"))),
    ("TRANSACTION", _basket(_leg(type="BUY"), _leg(type="SELL"))),
    ("TRANSACTION", {"orderConfig": {"type": "BUY", "scid": "SCNM_0001"}}),
    ("TRANSACTION", {"orderConfig": {"type": "EXIT", "iscid": "5f0321b5f3743c31d95abd35"}}),
    ("TRANSACTION", {"orderConfig": {"type": "RECONCILIATION"}}),
    ("HOLDINGS_IMPORT", {}),
    ("HOLDINGS_IMPORT", {"version": "v2", "assetConfig": {"mfHoldings": True}, "notes": "n" * 256}),
    ("HOLDINGS_IMPORT", {"assetConfig": {"mfHoldings": "true"}}),
    ("MF_HOLDINGS_IMPORT", {"assetConfig": MF, "responseConfig": {"casDetail": True, "casSummary": False}}),
    ("FETCH_FUNDS", {}),
    ("CANCEL_ORDER", {"orderConfig": {"batchId": "5f0321b5f3743c31d95abd35", "ticker": "TCS"}}),
    ("CANCEL_AMO", {"orderConfig": {"batchId": "5f0321b5f3743c31d95abd35", "ticker": "TCS"}}),
    ("SIP_SETUP", {"orderConfig": {"anything": [1.5]}}),
]
BAD = [
    ("BUY", {}, "intent"),
    ("CONNECT", {"orderConfig": {}}, "orderConfig"),
    ("TRANSACTION", {}, "orderConfig"),
    ("TRANSACTION", {"orderConfig": []}, "orderConfig.type"),
    ("TRANSACTION", {"orderConfig": {"type": {}}}, "orderConfig.type"),
    ("TRANSACTION", {"orderConfig": {"type": "SECURITIES"}}, "orderConfig.securities"),
    ("TRANSACTION", _basket(), "orderConfig.securities"),
    ("TRANSACTION", _basket(*[_leg()] * 501), "orderConfig.securities"),
    ("TRANSACTION", _basket("TCS"), "orderConfig.securities[0]"),
    ("TRANSACTION", _basket(_leg(quantity=10), _leg()), "orderConfig.securities"),
    ("TRANSACTION", _basket(_leg(type="BUY"), _leg()), "orderConfig.securities"),
    ("TRANSACTION", _basket(_leg(quantity=0)), "orderConfig.securities[0].quantity"),
    ("TRANSACTION", _basket(_leg(quantity=-1)), "orderConfig.securities[0].quantity"),
    ("TRANSACTION", _basket(_leg(quantity=1.5)), "orderConfig.securities[0].quantity"),
    ("TRANSACTION", _basket(_leg(quantity="10")), "orderConfig.securities[0].quantity"),
    ("TRANSACTION", _basket(_leg(quantity=True)), "orderConfig.securities[0].quantity"),
    ("TRANSACTION", _basket(_leg(quantity=10**9)), "orderConfig.securities[0].quantity"),
    ("TRANSACTION", _basket(_leg(type="HOLD")), "orderConfig.securities[0].type"),
    ("TRANSACTION", _basket(_leg(price=10)), "orderConfig.securities[0].price"),
    ("TRANSACTION", _basket({"ticker": "tcs"}), "orderConfig.securities[0].ticker"),
    ("TRANSACTION", {"orderConfig": {"type": "BUY"}}, "orderConfig"),
    ("TRANSACTION", {"orderConfig": {"type": "BUY", "scid": "a b"}}, "orderConfig.scid"),
    ("TRANSACTION", {**_basket(_leg()), "notes": "x"}, "notes"),
    ("HOLDINGS_IMPORT", {"notes": "n" * 257}, "notes"),
    ("HOLDINGS_IMPORT", {"version": "v3"}, "version"),
    ("HOLDINGS_IMPORT", {"assetConfig": {"mfHoldings": 1}}, "assetConfig.mfHoldings"),
    ("MF_HOLDINGS_IMPORT", {"assetConfig": {**MF, "pan": "abcde1234f"}}, "assetConfig.pan"),
    ("MF_HOLDINGS_IMPORT", {"assetConfig": {**MF, "phone": "+919876543210"}}, "assetConfig.phone"),
    ("MF_HOLDINGS_IMPORT", {"assetConfig": {**MF, "phone": 9876543210}}, "assetConfig.phone"),
    ("MF_HOLDINGS_IMPORT", {"assetConfig": {**MF, "phone": "९८७६५४३२१०"}}, "assetConfig.phone"),
    ("MF_HOLDINGS_IMPORT", {"assetConfig": {**MF, "email": "nobody"}}, "assetConfig.email"),
    ("MF_HOLDINGS_IMPORT", {"assetConfig": {**MF, "fromDate": "2021-02-29"}}, "assetConfig.fromDate"),
    ("MF_HOLDINGS_IMPORT", {"assetConfig": {**MF, "fromDate": "20210201"}}, "assetConfig.fromDate"),
    ("MF_HOLDINGS_IMPORT", {"responseConfig": {"casDetail": "yes"}}, "responseConfig.casDetail"),
    ("CANCEL_ORDER", {"orderConfig": {"ticker": "TCS"}}, "orderConfig.batchId"),
    ("CANCEL_ORDER", {}, "orderConfig"),
    ("SIP_SETUP", {"orderConfig": "x"}, "orderConfig"),
]


@pytest.mark.parametrize(("intent", "body"), GOOD)
def test_what_the_public_record_describes_may_be_sent(intent: str, body: dict[str, object]) -> None:
    """Every intent with its extras."""
    assert flaws(intent, _read(body)) == []


@pytest.mark.parametrize(("intent", "body", "field"), BAD)
def test_what_would_be_refused_is_refused_here(intent: str, body: dict[str, object], field: str) -> None:
    """The field is named, with the fix, and its value is not repeated."""
    found = flaws(intent, _read(body))
    assert [flaw.field for flaw in found] == [field]
    assert found[0].fix
    assert "abcde" not in str(found)


def test_a_basket_is_kept_only_when_every_leg_is_definite() -> None:
    """A leg without quantity or side asked for nothing that could be compared."""
    assert requested(_read(_basket(_leg(quantity=10)))) == []
    assert requested(_read(_basket(_leg(quantity=10, type="BUY")))) == [
        {"exchange": "NSE", "symbol": "TCS", "side": "BUY", "quantity": "10"}
    ]


def test_every_intent_has_its_token() -> None:
    """Funds and cancellations are a connected user's, a mutual-fund import a guest's."""
    connected = {name for name, intent in INTENTS.items() if intent.token is Token.CONNECTED}
    assert connected == {"FETCH_FUNDS", "CANCEL_ORDER", "CANCEL_AMO"}
    assert INTENTS["MF_HOLDINGS_IMPORT"].token is Token.GUEST


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "intent"),
        ({"intent": 7}, "intent"),
        ({"intent": "CONNECT", "colour": "red"}, "colour"),
        ({"intent": "CONNECT", "gateway": "other"}, "gateway"),
        ({"intent": "CONNECT", "user": " u"}, "user"),
        ({"intent": "CONNECT", "user": "u\u202eser"}, "user"),
        ({"intent": "CONNECT", "user": 5}, "user"),
        ({"intent": "CONNECT", "user": "u", "account": "5F0321B5F3743C31D95ABD35"}, "account"),
        ({"intent": "CONNECT", "account": "5f0321b5f3743c31d95abd35"}, "user"),
        ({"intent": "CONNECT", "user": "u", "token": "any"}, "token"),
        ({"intent": "CONNECT", "token": "connected"}, "user"),
        ({"intent": "FETCH_FUNDS"}, "user"),
        ({"intent": "FETCH_FUNDS", "user": "u", "token": "guest"}, "token"),
        ({"intent": "MF_HOLDINGS_IMPORT", "user": "u", "account": "5f0321b5f3743c31d95abd35"}, "account"),
    ],
)
def test_a_request_is_refused_with_the_field_that_is_wrong(document: dict[str, object], field: str) -> None:
    """Unknown fields by name, too."""
    with pytest.raises(Refusal) as refused:
        read_wanted(_read(document), GATEWAYS)
    assert refused.value.reason == "not-valid"
    assert [flaw.field for flaw in refused.value.flaws] == [field]


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Nobody corrects one field only to hear of the next."""
    document = {"intent": "TRANSACTION", "colour": 1, "user": "", "orderConfig": {"type": "BUY"}}
    with pytest.raises(Refusal) as refused:
        read_wanted(_read(document), BOTH)
    fields = {flaw.field for flaw in refused.value.flaws}
    assert fields == {"gateway", "user", "colour", "orderConfig"}


def test_a_request_does_not_show_its_body() -> None:
    """It may hold somebody's PAN."""
    wanted = read_wanted(_read({"intent": "MF_HOLDINGS_IMPORT", "assetConfig": MF}), GATEWAYS)
    assert "ABCDE1234F" not in repr(wanted)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "transactionId"),
        ({"transactionId": "TRX_1"}, "transactionId"),
        ({"transactionId": "TRX_" + "a" * 32, "createdAt": "2026-11-20"}, "createdAt"),
        ({"transactionId": "TRX_" + "a" * 32, "expireAt": 1763614800}, "expireAt"),
        ({"transactionId": "TRX_" + "a" * 32, "intent": "BUY"}, "intent"),
        ({"transactionId": "TRX_" + "a" * 32, "notes": "x"}, "notes"),
        ({"transactionId": "TRX_" + "a" * 32, **_basket(_leg(quantity=1), _leg())}, "orderConfig.securities"),
    ],
)
def test_a_registration_is_refused_with_the_field_that_is_wrong(document: dict[str, object], field: str) -> None:
    """As a creation is."""
    with pytest.raises(Refusal) as refused:
        read_registration(_read(document), GATEWAYS)
    assert [flaw.field for flaw in refused.value.flaws] == [field]
