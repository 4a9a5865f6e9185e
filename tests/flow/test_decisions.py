"""A person chooses where matching must not guess, and takes it back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from recon.decided import Ruling
from tests.builders import EVENING, a_batch, a_leg, a_transaction, an_answer, our_line, rules, store_snapshot
from tieout.decisions import UndecidableError, Word, decide, listing, take_back
from tieout.reconcile import reconcile
from tieout.state import refresh

WORD = Word(who="asha", why="trade book, page 3", now=EVENING)


def a_tie(engine: Engine) -> int:
    """Two legs of six and two lines of ours, five and seven, none with an exchange order id: nobody can tell."""
    legs = (
        a_leg(quantity=6, filledQuantity=6, exchangeOrderId="N1"),
        a_leg(quantity=6, filledQuantity=6, exchangeOrderId="N2"),
    )
    with engine.begin() as connection:
        txn = a_transaction(connection)
        store_snapshot(connection, txn, an_answer(a_batch(*legs)))
        for order_id, quantity in (("O1", 5), ("O2", 7)):
            size: dict[str, Any] = {"quantity": Decimal(quantity), "filled": Decimal(quantity)}
            our_line(connection, txn, legs[0], order_id=order_id, exchange_order_id=None, **size)
        refresh(connection, txn=txn, now=EVENING, rules=rules())
        reconcile(connection, txns=[txn], now=EVENING, rules=rules())
    return txn


def pairs(engine: Engine) -> dict[str, tuple[str | None, int | None, str]]:
    """By our order id: the leg it is paired with, the rung and the bucket."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("""
            select o.order_id, e.exchange_order_id, v.rung, v.bucket from our_lines o
            join verdicts v on v.ours = o.line left join their_lines e on e.line = v.theirs""")
        )
        return {row.order_id: (row.exchange_order_id, row.rung, row.bucket) for row in rows}


def ruled(engine: Engine, ruling: Ruling, ours: str, theirs: str) -> int:
    """Take that decision."""
    with engine.begin() as connection:
        return decide(connection, ruling=ruling, order_id=ours, theirs=theirs, word=WORD, rules=rules())


def test_a_person_chooses_for_an_ambiguous_order(engine: Engine) -> None:
    """One choice settles the tie: the other two are then alone on their sides."""
    a_tie(engine)
    assert {bucket for _, _, bucket in pairs(engine).values()} == {"ambiguous"}

    ruled(engine, Ruling.TOGETHER, "O1", "N2")

    assert pairs(engine) == {"O1": ("N2", 0, "qty-requested"), "O2": ("N1", 3, "qty-requested")}


def test_undoing_one_decision_undoes_that_one_only(engine: Engine) -> None:
    """Of two decisions the other stands, and the first pair is ambiguous no more than it must be."""
    a_tie(engine)
    first = ruled(engine, Ruling.TOGETHER, "O1", "N2")
    ruled(engine, Ruling.TOGETHER, "O2", "N1")

    with engine.begin() as connection:
        word = Word(who="ravi", why="another was meant", now=EVENING + timedelta(hours=1))
        take_back(connection, decision_id=first, word=word, rules=rules())
        counting, everything = listing(connection), listing(connection, everything=True)

    assert pairs(engine)["O2"] == ("N1", 0, "qty-requested")
    assert pairs(engine)["O1"] == ("N2", 3, "qty-requested")
    assert [d["ours"] for d in counting] == ["O2"]
    undone = everything[0]
    assert (undone["who"], undone["undone_by"], undone["undone_why"]) == ("asha", "ravi", "another was meant")


def test_a_match_is_undone_by_saying_that_the_two_are_apart(engine: Engine) -> None:
    """Equal lines with one exchange order id are matched; ruled apart they are missing on both sides."""
    with engine.begin() as connection:
        txn = a_transaction(connection)
        leg, other = a_leg(exchangeOrderId="N1"), a_leg("INFY", exchangeOrderId="N2")
        store_snapshot(connection, txn, an_answer(a_batch(leg, other)))
        our_line(connection, txn, leg, order_id="O1")
        our_line(connection, txn, other, order_id="O2")
        refresh(connection, txn=txn, now=EVENING, rules=rules())
        reconcile(connection, txns=[txn], now=EVENING, rules=rules())
    assert pairs(engine)["O1"] == ("N1", 1, "matched")

    ruled(engine, Ruling.APART, "O1", "N1")

    assert pairs(engine) == {"O1": (None, None, "missing-external"), "O2": ("N2", 1, "matched")}
    with engine.begin() as connection:
        again = reconcile(connection, txns=[txn], now=EVENING, rules=rules())
    assert (again.by_statement, pairs(engine)["O1"][2]) == (0, "missing-external")


@pytest.mark.parametrize(
    ("ours", "theirs", "says"),
    [
        ("O9", "N1", "your books hold no order 'O9'"),
        ("O1", "N9", "its legs are: N1, N2"),
        ("O1", "N2", "asha decided so before: decision"),
        ("O1", "N1", "undo it first with tieout match undo"),
    ],
)
def test_what_cannot_be_decided_says_what_to_do(engine: Engine, ours: str, theirs: str, says: str) -> None:
    """A line that is not there, a decision taken before, one that stands in the way."""
    a_tie(engine)
    ruled(engine, Ruling.TOGETHER, "O1", "N2")

    with pytest.raises(UndecidableError, match=says):
        ruled(engine, Ruling.TOGETHER, ours, theirs)
