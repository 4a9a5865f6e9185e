"""Answers that contradict themselves or leave out what money hangs on: refused, each with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gateway.fields import Nonsense
from gateway.holdings import read_holdings
from gateway.wire import EmptyAnswer, read_details

SAMPLES = Path(__file__).parents[1] / "samples"
TRANSACTION = "TRX_0123456789abcdef0123456789abcdef"
GOOD = json.loads((SAMPLES / "details" / "batches-beside.json").read_text())


def batch(document: Any) -> dict[str, Any]:
    """The batch of that answer."""
    found: dict[str, Any] = document["data"]["orderBatches"][0]
    return found


def beside(**changes: object) -> Callable[[Any], None]:
    """A second list of batches, which states something else."""

    def change(document: Any) -> None:
        other = deepcopy(batch(document))
        other.update(changes)
        document["data"]["transactionDetails"]["orderBatches"] = [other]

    return change


def leg(**changes: object) -> Callable[[Any], None]:
    """The first leg, changed; None takes a key away."""

    def change(document: Any) -> None:
        first = batch(document)["orders"][0]
        first.update(changes)
        for key in [key for key, value in changes.items() if value is None]:
            del first[key]

    return change


def of_batch(**changes: object) -> Callable[[Any], None]:
    """The batch, changed."""
    return lambda document: batch(document).update(changes)


def of_transaction(**changes: object) -> Callable[[Any], None]:
    """The transaction, changed."""
    return lambda document: document["data"]["transactionDetails"].update(changes)


def read(change: Callable[[Any], None]) -> object:
    """The answer with that change, read."""
    document = deepcopy(GOOD)
    change(document)
    return read_details(json.dumps(document).encode(), TRANSACTION)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (beside(filled=0), "different batches in two places"),
        (beside(batchId="65a5012345678901234567ff"), "different batches in two places"),
        (beside(orders=[], unplaced=[]), ""),
        (beside(buyAmount=None), ""),
        (leg(filledQuantity=None), "may be filled has no filledQuantity"),
        (leg(filledQuantity=-1), "filledQuantity is below zero"),
        (leg(quantity="1_0"), "quantity is no number"),
        (leg(quantity="\u0661\u0660"), "quantity is no number"),
        (leg(status="REJECTED", filledQuantity=None), ""),
        (of_batch(dummy="true"), "dummy is neither true nor false"),
        (of_batch(orders=""), "orders is no list"),
        (lambda document: document["data"].update(transactionId="TRX_" + "2" * 32), "about another transaction"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(change: Callable[[Any], None], says: str) -> None:
    """Two places may tell the same, one of them less; never two things."""
    if not says:
        assert read(change)
        return
    with pytest.raises(Nonsense, match=says):
        read(change)


@pytest.mark.parametrize("status", ["", None, " "])
def test_an_answer_without_a_status_is_no_error_of_the_transaction(status: str | None) -> None:
    """It says nothing: it was once taken for ERRORED, which ends a transaction."""
    with pytest.raises(EmptyAnswer):
        read(of_transaction(status=status))


def test_a_key_that_stands_twice_is_refused() -> None:
    """Neither of the two is more true."""
    body = json.dumps(GOOD).replace('"filled": 2', '"filled": 2, "filled": 3')
    with pytest.raises(Nonsense):
        read_details(body.encode(), TRANSACTION)


@pytest.mark.parametrize("securities", [None, {}, {"holdings": None}])
def test_holdings_without_securities_are_not_none_held(securities: object) -> None:
    """An empty list is: nothing named is not."""
    document = json.loads((SAMPLES / "holdings" / "v2.json").read_text())
    document["data"]["securities"] = securities
    with pytest.raises(EmptyAnswer):
        read_holdings(json.dumps(document).encode())
    document["data"]["securities"] = []
    assert read_holdings(json.dumps(document).encode()).lines == ()


def test_holdings_that_come_with_an_error_are_not_taken() -> None:
    """Whatever data stands beside it."""
    document = json.loads((SAMPLES / "holdings" / "v2.json").read_text())
    document["errors"] = ["timed_out"]
    with pytest.raises(EmptyAnswer):
        read_holdings(json.dumps(document).encode())
