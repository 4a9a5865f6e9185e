"""One intent over several transactions: repairs are judged with what they repair, whichever came first."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.builders import (
    ACCOUNT,
    EVENING,
    NOON,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    iso,
    our_line,
    rules,
    store_snapshot,
    store_webhook,
)
from tieout.reconcile import reconcile
from tieout.review import review_due
from tieout.state import refresh

LONG_AGO = NOON - timedelta(hours=4)


def placed(engine: Engine, transaction_id: str, *, filled: int, of: int, **fields: Any) -> int:
    """A transaction that bought `filled` of `of` shares for one invested smallcase, all of it booked; its txn."""
    word = "COMPLETE" if filled == of else "CANCELLED"
    leg = a_leg(quantity=of, filledQuantity=filled, status=word)
    answer = {"smallcaseAuthId": fields.pop("account", ACCOUNT)}
    said = {"status": "COMPLETED" if filled == of else "PARTIALLYFILLED", "iscid": "I1", **fields}
    batch = a_batch(leg, **said)
    with engine.begin() as connection:
        txn = a_transaction(connection, transaction_id)
        store_snapshot(connection, txn, an_answer(batch, transaction_id=transaction_id, **answer))
        store_webhook(connection, batch, transaction_id=transaction_id, received_at=NOON - timedelta(minutes=1))
        our_line(connection, txn, leg, transaction_id=transaction_id, account=answer["smallcaseAuthId"])
        refresh(connection, txn=txn, now=EVENING, rules=rules())
        reconcile(connection, txns=[txn], now=EVENING, rules=rules())
    return txn


def the_buy(engine: Engine, **fields: Any) -> int:
    """Seven of ten, before the repair."""
    when = {"createdAt": iso(LONG_AGO), "completedDate": iso(LONG_AGO + timedelta(minutes=5))}
    return placed(engine, "TRX_1", filled=7, of=10, label="BUY", **{**when, **fields})


def found(engine: Engine) -> dict[tuple[str, str], str]:
    """Open findings about chains, by transaction and name, with their class; after all that is due is judged."""
    review_due(engine, now=EVENING, rules=rules(), limit=1000)
    names = ["repair-chain", "over-repair", "orphan-repair", "repair-pending", "waived", "dup-execution"]
    with engine.connect() as connection:
        rows = connection.execute(
            text("select transaction_id, name, class from findings where closed_at is null and name = any(:n)"),
            {"n": names},
        )
        return {(row.transaction_id, row.name): row[2] for row in rows}


def test_a_rest_waits_for_its_repair_and_the_repair_settles_it(engine: Engine) -> None:
    """The first transaction is judged anew by itself when the second one is heard of."""
    the_buy(engine)
    assert found(engine) == {("TRX_1", "repair-pending"): "break"}

    placed(engine, "TRX_2", filled=3, of=3, label="FIX")

    assert found(engine) == {("TRX_2", "repair-chain"): "note"}


def test_a_repair_that_came_first_finds_its_parent_later(engine: Engine) -> None:
    """A repair whose parent nobody has heard of is an orphan until the parent is fetched."""
    placed(engine, "TRX_2", filled=3, of=3, label="FIX")
    assert found(engine) == {("TRX_2", "orphan-repair"): "break"}

    the_buy(engine, status="FIXED")

    assert found(engine) == {("TRX_2", "repair-chain"): "note"}


def test_a_repair_beyond_what_was_ordered_is_critical(engine: Engine) -> None:
    """Seven and five are twelve of ten: two shares too many, at what they cost."""
    the_buy(engine)
    placed(engine, "TRX_2", filled=5, of=5, label="FIX")

    assert found(engine) == {("TRX_2", "over-repair"): "break"}
    with engine.connect() as connection:
        row = connection.execute(text("select * from findings where name = 'over-repair'")).one()
    said = (row.ours, row.theirs, row.difference, row.impact_inr, row.critical)
    assert said == ("10", "12", -2, Decimal("840.2"), True)


def test_a_parent_called_fixed_needs_its_child(engine: Engine) -> None:
    """FIXED without a repair anywhere in the chain."""
    the_buy(engine, status="FIXED")

    assert found(engine) == {("TRX_1", "orphan-repair"): "break"}


def test_what_was_archived_waits_for_nobody(engine: Engine) -> None:
    """The rest was let go."""
    the_buy(engine, status="MARKEDCOMPLETE")

    assert found(engine) == {("TRX_1", "waived"): "note"}


def test_another_account_is_another_chain(engine: Engine) -> None:
    """The same name at somebody else's account repairs nothing of ours."""
    the_buy(engine)
    placed(engine, "TRX_2", filled=3, of=3, label="FIX", account="6a0321b5f3743c31d95abd36")

    assert found(engine) == {("TRX_1", "repair-pending"): "break", ("TRX_2", "orphan-repair"): "break"}


def test_a_next_order_for_the_same_smallcase_begins_a_link_of_its_own(engine: Engine) -> None:
    """What is invested later is no repair, and does not take the first one's rest."""
    the_buy(engine)
    placed(engine, "TRX_3", filled=4, of=4, label="INVESTMORE")

    assert found(engine) == {("TRX_1", "repair-pending"): "break"}


@pytest.mark.parametrize("many", [6])
def test_a_change_raises_only_the_links_it_stands_in(engine: Engine, many: int) -> None:
    """Of a long chain of monthly orders a change of one makes its own link and the one before it stale."""
    for month in range(many):
        at = LONG_AGO + timedelta(minutes=month)
        times = {"createdAt": iso(at), "completedDate": iso(at)}
        placed(engine, f"TRX_{month:02}", filled=4, of=4, label="SIP", **times)
    found(engine)

    placed(engine, "TRX_99", filled=4, of=4, label="SIP")

    with engine.connect() as connection:
        stale = connection.execute(text("select transaction_id from transactions join unjudged using (txn)")).scalars()
        assert set(stale) == {f"TRX_{many - 1:02}"}
