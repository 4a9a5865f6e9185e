"""Judging a scope: verdicts, and findings that open, stay, change, close and open again."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import IntegrityError

from tests.builders import (
    ACCOUNT,
    EVENING,
    GATEWAY,
    NOON,
    Json,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    change_line,
    our_line,
    raise_rev,
    rules,
    store_snapshot,
    store_webhook,
)
from tieout.reconcile import exclude_off_platform, reconcile
from tieout.state import refresh

RULES = rules()


def settled(connection: Connection, *legs: Json, name: str = "TRX_1", heard: bool = True, **fields: Any) -> int:
    """A transaction with a final answer about these legs, asked for after its webhook came."""
    txn = a_transaction(connection, name)
    batch = a_batch(*legs, batch_id=f"B-{name}")
    if heard:
        store_webhook(connection, batch, transaction_id=name)
    store_snapshot(connection, txn, an_answer(batch, transaction_id=name, **fields))
    refresh(connection, txn=txn, now=NOON, rules=RULES)
    return txn


def judge(connection: Connection, *txns: int, now: Any = EVENING) -> None:
    """Reconcile these transactions."""
    reconcile(connection, txns=txns, now=now, rules=RULES)


def verdicts(connection: Connection) -> Sequence[Row[Any]]:
    """All verdicts, oldest line first."""
    return connection.execute(text("select * from verdicts order by ours nulls last, theirs")).all()


def findings(connection: Connection) -> dict[str, Row[Any]]:
    """All findings by name."""
    rows = connection.execute(text("select * from findings")).all()
    return {row.name: row for row in rows}


def changes(connection: Connection) -> list[str]:
    """What happened to findings, in order."""
    return list(connection.execute(text("select change from finding_changes order by change_id")).scalars())


def test_a_line_both_sides_agree_on_is_matched(connection: Connection) -> None:
    """Pair, bucket, rung, and the rev it judged are stored; nothing is found."""
    leg = a_leg()
    txn = settled(connection, leg)
    booked = our_line(connection, txn, leg)
    judge(connection, txn)

    (verdict,) = verdicts(connection)
    row = connection.execute(text("select * from transactions")).one()
    assert (verdict.ours, verdict.bucket, verdict.rung, verdict.rev) == (booked.line, "matched", 1, row.rev)
    assert (row.review_at, row.quiet) == (None, True)
    assert connection.execute(text("select txn from unjudged")).all() == []
    assert findings(connection) == {}


def test_a_finding_says_both_values_the_rule_and_the_evidence(connection: Connection) -> None:
    """A filled quantity that differs is one line finding with its difference and its impact."""
    leg = a_leg()
    txn = settled(connection, leg)
    booked = our_line(connection, txn, leg, filled=Decimal(7), quantity=Decimal(10), status="CANCELLED")
    judge(connection, txn)

    found = findings(connection)["qty-filled"]
    assert (found.line, found.difference, found.gateway) == (booked.order_id, Decimal(-3), GATEWAY)
    assert (found.rule, found.rule_set, found._mapping["class"]) == ("quantity.filled", "default", "break")
    assert {e["kind"] for e in found.evidence} >= {"snapshot", "books"}
    assert found.impact_inr == Decimal("1260.300000")


def test_a_finding_keeps_its_id_while_its_values_change(connection: Connection) -> None:
    """7 filled, then 6: one break, changed once; nothing is written while nothing changes."""
    leg = a_leg()
    txn = settled(connection, leg)
    booked = our_line(connection, txn, leg, filled=Decimal(7))
    judge(connection, txn)
    first = findings(connection)["qty-filled"]

    raise_rev(connection, txn)
    judge(connection, txn, now=EVENING + timedelta(hours=1))
    assert findings(connection)["qty-filled"] == first

    change_line(connection, booked, filled=Decimal(6))
    judge(connection, txn, now=EVENING + timedelta(hours=2))
    second = findings(connection)["qty-filled"]
    assert (second.finding_id, second.opened_at, second.difference) == (first.finding_id, EVENING, Decimal(-4))
    history = connection.execute(
        text("select change, ours from finding_changes where finding_id = :f order by change_id"),
        {"f": first.finding_id},
    ).all()
    assert [(h.change, Decimal(h.ours)) for h in history] == [("opened", Decimal(7)), ("changed", Decimal(6))]


def test_a_finding_closes_when_both_sides_agree_and_reopens_under_its_id(connection: Connection) -> None:
    """Corrected, then broken again the same way: one break, reopened once."""
    leg = a_leg()
    txn = settled(connection, leg)
    booked = our_line(connection, txn, leg, side="SELL")
    judge(connection, txn)
    first = findings(connection)["side"]

    change_line(connection, booked, side="BUY")
    judge(connection, txn, now=EVENING + timedelta(hours=1))
    closed = findings(connection)["side"]
    assert closed.closed_at == EVENING + timedelta(hours=1)

    change_line(connection, booked, side="SELL")
    judge(connection, txn, now=EVENING + timedelta(hours=2))
    again = findings(connection)["side"]
    assert (again.finding_id, again.closed_at, again.reopened) == (first.finding_id, None, 1)
    assert changes(connection) == ["opened", "closed", "reopened"]


def test_a_judgement_touches_nothing_outside_its_scope(connection: Connection) -> None:
    """Judging one transaction leaves the verdicts and findings of another alone."""
    txns = []
    for name in ("TRX_1", "TRX_2"):
        leg = a_leg()
        txns.append(settled(connection, leg, name=name))
        our_line(connection, txns[-1], leg, transaction_id=name, side="SELL")
    judge(connection, *txns)
    before = [v for v in verdicts(connection) if v.txn == txns[1]]

    connection.execute(text("update our_lines set side = 'BUY'"))
    judge(connection, txns[0])

    assert [v for v in verdicts(connection) if v.txn == txns[1]] == before
    open_ones = connection.execute(text("select txn from findings where closed_at is null")).scalars().all()
    assert open_ones == [txns[1]]


def test_a_line_that_has_a_verdict_is_never_matched_twice(connection: Connection) -> None:
    """A second verdict on a claimed line is refused by the database itself."""
    leg = a_leg()
    txn = settled(connection, leg)
    booked = our_line(connection, txn, leg)
    judge(connection, txn)

    doubled = text(
        "insert into line_verdicts (txn, ours, rev, bucket, trade_date, book, rule_set)"
        " values (:t, :o, 1, 'matched', '2026-11-20', 'live', 'default')"
    )
    with pytest.raises(IntegrityError, match="uq_line_verdicts_ours"), connection.begin_nested():
        connection.execute(doubled, {"t": txn, "o": booked.line})


def test_a_line_that_names_another_transaction_takes_its_verdict_along(connection: Connection) -> None:
    """Moved by a corrected import, it is judged where it is now, and nothing stands in its way."""
    legs = a_leg(), a_leg("INFY")
    txns = [settled(connection, leg, name=f"TRX_{n}") for n, leg in enumerate(legs)]
    booked = our_line(connection, txns[0], legs[1], transaction_id="TRX_1")
    judge(connection, *txns)

    connection.execute(text("update our_lines set txn = :t"), {"t": txns[1]})
    for txn in txns:
        raise_rev(connection, txn)
    judge(connection, txns[1])
    judge(connection, txns[0])

    (mine,) = [v for v in verdicts(connection) if v.ours == booked.line]
    assert (mine.txn, mine.bucket) == (txns[1], "matched")


def test_a_line_without_a_transaction_is_excluded_with_its_rule(connection: Connection) -> None:
    """Off-platform; and when a correction names its transaction, it is judged there."""
    leg = a_leg()
    booked = our_line(connection, None, leg)
    exclude_off_platform(connection, [booked.line], rules=RULES)
    (excluded,) = verdicts(connection)
    assert (excluded.bucket, excluded.rule, excluded.txn) == ("excluded", "off-platform", None)

    txn = settled(connection, leg)
    connection.execute(text("update our_lines set txn = :t"), {"t": txn})
    raise_rev(connection, txn)
    judge(connection, txn)
    assert [(v.txn, v.bucket) for v in verdicts(connection)] == [(txn, "matched")]


def test_a_line_whose_transaction_is_taken_away_is_excluded(connection: Connection) -> None:
    """The verdict of its transaction makes room for the exclusion."""
    leg = a_leg()
    txn = settled(connection, leg)
    booked = our_line(connection, txn, leg)
    judge(connection, txn)

    connection.execute(text("update our_lines set txn = null"))
    raise_rev(connection, txn)
    exclude_off_platform(connection, [booked.line], rules=RULES)
    judge(connection, txn)

    assert {v.bucket for v in verdicts(connection)} == {"excluded", "missing-internal"}


def test_a_webhook_that_no_later_answer_confirms_is_a_break(connection: Connection) -> None:
    """What a webhook claims is held against it only once the Gateway was asked again after it."""
    leg = a_leg()
    txn = settled(connection, leg)
    our_line(connection, txn, leg)
    forged = a_batch(leg | {"quantity": 99, "filledQuantity": 99}, batch_id="B-TRX_1")
    store_webhook(connection, forged, received_at=NOON + timedelta(minutes=1))
    judge(connection, txn)
    assert "webhook-differs" not in findings(connection)

    store_snapshot(connection, txn, an_answer(a_batch(leg, batch_id="B-TRX_1")))
    assert not refresh(connection, txn=txn, now=NOON, rules=RULES).changed
    judge(connection, txn)

    assert findings(connection)["webhook-differs"].level == "batch"
    assert [v.bucket for v in verdicts(connection)] == ["matched"]


def test_what_waits_says_when_to_look_again(connection: Connection) -> None:
    """Before the books are due their absence is pending, after it a break."""
    txn = settled(connection, a_leg())
    judge(connection, txn, now=NOON)
    (verdict,) = verdicts(connection)
    review_at = connection.execute(text("select review_at from transactions")).scalar_one()
    assert (verdict.bucket, list(findings(connection))) == ("pending", ["awaiting-books"])

    judge(connection, txn, now=review_at)
    (verdict,) = verdicts(connection)
    assert verdict.bucket == "missing-internal"


def test_books_declared_complete_are_due_at_once(connection: Connection) -> None:
    """An import with --complete makes a missing line a break before the evening."""
    txn = settled(connection, a_leg())
    connection.execute(
        text(
            "insert into imports (kind, gateway, file_name, file_digest, imported_at, rows, new, changed,"
            " unchanged, refused, complete_for) values"
            " ('orders', :g, 'f', '', :n, 0, 0, 0, 0, 0, '2026-11-20')"
        ),
        {"g": GATEWAY, "n": NOON},
    )
    judge(connection, txn, now=NOON)

    assert [v.bucket for v in verdicts(connection)] == ["missing-internal"]


def test_many_are_matched_by_one_statement_and_the_rest_by_the_rules(connection: Connection) -> None:
    """Quiet and plain transactions never become a case; a line that differs does."""
    txns = []
    for number in range(6):
        name, leg = f"TRX_{number}", a_leg()
        txns.append(settled(connection, leg, name=name))
    judge(connection, *txns)
    for number, txn in enumerate(txns):
        name = f"TRX_{number}"
        stored = connection.execute(text("select * from their_lines where txn = :t"), {"t": txn}).one()
        said = a_leg(exchangeOrderId=stored.exchange_order_id)
        price = Decimal(421) if number == 5 else Decimal("420.1")
        our_line(connection, txn, said, transaction_id=name, average_price=price, account=ACCOUNT)
    outcome = reconcile(connection, txns=txns, now=EVENING, rules=RULES)

    assert (outcome.judged, outcome.by_statement) == (6, 5)
    assert [v.bucket for v in verdicts(connection)] == ["matched"] * 5 + ["price-out"]
    assert {name for name, f in findings(connection).items() if f.closed_at is None} == {"price-out"}


def test_a_key_that_comes_twice_is_never_paired_by_the_statement(connection: Connection) -> None:
    """Two lines of ours and one of theirs under one key go to the rules, which do not guess."""
    txns = []
    for name in ("TRX_1", "TRX_2"):
        leg, other = a_leg(), a_leg("INFY")
        txns.append(settled(connection, leg, other, name=name))
        judge(connection, txns[-1])
        for _ in range(2):
            our_line(connection, txns[-1], leg, transaction_id=name)

    assert reconcile(connection, txns=txns, now=EVENING, rules=RULES).by_statement == 0
