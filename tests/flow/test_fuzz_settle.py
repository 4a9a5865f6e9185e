"""Mutated answers through settling into a real database: what is stored is what they say, or nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from bench.fuzz import oracle
from bench.fuzz.mutations import Means, Mutated, mutated
from bench.fuzz.plain import Unreadable
from bench.fuzz.trial import TRANSACTION, details_sort
from config.clock import FixedClock
from gateway.fields import WireError
from gateway.replies import GatewayError, Reply, answer_of
from inbox.units import Unit
from tests.gateway_stub import Says, Stub
from tests.shops import a_shop
from tieout.settle import settle
from tieout.shop import Shop

NOW = datetime(2026, 1, 14, 7, 0, tzinfo=UTC)
ANSWERS = 40
Line = tuple[str, str, str, Decimal, Decimal, Decimal | None]


@pytest.fixture(name="shop")
def _shop(database_url: str, broker_url: str, stub: Stub) -> Iterator[Shop]:
    """What settling needs."""
    with a_shop(database_url, broker_url, stub.url, call_deadline_s=3.0) as shop:
        yield replace(shop, clock=FixedClock(NOW))


def answers() -> dict[str, Mutated]:
    """A mutated answer for each transaction; none that stops the whole gateway, as refused keys do."""
    found: dict[str, Mutated] = {}
    turn = 0
    while len(found) < ANSWERS:
        turn += 1
        chance = random.Random(f"settle {turn}")
        transaction_id = f"TRX_{turn:032x}"
        body = chance.choice(details_sort().bodies).replace(TRANSACTION.encode(), transaction_id.encode())
        answer = mutated(body, chance)
        if _kind(answer, transaction_id) not in {"ours", "busy"}:
            found[transaction_id] = answer
    return found


def _kind(answer: Mutated, transaction_id: str) -> str:
    try:
        answer_of(Reply(http_status=answer.status, body=answer.body, took_ms=1), transaction_id)
    except (GatewayError, WireError) as error:
        return error.kind
    return "booked"


def lines_told(answer: Mutated, transaction_id: str) -> list[Line]:
    """The lines that the oracle reads from an answer."""
    if answer.means is Means.NOTHING:
        return []
    try:
        told = oracle.details(answer.body, transaction_id)
    except Unreadable:
        return []
    return sorted(
        (batch["batch_id"], leg["symbol"], leg["side"], _exact(leg["quantity"]), _exact(leg["filled"]), _price(leg))
        for batch in told["batches"]
        for leg in batch["legs"]
    )


def _exact(micro: int) -> Decimal:
    return Decimal(micro).scaleb(-6)


def _price(leg: dict[str, int | None]) -> Decimal | None:
    price = leg["average_price"]
    return None if price is None else _exact(price)


def test_what_is_stored_of_a_mutated_answer_is_what_it_says(shop: Shop, engine: Engine, stub: Stub) -> None:
    """Each line as the oracle reads it, none where nothing may be booked, and a reason for each failure."""
    asked = answers()
    stub.says = lambda transaction_id: Says(asked[transaction_id].status, asked[transaction_id].body, {})

    for transaction_id in asked:
        assert settle(shop, [str(Unit("demo", transaction_id))]) == []
        with engine.begin() as connection:  # so much nonsense in a row would stop the gateway
            connection.execute(text("delete from gateway_states"))

    with engine.connect() as connection:
        stored = connection.execute(
            text("""select t.transaction_id, l.batch_id, l.symbol, l.side, l.quantity, l.filled, l.average_price
                    from their_lines l join transactions t using (txn)""")
        ).all()
        outcomes = connection.execute(text("select outcome, reason, detail from attempts where outcome <> 'claimed'"))
        ends = [tuple(row) for row in outcomes]
    by_id: dict[str, list[Line]] = {transaction_id: [] for transaction_id in asked}
    for transaction_id, *line in stored:
        by_id[transaction_id].append(tuple(line))
    wrong = {i: (sorted(found), lines_told(asked[i], i)) for i, found in by_id.items() if not _same(found, asked[i], i)}
    assert wrong == {}
    assert stored
    assert len(ends) == ANSWERS
    assert not [end for end in ends if end[0] != "done" and not end[1]]
    assert not [end for end in ends if end[1] == "error"]


def _same(stored: list[Line], answer: Mutated, transaction_id: str) -> bool:
    """What was refused, though the oracle could read it, stored nothing: that is never wrong."""
    return sorted(stored) == (lines_told(answer, transaction_id) if stored else [])
