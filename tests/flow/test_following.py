"""Following a transaction: what its answers lead to, who is left waiting, what people can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from config.clock import FixedClock
from gateway.rate import Limiter, NoTurnError, Turn
from recon.values import Origin
from store import following, gateways
from store.registrations import fill
from store.transactions import ensure
from tests.builders import Weekdays
from tests.gateway_stub import Says, Stub, known, said
from tests.shops import a_shop
from tieout.breaker import STRIKES
from tieout.follow import NO_END
from tieout.settle import settle
from tieout.shop import Shop

NOW = datetime(2026, 1, 14, 7, 0, tzinfo=UTC)  #: a Wednesday, 12:30 IST
H, D = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(name="shop")
def _shop(database_url: str, broker_url: str, stub: Stub) -> Iterator[Shop]:
    """What settling needs."""
    with a_shop(database_url, broker_url, stub.url, call_deadline_s=3.0) as shop:
        yield replace(shop, clock=FixedClock(NOW), rules=replace(shop.rules, calendar=Weekdays()))


def registered(engine: Engine, *ids: str, now: datetime = NOW, **facts: object) -> list[str]:
    """The units of transactions that the company told of."""
    with engine.begin() as connection:
        ensure(connection, gateway="demo", book="test", origin=Origin.REGISTRATION, ids=ids, now=now)
        if facts:
            names = ("account", "user_ref", "created_at", "expire_at", "intent", "requested")
            rows = [{"gateway": "demo", "transaction_id": i, **{n: facts.get(n) for n in names}} for i in ids]
            fill(connection, rows, now=now)
    return [f"demo:{i}" for i in ids]


def row(engine: Engine, columns: str, table: str = "transactions") -> tuple[Any, ...]:
    """Columns of the one row there is."""
    with engine.connect() as connection:
        return tuple(connection.execute(text(f"select {columns} from {table}")).one())


def busy(_: str) -> Says:
    """The far side is down."""
    return said({}, status=503)


def processing(transaction_id: str) -> Says:
    """Nothing has ended."""
    return known(transaction_id, status="PROCESSING", orderBatches=[], expireAt="2026-01-14T06:30:00Z")


def test_an_end_that_no_webhook_told_is_found_by_following(shop: Shop, engine: Engine) -> None:
    """And kept as found so, with the instant."""
    settle(shop, registered(engine, "TRX_1"))
    assert row(engine, "found_by, found_at, ask_at") == ("following", NOW, None)


def test_an_end_that_a_webhook_told_is_kept_as_such(shop: Shop, engine: Engine) -> None:
    """Whoever asks later."""
    with engine.begin() as connection:
        connection.execute(
            text("""
            insert into events (event_id, gateway, book, family, transaction_id, key_id, received_at, next_attempt_at)
            values (:id, 'demo', 'test', 'orders', 'TRX_1', 'k1', :now, clock_timestamp())"""),
            {"id": uuid4(), "now": NOW},
        )
    settle(shop, ["demo:TRX_1"])
    assert row(engine, "found_by, found_at") == ("webhook", NOW)


def test_a_new_registration_is_asked_for_a_minute_after_its_creation(engine: Engine) -> None:
    """Before, there is nothing to hear; what is older is asked for at once."""
    registered(engine, "TRX_1", created_at=NOW)
    assert row(engine, "ask_at") == (NOW + timedelta(minutes=1),)
    with engine.begin() as connection:
        connection.execute(text("delete from transactions"))
    registered(engine, "TRX_2", created_at=NOW - D)
    assert row(engine, "ask_at") == (NOW,)


def test_the_same_answer_after_its_expiry_ends_what_was_never_begun(shop: Shop, engine: Engine, stub: Stub) -> None:
    """Thirty seconds after, for two clocks that differ; the body need not change for that."""
    expires = NOW + timedelta(minutes=5)
    stub.says = lambda t: known(t, status="INITIALIZED", orderBatches=[], expireAt=f"{expires:%Y-%m-%dT%H:%M:%SZ}")
    units = registered(engine, "TRX_1")
    for seconds, ended in ((0, False), (310, False), (331, True)):
        with engine.begin() as connection:
            connection.execute(text("update transactions set ask_at = :now"), {"now": NOW})
        settle(replace(shop, clock=FixedClock(NOW + timedelta(seconds=seconds))), units)
        assert row(engine, "final, found_by is not null") == (ended, ended)


def test_what_was_asked_for_is_weighed_by_guide_prices(engine: Engine) -> None:
    """An order's own price counts first; what has no price counts as nothing."""
    with engine.begin() as connection:
        connection.execute(text("insert into guide_prices values ('NSE', 'TCS', 100, '2026-01-13')"))
    basket = [
        {"exchange": "NSE", "symbol": "TCS", "side": "BUY", "quantity": "3"},
        {"exchange": "NSE", "symbol": "INFY", "side": "BUY", "quantity": "2", "price": "7.5"},
        {"exchange": "NSE", "symbol": "NEW", "side": "BUY", "quantity": "9"},
    ]
    registered(engine, "TRX_1", created_at=NOW, requested=basket)
    assert row(engine, "value") == (315,)


def test_one_that_does_not_end_is_given_up_and_can_be_taken_up(shop: Shop, engine: Engine, stub: Stub) -> None:
    """It is seen, an alert is raised, and taking it up begins anew."""
    long_ago = {"createdAt": "2025-12-25T06:25:00Z", "expireAt": "2025-12-25T06:30:00Z"}
    stub.says = lambda t: known(t, status="PROCESSING", orderBatches=[], **long_ago)
    units = registered(engine, "TRX_1", now=NOW - 20 * D, created_at=NOW - 20 * D)
    settle(shop, units)
    assert row(engine, "given_up, given_up_at, ask_at, found_by") == (NO_END, NOW, None, None)
    assert row(engine, "name, subject", "alerts") == ("given-up", "TRX_1")
    named: dict[str, Any] = {"gateway": "demo", "transaction_id": "TRX_1", "now": NOW, "reason": "it lives"}
    with engine.begin() as connection:
        assert following.take_up(connection, **named)
        assert not following.take_up(connection, **named)
    settle(shop, units)
    assert row(engine, "given_up, ask_at") == (None, NOW + H)


def test_a_webhook_takes_up_what_was_given_up(shop: Shop, engine: Engine, stub: Stub) -> None:
    """Something happened after all."""
    stub.says = processing
    units = registered(engine, "TRX_1")
    named: dict[str, Any] = {"gateway": "demo", "transaction_id": "TRX_1", "now": NOW - 30 * D, "reason": "enough"}
    with engine.begin() as connection:
        assert following.give_up(connection, **named)
        connection.execute(
            text("""
            insert into events (event_id, gateway, book, family, transaction_id, key_id, received_at, next_attempt_at)
            values (:id, 'demo', 'test', 'orders', 'TRX_1', 'k1', :now, clock_timestamp())"""),
            {"id": uuid4(), "now": NOW},
        )
    settle(shop, units)
    assert row(engine, "given_up, followed_from, ask_at") == (None, NOW, NOW + H)


# ---------------------------------------------------------------- limits


class Empty(Limiter):
    """A bucket without tokens."""

    def take(self, gateway: object, *, hold: timedelta = D, pays: int = 1) -> Turn | None:  # noqa: ARG002 as the real one's
        """There is none for a second."""
        raise NoTurnError(timedelta(seconds=1))


def test_without_a_turn_a_unit_waits_in_the_database(shop: Shop, engine: Engine, stub: Stub, broker_url: str) -> None:
    """Nothing was asked, no attempt is counted, and it is due again in a moment; nobody slept."""
    units = registered(engine, "TRX_1", "TRX_2")
    with engine.begin() as connection:
        connection.execute(
            text("""
            insert into events (event_id, gateway, book, family, transaction_id, key_id, received_at, next_attempt_at)
            values (:id, 'demo', 'test', 'orders', 'TRX_2', 'k1', :now, clock_timestamp() + interval '1 hour')"""),
            {"id": uuid4(), "now": NOW},
        )
    assert settle(replace(shop, limiter=Empty(broker_url)), units) == []
    assert stub.asked == []
    soon = "extract(epoch from {} - clock_timestamp()) between 0.1 and 1"
    assert row(engine, f"count(*), bool_and({soon.format('announce_at')}), sum(asks)") == (2, True, 0)
    assert row(engine, f"state, reason, attempts, {soon.format('next_attempt_at')}", "events") == (
        "waiting",
        "no-turn",
        0,
        True,
    )
    assert row(engine, "count(*)", "attempts") == (0,)


def test_a_far_side_that_answers_nobody_opens_the_breaker(shop: Shop, engine: Engine, stub: Stub) -> None:
    """Five transactions in a row without an answer; the sixth is not asked for. One answer closes it, all go on."""
    stub.says = busy
    units = registered(engine, *(f"TRX_{n}" for n in range(STRIKES + 1)))
    settle(shop, units)
    assert len(stub.asked) == STRIKES
    assert row(engine, "breaker, reason, failures", "gateway_states") == ("open", "gateway-down", 1)
    stub.says = known
    with engine.begin() as connection:
        connection.execute(text("update gateway_states set blocked_until = clock_timestamp()"))
    settle(shop, units)
    assert row(engine, "breaker", "gateway_states") == ("closed",)
    settle(shop, units)
    assert row(engine, "count(*) filter (where found_by = 'following')") == (STRIKES + 1,)
    with engine.connect() as connection:
        changes = [change.breaker for change in gateways.changes(connection, gateway="demo", limit=9)]
    assert changes == ["closed", "half-open", "opened"]


def test_one_transaction_alone_never_opens_the_breaker(shop: Shop, engine: Engine, stub: Stub) -> None:
    """Its answers may be odd; the others are asked for all the same."""
    stub.says = lambda t: busy(t) if t == "TRX_1" else known(t)
    units = registered(engine, "TRX_1", "TRX_2")
    for _ in range(STRIKES + 1):
        settle(shop, units[:1])
        with engine.begin() as connection:
            connection.execute(text("update transactions set rest_until = null"))
    settle(shop, units[1:])
    assert row(engine, "breaker, striking", "gateway_states") == ("closed", [])
    assert row(engine, "retries, found_by is null", "transactions where transaction_id = 'TRX_1'") == (6, True)
