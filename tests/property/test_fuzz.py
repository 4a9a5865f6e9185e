"""No answer of the far side crashes a worker, hangs past its deadline, or is booked wrongly.

`bench.fuzz.trial` says what a wrong booking is.
"""

from __future__ import annotations

import json
import random
from contextlib import suppress

import pytest

from bench.fuzz import oracle
from bench.fuzz.calls import call
from bench.fuzz.far_side import WAYS
from bench.fuzz.mutations import Means, Mutated, mutated
from bench.fuzz.trial import SAMPLES, TRANSACTION, details_sort, run, wrong
from gateway.fields import WireError
from gateway.funds import read_funds
from gateway.holdings import read_holdings
from gateway.investments import read_investments

BODIES = details_sort().bodies


def test_mutated_answers_are_read_as_they_stand_or_refused() -> None:
    """Three thousand of them: no crash, no wrong booking, each refusal with its reason and a decision."""
    tally = run(7_000_000, 3_000)
    assert (tally.crashes, tally.wrong, tally.silent) == ([], [], [])
    assert tally.held
    assert tally.booked > 1_000
    assert sum(tally.refused.values()) > 1_000


def test_an_answer_told_otherwise_is_read_as_before() -> None:
    """More keys, another order, other spaces, escapes and numbers as text change nothing."""
    assert not +run(8_000_000, 1_000).lost


def test_calls_end_by_their_deadline_however_they_are_answered() -> None:
    """Dripping, endless, zipped, cut and garbled answers over real HTTP, each way once."""
    called = call(len(WAYS), deadline_s=0.3)
    assert (called.crashes, called.wrong, called.late) == ([], [], [])
    assert set(called.by_way) == set(WAYS)


LENIENT = {"investments": read_investments, "holdings": read_holdings, "mf-webhook": read_funds}


@pytest.mark.parametrize("folder", LENIENT)
def test_the_lenient_readers_raise_nothing_but_what_they_say(folder: str) -> None:
    """A thousand mutated bodies each: a value with notes of what was not understood, or a declared error."""
    bodies = [path.read_bytes() for path in sorted((SAMPLES / folder).glob("*.json"))]
    read = 0
    for turn in range(1_000):
        chance = random.Random(f"{folder} {turn}")
        with suppress(WireError):
            LENIENT[folder](mutated(chance.choice(bodies), chance).body)
            read += 1
    assert read > 200


@pytest.mark.parametrize(
    ("how", "change"),
    [
        ("another quantity", {"quantity": 2}),
        ("another price", {"averagePrice": 420.2}),
        ("nothing filled", {"filledQuantity": 0}),
        ("the other side", {"transactionType": "SELL"}),
        ("another order", {"exchangeOrderId": "1"}),
    ],
)
def test_the_oracle_sees_a_wrong_booking(how: str, change: dict[str, object]) -> None:
    """If the service booked another body than came, it would be found."""
    body = BODIES[-1]
    document = json.loads(body)
    _first_leg(document).update(change)
    sort, came = details_sort(), Mutated(body=body, means=Means.AS_TOLD, how=how)
    booked = oracle.details(json.dumps(document).encode(), TRANSACTION)
    assert wrong(sort, body, came, booked)
    assert not wrong(sort, body, came, oracle.details(body, TRANSACTION))


def test_what_says_nothing_must_not_be_booked() -> None:
    """Even if it reads as before."""
    sort, came = details_sort(), Mutated(body=BODIES[0], means=Means.NOTHING, how="status", status=500)
    assert wrong(sort, BODIES[0], came, oracle.details(BODIES[0], TRANSACTION)) == "booked, though it says nothing"


def test_a_mutation_is_the_same_for_its_seed() -> None:
    """So that a finding can be looked at again."""
    assert [mutated(BODIES[0], random.Random(n)) for n in range(50)] == [
        mutated(BODIES[0], random.Random(n)) for n in range(50)
    ]


def _first_leg(document: object) -> dict[str, object]:
    """The first leg anywhere in it."""
    if isinstance(document, dict):
        if "tradingsymbol" in document:
            return document
        document = list(document.values())
    found = [leg for each in document if (leg := _first_leg(each))] if isinstance(document, list) else []
    return found[0] if found else {}
