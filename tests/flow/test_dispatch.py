"""What is announced next: in order, within the limits, retries last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, text

from config.broker import BrokerAwayError
from config.settings import Gateway
from gateway.rate import Bucket
from store import dispatch, gateways
from store.dispatch import Share
from tests.builders import GATEWAY, NOON, a_leg, a_transaction, our_line, store_webhook
from tieout.dispatch import Sweeping, announce_due

H, D = timedelta(hours=1), timedelta(days=1)
TIMES = {"first": timedelta(seconds=30), "most": timedelta(minutes=10)}


def due(connection: Connection, name: str, **columns: Any) -> int:
    """A transaction whose question is due."""
    return a_transaction(connection, name, **{"ask_at": NOON - H, "created_at": NOON - H, **columns})


def questions(connection: Connection, *, limit: int = 10, retries: int = 10) -> list[str]:
    """The units that are announced."""
    share = Share(gateway=GATEWAY, limit=limit, retries=retries)
    return [unit.partition(":")[2] for unit in dispatch.due_questions(connection, share, now=NOON, **TIMES)]


def test_the_oldest_day_comes_first_and_on_it_the_dearest(connection: Connection) -> None:
    """What the books say counts before what was asked for; equals go by age."""
    due(connection, "today", value=Decimal(900))
    due(connection, "old-cheap", created_at=NOON - D, value=Decimal(5))
    due(connection, "old-dear", created_at=NOON - D + H, value=Decimal(50))
    booked = due(connection, "booked")
    our_line(connection, booked, a_leg(quantity=100, filledQuantity=100, averagePrice=1000), transaction_id="booked")
    due(connection, "unknown-older", created_at=NOON - 2 * H)
    due(connection, "unknown")
    assert questions(connection) == ["old-dear", "old-cheap", "booked", "today", "unknown-older", "unknown"]


def test_no_more_than_may_go_out_is_announced(connection: Connection) -> None:
    """The rest stands as it was, for the next round."""
    for number in range(5):
        due(connection, f"T{number}", value=Decimal(number))
    assert questions(connection, limit=2) == ["T4", "T3"]
    assert questions(connection, limit=2) == ["T2", "T1"]
    assert questions(connection) == ["T0"]
    assert questions(connection) == []


def test_what_failed_before_gets_few_of_the_places(connection: Connection) -> None:
    """The retry budget: the others do not wait for a far side that fails for some."""
    for number in range(4):
        due(connection, f"failed{number}", retries=1, value=Decimal(1000 + number))
        due(connection, f"fresh{number}", value=Decimal(number))
    assert questions(connection, limit=4, retries=1) == ["failed3", "fresh3", "fresh2", "fresh1"]


def test_webhooks_wait_in_the_same_order(connection: Connection) -> None:
    """One whose transaction is not known yet counts as worth nothing."""
    for name, value in (("cheap", 1), ("dear", 7)):
        a_transaction(connection, name, value=Decimal(value))
    for name in ("unheard-of", "cheap", "dear"):
        store_webhook(connection, {"batchId": name}, transaction_id=name, next_attempt_at=NOON - H, state="waiting")
    share = Share(gateway=GATEWAY, limit=9, retries=9)
    found = dispatch.due_events(connection, share, **TIMES)
    assert [unit.partition(":")[2] for unit in found] == ["dear", "cheap", "unheard-of"]


# ---------------------------------------------------------------- a round


@dataclass
class Heard:
    """Stands for the broker's sender: what it was told."""

    units: list[str] = field(default_factory=list)

    def announce(self, units: list[str]) -> None:
        """Hear it."""
        self.units += units


@dataclass
class Free:
    """Stands for the limiter: so many calls may go out."""

    bucket: Bucket | None
    pressed: bool = False

    def look(self, _: Gateway, *, pressed: bool) -> Bucket | None:
        """As told; orders press where they wait in the queue."""
        self.pressed = pressed
        return self.bucket


@dataclass
class Within:
    """Stands for the engine: everything within this test's transaction."""

    connection: Connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Give it."""
        yield self.connection


@pytest.fixture(name="sweeping")
def _sweeping(connection: Connection) -> Sweeping:
    """A round over ten due questions, within this test's transaction."""
    for number in range(10):
        due(connection, f"T{number}")
    gateway = Gateway(name=GATEWAY, url="", secrets=(), api_secrets=(), rate_per_s=8)
    return Sweeping(
        engine=Within(connection),  # type: ignore[arg-type]
        sender=Heard(),  # type: ignore[arg-type]
        waiting=lambda: 0,
        queue_pause=5,
        first=timedelta(seconds=30),
        gateways={GATEWAY: gateway},
        limiter=Free(Bucket(free=3, blocked=timedelta(0))),  # type: ignore[arg-type]
    )


def test_a_round_announces_what_the_bucket_has_left(sweeping: Sweeping) -> None:
    """Less what waits in the queue already."""
    assert announce_due(sweeping, now=NOON).announced == 3
    assert announce_due(replace(sweeping, waiting=lambda: 2), now=NOON).announced == 1
    assert announce_due(replace(sweeping, waiting=lambda: 3), now=NOON).announced == 0


def test_nothing_is_announced_for_a_gateway_that_is_left_alone(sweeping: Sweeping, connection: Connection) -> None:
    """Neither while its bucket is blocked nor while its breaker is open; then one unit tries."""
    blocked = Free(Bucket(free=3, blocked=timedelta(seconds=1)))
    assert announce_due(replace(sweeping, limiter=blocked), now=NOON).announced == 0  # type: ignore[arg-type]
    pauses = {"first": H, "most": H}
    gateways.open_breaker(connection, gateway=GATEWAY, reason="gateway-down", **pauses)
    assert announce_due(sweeping, now=NOON).announced == 0
    connection.execute(text("update gateway_states set blocked_until = clock_timestamp()"))
    assert announce_due(sweeping, now=NOON).announced == 1


def test_a_gateway_without_a_limit_gets_everything_at_once(sweeping: Sweeping) -> None:
    """As a simulator does."""
    assert announce_due(replace(sweeping, limiter=Free(None)), now=NOON).announced == 10  # type: ignore[arg-type]


def test_a_broker_that_is_away_or_full_pauses_announcing(sweeping: Sweeping) -> None:
    """It says which."""

    def away() -> int:
        raise BrokerAwayError("away")

    assert announce_due(replace(sweeping, waiting=away), now=NOON).paused == "broker-away"
    assert announce_due(replace(sweeping, waiting=lambda: 6), now=NOON).paused == "queue-long"
