"""Settling: claim, ask over HTTP, write; against a real database and a stand-in that answers as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from config.clock import FixedClock
from gateway.client import GatewayClient
from inbox.decide import OURS_PAUSE
from inbox.units import Unit
from recon.values import Origin
from store.due import free_dead
from store.transactions import ensure
from tests.builders import our_line
from tests.gateway_stub import Json, Says, Stub, a_leg, a_transaction, gateway_stub, known, said, unknown
from tests.shops import API, JWT, a_shop
from tieout import outcomes as outcomes_module
from tieout.follow import ask_again
from tieout.reconcile import reconcile
from tieout.replay import Parked, replay
from tieout.settle import settle
from tieout.shop import Shop
from tieout.state import refresh as real_refresh

NOW = datetime(2026, 1, 14, 7, 0, tzinfo=UTC)
Event = Callable[..., UUID]


@pytest.fixture(name="shop")
def _shop(database_url: str, broker_url: str, stub: Stub) -> Iterator[Shop]:
    """What settling needs, asking a transaction as often as it likes."""
    with a_shop(database_url, broker_url, stub.url, call_deadline_s=3.0) as shop:
        yield replace(shop, clock=FixedClock(NOW))


@pytest.fixture(name="event")
def _event(engine: Engine) -> Event:
    """Stores an event as the edge does."""

    def put(transaction_id: str | None, *, state: str = "received", reason: str | None = None) -> UUID:
        identity, body = uuid4(), json.dumps({"transactionId": transaction_id}).encode()
        with engine.begin() as connection:
            named = {"id": identity, "t": transaction_id, "now": NOW, "state": state, "reason": reason, "body": body}
            connection.execute(
                text("""
                insert into events (event_id, gateway, book, family, transaction_id, key_id, received_at,
                                    state, reason, next_attempt_at)
                values (:id, 'demo', 'test', 'orders', :t, 'k1', :now, :state, :reason, clock_timestamp())"""),
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


def a_unit(number: int = 1) -> Unit:
    """A unit of its own number."""
    return Unit("demo", f"TRX_{number:032x}")


def one(engine: Engine, sql: str, **named: object) -> tuple[object, ...]:
    """The one row of a question."""
    with engine.connect() as connection:
        return tuple(connection.execute(text(sql), named).one())


def all_of(engine: Engine, sql: str, **named: object) -> list[tuple[object, ...]]:
    """Every row of a question."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), named)]


def state_of(engine: Engine, event: UUID) -> tuple[object, ...]:
    """State and reason of an event."""
    return one(engine, "select state, reason from events where event_id = :e", e=event)


def outcomes(engine: Engine) -> list[tuple[object, ...]]:
    """What became of every attempt, in order."""
    return all_of(engine, "select outcome, reason from attempts order by attempt_id")


def test_an_answer_finishes_its_event_in_one_transaction(shop: Shop, engine: Engine, event: Event) -> None:
    """Snapshot, state, lines, attempt and the end of the event come together."""
    unit, arrived = a_unit(), event(a_unit().transaction_id)
    assert settle(shop, [str(unit)]) == []
    assert state_of(engine, arrived) == ("done", None)
    assert outcomes(engine) == [("claimed", None), ("done", None)]
    assert one(engine, "select mark, http_status, asked_at < answered_at from snapshots") == ("news", 200, True)
    assert one(engine, "select origin, status, final, lease_until, ask_at from transactions") == (
        "webhook",
        "COMPLETED",
        True,
        None,
        None,
    )
    assert one(engine, "select symbol, filled from their_lines") == ("AXISBANK", 1)


def test_one_answer_finishes_all_events_of_its_transaction(
    shop: Shop, engine: Engine, event: Event, stub: Stub
) -> None:
    """The Gateway is asked per transaction, not per event."""
    for _ in range(3):
        event(a_unit().transaction_id)
    settle(shop, [str(a_unit())])
    assert all_of(engine, "select state, count(*) from events group by 1") == [("done", 3)]
    assert len(stub.asked) == 1


def test_a_unit_without_work_is_not_asked_for(shop: Shop, event: Event, stub: Stub) -> None:
    """A message that comes twice asks once."""
    event(a_unit().transaction_id)
    settle(shop, [str(a_unit())])
    settle(shop, [str(a_unit())])
    assert len(stub.asked) == 1


def test_both_secrets_go_where_they_belong(shop: Shop, event: Event, stub: Stub) -> None:
    """The API secret is the header, the JWT secret signs the token and is not sent."""
    event(a_unit().transaction_id)
    settle(shop, [str(a_unit())])
    (headers,) = stub.headers
    assert headers["x-gateway-secret"] == API
    assert JWT not in str(headers)


def test_an_event_during_the_call_waits_for_another_question(
    shop: Shop, engine: Engine, event: Event, stub: Stub
) -> None:
    """Only events stored before the question are done by its answer."""
    first, later = event(a_unit().transaction_id), []

    def says(transaction_id: str) -> Says:
        later.append(event(transaction_id))
        return known(transaction_id)

    stub.says = says
    settle(shop, [str(a_unit())])
    assert state_of(engine, first) == ("done", None)
    assert state_of(engine, later[0]) == ("waiting", "asked-before-it")


def test_a_transaction_is_asked_for_at_most_once_in_the_pause(
    shop: Shop, engine: Engine, event: Event, stub: Stub
) -> None:
    """An event that comes right after a question waits until the pause is over."""
    careful = replace(shop, pace=replace(shop.pace, pause=timedelta(seconds=10)))
    event(a_unit().transaction_id)
    settle(careful, [str(a_unit())])
    second = event(a_unit().transaction_id)
    settle(careful, [str(a_unit())])
    assert len(stub.asked) == 1
    assert state_of(engine, second) == ("waiting", "asked-just-now")
    due = (
        "select next_attempt_at - t.asked_at from events join transactions t using (transaction_id) where event_id = :e"
    )
    assert one(engine, due, e=second) == (timedelta(seconds=10),)


def test_two_claimers_ask_once(shop: Shop, event: Event, stub: Stub) -> None:
    """While one holds the unit, another leaves it alone."""
    event(a_unit().transaction_id)
    stub.gate.clear()
    first = threading.Thread(target=settle, args=(shop, [str(a_unit())]))
    first.start()
    assert stub.began.wait(10)
    settle(shop, [str(a_unit())])
    stub.gate.set()
    first.join(20)
    assert len(stub.asked) == 1


def test_no_connection_is_held_while_the_gateway_is_asked(shop: Shop, event: Event, stub: Stub) -> None:
    """A slow Gateway keeps no database connection from anybody."""
    event(a_unit().transaction_id)
    held: list[int] = []

    def says(transaction_id: str) -> Says:
        held.append(shop.engine.pool.checkedout())  # type: ignore[attr-defined]
        return known(transaction_id)

    stub.says = says
    settle(shop, [str(a_unit())])
    assert held == [0]


def test_a_worker_given_up_for_dead_cannot_write(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """Its lease ends during the call, the unit is given back, and its answer comes to nothing."""
    arrived = event(a_unit().transaction_id)

    def says(transaction_id: str) -> Says:
        with engine.begin() as connection:
            connection.execute(text("update transactions set lease_until = clock_timestamp() - interval '1 s'"))
            assert len(free_dead(connection, limit=10)) == 1
        return known(transaction_id)

    stub.says = says
    settle(shop, [str(_known_to(engine, a_unit()))])
    assert state_of(engine, arrived) == ("waiting", "worker-lost")
    assert all_of(engine, "select 1 from snapshots") == []
    assert outcomes(engine) == [("claimed", None), ("lost", "worker-lost")]
    assert one(engine, "select deaths from transactions") == (1,)


def _known_to(engine: Engine, unit: Unit) -> Unit:
    with engine.begin() as connection:
        ids = [unit.transaction_id]
        ensure(connection, gateway=unit.gateway, book="test", origin=Origin.IMPORT, ids=ids, now=NOW)
    return unit


def test_a_unit_that_kills_five_workers_is_parked(shop: Shop, engine: Engine, event: Event) -> None:
    """The fifth death parks its events as poison; replaying begins anew."""
    arrived = event(a_unit().transaction_id)
    unit = _known_to(engine, a_unit())
    for _ in range(5):
        with engine.begin() as connection:
            connection.execute(
                text("""update transactions set generation = generation + 1,
                     lease_until = clock_timestamp() - interval '1 s'""")
            )
            connection.execute(text("update events set state = 'claimed'"))
            free_dead(connection, limit=10)
    assert state_of(engine, arrived) == ("parked", "poison")
    assert one(engine, "select deaths, ask_at from transactions") == (5, None)
    replay(engine, [arrived], now=NOW, reason="fixed")
    settle(shop, [str(unit)])
    assert state_of(engine, arrived) == ("done", None)
    assert one(engine, "select deaths from transactions") == (0,)


def test_a_busy_gateway_makes_the_unit_wait(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """HTTP 503 is tried again, a little later each time."""
    arrived = event(a_unit().transaction_id)
    stub.says = lambda _: said({}, status=503)
    for _ in range(3):
        settle(shop, [str(a_unit())])
    assert state_of(engine, arrived) == ("waiting", "busy")
    assert outcomes(engine) == [("claimed", None), ("waiting", "busy")] * 3
    (delay,) = one(engine, "select next_attempt_at - clock_timestamp() from events")
    assert isinstance(delay, timedelta)
    assert timedelta(seconds=5) < delay <= timedelta(seconds=8)


def test_a_unit_that_failed_rests_as_long_as_it_waits(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """The pause between questions is for answers; a failure is tried again after its own, shorter one."""
    careful = replace(shop, pace=replace(shop.pace, pause=timedelta(seconds=10)))
    event(a_unit().transaction_id)
    stub.says = lambda _: said({}, status=503)
    settle(careful, [str(a_unit())])
    (rest,) = one(engine, "select rest_until - next_attempt_at from events join transactions using (transaction_id)")
    assert isinstance(rest, timedelta)
    assert abs(rest) < timedelta(milliseconds=50)


def test_retry_after_is_honoured_for_the_whole_gateway(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """After Retry-After no other transaction of that gateway is asked for either."""
    event(a_unit(1).transaction_id)
    other = event(a_unit(2).transaction_id)
    stub.says = lambda _: said({}, status=429, Retry_After="30")
    settle(shop, [str(a_unit(1)), str(a_unit(2))])
    assert len(stub.asked) == 1
    assert state_of(engine, other) == ("waiting", "gateway-busy")
    (wait,) = one(engine, "select blocked_until - clock_timestamp() from gateway_states")
    assert isinstance(wait, timedelta)
    assert timedelta(seconds=25) < wait <= timedelta(seconds=30)


def test_our_own_fault_stops_the_gateway_and_alerts_once(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """With refused keys everything waits, there is one alert, and a probe finds out when they are good again."""
    events = [event(a_unit(n).transaction_id) for n in (1, 2, 3)]
    stub.says = lambda _: said({"success": False, "errors": ["Invalid JWT"], "data": None}, status=401)
    settle(shop, [str(a_unit(n)) for n in (1, 2, 3)])
    assert len(stub.asked) == 1
    assert [state_of(engine, e) for e in events] == [("waiting", "ours")] * 3
    assert all_of(engine, "select name from alerts") == [("breaker-open",)]
    _let_pass(engine)
    stub.says = known
    settle(shop, [str(a_unit(n)) for n in (1, 2, 3)])
    assert [state_of(engine, e) for e in events] == [("done", None)] * 3
    assert one(engine, "select breaker, blocked_until from gateway_states") == ("closed", None)


def test_a_probe_that_fails_keeps_the_breaker_open_longer(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """One probe at a time, each pause twice as long, and no second alert."""
    event(a_unit(1).transaction_id)
    stub.says = lambda _: said({}, status=401)
    settle(shop, [str(a_unit(1))])
    _let_pass(engine)
    settle(shop, [str(a_unit(1))])
    assert len(stub.asked) == 2
    breaker, failures, pause = one(
        engine, "select breaker, failures, blocked_until - clock_timestamp() from gateway_states"
    )
    assert isinstance(pause, timedelta)
    assert (breaker, failures) == ("open", 2)
    assert OURS_PAUSE < pause <= 2 * OURS_PAUSE
    assert all_of(engine, "select name from alerts") == [("breaker-open",)]


def _let_pass(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update gateway_states set blocked_until = clock_timestamp()"))


@pytest.mark.parametrize("status", [400, 422, 410])
def test_a_refused_question_is_parked(shop: Shop, engine: Engine, event: Event, stub: Stub, status: int) -> None:
    """The Gateway will never answer it: people decide."""
    arrived = event(a_unit().transaction_id)
    stub.says = lambda _: said({"success": False, "errors": ["bad format"]}, status=status)
    settle(shop, [str(a_unit())])
    assert state_of(engine, arrived) == ("parked", "refused")
    assert all_of(engine, "select name, subject from alerts") == [("refused", a_unit().transaction_id)]


def test_an_unknown_transaction_is_parked_without_a_line(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """The API does not know it: no line is made, an alert is raised, and it is asked for twice more."""
    arrived = event(a_unit().transaction_id)
    stub.says = unknown
    settle(shop, [str(a_unit())])
    assert state_of(engine, arrived) == ("parked", "unknown-transaction")
    assert one(engine, "select known, ask_at from transactions") == (False, NOW + timedelta(minutes=15))
    assert one(engine, "select mark, http_status from snapshots") == ("absent", 404)
    assert all_of(engine, "select 1 from their_lines") == []
    assert all_of(engine, "select name from alerts") == [("unknown-transaction",)]


def test_what_was_unknown_and_appears_is_settled(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """A later answer that knows the transaction finishes the event that was parked."""
    arrived = event(a_unit().transaction_id)
    stub.says = unknown
    settle(shop, [str(a_unit())])
    stub.says = known
    settle(replace(shop, clock=FixedClock(NOW + timedelta(minutes=16))), [str(a_unit())])
    assert state_of(engine, arrived) == ("done", None)


def test_what_stays_unknown_over_the_grace_is_followed_no_more(shop: Shop, engine: Engine, stub: Stub) -> None:
    """Three times over half an hour, then never again."""
    stub.says = unknown
    _known_to(engine, a_unit())
    for minutes in (0, 16, 32):
        settle(replace(shop, clock=FixedClock(NOW + timedelta(minutes=minutes))), [str(a_unit())])
    assert len(stub.asked) == 3
    assert one(engine, "select ask_at, cardinality(absent_at) from transactions") == (None, 3)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"success":true,"data":{"status":7}}'])
def test_nonsense_is_tried_five_times_then_parked_with_what_came(
    shop: Shop, engine: Engine, event: Event, stub: Stub, body: bytes
) -> None:
    """A 200 that makes no sense is busy five times; then people see it."""
    arrived = event(a_unit().transaction_id)
    stub.says = lambda _: Says(200, body)
    for _ in range(5):
        settle(shop, [str(a_unit())])
    assert state_of(engine, arrived) == ("parked", "nonsense")
    (detail,) = one(engine, "select detail from attempts where outcome = 'parked'")
    assert body.decode() in str(detail)


def test_an_empty_answer_concludes_nothing(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """It is asked again, and no snapshot says anything."""
    arrived = event(a_unit().transaction_id)
    stub.says = lambda _: said({"success": True, "errors": None, "data": {}})
    settle(shop, [str(a_unit())])
    assert state_of(engine, arrived) == ("waiting", "unclear")
    assert all_of(engine, "select 1 from snapshots") == []


def test_a_timed_out_flow_is_done_but_followed(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """The answer is stored, and since an order may exist it is asked for again."""
    arrived = event(a_unit().transaction_id)
    error = {"value": True, "code": 4003, "message": "timed_out"}
    stub.says = lambda t: known(t, status="ERRORED", orderBatches=[], error=error)
    settle(shop, [str(a_unit())])
    assert state_of(engine, arrived) == ("done", None)
    assert one(engine, "select ask_at from transactions") == (NOW + timedelta(hours=1),)


def test_a_slow_answer_ends_at_the_deadline(shop: Shop, engine: Engine, event: Event, stub: Stub) -> None:
    """A call that does not end in time is busy; the unit waits."""
    arrived = event(a_unit().transaction_id)
    stub.gate.clear()
    settle(shop, [str(a_unit())])
    assert state_of(engine, arrived) == ("waiting", "busy")


def test_a_gateway_that_refuses_connections_is_busy(
    shop: Shop, engine: Engine, event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """No answer at all is busy, and no secret is in what is kept of it."""
    arrived = event(a_unit().transaction_id)
    with gateway_stub() as gone:
        nowhere = gone.url
    client = shop.client("demo")
    client._gateway = replace(client._gateway, url=nowhere)
    settle(shop, [str(a_unit())])
    assert state_of(engine, arrived) == ("waiting", "busy")
    kept = str(all_of(engine, "select detail from attempts")) + caplog.text + repr(client) + repr(shop)
    assert JWT not in kept
    assert API not in kept


def test_an_error_of_our_own_is_tried_five_times_then_parked(shop: Shop, engine: Engine, event: Event) -> None:
    """A bug stops no other unit: it is kept with its trace, tried again, and parked."""
    broken, sound = event(a_unit(1).transaction_id), event(a_unit(2).transaction_id)

    def client(_: str) -> object:
        if (
            len(all_of(engine, "select 1 from attempts where outcome = 'claimed' and txn = 1")) <= 5
            and not state_of(engine, broken)[0] == "parked"
        ):
            raise RuntimeError("a bug")
        return shop.client("demo")

    for _ in range(5):
        settle(replace(shop, client=client), [str(a_unit(1))])  # type: ignore[arg-type]
    settle(replace(shop, client=client), [str(a_unit(2))])  # type: ignore[arg-type]
    assert state_of(engine, broken) == ("parked", "error")
    assert state_of(engine, sound) == ("done", None)
    (detail,) = one(engine, "select detail from attempts where outcome = 'parked'")
    assert "a bug" in str(detail)


def test_the_same_answer_again_changes_nothing(shop: Shop, engine: Engine, event: Event) -> None:
    """A second question with the same answer keeps a snapshot, and the revision stands."""
    event(a_unit().transaction_id)
    settle(shop, [str(a_unit())])
    before = one(engine, "select rev, exists (select from unjudged) from transactions")
    event(a_unit().transaction_id)
    settle(shop, [str(a_unit())])
    assert all_of(engine, "select mark from snapshots order by snapshot_id") == [("news",), ("same",)]
    assert one(engine, "select rev, exists (select from unjudged) from transactions") == before


def test_units_left_for_want_of_time_are_returned(shop: Shop, event: Event, stub: Stub) -> None:
    """A message never takes longer than a task may: the rest is announced again."""
    units = [str(a_unit(n)) for n in range(3)]
    assert settle(replace(shop, patience=timedelta(seconds=-1)), units) == units
    assert stub.asked == []


def test_a_unit_of_a_gateway_that_is_not_set_up_waits(shop: Shop, engine: Engine) -> None:
    """It is told once, and nothing is asked."""
    assert settle(shop, ["other:TRX_1", "other:TRX_2"]) == []
    assert all_of(engine, "select name, gateway from alerts") == [("no-such-gateway", "other")]


def test_an_after_market_order_is_followed_until_it_ends(shop: Shop, engine: Engine, stub: Stub) -> None:
    """A PLACED batch keeps its transaction open."""
    _known_to(engine, a_unit())
    placed = {
        "batchId": "b1",
        "status": "PLACED",
        "variety": "amo",
        "orders": [a_leg(status="PLACED", filledQuantity=0, averagePrice=0)],
    }
    stub.says = lambda t: known(t, status="PROCESSING", orderBatches=[placed])
    settle(shop, [str(a_unit())])
    assert one(engine, "select final, ask_at from transactions") == (False, NOW + timedelta(hours=1))
    with engine.begin() as connection:
        assert ask_again(connection, "demo", NOW.date(), NOW) == 1
    assert one(engine, "select ask_at from transactions") == (NOW,)


def test_orders_that_an_answer_left_out_are_asked_for_together(shop: Shop, engine: Engine, stub: Stub) -> None:
    """With the path of the order details set, one call names the batches of several transactions."""
    gateway = replace(shop.gateways["demo"], orders_path="/v1/{gateway}/orders")
    client = GatewayClient(gateway, deadline=timedelta(seconds=3))
    own = replace(shop, gateways={"demo": gateway}, client=lambda _: client)
    numbers = (1, 2, 3)

    def says(asked: str) -> Says:
        if "," not in asked:
            return known(asked, orderBatches=[])
        listed = [a_transaction(i) for i in asked.split(",") if not i.endswith("3")]
        return said({"success": True, "errors": None, "data": listed})

    stub.says = says
    settle(own, [str(_known_to(engine, a_unit(n))) for n in numbers])
    assert len(stub.asked) == 4
    assert all_of(engine, "select kind, count(*) from snapshots group by 1 order by 1") == [
        ("details", 3),
        ("orders", 2),
    ]
    assert all_of(engine, "select t.final, count(*) from transactions t group by 1 order by 1") == [
        (False, 1),
        (True, 2),
    ]
    assert one(engine, "select count(*), bool_and(t.settled) from their_lines l join transactions t using (txn)") == (
        2,
        True,
    )


def test_order_details_that_fail_leave_the_answer_as_it_is(shop: Shop, engine: Engine, stub: Stub) -> None:
    """The transaction is followed and both are asked for again."""
    gateway = replace(shop.gateways["demo"], orders_path="/v1/{gateway}/orders")
    client = GatewayClient(gateway, deadline=timedelta(seconds=3))
    turns: list[str] = []

    def says(asked: str) -> Says:
        turns.append(asked)
        return known(asked, orderBatches=[]) if len(turns) == 1 else said({}, status=503)

    stub.says = says
    settle(replace(shop, gateways={"demo": gateway}, client=lambda _: client), [str(_known_to(engine, a_unit()))])
    assert outcomes(engine) == [("claimed", None), ("done", None)]
    assert one(engine, "select ask_at from transactions") == (NOW + timedelta(hours=1),)


def test_a_failure_after_the_claim_was_lost_writes_nothing(
    shop: Shop, engine: Engine, event: Event, stub: Stub
) -> None:
    """Given up for dead while the Gateway was failing: the unit is as the sweep left it."""
    arrived = event(a_unit().transaction_id)

    def says(_: str) -> Says:
        with engine.begin() as connection:
            connection.execute(text("update transactions set lease_until = clock_timestamp() - interval '1 s'"))
            free_dead(connection, limit=10)
        return said({}, status=503)

    stub.says = says
    settle(shop, [str(_known_to(engine, a_unit()))])
    assert state_of(engine, arrived) == ("waiting", "worker-lost")
    assert outcomes(engine) == [("claimed", None), ("lost", "worker-lost")]


def test_a_bad_answer_spoils_no_other_of_its_round(
    shop: Shop, engine: Engine, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written is written by itself and parked after five tries; the others are done."""
    events = [event(a_unit(n).transaction_id) for n in (1, 2, 3)]

    def refresh(connection: Connection, *, txn: int, **named: object) -> object:
        if txn == 2:
            raise ValueError("cannot be folded")
        return real_refresh(connection, txn=txn, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(outcomes_module, "refresh", refresh)
    for _ in range(5):
        settle(shop, [str(a_unit(n)) for n in (1, 2, 3)])
    assert [state_of(engine, e) for e in events] == [("done", None), ("parked", "error"), ("done", None)]
    assert all_of(engine, "select txn, count(*) from snapshots group by 1 order by 1") == [(1, 1), (3, 1)]


def test_replaying_says_what_became_of_each(shop: Shop, engine: Engine, event: Event) -> None:
    """Parked events are put back; done, unknown and nameless ones are told apart and left alone."""
    done = event(a_unit(1).transaction_id)
    settle(shop, [str(a_unit(1))])
    parked, nameless, missing = event(a_unit(2).transaction_id, state="parked", reason="refused"), None, uuid4()
    nameless = event(None, state="parked", reason="unknown-shape")
    waiting = event(a_unit(3).transaction_id, state="waiting", reason="busy")
    result = replay(engine, [done, parked, nameless, missing, waiting], now=NOW, reason="asked by hand")
    assert result.put_back == (parked,)
    assert result.already_done == (done,)
    assert result.not_askable == (nameless,)
    assert result.unknown == (missing,)
    assert result.in_work == (waiting,)
    assert state_of(engine, done) == ("done", None)
    settle(shop, [str(a_unit(2))])
    assert state_of(engine, parked) == ("done", None)
    assert str(replay(engine, [done], now=NOW, reason="again")) == "1 already done, nothing changed"


def test_replaying_by_reason_takes_all_of_it(engine: Engine, event: Event) -> None:
    """All parked for one reason go back together; others stay."""
    refused = {event(a_unit(n).transaction_id, state="parked", reason="refused") for n in (1, 2)}
    other = event(a_unit(3).transaction_id, state="parked", reason="poison")
    result = replay(engine, Parked(gateway="demo", reason="refused"), now=NOW, reason="keys were renewed")
    assert set(result.put_back) == refused
    assert state_of(engine, other) == ("parked", "poison")


def _heard(engine: Engine, event: Event, number: int, **said_of_batch: object) -> None:
    """A verified webhook about the batch of that unit, as its answer states it but for `said_of_batch`."""
    told = a_transaction(a_unit(number).transaction_id)
    (batch,) = cast("list[Json]", told["orderBatches"])
    body = {**batch, "transactionId": told["transactionId"], **said_of_batch}
    heard = event(a_unit(number).transaction_id)
    with engine.begin() as connection:
        named = {"body": json.dumps(body).encode(), "event": heard}
        connection.execute(text("update deliveries set body = :body where event_id = :event"), named)


def _leg_of(transaction_id: str) -> Json:
    """The one leg of that transaction's answer."""
    (batch,) = cast("list[Json]", a_transaction(transaction_id)["orderBatches"])
    (leg,) = cast("list[Json]", batch["orders"])
    return leg


def test_what_is_heard_after_all_tied_out_is_compared_in_a_round_too(shop: Shop, engine: Engine, event: Event) -> None:
    """Two transactions tie out; then a forged webhook comes for each, and both are settled by one commit."""
    units = [str(a_unit(number)) for number in (1, 2)]
    for number in (1, 2):
        _heard(engine, event, number)
    settle(shop, units)
    with engine.begin() as connection:
        for row in connection.execute(text("select * from transactions")).all():
            named: dict[str, Any] = {"gateway": "demo", "transaction_id": row.transaction_id}
            our_line(connection, row.txn, _leg_of(row.transaction_id), **named, trade_date=NOW.date())
        txns = list(connection.execute(text("select txn from transactions")).scalars())
        reconcile(connection, txns=txns, now=NOW, rules=shop.rules)
    assert all_of(engine, "select name from findings where closed_at is null") == []

    for number in (1, 2):
        _heard(engine, event, number, filled=15)
    settle(shop, units)

    assert (
        all_of(engine, "select name, field from findings where closed_at is null")
        == [("webhook-differs", "filled")] * 2
    )
