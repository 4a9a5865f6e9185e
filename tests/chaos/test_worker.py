"""What is killed, lost or frozen: every event is settled exactly once all the same."""

from __future__ import annotations

import os
import signal
import threading
import time

import psutil
import pytest
from sqlalchemy import text

from config.queues import QUEUES
from tests.gateway_stub import Says, known
from tests.worker_service import Service, until

pytestmark = [pytest.mark.chaos, pytest.mark.slow]
EVENTS = 12


def test_a_worker_settles_what_is_announced(service: Service) -> None:
    """Nothing is broken: everything is done, the worker, its sweep and its canaries show that they live."""
    service.start()
    service.put(EVENTS)
    service.settled_once(EVENTS)
    until(lambda: service.count("select count(distinct kind) from signs_of_life") == 3)
    until(lambda: service.count("select count(*) from signs_of_life where kind = 'canary'") == len(QUEUES))


def test_what_was_never_announced_is_found(service: Service) -> None:
    """Without any message the sweep finds the events."""
    service.put(EVENTS, announce=False)
    service.start()
    service.settled_once(EVENTS)


def test_a_worker_killed_in_the_fetch_loses_nothing(service: Service) -> None:
    """Kill -9 of the whole group while the Gateway is asked."""
    service.stub.gate.clear()
    worker = service.start()
    service.put(EVENTS)
    until(lambda: service.count("select count(*) from attempts where outcome = 'claimed'") >= 1)
    assert service.stub.began.wait(20)
    service.kill(worker)
    service.stub.gate.set()
    service.start()
    service.settled_once(EVENTS)
    assert service.count("select count(*) from attempts where outcome = 'lost'") >= 1


def test_a_worker_killed_right_after_its_claim_loses_nothing(service: Service) -> None:
    """Kill -9 as soon as a claim is committed, before any answer."""
    service.stub.says = lambda t: _slowly(t, 0.2)
    worker = service.start()
    service.put(EVENTS)
    until(lambda: service.count("select count(*) from transactions where lease_until is not null") >= 1)
    service.kill(worker)
    service.start()
    service.settled_once(EVENTS)


def test_a_worker_killed_before_its_commit_loses_nothing(service: Service) -> None:
    """Kill -9 while the effect waits for a lock, snapshot already written and not committed."""
    worker = service.start()
    until(lambda: service.count("select count(*) from signs_of_life where kind = 'sweep'") == 1)
    with service.engine.connect() as blocker, blocker.begin():
        blocker.execute(text("lock table their_lines in access exclusive mode"))
        service.put(EVENTS)
        until(lambda: service.count("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") >= 1)
        service.kill(worker)
    service.start()
    service.settled_once(EVENTS)
    assert service.count("select count(*) from attempts where outcome = 'lost'") >= 1


def test_a_killed_pool_process_loses_nothing(service: Service) -> None:
    """Kill -9 of one child only: the worker replaces it and the lease gives its unit back."""
    service.stub.gate.clear()
    worker = service.start()
    service.put(EVENTS)
    assert service.stub.began.wait(20)
    children = psutil.Process(worker.pid).children()
    os.kill(children[0].pid, signal.SIGKILL)
    service.stub.gate.set()
    service.settled_once(EVENTS)


def test_a_flushed_broker_loses_nothing(service: Service) -> None:
    """FLUSHALL while messages wait and while some are in flight."""
    service.stub.gate.clear()
    service.start()
    service.put(EVENTS)
    assert service.stub.began.wait(20)
    service.put(EVENTS)
    service.broker.flushall()
    service.stub.gate.set()
    service.settled_once(2 * EVENTS)


def test_a_frozen_broker_loses_nothing(service: Service) -> None:
    """The broker stops for five seconds in the middle of the work."""
    pid = int(service.broker.info("server")["process_id"])
    service.stub.says = lambda t: _slowly(t, 0.1)
    service.start()
    service.put(EVENTS)
    until(lambda: service.open_events < EVENTS)
    os.kill(pid, signal.SIGSTOP)
    try:
        thawed = threading.Timer(5.0, os.kill, (pid, signal.SIGCONT))
        thawed.start()
        service.put(EVENTS)
        thawed.join()
    finally:
        os.kill(pid, signal.SIGCONT)
    service.settled_once(2 * EVENTS)


def test_a_worker_asked_to_stop_stops_and_leaves_the_rest_to_another(service: Service) -> None:
    """SIGTERM ends it within its grace; what it had not done another does."""
    service.stub.says = lambda t: _slowly(t, 0.3)
    worker = service.start()
    service.put(EVENTS)
    until(lambda: service.open_events < EVENTS)
    worker.terminate()
    assert worker.wait(30) is not None
    service.stub.says = known
    service.start()
    service.settled_once(EVENTS)


def test_beat_and_several_workers_do_no_harm(service: Service) -> None:
    """Two schedules and two workers: each event is still settled once."""
    for arguments in ((), (), ("beat",), ("beat",)):
        service.start(*arguments)
    service.put(EVENTS)
    service.settled_once(EVENTS)
    until(lambda: service.count("select count(*) from signs_of_life where kind = 'beat'") == 2)


def _slowly(transaction_id: str, seconds: float) -> Says:
    time.sleep(seconds)
    return known(transaction_id)
