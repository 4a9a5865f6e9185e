"""Holdings: claim an account, ask over HTTP as itself, write; against a real database and a stand-in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import redis
from sqlalchemy import Engine, text

from config.broker import KEY_PREFIX, Sender, sender
from config.clock import FixedClock
from config.queues import HOLDINGS_QUEUE, SETTLE_QUEUE
from gateway.client import GatewayClient
from store.holding_due import free_dead
from store.holdings import latest, latest_lines
from tests.gateway_stub import Says, gateway_stub, known, said
from tests.holdings_stub import HoldingsStub, forbidden, held, holdings_stub
from tests.shops import a_shop_on
from tieout.holdings import fetch, known_accounts, settle_holdings
from tieout.replay import replay
from tieout.settle import settle
from tieout.shop import Shop
from tieout.sweep import Sweeping, sweep

NOW = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)  #: a Wednesday, two hours after the close
ACCOUNT, OTHER = "5f0321b5f3743c31d95abd35", "5f0321b5f3743c31d95abd36"
TRANSACTION = "TRX_0123456789abcdef0123456789abcdef"
SAMPLES = Path(__file__).parents[1] / "samples"
WRITTEN = (
    *("events", "deliveries", "transactions", "accounts", "alerts", "gateway_states"),
    *("holding_accounts", "holding_snapshots"),
)
Event = Callable[..., UUID]


@pytest.fixture(name="stub")
def _stub() -> Iterator[HoldingsStub]:
    """The stand-in of the Gateway."""
    with holdings_stub() as stub:
        yield stub


@pytest.fixture(name="engine")
def _engine(shared_engine: Engine) -> Engine:
    """This file's database, emptied of what another test wrote."""
    with shared_engine.begin() as connection:
        connection.execute(text(f"truncate {', '.join(WRITTEN)} cascade"))
    return shared_engine


@pytest.fixture(name="shop")
def _shop(engine: Engine, broker_url: str, stub: HoldingsStub) -> Iterator[Shop]:
    """What settling needs, asking an account as often as it likes."""
    with a_shop_on(engine, broker_url, stub.url, holdings_deadline_s=3.0) as shop:
        yield replace(shop, clock=FixedClock(NOW))


@pytest.fixture(name="event")
def _event(engine: Engine) -> Event:
    """Stores a webhook about holdings as the edge does."""

    def put(
        account: str | None = ACCOUNT, *, family: str = "holdings", body: bytes = b"{}", state: str = "received"
    ) -> UUID:
        identity = uuid4()
        named = {"id": identity, "a": account, "t": TRANSACTION, "now": NOW, "f": family, "body": body, "state": state}
        with engine.begin() as connection:
            connection.execute(
                text("""
                insert into events (event_id, gateway, book, family, transaction_id, account, key_id, received_at,
                                    state, next_attempt_at)
                values (:id, 'demo', 'live', :f, :t, :a, 'k1', :now, :state, clock_timestamp())"""),
                named,
            )
            connection.execute(
                text("""
                insert into deliveries (event_id, received_at, body, headers, signature, key_id, verdict)
                values (:id, :now, :body, '{}', '\\x00', 'k1', 'ok')"""),
                named,
            )
        return identity

    return put


def values(*found: object) -> tuple[object, ...]:
    """Values to be compared with whole numbers."""
    return found


def unit(account: str = ACCOUNT) -> str:
    """The unit of an account."""
    return f"demo:holdings:{account}"


def one(engine: Engine, sql: str, **named: object) -> tuple[object, ...]:
    """The one row of a question."""
    with engine.connect() as connection:
        return tuple(connection.execute(text(sql), named).one())


def state_of(engine: Engine, account: str = ACCOUNT) -> object:
    """What is known of an account."""
    return one(engine, "select state from holding_accounts where account = :a", a=account)[0]


def asked(engine: Engine, shop: Shop, *accounts: str) -> None:
    """Have these accounts fetched, now."""
    settle_holdings(shop, fetch(engine, gateway=shop.gateways["demo"], accounts=accounts, now=NOW))


def test_a_holdings_webhook_becomes_a_fetch_of_its_account(
    shop: Shop, engine: Engine, event: Event, stub: HoldingsStub
) -> None:
    """Answer, rows, state and the end of the event come together; the webhook itself books nothing."""
    arrived = event()
    assert settle_holdings(shop, [unit()]) == []
    assert stub.asked == [
        ("holdings", ACCOUNT, {"version": "v2", "mfHoldings": "true"}),
        ("investments", ACCOUNT, {"aggregatedData": "true"}),
    ]
    assert one(engine, "select state, reason from events where event_id = :e", e=arrived) == ("done", None)
    assert one(
        engine,
        "select state, book, broker, as_at, next_fetch_at, lease_until, origin from holding_accounts",
    ) == (
        "ok",
        "live",
        "kite",
        datetime(2026, 1, 14, 10, 31, tzinfo=UTC),
        datetime(2026, 1, 16, 10, 45, tzinfo=UTC),  # the 15th is a holiday
        None,
        "webhook",
    )
    assert one(engine, "select outcome, reason from holding_attempts order by attempt_id desc limit 1") == (
        "done",
        "ok",
    )
    assert one(engine, "select origin from transactions where transaction_id = :t", t=TRANSACTION) == ("webhook",)
    assert one(engine, "select book from accounts where account = :a", a=ACCOUNT) == ("live",)


def test_every_row_is_stored_with_both_times(shop: Shop, engine: Engine) -> None:
    """When it was asked and answered by the database's clock, when we knew by the domain's."""
    asked(engine, shop, ACCOUNT)
    assert one(
        engine,
        "select version, state, lines, refused, asked_at < answered_at, known_at, lines_in = snapshot_id"
        " from holding_snapshots where kind = 'equity'",
    ) == ("v2", "ok", 5, 0, True, NOW, True)
    with engine.connect() as connection:
        axis, other = latest_lines(connection, gateway="demo", accounts=[ACCOUNT], as_of=NOW)
    assert values(axis.isin, axis.held, str(axis.held_average), axis.t1) == ("INE238A01034", 10, "401.200000", 3)
    assert values(axis.nse_quantity, axis.bse_quantity, axis.transactable) == (1, 0, 11)
    assert values(axis.smallcase, axis.collateral, axis.suspended_bse) == (4, 2, True)
    assert values(other.bse_ticker, other.bse_quantity, other.nse_ticker, other.suspended_nse) == (
        "OTHERCO",
        -2,
        None,
        None,
    )
    assert one(engine, "select fund, quantity::text from mf_lines") == ("A flexi cap fund", "123.456700")
    assert one(engine, "select count(*) from smallcase_lines") == (4,)


def test_rows_that_did_not_change_are_stored_once(shop: Shop, engine: Engine, stub: HoldingsStub) -> None:
    """A later answer of the same content names the one that holds the rows; other content is stored anew."""
    asked(engine, shop, ACCOUNT)
    stub.says = lambda account: held(account, lastUpdate="2026-01-14T11:00:00.000Z")
    asked(engine, shop, ACCOUNT)
    assert one(engine, "select count(*), count(distinct lines_in) from holding_snapshots where kind = 'equity'") == (
        2,
        1,
    )
    stub.says = lambda account: held(account, securities=[])
    asked(engine, shop, ACCOUNT)
    assert one(engine, "select count(distinct lines_in) from holding_snapshots where kind = 'equity'") == (2,)


def test_what_was_known_at_an_instant_can_be_asked_for(shop: Shop, engine: Engine, stub: HoldingsStub) -> None:
    """A later answer changes nothing of what was known before; a missing consent leaves the last rows standing."""
    asked(engine, shop, ACCOUNT)
    later = replace(shop, clock=FixedClock(NOW + timedelta(hours=1)))
    stub.says = lambda account: held(account, securities=[])
    asked(engine, later, ACCOUNT)
    stub.says = forbidden
    asked(engine, replace(shop, clock=FixedClock(NOW + timedelta(hours=2))), ACCOUNT)
    with engine.connect() as connection:
        assert len(latest_lines(connection, gateway="demo", as_of=NOW)) == 2
        assert latest_lines(connection, gateway="demo", as_of=NOW + timedelta(hours=1)) == []
        assert latest(connection, gateway="demo", as_of=NOW - timedelta(seconds=1)) == []
        (now,) = latest(connection, gateway="demo")
    assert (now.state, now.known_at, now.told_at) == (
        "needs-consent",
        NOW + timedelta(hours=1),
        NOW + timedelta(hours=2),
    )


def test_missing_consent_is_an_answer_and_stops_nothing(
    shop: Shop, engine: Engine, event: Event, stub: HoldingsStub
) -> None:
    """The event is done, the breaker stays closed, nobody asks for investments, it is asked again next session."""
    arrived = event()
    stub.says = lambda account: forbidden(account) if account == ACCOUNT else held(account)
    settle_holdings(shop, [unit()])
    asked(engine, shop, OTHER)
    assert one(engine, "select state from events where event_id = :e", e=arrived) == ("done",)
    assert (state_of(engine), state_of(engine, OTHER)) == ("needs-consent", "ok")
    assert stub.of("investments") == [OTHER]
    assert one(engine, "select count(*) from gateway_states where breaker <> 'closed'") == (0,)
    assert one(engine, "select count(*) from alerts") == (0,)
    assert one(engine, "select http_status, lines_in from holding_snapshots where account = :a", a=ACCOUNT) == (
        403,
        None,
    )


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({"updating": True}, "updating"),
        ({"snapshotDate": "2026-01-13T12:00:00.000Z"}, "stale"),
        ({"snapshotDate": None, "lastUpdate": None}, "undated"),
        ({"securities": [], "smallcases": None, "mutualFunds": None}, "empty"),
        ({"snapshotDate": None}, "ok"),
    ],
)
def test_states_are_as_the_answer_says(
    changed: dict[str, object], state: str, shop: Shop, engine: Engine, stub: HoldingsStub
) -> None:
    """Updating, older than the last close, undated, empty; without snapshotDate lastUpdate tells the age."""
    stub.says = lambda account: held(account, **changed)
    asked(engine, shop, ACCOUNT)
    assert state_of(engine) == state


def test_an_account_that_is_updating_is_asked_again_with_growing_pauses(
    shop: Shop, engine: Engine, stub: HoldingsStub
) -> None:
    """One minute, two, four; once it is done, after the next close."""
    stub.says = lambda account: held(account, updating=True)
    pauses = []
    for _ in range(3):
        asked(engine, shop, ACCOUNT)
        (due,) = one(engine, "select next_fetch_at from holding_accounts")
        assert isinstance(due, datetime)
        pauses.append(due - NOW)
    assert pauses == [timedelta(minutes=n) for n in (1, 2, 4)]
    stub.says = held
    asked(engine, shop, ACCOUNT)
    assert one(engine, "select pauses, state from holding_accounts") == (0, "ok")


def test_play_money_goes_to_the_test_book(shop: Shop, engine: Engine, stub: HoldingsStub) -> None:
    """A leprechaun broker is told by its suffix; the live book never sees it."""
    stub.says = lambda account: held(account, broker="kite-leprechaun" if account == OTHER else "kite")
    asked(engine, shop, ACCOUNT, OTHER)
    with engine.connect() as connection:
        live = latest_lines(connection, gateway="demo", book="live")
        test = latest_lines(connection, gateway="demo", book="test")
    assert ({x.account for x in live}, {x.account for x in test}) == ({ACCOUNT}, {OTHER})
    assert one(engine, "select book from holding_accounts where account = :a", a=OTHER) == ("test",)


def test_refused_keys_open_the_breaker(shop: Shop, engine: Engine, event: Event, stub: HoldingsStub) -> None:
    """A 401 is ours: everything of the gateway waits, and one alert is raised."""
    event()
    stub.says = lambda _: said({"errors": ["Invalid JWT"]}, status=401)
    settle_holdings(shop, [unit(), unit(OTHER)])
    assert one(engine, "select breaker from gateway_states") == ("open",)
    assert one(engine, "select state, reason from events") == ("waiting", "ours")
    assert one(engine, "select name from alerts") == ("breaker-open",)
    settle_holdings(shop, [unit()])
    assert stub.of("holdings") == [ACCOUNT]


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (Says(503), "busy"),
        (Says(200, b"<html>"), "nonsense"),
        (said({"success": True, "data": {}}), "unclear"),
    ],
)
def test_what_gives_no_answer_waits(
    says: Says, reason: str, shop: Shop, engine: Engine, event: Event, stub: HoldingsStub
) -> None:
    """It is tried again later; the account's rows and its state stand as they were."""
    arrived = event()
    stub.says = lambda _: says
    settle_holdings(shop, [unit()])
    assert one(engine, "select state, reason from events where event_id = :e", e=arrived) == ("waiting", reason)
    assert one(engine, "select state, waits_for, lease_until from holding_accounts") == ("new", reason, None)
    assert one(engine, "select count(*) from holding_snapshots") == (0,)


def test_a_refused_account_is_parked_and_can_be_replayed(
    shop: Shop, engine: Engine, event: Event, stub: HoldingsStub
) -> None:
    """A 404 is parked with an alert; a replay asks again and finishes the event."""
    arrived = event()
    stub.says = lambda _: Says(404, b"{}")
    settle_holdings(shop, [unit()])
    assert one(engine, "select state, reason from events") == ("parked", "refused")
    assert state_of(engine) == "refused"
    assert one(engine, "select name, subject from alerts") == ("refused", f"holdings of {ACCOUNT}")
    stub.says = held
    assert replay(engine, [arrived], now=NOW, reason="mended").put_back == (arrived,)
    settle_holdings(shop, [unit()])
    assert one(engine, "select state from events") == ("done",)
    assert state_of(engine) == "ok"


def test_investments_that_fail_hold_nothing_up(shop: Shop, engine: Engine, stub: HoldingsStub) -> None:
    """The holdings are stored; the attempt says why there are no investments."""
    stub.invests = lambda _: Says(500)
    asked(engine, shop, ACCOUNT)
    assert state_of(engine) == "ok"
    assert one(engine, "select detail from holding_attempts where outcome = 'done'") == ("no investments: HTTP 500",)


def test_both_calls_share_one_deadline(shop: Shop, engine: Engine, stub: HoldingsStub) -> None:
    """Holdings that took nearly all of it leave none for the investments: the task's limit is kept."""

    def slowly(account: str) -> Says:
        time.sleep(0.3)
        return held(account)

    stub.says = slowly
    short = replace(shop, holdings=replace(shop.holdings, deadline=timedelta(seconds=1.2)))
    settle_holdings(short, fetch(engine, gateway=shop.gateways["demo"], accounts=[ACCOUNT], now=NOW))
    assert (state_of(engine), stub.of("investments")) == ("ok", [])
    (words,) = one(engine, "select detail from holding_attempts where outcome = 'done'")
    assert words == "no investments: the holdings took all the time"


def test_a_late_worker_writes_nothing(shop: Shop, engine: Engine, event: Event, stub: HoldingsStub) -> None:
    """Its lease ended and the account was given back: its answer is left out, and asked for again."""
    event()
    stub.gate.clear()
    slow = threading.Thread(target=settle_holdings, args=(shop, [unit()]))
    slow.start()
    stub.began.wait(10)
    with engine.begin() as connection:
        connection.execute(text("update holding_accounts set lease_until = clock_timestamp() - interval '1 s'"))
        assert [row.deaths for row in free_dead(connection, limit=10, deaths=5)] == [1]
    stub.gate.set()
    slow.join(10)
    assert one(engine, "select count(*) from holding_snapshots") == (0,)
    assert one(engine, "select state, reason from events") == ("waiting", "worker-lost")
    settle_holdings(shop, [unit()])
    assert one(engine, "select state from events") == ("done",)


def test_a_webhook_that_comes_during_the_question_waits_for_another(
    shop: Shop, engine: Engine, event: Event, stub: HoldingsStub
) -> None:
    """It may tell of something newer than the answer."""
    first = event()
    stub.gate.clear()
    worker = threading.Thread(target=settle_holdings, args=(shop, [unit()]))
    worker.start()
    stub.began.wait(10)
    second = event()
    stub.gate.set()
    worker.join(10)
    assert one(engine, "select state from events where event_id = :e", e=first) == ("done",)
    assert one(engine, "select state, reason from events where event_id = :e", e=second) == (
        "waiting",
        "asked-before-it",
    )


def test_an_account_for_which_there_is_no_turn_waits_unclaimed(
    shop: Shop, engine: Engine, event: Event, stub: HoldingsStub
) -> None:
    """A turn comes before the claim: without one it is no attempt, and the gateway's other accounts wait too."""
    event()
    event(OTHER)
    tight = replace(shop.gateways["demo"], rate_per_s=2)
    shop.limiter.block(tight, timedelta(seconds=1))
    settle_holdings(replace(shop, gateways={"demo": tight}), [unit(), unit(OTHER)])
    assert stub.asked == []
    assert one(engine, "select count(*) from events where state = 'waiting' and reason = 'no-turn'") == (2,)
    assert one(engine, "select waits_for, generation from holding_accounts") == ("no-turn", 0)
    assert one(engine, "select count(*) from holding_attempts") == (0,)


def test_a_mutual_fund_webhook_is_evidence_and_taken_in_once(
    shop: Shop, engine: Engine, event: Event, stub: HoldingsStub
) -> None:
    """Nothing is asked: the body is kept, its rows beside it, what was not understood listed."""
    body = (SAMPLES / "mf-webhook" / "envelope.json").read_bytes()
    arrived = event(None, family="mf-holdings", body=body)
    for _ in range(2):
        settle_holdings(shop, [f"demo:mf-holdings:{arrived}"])
    assert one(engine, "select state from events") == ("done",)
    assert stub.asked == []
    assert one(
        engine,
        "select kind, source, state, account, transaction_id, lines, refused, body = :b from holding_snapshots",
        b=body,
    ) == ("mf", "webhook", "from-webhook", None, TRANSACTION, 2, 1, True)
    assert one(engine, "select count(*), sum(quantity)::text from mf_lines where entry = 'holding'") == (
        1,
        "123.456700",
    )
    assert one(engine, "select jsonb_array_length(not_understood) from holding_snapshots") == (2,)
    assert one(engine, "select count(*) from transactions") == (1,)


def test_a_mutual_fund_webhook_that_cannot_be_read_is_parked(shop: Shop, engine: Engine, event: Event) -> None:
    """With a reason and an alert; the bytes are in its delivery."""
    arrived = event(None, family="mf-holdings", body=b"[]")
    settle_holdings(shop, [f"demo:mf-holdings:{arrived}"])
    assert one(engine, "select state, reason from events") == ("parked", "unreadable")
    assert one(engine, "select name from alerts") == ("unreadable",)


def test_every_account_that_was_ever_named_is_known(shop: Shop, engine: Engine, event: Event) -> None:
    """From a fetch, a webhook's answer or a transaction."""
    with engine.begin() as connection:
        connection.execute(
            text("""
            insert into transactions (gateway, transaction_id, book, origin, registered_at, account)
            values ('demo', 'TRX_1', 'live', 'import', :now, :a)"""),
            {"now": NOW, "a": OTHER},
        )
    event()
    settle_holdings(shop, [unit(), "demo:holdings:", "nonsense", "demo:mf-holdings:x"])
    assert known_accounts(engine, "demo") == [ACCOUNT, OTHER]


def test_a_unit_of_an_unknown_gateway_waits_with_an_alert(shop: Shop, engine: Engine) -> None:
    """Nothing is asked of anybody for it."""
    settle_holdings(shop, [f"nobody:holdings:{ACCOUNT}"])
    assert one(engine, "select name, gateway from alerts") == ("no-such-gateway", "nobody")


def test_the_sweep_announces_accounts_that_are_due_to_their_own_queue(
    shop: Shop, engine: Engine, event: Event, broker_url: str
) -> None:
    """By the domain's clock, and webhooks by the database's; each is announced once in a while, orders first."""
    event(None, family="mf-holdings")
    fetch(engine, gateway=shop.gateways["demo"], accounts=[ACCOUNT, OTHER], now=NOW)
    with engine.begin() as connection:
        connection.execute(
            text("update holding_accounts set next_fetch_at = :at where account = :a"),
            {"at": NOW + timedelta(minutes=1), "a": OTHER},
        )
    announcing = sender(broker_url)
    with redis.Redis.from_url(broker_url) as broker:
        broker.flushall()
        sweeping = Sweeping(
            engine=engine, sender=announcing, waiting=lambda: 0, queue_pause=10, first=timedelta(seconds=30)
        )
        assert [sweep(sweeping, now=NOW).announced for _ in range(2)] == [2, 0]
        assert sweep(sweeping, now=NOW + timedelta(minutes=1)).announced == 1
        assert (broker.llen(KEY_PREFIX + HOLDINGS_QUEUE), broker.llen(KEY_PREFIX + SETTLE_QUEUE)) == (2, 0)
    announcing.close()


def test_five_dead_workers_park_an_account_as_poison(shop: Shop, engine: Engine, event: Event) -> None:
    """The sweep frees it four times; then its webhook is parked, it is asked for no more, and people are told."""
    event()
    sweeping = Sweeping(engine=engine, sender=Mute(), waiting=lambda: 0, queue_pause=10, first=timedelta(seconds=30))
    fetch(engine, gateway=shop.gateways["demo"], accounts=[ACCOUNT], now=NOW)
    for _ in range(5):
        with engine.begin() as connection:
            connection.execute(
                text("""
                update holding_accounts set generation = generation + 1,
                  lease_until = clock_timestamp() - interval '1 s'""")
            )
            connection.execute(text("update events set state = 'claimed'"))
        sweep(sweeping, now=NOW)
    assert one(engine, "select state, reason from events") == ("parked", "poison")
    assert one(engine, "select state, next_fetch_at, deaths from holding_accounts") == ("poison", None, 5)
    assert one(engine, "select name, subject from alerts") == ("poison", f"holdings of {ACCOUNT}")
    fetch(engine, gateway=shop.gateways["demo"], accounts=[ACCOUNT], now=NOW)
    assert one(engine, "select next_fetch_at, deaths from holding_accounts") == (NOW, 0)


def test_an_import_without_a_webhook_is_fetched_all_the_same(shop: Shop, engine: Engine, event: Event) -> None:
    """Following finds that the customer's import has ended: the account is due, unless a webhook says so too."""
    with gateway_stub() as details:
        details.says = lambda unit: known(unit, intent="HOLDINGS_IMPORT", orderBatches=[])
        asking = replace(shop.gateways["demo"], url=details.url)
        client = GatewayClient(asking, deadline=timedelta(seconds=3))
        settle(replace(shop, client=lambda _: client), [f"demo:{TRANSACTION}"])
        assert one(engine, "select account, origin, next_fetch_at from holding_accounts") == (ACCOUNT, "import", NOW)
        settle_holdings(shop, [unit()])
        assert state_of(engine) == "ok"
        event()
        settle_holdings(shop, [unit()])
        with engine.begin() as connection:
            connection.execute(text("update transactions set ask_at = :now"), {"now": NOW})
        settle(replace(shop, client=lambda _: client), [f"demo:{TRANSACTION}"])
    assert one(engine, "select next_fetch_at > :now from holding_accounts", now=NOW) == (True,)


class Mute(Sender):
    """Announces nothing."""

    def __init__(self) -> None:
        """Connect to nothing."""

    def announce(self, units: Sequence[str]) -> None:
        """Say nothing."""
