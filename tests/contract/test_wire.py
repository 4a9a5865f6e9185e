"""Every shape of the Gateway's bodies that is known, recorded under tests/samples."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.wire import (
    EmptyAnswer,
    KeysRefused,
    Nonsense,
    NoSuchTransaction,
    error_words,
    is_unclear,
    read_details,
    read_orders,
    read_webhook,
)
from recon.values import Answer

SAMPLES = Path(__file__).parents[1] / "samples"
TRANSACTION = "TRX_0123456789abcdef0123456789abcdef"
ACCOUNT = "5f0321b5f3743c31d95abd35"


def _details(name: str) -> Answer:
    return read_details((SAMPLES / "details" / name).read_bytes(), TRANSACTION)


def test_the_documented_shape_is_read_whole() -> None:
    """Transaction, error, batch, legs placed and unplaced, and the basket asked for."""
    answer = _details("transaction-details.json")
    assert (answer.status, answer.intent, answer.account, answer.broker) == (
        "COMPLETED",
        "TRANSACTION",
        ACCOUNT,
        "kite",
    )
    assert answer.expire_at == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    assert (answer.error_code, answer.error_message) == (None, None)
    (batch,) = answer.batches
    assert (batch.batch_id, batch.status, batch.variety) == ("65a5012345678901234567ab", "COMPLETED", "regular")
    assert batch.completed_at == datetime(2024, 1, 15, 10, 30, 2, 118000, tzinfo=UTC)
    assert [(leg.symbol, leg.placed, leg.filled) for leg in batch.legs] == [
        ("AXISBANK", True, Decimal(1)),
        ("HDFCBANK", True, Decimal(1)),
        ("WIPRO", False, Decimal(0)),
    ]
    assert [(leg.symbol, leg.side, leg.quantity) for leg in answer.requested] == [
        ("AXISBANK", "BUY", Decimal(1)),
        ("HDFCBANK", "BUY", Decimal(1)),
    ]


def test_float_noise_in_an_amount_is_taken_away() -> None:
    """1575.0900000000001 is 1575.09, and never was a float."""
    (batch,) = _details("transaction-details.json").batches
    assert batch.buy_amount == Decimal("1575.09")
    assert str(batch.buy_amount) == "1575.090000"


@pytest.mark.parametrize(
    "name",
    ["transaction.json", "data-itself.json", "numbers-as-strings.json", "epoch-instants.json", "batches-beside.json"],
)
def test_each_nesting_says_the_same(name: str) -> None:
    """The public record leaves the nesting open: each known one means the same answer."""
    assert _details(name) == _details("transaction-details.json")


def test_an_error_is_kept_as_data() -> None:
    """The code and the message of an ERRORED transaction are kept; the code is text."""
    answer = _details("errored.json")
    assert (answer.status, answer.error_code, answer.error_message) == ("ERRORED", "1002", "user_cancelled")
    assert not is_unclear(answer)


def test_a_timed_out_flow_is_unclear() -> None:
    """After timed_out an order may exist all the same."""
    assert is_unclear(_details("timed-out.json"))


def test_what_has_not_begun_has_no_batches() -> None:
    """INITIALIZED, with false and null where objects may be."""
    answer = _details("initialized.json")
    assert replace(answer, requested=()).batches == ()


def test_words_never_seen_before_are_kept() -> None:
    """Unknown status words are kept in upper case for the rules to name."""
    answer = _details("unknown-word.json")
    assert (answer.status, answer.batches[0].status) == ("SETTLING", "QUEUED")


@pytest.mark.parametrize("name", ["absent-string.json", "absent-list.json", "absent-object.json"])
def test_errors_as_text_list_or_object_say_that_it_is_unknown(name: str) -> None:
    """`errors` comes as text, list or object."""
    with pytest.raises(NoSuchTransaction):
        _details(name)


@pytest.mark.parametrize("name", ["empty-object.json", "null.json", "empty-details.json", "other-error.json"])
def test_an_answer_that_says_nothing_concludes_nothing(name: str) -> None:
    """Empty is not absent."""
    with pytest.raises(EmptyAnswer):
        _details(name)


def test_refused_keys_are_our_fault() -> None:
    """Invalid JWT in an answer of status 200 is about our keys."""
    with pytest.raises(KeysRefused):
        _details("keys-refused.json")


@pytest.mark.parametrize(
    "name",
    [
        "html.html",
        "list.json",
        "wrong-types.json",
        "leg-is-text.json",
        "another-transaction.json",
        "not-a-number.json",
        "nul-in-text.json",
        "lone-surrogate.json",
    ],
)
def test_what_no_gateway_sends_is_nonsense(name: str) -> None:
    """HTML, wrong types, another transaction's answer, text no database can hold."""
    with pytest.raises(Nonsense):
        _details(name)


def test_nothing_but_a_transaction_can_be_deeply_nested() -> None:
    """Nesting deeper than the parser follows is nonsense, not a crash."""
    with pytest.raises(Nonsense):
        read_details(b'{"data":' * 200_000, TRANSACTION)


def test_order_details_come_by_transaction() -> None:
    """A list of batches, each with its transaction, or of transactions with their batches."""
    found = read_orders((SAMPLES / "orders" / "list.json").read_bytes())
    assert {key: [b.batch_id for b in batches] for key, batches in found.items()} == {
        TRANSACTION: ["65a5012345678901234567ab"],
        "TRX_" + "2" * 32: ["b2"],
    }


@pytest.mark.parametrize("name", ["transactions.json", "one.json"])
def test_order_details_come_in_other_nestings(name: str) -> None:
    """Under `transactions`, or one transaction alone."""
    found = read_orders((SAMPLES / "orders" / name).read_bytes())
    assert [b.batch_id for b in found[TRANSACTION]] == ["65a5012345678901234567ab"]


def test_empty_order_details_prove_nothing() -> None:
    """Invalid ids are silently dropped there, so an empty answer is unclear."""
    with pytest.raises(EmptyAnswer):
        read_orders((SAMPLES / "orders" / "empty.json").read_bytes())


def test_order_details_without_a_transaction_are_nonsense() -> None:
    """A batch that names no transaction cannot be placed."""
    with pytest.raises(Nonsense):
        read_orders((SAMPLES / "orders" / "nameless.json").read_bytes())


def test_a_webhook_is_read_as_evidence() -> None:
    """Account, transaction and batch, as the webhook says them."""
    account, transaction_id, batch = read_webhook((SAMPLES / "webhook" / "completed.json").read_bytes())
    assert (account, transaction_id) == (ACCOUNT, TRANSACTION)
    assert batch is not None
    assert (batch.status, batch.filled, len(batch.legs)) == ("COMPLETED", Decimal(2), 3)


def test_a_placed_webhook_has_legs_without_an_exchange_id() -> None:
    """Before the exchange accepts it, a leg has no number there and the batch no end."""
    _, _, batch = read_webhook((SAMPLES / "webhook" / "placed.json").read_bytes())
    assert batch is not None
    assert (batch.completed_at, batch.legs[0].exchange_order_id) == (None, None)


def test_a_webhook_without_a_batch_names_none() -> None:
    """A body without batchId claims nothing about a batch."""
    assert read_webhook((SAMPLES / "webhook" / "no-batch.json").read_bytes())[2] is None


def test_error_words_of_html_are_none() -> None:
    """Only a JSON object has error texts."""
    assert error_words(b"<html>") == ""
    assert error_words(b'{"errors": ["a"], "message": "b"}') == "a b"


def test_a_repair_says_what_it_repairs() -> None:
    """The batch names the invested smallcase and its label; else the order configuration does."""
    batch = {"batchId": "b1", "status": "COMPLETED", "iscid": "65f0", "label": "FIX"}
    config = {"type": "FIX", "iscid": "65f1"}
    details = {"transactionId": "TRX_1", "status": "COMPLETED", "orderConfig": config, "orderBatches": [batch]}
    answer = read_details(json.dumps({"success": True, "data": {"transactionDetails": details}}).encode(), "TRX_1")

    assert (answer.purpose, answer.iscid) == ("FIX", "65f1")
    assert (answer.batches[0].label, answer.batches[0].iscid) == ("FIX", "65f0")
