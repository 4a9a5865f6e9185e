"""Judging again what is stale or due, beside live traffic."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import Connection, Engine, text

import tieout.review
from tests.answered import agreed
from tests.builders import EVENING, NOON, a_leg, raise_rev, rules
from tieout.cases import Loaded, load_cases
from tieout.reconcile import reconcile
from tieout.review import judge_again, review_due

RULES = rules()


@pytest.fixture(name="txns")
def _txns(engine: Engine) -> list[int]:
    with engine.begin() as connection:
        return [agreed(connection, a_leg(), name=f"TRX_{n:02}") for n in range(5)]


def _review(engine: Engine, **options: object) -> int:
    return review_due(engine, **({"now": EVENING, "rules": RULES, "limit": 100} | options))  # type: ignore[arg-type]


def _stale(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        found = connection.execute(text("select txn from unjudged order by txn"))
        return list(found.scalars())


def test_everything_stale_is_judged_once(engine: Engine, txns: list[int]) -> None:
    """A second look finds nothing left to do."""
    assert (_review(engine), _review(engine), _stale(engine)) == (len(txns), 0, [])


def test_no_more_than_the_limit_is_judged(engine: Engine, txns: list[int]) -> None:
    """The rest waits for the next look."""
    assert (_review(engine, limit=2), len(_stale(engine))) == (2, len(txns) - 2)


def test_only_the_gateway_asked_for_is_judged(engine: Engine, txns: list[int]) -> None:
    """Another gateway's transactions are left to its own review."""
    assert (_review(engine, gateway="other"), _review(engine, gateway="acme")) == (0, len(txns))


def test_what_waited_is_judged_again_when_its_time_has_come(engine: Engine) -> None:
    """Pending at noon, a break after the books were due, without anything having changed."""
    with engine.begin() as connection:
        agreed(connection, a_leg())
        connection.execute(text("delete from our_lines"))
    assert (_review(engine, now=NOON), _review(engine, now=NOON)) == (1, 0)

    assert _review(engine, now=EVENING) == 1
    with engine.connect() as connection:
        assert connection.execute(text("select bucket from verdicts")).scalars().all() == ["missing-internal"]


def test_a_change_of_the_rules_makes_everything_stale(engine: Engine, txns: list[int]) -> None:
    """Judged again, with the new rule set's name on every verdict."""
    _review(engine)
    with engine.begin() as connection:
        assert judge_again(connection, gateway="acme") == len(txns)

    assert _review(engine, rules=rules(name="strict")) == len(txns)
    with engine.connect() as connection:
        assert set(connection.execute(text("select rule_set from verdicts")).scalars()) == {"strict"}


def test_a_symbol_that_got_its_isin_is_called_by_it(engine: Engine) -> None:
    """An import of instruments renames stored legs when they are next judged, and only then matches them."""
    with engine.begin() as connection:
        txn = agreed(connection, a_leg(), instrument="INE238A01034")
    _review(engine)
    with engine.begin() as connection:
        before = connection.execute(text("select bucket from verdicts")).scalar_one()
        connection.execute(
            text(
                "insert into instruments (exchange, symbol, valid_from, isin)"
                " values ('NSE', 'AXISBANK', '2020-01-01', 'INE238A01034')"
            )
        )
        raise_rev(connection, txn)
    _review(engine)

    with engine.connect() as connection:
        after = connection.execute(text("select bucket from verdicts")).scalar_one()
    assert (before, after) == ("instrument", "matched")


def test_what_another_worker_holds_is_left_to_it(engine: Engine, txns: list[int]) -> None:
    """A locked transaction is skipped without waiting; the others are judged."""
    with engine.begin() as holder:
        holder.execute(text("select from transactions where txn = :t for update"), {"t": txns[2]})
        assert _review(engine) == len(txns) - 1

    assert _stale(engine) == [txns[2]]
    assert _review(engine) == 1


def test_two_reviews_at_once_share_the_work(engine: Engine, txns: list[int]) -> None:
    """Each transaction is judged by one of them, and every line has exactly one verdict."""
    with ThreadPoolExecutor(2) as pool:
        done = sum(pool.map(lambda _: _review(engine), range(2)))

    with engine.connect() as connection:
        lines = connection.execute(text("select count(*), count(distinct ours) from verdicts")).one()
    assert done + _review(engine) == len(txns)
    assert tuple(lines) <= (len(txns), len(txns))
    assert _stale(engine) == []


@pytest.fixture(name="slow")
def _slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Event, Event]]:
    """A review that, once it holds its rows, says so and goes on when told."""
    holding, go_on = Event(), Event()

    def slowly(*args: object, **options: object) -> object:
        holding.set()
        assert go_on.wait(20)
        return reconcile(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(tieout.review, "reconcile", slowly)
    yield holding, go_on
    go_on.set()


def test_a_slow_run_never_overwrites_a_newer_verdict(
    engine: Engine, txns: list[int], slow: tuple[Event, Event]
) -> None:
    """A change that comes while a review is under way waits for it, and what is judged last is the change."""
    holding, go_on = slow
    with ThreadPoolExecutor(2) as pool:
        review = pool.submit(_review, engine)
        assert holding.wait(20)
        newer = pool.submit(_change_and_judge, engine, txns[0])
        with engine.connect() as watcher:
            waiting = (
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            )
            while not watcher.execute(text(waiting)).scalar_one():
                watcher.rollback()
        go_on.set()
        review.result(20)
        newer.result(20)

    with engine.connect() as connection:
        judged = connection.execute(
            text("select v.bucket, v.rev = t.rev from verdicts v join transactions t using (txn) where v.txn = :t"),
            {"t": txns[0]},
        ).one()
    assert tuple(judged) == ("side", True)


def _change_and_judge(engine: Engine, txn: int) -> None:
    with engine.begin() as connection:
        raise_rev(connection, txn)
        connection.execute(text("update our_lines set side = 'SELL', plain = false where txn = :t"), {"t": txn})
        reconcile(connection, txns=[txn], now=EVENING + timedelta(minutes=1), rules=RULES)


def test_what_cannot_be_judged_is_reported_and_stops_nothing_else(
    engine: Engine, txns: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction that breaks the rules' own expectations stays stale, with an alert; the others are judged."""
    _break_judging_of(txns[1], monkeypatch)

    assert _review(engine) == len(txns) - 1
    assert _stale(engine) == [txns[1]]
    with engine.connect() as connection:
        alert = connection.execute(text("select name, subject, detail from alerts")).one()
    assert (alert.name, alert.subject, alert.detail) == ("not-judged", "TRX_01", "ValueError: impossible")


def _break_judging_of(txn: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = load_cases

    def failing(connection: Connection, rows: list[object], **options: object) -> list[Loaded]:
        loaded = real(connection, rows, **options)  # type: ignore[arg-type]
        if any(each.row.txn == txn for each in loaded):
            raise ValueError("impossible")
        return loaded

    monkeypatch.setattr(tieout.reconcile, "load_cases", failing)
