"""The group commit itself: one statement a group, a bad row alone, a lost connection survived."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import Engine, text

from inbox.arrivals import NOT_STORABLE, Arrival, CannotSaveError, Writer, saver
from tests.edges import rows, until


@dataclass
class Heard:
    """What was announced."""

    units: list[str] = field(default_factory=list)


def arrival(number: int, **more: object) -> Arrival:
    """A row of its own event."""
    found = Arrival(
        event_id=number.to_bytes(16, "big"),
        gateway="acme",
        book="live",
        family="orders",
        transaction_id=f"TRX_{number:032x}",
        batch_id=None,
        account=None,
        key_id="k1",
        received_at=datetime.now(UTC),
        body=b"{}",
        headers=b"{}",
        signature=number.to_bytes(32, "big"),
        marks="",
        parked=None,
    )
    return found._replace(**more)  # type: ignore[arg-type]


@pytest.fixture(name="heard")
def _heard() -> Heard:
    """Where announcements go."""
    return Heard()


@pytest.fixture(name="writer")
def _writer(database_url: str, heard: Heard) -> Iterator[Writer]:
    """A writer that holds up to four webhooks while the database is away."""
    writer = Writer(
        partial(saver, database_url, reuse_max=3, first_announce_s=30),
        announce=heard.units.extend,
        wait_s=10,
        queue_limit=500,
        waiting_while_away=4,
    )
    yield writer
    writer.close()


def together(writer: Writer, engine: Engine, arrivals: list[Arrival]) -> list[str]:
    """Save them in one group: they gather while the table is locked and a first one waits."""
    with engine.connect() as connection, ThreadPoolExecutor(len(arrivals) + 1) as pool:
        connection.execute(text("lock table events in exclusive mode"))
        first = pool.submit(writer.save, arrival(999_999))
        until(lambda: writer.counts.groups == 1)
        posts = [pool.submit(writer.save, one) for one in arrivals]
        until(lambda: writer._queue.qsize() == len(arrivals))
        connection.rollback()
        assert first.result() == "a"
        return [post.result() for post in posts]


def test_concurrent_requests_share_one_statement(writer: Writer, engine: Engine, heard: Heard) -> None:
    """Fifty that come while a commit runs are saved by the next, and their units announced."""
    outcomes = together(writer, engine, [arrival(n) for n in range(50)])

    assert outcomes == ["a"] * 50
    assert (writer.counts.groups, writer.counts.statements) == (2, 2)
    assert len(heard.units) == 51


def test_the_same_event_twice_in_a_group_is_accepted_once(writer: Writer, engine: Engine) -> None:
    """The second of them is a duplicate, and both are deliveries."""
    outcomes = together(writer, engine, [arrival(1), arrival(1), arrival(2)])

    assert sorted(outcomes) == ["a", "a", "d"]
    assert rows(engine, "select count(*) from deliveries") == [(4,)]


def test_reuse_is_counted_within_a_group(writer: Writer, engine: Engine) -> None:
    """Five bodies of one signature in one group: three are kept, two are refused."""
    outcomes = together(writer, engine, [arrival(n, signature=b"s") for n in range(5)])

    assert sorted(outcomes) == ["a", "a", "a", "r", "r"]
    assert rows(engine, "select count(*) from events") == [(4,)]


def test_a_bad_row_refuses_only_itself(writer: Writer, engine: Engine) -> None:
    """A group that the database refuses for one row is saved row by row."""
    outcomes = together(writer, engine, [arrival(1), arrival(2, headers=b"no json"), arrival(3)])

    assert outcomes == ["a", NOT_STORABLE, "a"]
    assert not writer.failed


def test_a_lost_connection_costs_no_webhook(writer: Writer, engine: Engine) -> None:
    """The group in hand is saved again on a new connection, within the same wait."""
    assert writer.save(arrival(1)) == "a"
    with engine.connect() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(text("lock table events in exclusive mode"))
        post = pool.submit(writer.save, arrival(2))
        until(lambda: writer.counts.groups == 2)
        connection.execute(
            text("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tieout-edge'")
        )
        connection.rollback()
        assert post.result() == "a"

    assert rows(engine, "select count(*) from deliveries") == [(2,)]


def test_few_wait_while_the_database_is_away(heard: Heard) -> None:
    """So that threads remain for health checks; the others are told at once."""
    writer = Writer(
        partial(saver, "postgresql://nobody@127.0.0.1:1/none", reuse_max=3, first_announce_s=30),
        announce=heard.units.extend,
        wait_s=2,
        queue_limit=500,
        waiting_while_away=4,
    )
    waiting = [threading.Thread(target=_refused, args=(writer, n), daemon=True) for n in range(4)]
    for thread in waiting:
        thread.start()
    until(lambda: writer.failed and writer._queue.qsize() + writer._taken >= 4)

    started = time.monotonic()
    _refused(writer, 5)

    assert time.monotonic() - started < 1
    for thread in waiting:
        thread.join()
    writer.close()


def _refused(writer: Writer, number: int) -> None:
    with pytest.raises(CannotSaveError):
        writer.save(arrival(number))
