"""The sweep finds what is due, once, and never waits for the broker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import redis
from sqlalchemy import Engine, text

from config.broker import KEY_PREFIX, Sender, depths, in_flight, sender
from config.queues import SETTLE_QUEUE, UNITS_A_MESSAGE
from recon.values import Origin
from store.life import begin_period, signs
from store.transactions import ensure
from tieout.sweep import Sweeping, Swept, sweep
from tieout.upkeep import canary, first_in, keep_house, send_canaries

NOW = datetime(2026, 1, 14, 7, 0, tzinfo=UTC)


@pytest.fixture(name="broker")
def _broker(broker_url: str) -> Iterator[redis.Redis]:
    """The broker, empty."""
    with redis.Redis.from_url(broker_url) as broker:
        broker.flushall()
        yield broker


@pytest.fixture(name="announcing")
def _announcing(broker_url: str) -> Iterator[Sender]:
    """A sender to the broker."""
    announcing = sender(broker_url)
    yield announcing
    announcing.close()


@pytest.fixture(name="sweeping")
def _sweeping(engine: Engine, broker: redis.Redis, announcing: Sender, broker_url: str) -> Sweeping:
    """What sweeping needs."""
    return Sweeping(
        engine=engine,
        sender=announcing,
        waiting=lambda: next(d.waiting for d in depths(broker_url) if d.queue == SETTLE_QUEUE),
        queue_pause=100,
        first=timedelta(seconds=30),
    )


def put(engine: Engine, count: int, *, due_s: int = 0, state: str = "received") -> None:
    """Store events that are due in so many seconds."""
    with engine.begin() as connection:
        for _ in range(count):
            connection.execute(
                text("""
                insert into events (event_id, gateway, book, family, transaction_id, key_id, received_at, state,
                                    next_attempt_at)
                values (:id, 'demo', 'test', 'orders', :t, 'k1', :now, :state, clock_timestamp() + :due)"""),
                {
                    "id": uuid4(),
                    "t": f"TRX_{uuid4().hex}",
                    "now": NOW,
                    "state": state,
                    "due": timedelta(seconds=due_s),
                },
            )


def one(engine: Engine, sql: str) -> tuple[object, ...]:
    """The one row of a question."""
    with engine.connect() as connection:
        return tuple(connection.execute(text(sql)).one())


def test_due_events_are_announced_several_in_a_message(sweeping: Sweeping, engine: Engine, broker: redis.Redis) -> None:
    """Received and waiting events whose time has come; ids only, at most fifty in a message."""
    put(engine, UNITS_A_MESSAGE)
    put(engine, 10, state="waiting")
    put(engine, 5, due_s=60)
    put(engine, 5, state="done")
    assert sweep(sweeping, now=NOW) == Swept(announced=60)
    messages = broker.lrange(KEY_PREFIX + SETTLE_QUEUE, 0, -1)
    assert len(messages) == 2
    assert all(b"received_at" not in message for message in messages)


def test_what_was_announced_is_left_alone_for_a_while(sweeping: Sweeping, engine: Engine) -> None:
    """Each announcement moves the next one on, twice as far, so a backlog is not announced over and over."""
    put(engine, 1)
    assert sweep(sweeping, now=NOW).announced == 1
    assert sweep(sweeping, now=NOW).announced == 0
    gaps = []
    for _ in range(7):
        (gap,) = one(engine, "select extract(epoch from next_attempt_at - clock_timestamp())::int from events")
        gaps.append(gap)
        with engine.begin() as connection:
            connection.execute(text("update events set next_attempt_at = clock_timestamp()"))
        assert sweep(sweeping, now=NOW).announced == 1
    assert gaps == [30, 60, 120, 240, 480, 600, 600]


def test_a_transaction_is_announced_when_the_domain_s_clock_says_so(sweeping: Sweeping, engine: Engine) -> None:
    """One freshly imported, without any event, is asked for; one not yet due is not."""
    with engine.begin() as connection:
        ids = ["TRX_1", "TRX_2"]
        found = ensure(connection, gateway="demo", book="test", origin=Origin.IMPORT, ids=ids, now=NOW)
        connection.execute(
            text("update transactions set ask_at = :at where txn = :txn"),
            {"at": NOW + timedelta(hours=1), "txn": found["TRX_2"]},
        )
    assert sweep(sweeping, now=NOW).announced == 1
    assert sweep(sweeping, now=NOW).announced == 0
    assert sweep(sweeping, now=NOW + timedelta(hours=1)).announced == 1


def test_a_long_queue_pauses_announcing(sweeping: Sweeping, engine: Engine, announcing: Sender) -> None:
    """While messages wait, nothing is announced, and nothing is moved on."""
    announcing.announce(["demo:TRX_1"] * 60)
    put(engine, 1)
    assert sweep(replace(sweeping, queue_pause=1), now=NOW).paused == "queue-long"
    assert sweep(sweeping, now=NOW).announced == 1


def test_without_a_broker_the_sweep_says_so_and_loses_nothing(sweeping: Sweeping, engine: Engine) -> None:
    """The rows stand as they were, and the next sweep finds them."""
    nowhere = sender("redis://127.0.0.1:1/0")
    put(engine, 1)
    away = replace(sweeping, sender=nowhere, waiting=lambda: depths("redis://127.0.0.1:1/0")[0].waiting)
    assert sweep(away, now=NOW).paused == "broker-away"
    assert sweep(sweeping, now=NOW).announced == 1
    nowhere.close()


def test_a_lease_that_ended_gives_its_unit_back(sweeping: Sweeping, engine: Engine) -> None:
    """The lost attempt is a row, the fence is raised, and the unit is announced at once."""
    put(engine, 1, due_s=60, state="claimed")
    with engine.begin() as connection:
        (unit,) = connection.execute(text("select transaction_id from events")).scalars()
        ensure(connection, gateway="demo", book="test", origin=Origin.WEBHOOK, ids=[unit], now=NOW)
        connection.execute(
            text("""update transactions set generation = 7, ask_at = null,
                 lease_until = clock_timestamp() - interval '1 s'""")
        )
    assert sweep(sweeping, now=NOW) == Swept(freed=1, announced=1)
    assert one(engine, "select generation, lease_until, deaths from transactions") == (8, None, 1)
    assert one(engine, "select state, reason from events") == ("waiting", "worker-lost")
    assert one(engine, "select generation, outcome from attempts") == (7, "lost")


def test_an_event_that_names_no_transaction_is_parked(sweeping: Sweeping, engine: Engine) -> None:
    """Nothing can be asked about it, so people see it."""
    put(engine, 1)
    with engine.begin() as connection:
        connection.execute(text("update events set transaction_id = null"))
    assert sweep(sweeping, now=NOW).announced == 0
    assert one(engine, "select state, reason from events") == ("parked", "no-transaction")


def test_hearing_of_a_transaction_twice_makes_one_row(engine: Engine) -> None:
    """Whoever first hears of it gives its origin."""
    with engine.begin() as connection:
        first = ensure(connection, gateway="demo", book="live", origin=Origin.IMPORT, ids=["b", "a", "b"], now=NOW)
        again = ensure(connection, gateway="demo", book="live", origin=Origin.WEBHOOK, ids=["a", "c"], now=NOW)
        other = ensure(connection, gateway="other", book="live", origin=Origin.BOOKS, ids=["a"], now=NOW)
        none = ensure(connection, gateway="demo", book="live", origin=Origin.BOOKS, ids=[], now=NOW)
    assert again["a"] == first["a"]
    assert other["a"] not in first.values()
    assert none == {}
    assert one(engine, "select count(*), count(distinct origin) from transactions") == (4, 3)


def test_periodic_work_is_done_once_a_period(engine: Engine) -> None:
    """Two schedules that ask in the same period get one yes."""
    hour = timedelta(hours=1)
    assert [first_in(engine, "job", hour) for _ in range(3)].count(True) <= 2
    with engine.begin() as connection:
        connection.execute(text("update periods set period_start = period_start - interval '1 hour'"))
        assert begin_period(connection, job="job", every=hour)
    assert keep_house(engine)
    assert not keep_house(engine)


def test_a_canary_goes_through_each_queue(engine: Engine, announcing: Sender, broker: redis.Redis) -> None:
    """One message a queue and period; carrying it out is a sign of life."""
    assert send_canaries(engine, announcing, every=timedelta(hours=1))
    assert not send_canaries(engine, announcing, every=timedelta(hours=1))
    assert [broker.llen(KEY_PREFIX + q) for q in ("settle", "upkeep")] == [1, 1]
    canary(engine, queue="settle", sent_at=NOW)
    with engine.connect() as connection:
        (sign,) = signs(connection)
    assert (sign.kind, sign.name, sign.sent_at) == ("canary", "settle", NOW)


def test_a_flushed_broker_takes_messages_again(broker: redis.Redis, announcing: Sender, broker_url: str) -> None:
    """No binding is kept in the broker, so FLUSHALL does not make later messages vanish."""
    announcing.announce(["demo:TRX_1"])
    broker.flushall()
    announcing.announce(["demo:TRX_2"])
    assert depths(broker_url)[0].waiting == 1
    assert in_flight(broker_url) == 0
