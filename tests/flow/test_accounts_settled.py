"""A transaction created for a user, settled: the account that the Gateway's answer names becomes the user's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from config.clock import FixedClock
from inbox.units import Unit
from recon.values import Origin
from store.registrations import fill
from store.transactions import ensure
from tests.gateway_stub import Stub, known
from tests.shops import a_shop
from tieout.office import Office
from tieout.register import register
from tieout.settle import settle
from tieout.shop import Shop
from tieout.wanted import Registration

NOW = datetime(2026, 1, 14, 7, 0, tzinfo=UTC)
ACCOUNT = "5f0321b5f3743c31d95abd35"


@pytest.fixture(name="shop")
def _shop(database_url: str, broker_url: str, stub: Stub) -> Iterator[Shop]:
    """What settling needs."""
    with a_shop(database_url, broker_url, stub.url) as shop:
        yield replace(shop, clock=FixedClock(NOW))


def _register(engine: Engine, number: int, user: str | None) -> str:
    unit = Unit("demo", f"TRX_{number:032x}")
    row = {"gateway": "demo", "transaction_id": unit.transaction_id, "user_ref": user, "account": None}
    row |= dict.fromkeys(("created_at", "expire_at", "intent", "requested"))
    with engine.begin() as connection:
        ids = [unit.transaction_id]
        ensure(connection, gateway="demo", book="live", origin=Origin.REGISTRATION, ids=ids, now=NOW)
        fill(connection, [row], now=NOW)
    return str(unit)


def _all(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_settling_links_the_account_to_the_user_it_was_created_for(shop: Shop, engine: Engine) -> None:
    """In the same database transaction as the answer; a second user of the same account is a recorded conflict."""
    names = [_register(engine, 1, "u-1"), _register(engine, 2, "u-2"), _register(engine, 3, None)]
    assert settle(shop, names) == []
    assert _all(engine, "select account, user_ref, broker, book from accounts") == [(ACCOUNT, "u-1", "kite", "live")]
    assert _all(engine, "select change, user_ref, held_by from account_links order by link_id") == [
        ("linked", "u-1", None),
        ("refused", "u-2", "u-1"),
    ]
    assert _all(engine, "select name, subject from alerts") == [("account-conflict", ACCOUNT)]
    assert settle(shop, names) == []
    assert len(_all(engine, "select 1 from account_links")) == 2


def test_a_user_who_is_named_later_gets_the_account_then(shop: Shop, engine: Engine) -> None:
    """A transaction that was settled before anybody said for whom it was created: registering it links."""
    unit = Unit.read(_register(engine, 1, None))
    settle(shop, [str(unit)])
    gateway = shop.gateways["demo"]
    office = Office(
        engine=engine,
        gateways={"demo": gateway},
        limiter=shop.limiter,
        clock=shop.clock,
        wall=shop.clock,
        deadline=timedelta(seconds=1),
        token_lifetime=timedelta(minutes=1),
    )
    register(office, Registration(gateway=gateway, transaction_id=unit.transaction_id, user_ref="u-7"))
    assert _all(engine, "select user_ref from accounts") == [("u-7",)]


def test_an_answer_that_names_no_account_leaves_what_the_webhook_named_unlinked(
    shop: Shop, engine: Engine, stub: Stub
) -> None:
    """The account is known from a verified webhook, and nobody's: its checksum does not cover the transaction."""
    stub.says = lambda transaction_id: known(transaction_id, authId=None)
    name = _register(engine, 1, "u-1")
    with engine.begin() as connection:
        connection.execute(
            text("""
            insert into events (event_id, gateway, book, family, transaction_id, account, key_id, received_at,
                                next_attempt_at)
            values (gen_random_uuid(), 'demo', 'live', 'orders', :t, :a, 'k1', :now, clock_timestamp())"""),
            {"t": name.partition(":")[2], "a": ACCOUNT, "now": NOW},
        )
    settle(shop, [name])
    assert _all(engine, "select account, user_ref from accounts") == [(ACCOUNT, None)]
