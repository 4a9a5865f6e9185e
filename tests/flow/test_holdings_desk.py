"""Holdings as people and machines see them: the command line and the console over told accounts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import text

from cli import context
from cli.main import tieout
from config.clock import FixedClock
from config.settings import Settings
from console.app import create_app, reading_engine
from store.engine import connect
from tests.desk_story import GATEWAY, NOW
from tests.holdings_story import FORBIDDEN, FUND_EVENT, HELD, NEW, ODD, PLAYED, STALE, UPDATING
from tieout.desk.broker import BrokerWatch
from tieout.rules import rules_from

PORT = 8081
HOST = f"127.0.0.1:{PORT}"
STATES = {
    HELD: "ok",
    ODD: "undated",
    FORBIDDEN: "needs-consent",
    UPDATING: "updating",
    STALE: "stale",
    NEW: "new",
    PLAYED: "empty",
}


@pytest.fixture(autouse=True)
def _settings(told_url: str, broker_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings that lead the command line to the told accounts."""
    clock = tmp_path / "clock"
    clock.write_text(NOW.isoformat())
    named = {"DATABASE_URL": told_url, "BROKER_URL": broker_url, "CLOCK_FILE": str(clock), "SIMULATED": "true"}
    named |= {"GATEWAY_NAME": GATEWAY, "GATEWAY_SECRETS": "k1:one", "GATEWAY_API_SECRETS": "k1:two"}
    for name, value in named.items():
        monkeypatch.setenv(f"TIEOUT_{name}", value)
    context.settings.cache_clear()


@pytest.fixture(name="client")
def _client(told_url: str) -> Iterator[FlaskClient]:
    """The console over the told accounts."""
    settings, engine = Settings(console_port=PORT), reading_engine(told_url)
    watch, clock = BrokerWatch("redis://127.0.0.1:1/0"), FixedClock(NOW)
    app = create_app(settings, engine=engine, watch=watch, clock=clock, rules=rules_from(settings))
    yield app.test_client()
    engine.dispose()


def _run(*words: str) -> Result:
    return CliRunner().invoke(tieout, ("holdings", *words))


def _objects(*words: str) -> list[dict[str, Any]]:
    result = _run(*words)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_account_is_listed_with_its_state_and_the_next_step() -> None:
    """As of now: what was fresh when it was fetched may be stale by now."""
    rows = {row["account"]: row for row in _objects("--json")}
    assert {account: row["state"] for account, row in rows.items()} == STATES
    assert all(row["next_step"] for row in rows.values())
    assert rows[PLAYED]["book"] == "test"
    assert (rows[HELD]["lines"], rows[ODD]["refused"], rows[UPDATING]["waits_for"]) == (5, 5, "busy")


def test_a_listing_is_narrowed_and_written_as_csv() -> None:
    """By state and book."""
    assert [row["account"] for row in _objects("list", "--state", "stale", "--json")] == [STALE]
    assert [row["account"] for row in _objects("--book", "test", "--json")] == [PLAYED]
    table = list(csv.DictReader(io.StringIO(_run("--csv").stdout)))
    assert {row["account"] for row in table} == set(STATES)


def test_people_get_a_table_and_the_counts() -> None:
    """The accounts, then each state with its next step in words."""
    result = _run()
    assert result.exit_code == 0
    assert FORBIDDEN in result.stdout
    assert "1 live needs-consent: Have the customer go through a HOLDINGS_IMPORT" in result.stderr


def test_one_account_is_shown_whole() -> None:
    """Every quantity, funds by the API and by a webhook, smallcases, investments, what was not understood."""
    (whole,) = _objects("show", HELD, "--json")
    axis, other = whole["securities"]
    assert (axis["held"], axis["t1"], axis["collateral"], axis["suspended_bse"]) == (
        "10.000000",
        "3.000000",
        "2.000000",
        True,
    )
    assert (other["nse_ticker"], other["bse_quantity"]) == (None, "-2.000000")
    assert [fund["entry"] for fund in whole["mutual_funds_told"]] == ["holding", "transaction"]
    assert [len(whole[name]) for name in ("mutual_funds", "smallcases", "investments", "answers")] == [1, 2, 2, 3]
    (odd,) = _objects("show", ODD, "--json")
    assert {"securities[].lotSize", "region"} <= {each["path"] for each in odd["not_understood_keys"]}


def test_one_account_s_securities_are_written_as_csv_and_as_a_table() -> None:
    """All quantities in the one, the main ones in the other."""
    table = list(csv.DictReader(io.StringIO(_run("show", HELD, "--csv").stdout)))
    assert [row["held"] for row in table] == ["10.000000", "5.000000"]
    assert "INE238A01034" in _run("show", HELD).stdout


def test_what_mutual_fund_webhooks_told_is_listed() -> None:
    """Row by row, with the webhook it comes from."""
    rows = _objects("funds", "--json")
    assert [(row["entry"], row["folio"], row["quantity"]) for row in rows] == [
        ("holding", "9100012345/67", "123.456700"),
        ("transaction", "910001234567", "10.500000"),
    ]
    assert {row["event_id"] for row in rows} == {str(FUND_EVENT)}
    assert "A flexi cap fund" in " ".join(_run("funds").stdout.split())
    assert _objects("funds", "--account", ODD, "--json") == []


def test_the_states_are_gauges(client: FlaskClient) -> None:
    """By book and state."""
    said = client.get("/metrics", headers={"Host": HOST}).text
    assert 'tieout_holdings_accounts{book="live",state="needs-consent"} 1.0' in said


def test_what_was_known_before_anything_was_is_nothing() -> None:
    """`--as-of` looks at what was known then."""
    (whole,) = _objects("show", HELD, "--as-of", "2026-01-01T09:00", "--json")
    assert (whole["securities"], whole["answers"]) == ([], [])


def test_an_unknown_account_is_a_wrong_call_with_the_way_out() -> None:
    """It says what to do."""
    result = _run("show", "nobody")
    assert result.exit_code == 2
    assert "tieout holdings fetch" in result.stderr


def test_accounts_are_fetched_by_name_or_all_together(told_url: str) -> None:
    """Their next fetch is now; naming none, both, or what is no account is a wrong call."""
    assert _run("fetch").exit_code == 2
    assert _run("fetch", HELD, "--all").exit_code == 2
    assert "24 hex digits" in _run("fetch", "nobody").stderr
    assert _objects("fetch", "--all", "--json") == [{"gateway": GATEWAY, "accounts": len(STATES)}]
    engine = connect(told_url)
    with engine.begin() as connection:
        due = connection.execute(
            text("select count(*) from holding_accounts where next_fetch_at <= :now"), {"now": NOW}
        )
        assert due.scalar_one() == len(STATES)
        connection.execute(text("update holding_accounts set next_fetch_at = :at"), {"at": NOW})
    engine.dispose()


def test_the_console_lists_accounts_by_state(client: FlaskClient) -> None:
    """With the next step in words, filters in the address, and a page for each account."""
    page = client.get("/holdings", headers={"Host": HOST}).text
    assert all(account in page for account in STATES)
    assert "agree to it once" in page
    only = client.get("/holdings?state=stale", headers={"Host": HOST}).text
    assert (STALE in only, UPDATING in only) == (True, False)


@pytest.mark.parametrize("account", [HELD, ODD, FORBIDDEN, NEW])
def test_the_console_shows_one_account(account: str, client: FlaskClient) -> None:
    """Also one of which nothing is known yet."""
    answer = client.get(f"/holdings/{account}", headers={"Host": HOST})
    assert answer.status_code == 200
    assert account in answer.text


def test_the_console_says_how_an_unknown_account_gets_there(client: FlaskClient) -> None:
    """A 404 with the command."""
    answer = client.get("/holdings/nobody", headers={"Host": HOST})
    assert answer.status_code == 404
    assert "tieout holdings fetch" in answer.text
