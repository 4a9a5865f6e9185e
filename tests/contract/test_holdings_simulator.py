"""The simulated Gateway's holdings, fetched and read as the real one's would be: every state as it says itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bench.prove_holdings import as_sent, as_stored, differences
from config.settings import Settings
from gateway.client import GatewayClient
from gateway.consent import NeedsConsent, read_reply
from gateway.holdings import read_holdings
from gateway.investments import read_investments
from tests.playing import ENV, Edge, Running, started
from tieout.holdings import fetch, settle_holdings
from tieout.shop import Shop
from worker.process import open_process

PEOPLE = 40


@pytest.fixture(name="simulator")
def _simulator(tmp_path: Path) -> Iterator[Running]:
    """A simulator with people who hold something, at nine in the morning."""
    edge = Edge(tmp_path / "clock")
    edge.start()
    with started(tmp_path, edge, "--people", str(PEOPLE)) as running:
        yield running
    edge.stop()


@pytest.fixture(name="settings")
def _settings(simulator: Running, database_url: str, broker_url: str) -> Settings:
    """The settings that lead to it."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        broker_url=broker_url,
        simulated=True,
        clock_file=simulator.home.parent / "clock",
        gateway_name="simulated",
        gateway_url=simulator.url,
        gateway_secrets=f"k1:{ENV['SIMULATOR_JWT_SECRET']}",
        gateway_api_secrets=f"k1:{ENV['SIMULATOR_API_SECRET']}",
        gateway_rate=10_000,
    )


@pytest.fixture(name="shop")
def _shop(settings: Settings) -> Iterator[Shop]:
    """What settling needs, with time for everybody."""
    own = open_process(settings)
    yield replace(own.shop, holdings_patience=timedelta(minutes=1))
    own.sender.close()
    own.shop.engine.dispose()


def test_everybody_is_known_as_the_far_side_says(simulator: Running, shop: Shop, engine: Engine) -> None:
    """No consent, stale, updating, good: the state and the number of rows of each, nobody else's touched."""
    people = [json.loads(line) for line in simulator.get("/control/accounts").splitlines()]
    named = [person["account"] for person in people]
    units = fetch(engine, gateway=shop.gateways["simulated"], accounts=named, now=shop.clock.now())
    assert settle_holdings(shop, units) == []
    assert differences(as_sent(people), as_stored(engine)) == []
    assert {person["state"] for person in people} == {"good", "stale", "updating", "no-consent"}


def test_holdings_and_investments_are_understood_whole(simulator: Running, shop: Shop) -> None:
    """Of everybody who shares holdings, not one key is left over; for the others consent is missing."""
    client: GatewayClient = shop.client("simulated")
    shared = 0
    for line in simulator.get("/control/accounts").splitlines():
        person = json.loads(line)
        reply = client.ask_holdings(person["account"], funds=True)
        if person["state"] == "no-consent":
            with pytest.raises(NeedsConsent):
                read_reply(reply, read_holdings)
            continue
        shared += 1
        found = read_reply(reply, read_holdings)
        assert (found.version, len(found.lines), found.not_understood) == ("v2", person["securities"], ())
        investments = read_reply(client.ask_investments(person["account"]), read_investments)
        assert (len(investments.lines), investments.not_understood) == (bool(person["smallcases"]), ())
    assert shared
