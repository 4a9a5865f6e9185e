"""The share of calls that holdings have: orders alone would use every call, and each account is asked in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from config.clock import FixedClock
from config.settings import Gateway
from gateway.rate import ONE_IN, Bucket, Limiter, NoTurnError
from store import holding_units
from tests.builders import a_transaction
from tests.holdings_stub import HoldingsStub, holdings_stub
from tests.shops import a_shop
from tieout.dispatch import Sweeping, announce_due
from tieout.holdings import fetch, settle_holdings
from tieout.shop import Shop

NOW = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)
RATE, AT_ONCE = 24, 6
ACCOUNTS = [f"{number:024x}" for number in range(1, 5)]
CALL_S = 0.01
ROUND_S = 0.05
OWN_S = 2.0  #: for claiming and writing one account, on a busy machine


@pytest.fixture(name="gateway")
def _gateway() -> Gateway:
    """A gateway with a bucket of its own."""
    return Gateway(name=uuid4().hex, url="", secrets=(), api_secrets=(), rate_per_s=RATE, at_once=AT_ONCE)


@dataclass
class Orders:
    """Orders that press: so many threads, each taking whatever turn it can get, and when they got one."""

    limiter: Limiter
    gateway: Gateway
    turns: list[float] = field(default_factory=list)

    @contextmanager
    def pressing(self, threads: int = AT_ONCE + 2) -> Iterator[None]:
        """Press until the end."""
        stopped = threading.Event()
        running = [threading.Thread(target=self._press, args=(stopped,)) for _ in range(threads)]
        for thread in running:
            thread.start()
        yield
        stopped.set()
        for thread in running:
            thread.join(5)

    def _press(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            try:
                turn = self.limiter.take(self.gateway)
            except NoTurnError:
                time.sleep(CALL_S)
                continue
            self.turns.append(time.monotonic())
            time.sleep(CALL_S)
            self.limiter.give_back(turn)

    def between(self, begun: float, ended: float) -> int:
        """How many turns they got meanwhile."""
        return sum(begun <= at < ended for at in self.turns)


@dataclass
class Queue:
    """Stands for the broker: what was announced, for the one who takes it."""

    units: list[str] = field(default_factory=list)

    def announce(self, units: Sequence[str]) -> None:
        """Hear it."""
        self.units += units

    def taken(self) -> list[str]:
        """All of it."""
        units, self.units = self.units, []
        return units


def until_full(orders: Orders) -> None:
    """Wait until orders use every call: as many in the last second as the limit allows, by a few."""
    deadline = time.monotonic() + 15
    while orders.between(time.monotonic() - 1, time.monotonic()) < RATE * 3 // 4:
        assert time.monotonic() < deadline
        time.sleep(ROUND_S)


@pytest.fixture(name="stub")
def _stub() -> Iterator[HoldingsStub]:
    """The stand-in of the Gateway."""
    with holdings_stub() as stub:
        yield stub


@pytest.fixture(name="shop")
def _shop(database_url: str, broker_url: str, stub: HoldingsStub) -> Iterator[Shop]:
    """What settling needs, under a tight limit."""
    limits = {"gateway_rate": RATE, "gateway_at_once": AT_ONCE}
    with a_shop(database_url, broker_url, stub.url, gateway_name=f"g{uuid4().hex}", **limits) as shop:
        yield replace(shop, clock=FixedClock(NOW))


def test_each_account_is_asked_in_time_and_orders_lose_no_more_than_the_share(
    shop: Shop, engine: Engine, stub: HoldingsStub
) -> None:
    """Each account costs orders two calls of every sixteen, and none waits longer than those take for all of them."""
    (gateway,) = shop.gateways.values()
    orders, queue = Orders(shop.limiter, gateway), Queue()
    sweeping = Sweeping(
        engine=engine,
        sender=queue,  # type: ignore[arg-type]
        waiting=lambda: 2 * RATE,
        queue_pause=1000,
        first=timedelta(seconds=30),
        gateways=shop.gateways,
        limiter=shop.limiter,
    )
    fetch(engine, gateway=gateway, accounts=ACCOUNTS, now=NOW)
    with orders.pressing():
        until_full(orders)
        begun = time.monotonic()
        bound_s = len(ACCOUNTS) * (2 * ONE_IN / RATE + OWN_S)
        while len(stub.of("investments")) < len(ACCOUNTS) and time.monotonic() < begun + 3 * bound_s:
            announce_due(sweeping, now=NOW)
            settle_holdings(shop, queue.taken())
            time.sleep(ROUND_S)
        ended = time.monotonic()

    assert sorted(stub.of("holdings")) == ACCOUNTS
    assert ended - begun < bound_s
    calls = len(stub.asked)
    others = orders.between(begun, ended)
    assert calls == 2 * len(ACCOUNTS)
    assert (calls - 2) * (ONE_IN - 1) <= others
    print(f"\n{ended - begun:.2f} s, {others} calls of orders, {calls} of holdings")  # noqa: T201


def test_while_nothing_presses_holdings_use_what_is_there(gateway: Gateway, broker_url: str) -> None:
    """One after the other, with nothing owed to them."""
    limiter = Limiter(broker_url)
    until_born(limiter, gateway)
    turns = [limiter.take(gateway, pays=2) for _ in range(AT_ONCE)]
    assert all(turns)


def test_of_orders_that_press_holdings_take_no_more_than_their_share(gateway: Gateway, broker_url: str) -> None:
    """Without enough owed to it, one is refused at once, though there is a token; with enough it is given one."""
    limiter = Limiter(broker_url)
    until_born(limiter, gateway)
    limiter.look(gateway, pressed=True)
    with pytest.raises(NoTurnError) as refused:
        limiter.take(gateway, pays=1)
    assert not refused.value.soon
    for _ in range(ONE_IN - 1):
        limiter.give_back(limiter.take(gateway), used=False)
    assert limiter.take(gateway, pays=1)
    limiter.look(gateway, pressed=True)
    with pytest.raises(NoTurnError):
        limiter.take(gateway, pays=1)
    assert limiter.take(gateway, pays=0)


def test_the_next_token_is_kept_for_one_that_stands(gateway: Gateway, broker_url: str) -> None:
    """It finds none though it is owed one: orders are refused the next, and it is given it; then they go on."""
    limiter = Limiter(broker_url)
    until_born(limiter, gateway)
    turns = [limiter.take(gateway) for _ in range(AT_ONCE)]
    with pytest.raises(NoTurnError) as refused:
        limiter.take(gateway, pays=0)
    assert refused.value.soon
    limiter.give_back(turns[0], used=False)
    with pytest.raises(NoTurnError):
        limiter.take(gateway)
    patient = limiter.take(gateway, pays=0)
    limiter.give_back(patient, used=False)
    assert limiter.take(gateway)


def test_one_that_stands_no_more_keeps_no_place(gateway: Gateway, broker_url: str) -> None:
    """A worker that died at the door costs orders half a second."""
    limiter = Limiter(broker_url)
    until_born(limiter, gateway)
    turns = [limiter.take(gateway) for _ in range(AT_ONCE)]
    with pytest.raises(NoTurnError):
        limiter.take(gateway, pays=0)
    limiter.give_back(turns[0], used=False)
    begun = time.monotonic()
    while True:
        try:
            assert limiter.take(gateway)
            break
        except NoTurnError:
            assert time.monotonic() - begun < 5
            time.sleep(CALL_S)


def until_born(limiter: Limiter, gateway: Gateway) -> None:
    """Let the bucket be as if nothing had happened for long."""
    limiter.look(gateway)
    limiter._client.delete(*(f"tieout:rate:{{{gateway.name}}}:{part}" for part in ("flying", "cooling")))


# ---------------------------------------------------------------- what is announced


class Free:
    """Stands for the limiter: so many calls may go out."""

    def __init__(self, free: int) -> None:
        """So many."""
        self.free = free

    def look(self, _: Gateway, *, pressed: bool) -> Bucket:
        """As told; orders press where they wait."""
        self.pressed = pressed
        return Bucket(free=self.free, blocked=timedelta(0))


def announced(engine: Engine, gateway: Gateway, *, free: int, waiting: int = 0) -> list[str]:
    """What one round announces, by name."""
    queue = Queue()
    sweeping = Sweeping(
        engine=engine,
        sender=queue,  # type: ignore[arg-type]
        waiting=lambda: waiting,
        queue_pause=1000,
        first=timedelta(seconds=30),
        gateways={gateway.name: gateway},
        limiter=Free(free),  # type: ignore[arg-type]
    )
    announce_due(sweeping, now=NOW)
    return [unit.rpartition(":")[2] for unit in queue.units]


def enrolled(engine: Engine, gateway: Gateway, *accounts: str, since: datetime = NOW) -> None:
    """Accounts that are due since then."""
    with engine.begin() as connection:
        named = {"gateway": gateway.name, "book": "live", "origin": "person", "now": NOW, "fetch_at": since}
        holding_units.ensure(connection, **named, accounts=accounts)  # type: ignore[arg-type]


def heard(engine: Engine, gateway: Gateway, account: str, at: datetime) -> None:
    """A webhook about an account that waits."""
    with engine.begin() as connection:
        connection.execute(
            text("""
            insert into events (event_id, gateway, book, family, account, key_id, received_at, state, next_attempt_at)
            values (:id, :g, 'live', 'holdings', :a, 'k1', :at, 'waiting', clock_timestamp())"""),
            {"id": uuid4(), "g": gateway.name, "a": account, "at": at},
        )


def test_of_sixteen_places_one_account_has_two_before_all_orders(engine: Engine, gateway: Gateway) -> None:
    """The other fourteen are the orders', however many wait."""
    enrolled(engine, gateway, *ACCOUNTS)
    with engine.begin() as connection:
        for number in range(40):
            a_transaction(connection, f"T{number}", gateway=gateway.name, ask_at=NOW, created_at=NOW)
    first = announced(engine, gateway, free=2 * ONE_IN)
    assert len([name for name in first if name in ACCOUNTS]) == 1
    assert len(first) == 1 + 2 * (ONE_IN - 1)


def test_what_has_waited_longest_goes_first(engine: Engine, gateway: Gateway) -> None:
    """Fetches that are due and webhooks in one order; an account with both counts once, by the older."""
    one, two, three, four = ACCOUNTS
    enrolled(engine, gateway, one, since=NOW - timedelta(hours=1))
    enrolled(engine, gateway, two, since=NOW - timedelta(hours=3))
    enrolled(engine, gateway, three, since=NOW)
    heard(engine, gateway, three, NOW - timedelta(hours=4))
    heard(engine, gateway, four, NOW - timedelta(hours=2))
    assert announced(engine, gateway, free=100) == [three, two, four, one]
    assert announced(engine, gateway, free=100) == []


def test_where_webhooks_of_orders_leave_no_place_one_account_tries(engine: Engine, gateway: Gateway) -> None:
    """It has its share at the limit itself. While calls are under way and nothing waits, there is nothing to try."""
    enrolled(engine, gateway, *ACCOUNTS)
    assert announced(engine, gateway, free=0) == []
    assert announced(engine, gateway, free=3, waiting=5) == [ACCOUNTS[0]]
    assert announced(engine, gateway, free=3, waiting=5) == [ACCOUNTS[1]]
