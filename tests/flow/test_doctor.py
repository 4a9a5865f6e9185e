"""`tieout doctor`: what it sees and what it advises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import context
from cli.doctor import doctor
from config.keys import parse_keys
from config.servers import start_postgres
from config.settings import Gateway
from gateway.client import GatewayBusy, Reply
from store.engine import connect
from store.migrate import migrate
from tieout.gateway_check import gateway_check

ACME = Gateway(
    name="acme", url="https://gateway.example", secrets=parse_keys("j:tokens"), api_secrets=parse_keys("a:hooks")
)
UNKNOWN = Reply(http_status=404, body=b'{"success":false,"errors":["transaction not found"]}', took_ms=1)
REFUSED = Reply(http_status=401, body=b'{"success":false,"errors":["Invalid JWT"]}', took_ms=1)


def _api(gateway: Gateway, _: str) -> Reply:
    """The Gateway as `acme` has it: it knows no transaction, and answers nobody without both keys."""
    right = (gateway.secrets, gateway.api_secrets) == (ACME.secrets, ACME.api_secrets)
    return UNKNOWN if right else REFUSED


def _away(_: Gateway, __: str) -> Reply:
    raise GatewayBusy("no answer: ConnectTimeout")


@pytest.fixture(name="_settings", autouse=True)
def _settings() -> Iterator[None]:
    """Settings are read anew, before and after."""
    context.settings.cache_clear()
    yield
    context.settings.cache_clear()


@pytest.fixture(name="durable_url")
def _durable_url(servers_folder: Path) -> Iterator[str]:
    """The address of a database on a server as the product starts it: the other tests' waits for no disk."""
    server = start_postgres(servers_folder / "durable")
    engine = connect(server.url)
    migrate(engine)
    engine.dispose()
    yield server.url
    server.stop()


def test_right_keys_are_told_that_the_transaction_is_unknown() -> None:
    """The API answered the question, so it took the keys."""
    assert gateway_check(ACME, ask=_api).ok


def test_crossed_keys_are_recognised() -> None:
    """The API takes them the other way round, so that is the advice."""
    crossed = replace(ACME, secrets=ACME.api_secrets, api_secrets=ACME.secrets)
    check = gateway_check(crossed, ask=_api)

    assert (check.ok, "crossed" in check.detail, "swap" in check.fix) == (False, True, True)


def test_wrong_keys_are_told_from_crossed_ones() -> None:
    """The API refuses both ways round; what it says is passed on, the keys are not."""
    check = gateway_check(replace(ACME, secrets=parse_keys("j:other")), ask=_api)

    assert (check.ok, "Invalid JWT" in check.detail, "fingerprints" in check.fix) == (False, True, True)
    assert "other" not in check.detail


def test_no_answer_says_nothing_about_the_keys() -> None:
    """The advice is about the way there."""
    check = gateway_check(ACME, ask=_away)

    assert (check.ok, "network" in check.fix) == (False, True)


def test_each_check_is_one_object(
    durable_url: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every object has the four names; a misspelt setting and equal secrets are found, servers are well."""
    given = {
        "DATABASE_URL": durable_url,
        "BROKER_URL": broker_url,
        "HOME": str(tmp_path),
        "GATEWAY_NAME": "acme",
        "GATEWAY_SECRETS": "k1:the-same",
        "GATEWAY_API_SECRETS": "k1:the-same",
        "EDGE_PROT": "1",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"TIEOUT_{name}", value)
    result = CliRunner().invoke(doctor, ["--json"])
    found = {line["check"]: line for line in map(json.loads, result.stdout.splitlines())}

    assert all(list(line) == ["check", "ok", "detail", "fix"] for line in found.values())
    assert result.exit_code == 1
    assert "TIEOUT_EDGE_PORT" in found["settings"]["fix"]
    assert not found["keys acme"]["ok"]
    assert all(found[name]["ok"] for name in ("database", "clock", "broker", "broker eviction", "broker durability"))
    assert "the-same" not in result.stdout


def test_a_server_that_is_away_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the checks are still there."""
    monkeypatch.setenv("TIEOUT_DATABASE_URL", "postgresql://u:pass@127.0.0.1:1/none")
    monkeypatch.setenv("TIEOUT_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("TIEOUT_HOME", str(tmp_path))
    result = CliRunner().invoke(doctor, ["--json"])
    checks = [json.loads(line) for line in result.stdout.splitlines()]

    assert result.exit_code == 1
    assert [line["check"] for line in checks][:3] == ["python", "settings", "disk"]
    assert "TIEOUT_DATABASE_URL" in checks[-1]["detail"] + checks[-1]["fix"]
