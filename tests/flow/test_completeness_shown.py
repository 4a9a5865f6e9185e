"""Completeness, gateways and following as people and machines see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from cli import context
from cli.main import tieout
from config.clock import FixedClock
from config.settings import load_settings
from console.app import create_app
from recon.values import Origin
from store.engine import connect
from store.transactions import ensure
from tests.builders import NOON
from tieout.desk.broker import BrokerWatch
from tieout.rules import rules_from

KEYS = {
    "gateway", "watermark", "state", "says", "todo", "known", "open_count", "holding", "given_up", "as_of", "told_at",
    "webhook_at", "found_by", "states", "open",
}  # fmt: skip
OPEN = {"transaction_id", "account", "created_at", "status", "state", "why", "next_ask_at", "asks", "value", "holds"}


@pytest.fixture(name="url", autouse=True)
def _url(database_url: str, broker_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A gateway with three transactions: one ended, one given up, one that nobody asked for yet."""
    clock = tmp_path / "clock"
    clock.write_text((NOON + timedelta(minutes=5)).isoformat())
    named = {
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url,
        "CLOCK_FILE": str(clock),
        "SIMULATED": "1",
        "GATEWAY_NAME": "demo",
        "GATEWAY_SECRETS": "k1:one",
        "GATEWAY_API_SECRETS": "k1:two",
        "GATEWAYS_FILE": str(tmp_path / "none"),
    }
    for name, value in named.items():
        monkeypatch.setenv(f"TIEOUT_{name}", value)
    context.settings.cache_clear()
    engine = connect(database_url)
    with engine.begin() as connection:
        ids = ["TRX_ended", "TRX_given", "TRX_new"]
        ensure(connection, gateway="demo", book="test", origin=Origin.REGISTRATION, ids=ids, now=NOON)
        connection.execute(
            text("""
            update transactions set ask_at = null, known = true, status = 'COMPLETED',
              found_by = case when transaction_id = 'TRX_ended' then 'following' end,
              found_at = case when transaction_id = 'TRX_ended' then cast(:now as timestamptz) end,
              given_up = case when transaction_id = 'TRX_given' then 'no-end' end
            where transaction_id <> 'TRX_new'"""),
            {"now": NOON},
        )
    engine.dispose()
    yield database_url
    context.settings.cache_clear()


def _run(*words: str) -> Result:
    return CliRunner().invoke(tieout, words)


def _objects(*words: str) -> list[dict[str, Any]]:
    result = _run(*words)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_completeness_for_machines_names_what_is_open() -> None:
    """One object a gateway; the watermark waits for the one that was never answered."""
    (found,) = _objects("completeness", "--json")
    assert set(found) == KEYS
    assert (found["gateway"], found["watermark"], found["state"]) == ("demo", "2026-11-20T06:30:00Z", "catching-up")
    assert (found["known"], found["holding"], found["given_up"]) == (3, 1, 1)
    assert found["found_by"] == {"webhook": 0, "following": 1}
    assert [set(row) for row in found["open"]] == [OPEN] * 2
    assert [(row["transaction_id"], row["state"]) for row in found["open"]] == [
        ("TRX_new", "unanswered"),
        ("TRX_given", "given-up"),
    ]


def test_completeness_for_people_says_what_to_do() -> None:
    """And a check of it fails while something is open that should not be."""
    result = _run("completeness")
    assert "demo: complete until 20 Nov 2026 12:00 IST" in result.stdout
    assert "catching-up: 1 transactions wait for an answer that is due" in result.stdout
    assert "given-up" in result.stdout
    assert _run("completeness", "--check").exit_code == 1
    assert _run("completeness", "--csv").stdout.startswith("gateway,transaction_id,created_at")


def test_people_give_up_and_take_up() -> None:
    """Only what is followed can be given up, only what is not can be taken up; each says so."""
    assert [row["transaction_id"] for row in _objects("following", "list", "--json")] == ["TRX_ended"]
    assert _run("following", "give-up", "TRX_new", "--reason", "seen at the broker").exit_code == 0
    again = _run("following", "give-up", "TRX_new", "--reason", "once more")
    assert (again.exit_code, "not followed" in again.stderr) == (1, True)
    assert _run("following", "take-up", "TRX_given", "--reason", "it lives").exit_code == 0
    assert _run("following", "take-up", "TRX_given", "--reason", "it lives").exit_code == 1
    assert _run("following", "take-up", "TRX_nobody", "--reason", "who?").exit_code == 2
    (found,) = _objects("completeness", "--json")
    states = {row["transaction_id"]: row["state"] for row in found["open"]}
    assert states == {"TRX_new": "given-up", "TRX_given": "open"}


def test_gateways_show_their_keys_their_limit_and_their_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, environment, keys by fingerprint with their windows, what is free of the limit; never a secret."""
    monkeypatch.setenv("TIEOUT_GATEWAY_API_SECRETS", "old@/2026-11-01:hush-one new:hush-two next:hush-three")
    monkeypatch.setenv("TIEOUT_GATEWAY_URL", "https://gatewayapi.stag.smallcase.com")
    monkeypatch.setenv("TIEOUT_PUBLIC_URL", "https://hooks.example/in/")
    context.settings.cache_clear()
    (found,) = _objects("gateways", "--json")
    assert (found["calls"], found["breaker"], found["rate_per_s"], found["at_once"]) == ("go out", "closed", 8, 4)
    assert 0 <= found["free"] <= 4
    assert (found["environment"], found["host"], found["book"]) == (
        "staging",
        "gatewayapi.stag.smallcase.com",
        "test",
    )
    assert (found["webhook_path"], found["webhook_url"]) == ("/webhooks/demo", "https://hooks.example/in/webhooks/demo")
    assert (found["watermark"], found["state"], found["answered_at"]) == ("2026-11-20T06:30:00Z", "catching-up", None)
    keys = [(key["kind"], key["key_id"], key["valid"], key["signs"]) for key in found["keys"]]
    assert keys == [("JWT", "k1", True, True), ("API", "old", False, False), ("API", "new", True, True),
                    ("API", "next", True, False)]  # fmt: skip
    shown = _run("gateways").stdout
    assert "go out; 8 a second" in shown
    assert found["keys"][2]["fingerprint"] in shown
    assert "hush" not in shown + _run("gateways", "--json").stdout + _run("gateways", "--csv").stdout


def test_a_gateway_that_is_not_set_is_a_wrong_call() -> None:
    """The names that are known are told; both commands say the same."""
    for command in ("gateways", "completeness"):
        asked = _run(command, "--gateway", "other")
        assert (asked.exit_code, "there is demo" in asked.stderr) == (2, True)


def test_the_page_and_the_gauges_say_the_same(url: str, broker_url: str) -> None:
    """The watermark, the state, what is open."""
    settings, engine = load_settings(), connect(url)
    clock = FixedClock(NOON + timedelta(minutes=5))
    watch, rules = BrokerWatch(broker_url), rules_from(settings)
    app = create_app(settings, engine=engine, watch=watch, clock=clock, rules=rules)
    headers = {"Host": f"127.0.0.1:{settings.console_port}"}
    page = app.test_client().get("/completeness", headers=headers).text
    for word in ("2026-11-20T06:30:00.000Z", "catching-up", "TRX_new", "did not end within ten sessions"):
        assert word in page
    page = app.test_client().get("/gateways", headers=headers).text
    for word in ("8 a second", "/webhooks/demo", "signs and verifies", "go out", "catching-up"):
        assert word in page
    shown = app.test_client().get("/metrics", headers=headers).text
    samples = {
        sample.name: sample.value for family in text_string_to_metric_families(shown) for sample in family.samples
    }
    assert samples["tieout_completeness_behind_seconds"] == 300
    assert samples["tieout_completeness_open"] == 2
    assert samples["tieout_ends_found_by_following"] == 1
    engine.dispose()
