"""One bucket for all: what the far side may count, whatever is forgotten, and who is told to come again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis

from config.settings import Gateway
from gateway.rate import HOLD, UNLIMITED, Limiter, NoTurnError, Turn

SECOND_S = 1.02


@pytest.fixture(name="gateway")
def _gateway() -> Gateway:
    """A gateway that may be asked four times a second, three at once."""
    return Gateway(name=uuid4().hex, url="", secrets=(), api_secrets=(), rate_per_s=4, at_once=3)


@pytest.fixture(name="broker")
def _broker(broker_url: str) -> Iterator[redis.Redis]:
    """The broker's other database."""
    client = Limiter(broker_url)._client
    yield client
    client.close()


def born(broker: redis.Redis, limiter: Limiter, gateway: Gateway) -> None:
    """Let the bucket be as if nothing had happened for long."""
    limiter.look(gateway)
    broker.delete(*(f"tieout:rate:{{{gateway.name}}}:{part}" for part in ("flying", "cooling")))


def taken(limiter: Limiter, gateway: Gateway) -> list[Turn | None]:
    """As many turns as there are."""
    turns: list[Turn | None] = []
    while True:
        try:
            turns.append(limiter.take(gateway))
        except NoTurnError:
            return turns


def test_no_more_are_under_way_than_may_be(gateway: Gateway, broker_url: str, broker: redis.Redis) -> None:
    """Two processes share one bucket, and what came back unused is there again at once."""
    one, other = Limiter(broker_url), Limiter(broker_url)
    born(broker, one, gateway)
    turns = [one.take(gateway), other.take(gateway), one.take(gateway)]
    with pytest.raises(NoTurnError):
        other.take(gateway)
    other.give_back(turns[0], used=False)
    assert other.take(gateway)


def test_a_token_comes_back_a_second_after_its_call(gateway: Gateway, broker_url: str, broker: redis.Redis) -> None:
    """However long a call was under way, it counts for a second after its end."""
    limiter = Limiter(broker_url)
    born(broker, limiter, gateway)
    begun = time.monotonic()
    for _ in range(4):
        limiter.give_back(limiter.take(gateway))
    with pytest.raises(NoTurnError) as refused:
        limiter.take(gateway)
    assert timedelta(0) < refused.value.wait <= timedelta(seconds=SECOND_S)
    time.sleep(refused.value.wait.total_seconds() + 0.01)
    assert limiter.take(gateway)
    assert time.monotonic() - begun >= SECOND_S - 0.01


def test_a_bucket_that_lost_its_memory_starts_empty(gateway: Gateway, broker_url: str, broker: redis.Redis) -> None:
    """After a FLUSHALL nothing goes out for a second, then only what cannot have been under way before."""
    limiter = Limiter(broker_url)
    born(broker, limiter, gateway)
    under_way = limiter.take(gateway)
    broker.flushall()
    assert taken(limiter, gateway) == []
    limiter.give_back(under_way)
    time.sleep(SECOND_S + 0.05)
    assert len(taken(limiter, gateway)) == 1  # of four, three may still be under way


def test_a_server_that_was_started_again_counts_as_one_that_forgot(
    gateway: Gateway, broker_url: str, broker: redis.Redis
) -> None:
    """What it kept on its disk may lack the last calls."""
    limiter = Limiter(broker_url)
    born(broker, limiter, gateway)
    broker.set(f"tieout:rate:{{{gateway.name}}}:born", "an earlier run")
    assert taken(limiter, gateway) == []


def test_a_pause_that_the_far_side_asked_for_holds_for_all(
    gateway: Gateway, broker_url: str, broker: redis.Redis
) -> None:
    """Whoever saw it; a shorter one later does not shorten it."""
    one, other = Limiter(broker_url), Limiter(broker_url)
    born(broker, one, gateway)
    one.block(gateway, timedelta(seconds=5))
    one.block(gateway, timedelta(seconds=1))
    with pytest.raises(NoTurnError) as refused:
        other.take(gateway)
    assert timedelta(seconds=4) < refused.value.wait <= timedelta(seconds=5)
    bucket = other.look(gateway)
    assert bucket
    assert bucket.blocked > timedelta(seconds=4)


def test_a_lost_process_gives_its_token_back_in_the_end(gateway: Gateway, broker_url: str, broker: redis.Redis) -> None:
    """A token is held no longer than a call can last."""
    limiter = Limiter(broker_url)
    born(broker, limiter, gateway)
    limiter.take(gateway)
    held: Any = broker.zrange(f"tieout:rate:{{{gateway.name}}}:flying", 0, -1, withscores=True)
    until = held[0][1]
    clock: Any = broker.time()
    assert 0 < until - clock[0] * 1_000_000 - clock[1] <= HOLD / timedelta(microseconds=1)


def test_without_a_broker_nothing_goes_out(gateway: Gateway) -> None:
    """Nobody could count then; the work waits in the database."""
    alone = Limiter("redis://127.0.0.1:1/0")
    with pytest.raises(NoTurnError):
        alone.take(gateway)
    bucket = alone.look(gateway)
    assert bucket
    assert bucket.free == 0
    alone.give_back(Turn(gateway.name, "1"))


def test_a_simulator_is_not_limited(gateway: Gateway) -> None:
    """At a thousand a second no bucket is asked."""
    free = replace(gateway, rate_per_s=UNLIMITED)
    assert Limiter("redis://127.0.0.1:1/0").take(free) is None
