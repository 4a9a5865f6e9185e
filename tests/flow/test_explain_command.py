"""Why a line ended up where it did: the key, both values raw and as compared, the tolerance, who was refused."""

from __future__ import annotations

import json
from decimal import Decimal

from sqlalchemy import Engine

from recon.explain import Explanation
from tests.builders import EVENING, a_batch, a_leg, a_transaction, an_answer, our_line, rules, store_snapshot
from tieout.desk.explain import as_row, explain, explain_lines
from tieout.reconcile import reconcile
from tieout.state import refresh


def a_pair_a_paisa_apart(engine: Engine) -> tuple[int, int]:
    """One leg with float noise in its price, its line a paisa above it, and another leg of the same stock."""
    leg = a_leg(averagePrice=420.1000000000001, exchangeOrderId="N1", filledQuantity=10)
    other = a_leg(exchangeOrderId="N2", quantity=4, filledQuantity=4)
    with engine.begin() as connection:
        txn = a_transaction(connection)
        store_snapshot(connection, txn, an_answer(a_batch(leg, other)))
        booked = our_line(connection, txn, leg, order_id="O1", average_price=Decimal("420.11"))
        refresh(connection, txn=txn, now=EVENING, rules=rules())
        reconcile(connection, txns=[txn], now=EVENING, rules=rules())
    return txn, booked.line


def the_order(engine: Engine, name: str) -> Explanation:
    """The one order that has that id."""
    (found,) = explain(engine, name, rules=rules(), now=EVENING)
    (order,) = found.orders
    return order


def test_an_order_is_explained_by_either_sides_id(engine: Engine) -> None:
    """The key used, the step, the bucket, and what was found."""
    a_pair_a_paisa_apart(engine)

    order = the_order(engine, "O1")

    assert order == the_order(engine, "N1")
    assert (order.ours, order.theirs, order.step) == (("O1",), ("N1",), 1)
    assert order.key == "both name the same exchange and exchange order id: NSE N1"
    assert (order.bucket, [found.name for found in order.findings]) == ("matched-in-tolerance", ["price-in-tol"])


def test_both_values_stand_as_they_came_and_as_they_were_compared(engine: Engine) -> None:
    """Float noise is shown, and gone; the tolerance says what of it was used."""
    a_pair_a_paisa_apart(engine)

    price = next(each for each in the_order(engine, "O1").compared if each.field == "average_price")

    assert (price.theirs_raw, price.theirs, price.ours) == ("420.1000000000001", "420.1", "420.11")
    assert price.tolerance == "0.01 a share: rounding 0.01, slack 0; 0.01 apart, 100 % of it"
    assert price.says == "price-in-tol"


def test_who_was_refused_is_told_with_the_reason(engine: Engine) -> None:
    """The other leg of the same stock names another exchange order."""
    txn, line = a_pair_a_paisa_apart(engine)

    order = explain_lines(engine, txn=txn, ours=line, theirs=None, rules=rules(), now=EVENING)

    assert order is not None
    assert [(each.line, each.why) for each in order.refused] == [
        ("N2", "they name different exchange order ids: N1 and N2")
    ]
    alone = the_order(engine, "N2")
    assert (alone.bucket, alone.key) == ("missing-internal", "no line on the other side can be this one")


def test_a_transaction_is_explained_whole_and_for_machines(engine: Engine) -> None:
    """Every order of it once, as JSON."""
    a_pair_a_paisa_apart(engine)

    (found,) = explain(engine, "TRX_1", rules=rules(), now=EVENING)
    told = json.loads(json.dumps(as_row(found), default=str))

    assert [(order["ours"], order["theirs"]) for order in told["orders"]] == [(["O1"], ["N1"]), ([], ["N2"])]
    assert told["orders"][0]["compared"][0]["tolerance"] == "none, ever"
    assert explain(engine, "nobody", rules=rules(), now=EVENING) == ()
