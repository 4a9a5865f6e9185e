"""Judging a day, a month or everything: range by range, resumed where it died, the same by any number of processes."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, Row, text

import tieout.full
from store.engine import connect
from store.scopes import Scope
from tests.answered import answered
from tests.builders import (
    DAY,
    EVENING,
    NOON,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    our_line,
    raise_rev,
    rules,
    store_snapshot,
)
from tests.conftest import TEMPLATE, _create, _database
from tieout.full import Done, judge_scope
from tieout.reconcile import reconcile
from tieout.review import review_due
from tieout.state import refresh

RULES = rules()
EVERYTHING = Scope()
MATCHED, BROKEN = 9, 3  #: transactions of two lines each


class Killed(BaseException):
    """The run ends here, as if its process had been killed."""


class Fuse:
    """Ends a run at the n-th time it passes a point."""

    def __init__(self, point: str, times: int = 1) -> None:
        self.point, self.left = point, times

    def __call__(self, point: str) -> None:
        """Burn down at the point; end the run when it is burnt down."""
        self.left -= point == self.point
        if self.left == 0:
            raise Killed(point)


@pytest.fixture(name="in_ranges")
def _in_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges are small, so that there are several."""
    monkeypatch.setattr(tieout.full, "SIZE", 4)
    monkeypatch.setattr(tieout.full, "MANY", 1)


@pytest.fixture(name="booked", scope="module")
def _booked(postgres: str) -> tuple[str, list[int]]:
    """A database to be copied, and its transactions: settled at noon, then booked, a quarter with another fill."""
    name = f"booked{uuid4().hex[:12]}"
    _create(postgres, name, template=TEMPLATE)
    engine = connect(_database(postgres, name))
    txns = _book(engine)
    engine.dispose()
    return name, txns


@pytest.fixture(name="database_url")
def _database_url(postgres: str, booked: tuple[str, list[int]]) -> str:
    """A copy for one test."""
    name = f"copy{uuid4().hex[:12]}"
    _create(postgres, name, template=booked[0])
    return _database(postgres, name)


@pytest.fixture(name="txns")
def _txns(booked: tuple[str, list[int]]) -> list[int]:
    """The transactions of every copy."""
    return booked[1]


@pytest.fixture(name="expected", scope="module")
def _expected(postgres: str, booked: tuple[str, list[int]]) -> tuple[Any, ...]:
    """What the review says of them, which judges as live traffic does."""
    name = f"reviewed{uuid4().hex[:12]}"
    _create(postgres, name, template=booked[0])
    engine = connect(_database(postgres, name))
    review_due(engine, now=EVENING, rules=RULES, limit=10_000)
    found = said(engine)
    engine.dispose()
    return found


def _book(engine: Engine) -> list[int]:
    with engine.begin() as connection:
        told = [_settled(connection, number) for number in range(MATCHED + BROKEN)]
        reconcile(connection, txns=[txn for txn, _ in told], now=NOON, rules=RULES)
        for table in ("line_verdicts", "findings", "finding_changes"):
            connection.execute(text(f"delete from {table}"))
        connection.execute(text("update transactions set review_at = null"))
        connection.execute(text("insert into unjudged (txn) select txn from transactions"))
        for number, (txn, legs) in enumerate(told):
            filled = Decimal(7) if number % 4 == 0 else Decimal(10)
            our_line(connection, txn, legs[0], transaction_id=f"TRX_{number:02}", filled=filled)
            our_line(connection, txn, legs[1], transaction_id=f"TRX_{number:02}")
    return [txn for txn, _ in told]


def _settled(connection: Any, number: int) -> tuple[int, Sequence[Any]]:
    legs = (a_leg(), a_leg("INFY"))
    return answered(connection, *legs, name=f"TRX_{number:02}"), legs


def run(engine: Engine, **options: Any) -> Done:
    """One run over everything at 20:30."""
    named: dict[str, Any] = {"scope": EVERYTHING, "now": EVENING, "rules": RULES} | options
    return judge_scope(engine, **named)


def rows(engine: Engine, sql: str) -> Sequence[Row[Any]]:
    """What the database says."""
    with engine.connect() as connection:
        return connection.execute(text(sql)).all()


def said(engine: Engine) -> tuple[Any, ...]:
    """Every verdict and open finding, and what every transaction was judged at."""
    return (
        rows(engine, "select txn, ours, theirs, rev, bucket, rung, trade_date, book from verdicts order by 1, 2, 3"),
        rows(engine, "select finding_id, name, line, ours, theirs from findings where closed_at is null order by 1"),
        rows(
            engine,
            "select txn, rev, review_at, quiet, u.txn from transactions left join unjudged u using (txn) order by 1",
        ),
    )


def tied(engine: Engine) -> int:
    """Transactions that tie out with one row for all their lines."""
    return len(rows(engine, "select txn from tied_out"))


def test_a_full_run_says_what_the_review_says(
    engine: Engine, txns: list[int], in_ranges: None, expected: tuple[Any, ...]
) -> None:
    """Verdicts, findings and revisions are the same; the statement judged what agrees, the rules the rest."""
    assert run(engine) == Done(len(txns), MATCHED)
    assert (said(engine), tied(engine)) == (expected, MATCHED)


def test_several_workers_say_the_same(
    engine: Engine, txns: list[int], in_ranges: None, expected: tuple[Any, ...]
) -> None:
    """Ranges judged by three processes at once; the proof does it by one, two and four, and compares digests."""
    seen: list[int] = []

    assert run(engine, workers=3, each=seen.append) == Done(len(txns), MATCHED)
    assert (said(engine), sum(seen)) == (expected, len(txns))


@pytest.mark.parametrize(
    ("point", "times"),
    [("paired", 1), ("committed", 2), ("judged", 1)],
)
def test_a_run_that_died_is_continued_by_the_next(
    engine: Engine, txns: list[int], in_ranges: None, expected: tuple[Any, ...], point: str, times: int
) -> None:
    """Whatever the first had committed is kept, and nothing is judged twice."""
    with pytest.raises(Killed):
        run(engine, tell=Fuse(point, times))
    kept = len(rows(engine, "select txn from transactions where txn not in (select txn from unjudged)"))

    assert run(engine).judged == len(txns) - kept
    assert said(engine) == expected


def test_an_order_booked_twice_is_never_taken_for_two(engine: Engine, txns: list[int], in_ranges: None) -> None:
    """The statement pairs both lines of ours with the one leg: more pairs than legs, so the rules judge it."""
    (booked,) = rows(engine, f"select exchange_order_id from our_lines where txn = {txns[1]} and symbol = 'INFY'")
    with engine.begin() as connection:
        leg = a_leg("INFY", exchangeOrderId=booked.exchange_order_id)
        our_line(connection, txns[1], leg, transaction_id="TRX_01")

    assert run(engine) == Done(len(txns), MATCHED - 1)
    assert rows(engine, f"select name from findings where txn = {txns[1]} and closed_at is null") == [("dup-internal",)]


def test_an_order_told_twice_is_left_to_the_rules(engine: Engine, txns: list[int], in_ranges: None) -> None:
    """In two batches that both name it, and booked twice: no line of theirs is plain, so none is paired by its key."""
    with engine.begin() as connection:
        leg = a_leg("TCS")
        batches = (a_batch(leg, batch_id="B-1"), a_batch(leg, batch_id="B-2"))
        txn = a_transaction(connection, "TRX_twice")
        store_snapshot(connection, txn, an_answer(*batches, transaction_id="TRX_twice"))
        refresh(connection, txn=txn, now=NOON, rules=RULES)
        for _ in batches:
            our_line(connection, txn, leg, transaction_id="TRX_twice")
        connection.execute(text("update transactions set quiet = true where txn = :txn"), {"txn": txn})

    assert run(engine) == Done(len(txns) + 1, MATCHED)
    assert rows(engine, f"select plain from their_lines where txn = {txn}") == [(False,), (False,)]


def test_a_second_run_finds_nothing_to_do(engine: Engine, txns: list[int], in_ranges: None) -> None:
    """Nothing is written where nothing changed."""
    run(engine)
    stored = (
        "select xmin, ctid, tableoid from line_verdicts"
        " union all select xmin, ctid, tableoid from tied_out order by 3, 2"
    )
    before = rows(engine, stored)

    assert run(engine) == Done()
    assert rows(engine, stored) == before


def test_a_run_over_everything_again_replaces_the_first(engine: Engine, txns: list[int], in_ranges: None) -> None:
    """Every line has one verdict, at the present revision."""
    run(engine)
    with engine.begin() as connection:
        for txn in txns:
            raise_rev(connection, txn)
    again = run(engine)

    assert again == Done(len(txns), MATCHED)
    assert rows(engine, "select distinct v.rev = t.rev as now from verdicts v join transactions t using (txn)") == [
        (True,)
    ]
    assert len(rows(engine, "select 1 from verdicts")) == 2 * len(txns)


def test_what_somebody_holds_is_left_to_him(engine: Engine, txns: list[int], in_ranges: None) -> None:
    """A transaction that live traffic holds is not waited for; its newer verdict is never overwritten."""
    with engine.begin() as connection:
        connection.execute(text("select from transactions where txn = :t for update"), {"t": txns[1]})
        assert run(engine).judged == len(txns) - 1
        reconcile(connection, txns=[txns[1]], now=EVENING, rules=RULES)
    assert rows(engine, "select txn from unjudged") == []
    assert len(rows(engine, f"select 1 from line_verdicts where txn = {txns[1]}")) == 2


def test_live_traffic_goes_on_beside_a_run(engine: Engine, txns: list[int], in_ranges: None) -> None:
    """What is judged again before the run has ended loses its old verdict and has one."""

    def judge_one(point: str) -> None:
        if point == "committed":
            with engine.begin() as connection:
                raise_rev(connection, txns[1])
                reconcile(connection, txns=[txns[1]], now=EVENING, rules=RULES)

    run(engine, tell=judge_one)
    found = rows(
        engine, f"select v.rev = t.rev as now from verdicts v join transactions t using (txn) where txn = {txns[1]}"
    )
    assert [row.now for row in found] == [True, True]
    assert rows(engine, "select ours from verdicts group by ours having count(*) > 1") == []


def test_a_day_judges_the_transactions_of_that_day(engine: Engine, txns: list[int]) -> None:
    """Another day's are left as they are."""
    next_day = Scope(first=DAY + timedelta(days=1), last=date(2026, 12, 31))
    assert run(engine, scope=next_day) == Done()
    assert run(engine, scope=Scope(gateway="other")) == Done()
    assert run(engine, scope=Scope(gateway="acme", first=DAY, last=DAY)).judged == len(txns)


def test_a_statement_that_fails_leaves_its_range_to_the_rules(engine: Engine, txns: list[int]) -> None:
    """Whatever one of them holds, each of the others is judged, and so is that one."""
    with engine.begin() as connection:
        connection.execute(text(f"alter table tied_out add constraint refused check (txn <> {txns[1]})"))
    assert run(engine).judged == len(txns)

    assert rows(engine, "select txn from unjudged") == []
    assert len(rows(engine, "select 1 from verdicts")) == 2 * len(txns)
