"""A simulated day without a single webhook: following alone finds all of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from config.clock import FileClock
from recon.values import Origin
from store import completeness as store
from store import dispatch, following
from store.dispatch import Share
from store.registrations import FACTS, fill
from store.transactions import ensure
from tests.builders import Weekdays
from tests.playing import ENV, Edge, Running, started, wait_for
from tests.shops import a_shop
from tieout.completeness import Calls, assess
from tieout.desk.queue import ist_day
from tieout.imports import import_file
from tieout.settle import settle
from tieout.shop import Shop

STEP = timedelta(minutes=15)
CLOSE = timedelta(hours=6, minutes=45)  #: after the day's beginning
ENDS = {"COMPLETED", "EXPIRED", "ERRORED"}


@pytest.fixture(name="running")
def _running(tmp_path: Path) -> Iterator[Running]:
    """A simulator whose webhooks reach nobody who reads them."""
    edge = Edge(tmp_path / "clock")
    edge.start()
    with started(tmp_path, edge) as running:
        yield running
    edge.stop()


@pytest.fixture(name="shop")
def _shop(database_url: str, broker_url: str, running: Running) -> Iterator[Shop]:
    """What settling needs, its clock the simulator's."""
    keys = {
        "gateway_secrets": f"k1:{ENV['SIMULATOR_JWT_SECRET']}",
        "gateway_api_secrets": f"k1:{ENV['SIMULATOR_API_SECRET']}",
    }
    with a_shop(database_url, broker_url, running.url, gateway_name="simulated", **keys) as shop:
        rules = replace(shop.rules, calendar=Weekdays())
        yield replace(shop, clock=FileClock(running.home.parent / "clock"), rules=rules)


def advance(running: Running, until: datetime) -> list[dict[str, Any]]:
    """Let the day go on until then; the transactions made so far."""
    requests.post(f"{running.url}/control/advance?to={until:%Y-%m-%dT%H:%M:%SZ}", timeout=5).raise_for_status()
    wait_for(lambda: not running.status()["advancing"])
    return [json.loads(line) for line in running.get("/control/transactions").splitlines()]


def register(engine: Engine, made: list[dict[str, Any]], now: datetime) -> None:
    """Tell of these transactions, as the company does when it creates them."""
    ids = [row["transaction_id"] for row in made]
    blank = dict.fromkeys(FACTS)
    rows = [{"gateway": "simulated", **blank, **{n: row[n] for n in ("transaction_id", "created_at")}} for row in made]
    with engine.begin() as connection:
        ensure(connection, gateway="simulated", book="test", origin=Origin.REGISTRATION, ids=ids, now=now)
        fill(connection, rows, now=now)


def say_that_was_all(engine: Engine, shop: Shop, now: datetime, file: Path) -> None:
    """Import a file without a row: the company tells that it created nothing more."""
    file.write_text("transaction_id,created_at\n")
    gateways = tuple(shop.gateways.values())
    import_file(engine, kind="transactions", file=file, gateways=gateways, now=now, rules=shop.rules)


def due(engine: Engine, now: datetime) -> list[str]:
    """The units to be asked for now."""
    share = Share(gateway="simulated", limit=500, retries=500)
    with engine.begin() as connection:
        return dispatch.due_questions(connection, share, now=now, first=STEP, most=STEP)


def nothing_waits(engine: Engine, shop: Shop, now: datetime) -> bool:
    """Ask what may be asked; whether all that is due has its answer. A slow answer is asked for again in seconds."""
    if units := due(engine, now):
        settle(shop, units)
    with engine.connect() as connection:
        waiting = text("select count(*) from transactions where ask_at <= :now")
        return not connection.execute(waiting, {"now": now}).scalar_one()


def test_a_day_without_webhooks_is_found_by_following_alone(running: Running, shop: Shop, engine: Engine) -> None:
    """Every end is known by the close, within four calls each, and the watermark passes the close."""
    start = shop.clock.now()
    known: set[str] = set()
    made: list[dict[str, Any]] = []
    for step in range(1, CLOSE // STEP + 1):
        made = advance(running, start + step * STEP)
        now = shop.clock.now()
        new = [row for row in made if row["transaction_id"] not in known]
        register(engine, new, now)
        known |= {row["transaction_id"] for row in new}
        while units := due(engine, now):
            settle(shop, units)
    now = shop.clock.now()
    wait_for(lambda: nothing_waits(engine, shop, now))
    say_that_was_all(engine, shop, now, running.home.parent / "none.csv")
    with engine.connect() as connection:
        ended = {
            row.transaction_id: row for row in following.ended(connection, gateway=None, found_by=None, limit=None)
        }
        feed = store.feed(connection, gateway="simulated", today=ist_day(now)[0])
        rows = tuple(store.followed(connection, gateway="simulated"))
    theirs = {row["transaction_id"]: row for row in made}
    assert {i for i, row in theirs.items() if row["batch"] == "COMPLETED" and row["status"] in ENDS} <= set(ended)
    assert {row.found_by for row in ended.values()} == {"following"}
    assert set(ended) | {row.transaction_id for row in rows} == set(theirs)
    calls = Counter(json.loads(line)["transaction_id"] for line in running.get("/control/calls").splitlines())
    assert sum(calls[i] for i in ended) <= 4 * len(ended)
    found = assess("simulated", feed, rows, calls=Calls(), now=now, calendar=Weekdays(), silence=timedelta(hours=2))
    assert found.watermark == now
    assert {state.state for state in found.states} <= {"complete", "partial-answer"}
