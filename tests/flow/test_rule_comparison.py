"""A dry run of two rule sets on the same frozen inputs: it says what would differ, and stores nothing."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Engine, text

from recon.values import Policy
from tests.builders import (
    DAY,
    EVENING,
    GATEWAY,
    Weekdays,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    our_line,
    rules,
    store_snapshot,
)
from tieout.comparison import Compared, Otherwise, compare
from tieout.reconcile import reconcile
from tieout.rules import Rules
from tieout.state import refresh

STRICT, LAX = (
    Rules(Policy(name="strict@1"), Weekdays()),
    Rules(Policy(name="lax@1", price_slack=Decimal("0.05")), Weekdays()),
)


def a_day(engine: Engine) -> None:
    """Four orders: equal, a paisa apart, four paise apart, a rupee apart."""
    with engine.begin() as connection:
        for number, price in enumerate(("420.1", "420.11", "420.14", "421.1")):
            name, leg = f"TRX_{number}", a_leg()
            txn = a_transaction(connection, name)
            store_snapshot(connection, txn, an_answer(a_batch(leg), transaction_id=name))
            our_line(connection, txn, leg, transaction_id=name, order_id=f"O{number}", average_price=Decimal(price))
            refresh(connection, txn=txn, now=EVENING, rules=rules())
            reconcile(connection, txns=[txn], now=EVENING, rules=rules())


def compared(engine: Engine) -> tuple[Compared, list[Otherwise]]:
    """The day judged by both."""
    heard: list[Otherwise] = []
    with engine.connect() as connection:
        whole = compare(
            connection, gateway=GATEWAY, trade_date=DAY, rules=(STRICT, LAX), now=EVENING, each=heard.append
        )
    return whole, heard


def test_what_the_second_would_say_otherwise_is_listed(engine: Engine) -> None:
    """Slack of five paise forgives four and not a hundred; what rounding explains is the same by both."""
    a_day(engine)

    whole, heard = compared(engine)

    assert [(o.subject, o.was, o.becomes, o.impact_inr) for o in heard] == [
        ("O2", "price-out", "matched-in-tolerance", Decimal("0.40"))
    ]
    assert (whole.transactions, whole.lines, whole.slack, whole.slack_inr) == (4, 8, [0, 1], [0, Decimal("0.30")])


def test_nothing_is_stored(engine: Engine) -> None:
    """Verdicts, findings and revisions stay as they were."""
    a_day(engine)
    before = everything(engine)

    compared(engine)

    assert everything(engine) == before


def everything(engine: Engine) -> list[object]:
    """What reconciling writes."""
    with engine.connect() as connection:
        said = [text(f"select * from {name} order by 1") for name in ("verdicts", "findings", "finding_changes")]
        marks = text(
            "select txn, rev, quiet, review_at, u.since from transactions left join unjudged u using (txn) order by txn"
        )
        return [tuple(row) for each in (*said, marks) for row in connection.execute(each)]
