"""What was known at an instant, what is true now, and why the two differ."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from config.statuses import read_statuses
from tests.builders import DAY, EVENING, GATEWAY, a_batch, a_leg, an_answer, rules, store_snapshot, store_webhook
from tests.settled_day import RULES, UNHEARD, import_rows, judge, name_of, ours
from tieout.asof import Asked, knowing, rules_then
from tieout.closing import Signature, close_day
from tieout.desk.day import Day
from tieout.desk.day import day as day_of
from tieout.desk.since import Changed, changed
from tieout.state import refresh

LATER = EVENING + timedelta(days=1)


def now_day(engine: Engine) -> Day:
    """The day as it stands."""
    with engine.connect() as connection:
        return day_of(connection, gateway=GATEWAY, trade_date=DAY, as_of=EVENING)


def asked(instant: datetime) -> Asked:
    """The day of the story at that instant."""
    return Asked(GATEWAY, DAY, instant, RULES, (GATEWAY,), read_statuses())


def then_day(engine: Engine, instant: datetime) -> Day:
    """The day as it was known."""
    with knowing(engine, asked(instant)) as (connection, scope):
        return day_of(connection, gateway=GATEWAY, trade_date=DAY, as_of=EVENING, book=scope["book"])


def differences(engine: Engine, since: datetime = EVENING, **more: Any) -> list[Changed]:
    """What has changed since."""
    with knowing(engine, asked(since)) as (then, scope), engine.connect() as now:
        named = {"since": since, "until": LATER + timedelta(days=30), "rules_changed": None} | more
        return list(changed(then, now, scope, **named))


@pytest.fixture(name="database_url")
def _database_url(settled_url: str) -> str:
    """A copy of the small day, told and judged."""
    return settled_url


@pytest.fixture(name="told")
def _told(engine: Engine) -> Engine:
    """The small day, judged in the evening."""
    return engine


def test_nothing_came_since_and_the_day_is_the_same(told: Engine) -> None:
    """Judged from its facts alone it says what it said, to the last character of its digest."""
    assert then_day(told, EVENING) == now_day(told)
    assert differences(told) == []


def _corrected(engine: Engine, folder: Path) -> None:
    row = ours(a_leg(exchangeOrderId="1000"), 0, average_price="420.20")
    import_rows(engine, folder, [row], now=LATER)


def _answered(engine: Engine, _folder: Path) -> None:
    """The Gateway says more of the first transaction: a second leg."""
    legs = [a_leg(exchangeOrderId="1000"), a_leg("INFY", exchangeOrderId="5000")]
    with engine.begin() as connection:
        find = text("select txn from transactions where transaction_id = :t")
        txn = connection.execute(find, {"t": name_of(0)}).scalar_one()
        answer = an_answer(a_batch(*legs, batch_id="B-0"), transaction_id=name_of(0))
        store_snapshot(connection, txn, answer, known_at=LATER)
        refresh(connection, txn=txn, now=LATER, rules=RULES)


def _heard(engine: Engine, _folder: Path) -> None:
    with engine.begin() as connection:
        batch = a_batch(a_leg(exchangeOrderId="1006"), batch_id=f"B-{UNHEARD}")
        store_webhook(connection, batch, transaction_id=name_of(UNHEARD), received_at=LATER)
        connection.execute(text("update transactions set rev = rev + 1"))


def _moved(engine: Engine, folder: Path) -> None:
    """The stray line turns out to belong to the third transaction."""
    import_rows(engine, folder, [ours(a_leg(exchangeOrderId="1002"), 2, order_id="STRAY")], now=LATER)


@pytest.mark.parametrize(
    ("act", "kind", "lines"),
    [
        (_corrected, "import", {("ours", "O-0"), ("theirs", f"{name_of(0)}/B-0/placed/0")}),
        (_answered, "answer", {("theirs", f"{name_of(0)}/B-0/placed/1")}),
        (_heard, "webhook", {("batch", f"B-{UNHEARD}")}),
        (_moved, "import", {("ours", "STRAY"), ("theirs", f"{name_of(2)}/B-2/placed/0")}),
    ],
)
def test_what_became_known_later_is_taken_away_and_named(
    told: Engine, tmp_path: Path, act: Callable[[Engine, Path], None], kind: str, lines: set[tuple[str, str]]
) -> None:
    """The day at the instant is as it was; what differs now has the later fact as its reason."""
    before = now_day(told)
    act(told, tmp_path)
    judge(told, LATER)
    assert now_day(told).digest != before.digest

    assert then_day(told, EVENING).digest == before.digest
    found = [row for row in differences(told) if kind in {because.kind for because in row.why}]
    assert lines <= {(row.side, row.line) for row in found}
    assert now_day(told).digest != before.digest


def test_time_alone_is_a_reason(told: Engine) -> None:
    """Before the grace of a webhook ends it is late, afterwards it is missed."""
    noon = EVENING - timedelta(hours=8, minutes=20)
    found = {(row.side, row.line): row for row in differences(told, since=noon)}

    missed = found["batch", f"B-{UNHEARD}"]
    assert (missed.findings_then, missed.findings_now) == (("webhook-late",), ("webhook-missed",))
    assert found["ours", "O-0"].then is None
    assert found["ours", "O-0"].why[0].kind == "import"


def test_a_signature_is_seen_from_the_instant_it_was_given(told: Engine) -> None:
    """An hour before it the day is open; later it is signed, also seen from after a change."""
    signature = Signature(by="Asha", now=EVENING + timedelta(hours=1))
    close_day(told, gateway=GATEWAY, trade_date=DAY, signature=signature, rules=RULES)

    assert not then_day(told, EVENING).signed
    assert then_day(told, EVENING + timedelta(hours=2)).signed


def test_what_changes_while_looking_back_is_pending_until_it_is_judged(told: Engine) -> None:
    """One of a chain may raise the others after they were judged: their lines wait, and none is lost."""
    with knowing(told, asked(EVENING)) as (connection, scope):
        connection.execute(text("update transactions set rev = rev + 1"))
        day = day_of(connection, **scope, as_of=EVENING)

    assert {bucket.name for bucket in day.orders.buckets} == {"pending", "excluded"}
    assert not day.orders.unaccounted


def test_looking_back_leaves_nothing_behind(told: Engine) -> None:
    """No table is written, and nothing waits."""
    counts = (
        "select (select count(*) from verdicts), (select sum(rev) from transactions), (select count(*) from findings)"
    )
    with told.connect() as connection:
        before = connection.execute(text(counts)).one()
        then_day(told, EVENING - timedelta(hours=3))
        assert connection.execute(text(counts)).one() == before


def test_a_day_that_was_closed_then_is_judged_by_the_rules_it_was_closed_under(told: Engine) -> None:
    """Rules that changed since are a reason, and are named with both values."""
    signature = Signature(by="Asha", now=EVENING)
    close_day(told, gateway=GATEWAY, trade_date=DAY, signature=signature, rules=RULES)
    present = rules(price_slack=Decimal("0.05"), open_grace=timedelta(hours=2))
    named: dict[str, Any] = {"gateway": GATEWAY, "trade_date": DAY, "present": present}

    assert rules_then(told, instant=EVENING - timedelta(hours=1), **named) == (present, None)
    then, words = rules_then(told, instant=LATER, **named)
    assert then.policy == RULES.policy
    assert words == "the rules are others: price_slack was 0, is 0.05; open_grace was 0:30:00, is 2:00:00"
    assert {b.kind for row in differences(told, since=EVENING, rules_changed=words) for b in row.why} <= {"rules"}
