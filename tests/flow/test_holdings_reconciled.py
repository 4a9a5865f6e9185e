"""Holdings reconciled against a real database: what differs, why, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from config.calendar import exchange_calendar
from config.clock import FixedClock
from config.settings import Settings
from console.app import create_app, reading_engine
from recon.values import Policy
from tests.holdings_told import ACCOUNT, GATEWAY, INFY, NOW, OTHER, TCS, Told
from tieout.desk.broker import BrokerWatch
from tieout.desk.day import as_json, day
from tieout.holding_rules import HoldingRules
from tieout.rules import Rules

DAY = NOW.date()
PORT = 8081
HOST = f"127.0.0.1:{PORT}"


@pytest.fixture(name="told")
def _told(engine: Engine, tmp_path: Path) -> Told:
    """This test's own database."""
    return Told(engine, tmp_path)


def the_day(told: Told) -> dict[str, Any]:
    """The day as `tieout day --json` prints it."""
    with told.engine.connect() as connection:
        return as_json(day(connection, gateway=GATEWAY.name, trade_date=DAY, as_of=NOW, book="live"))


def findings(told: Told, columns: str = "name, class") -> list[tuple[Any, ...]]:
    """The open findings about holdings."""
    query = f"select {columns} from findings where account is not null and closed_at is null order by isin, name"
    with told.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_ten_more_than_the_books_are_taken_apart(told: Told) -> None:
    """Seven bought today that settle tomorrow, three that nobody explains; both sides add up."""
    told.positions({(ACCOUNT, INFY): 100, (ACCOUNT, TCS): 5})
    told.order("O1", "BUY", 7)
    told.answer(ACCOUNT, [{"isin": INFY, "held": 103, "nse": 7}, {"isin": TCS, "held": 5}])
    assert told.reconcile() == 1
    assert told.parts() == {INFY: {"unsettled-t1": 7, "unexplained": 3}, TCS: {}}
    assert findings(told) == [("unexplained", "break"), ("unsettled-t1", "pending")]
    held = the_day(told)["holdings"]
    assert {(b["name"], b["side"]): b["count"] for b in held["buckets"]} == {
        (name, side): 1 for name in ("matched", "unexplained") for side in ("ours", "theirs")
    }
    assert held["ours"] == {"count": 2, "quantity": "105", "amount": "42000"}
    assert (held["theirs"]["quantity"], held["unaccounted"]["count"]) == ("115", 0)
    assert held["unaccounted"] == {"count": 0, "quantity": "0", "amount": "0"}


def test_before_there_are_positions_nothing_is_said(told: Told) -> None:
    """And `holdings` of the day is null."""
    told.answer(ACCOUNT, [{"isin": INFY, "held": 100}])
    assert told.reconcile() == 0
    assert the_day(told)["holdings"] is None


def test_a_new_answer_closes_what_it_settles(told: Told) -> None:
    """The same break, by its id, closed; what did not change is not judged again."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": INFY, "held": 90}])
    assert told.reconcile() == 1
    assert findings(told, "name, difference::int, isin") == [("unexplained", 10, INFY)]
    assert told.reconcile() == 0
    told.answer(ACCOUNT, [{"isin": INFY, "held": 100}])
    assert told.reconcile() == 1
    assert findings(told) == []


def test_another_day_is_another_verdict_and_the_same_break(told: Told) -> None:
    """Verdicts are kept by day; the break ages."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": INFY, "held": 90}])
    told.reconcile()
    assert told.reconcile(now=NOW + timedelta(days=1)) == 1
    assert findings(told, "name, opened_at") == [("unexplained", NOW)]
    with told.engine.connect() as connection:
        assert connection.execute(text("select count(*) from holding_verdicts")).scalar_one() == 2


def test_a_corrected_position_and_an_order_have_the_account_reconciled_again(told: Told) -> None:
    """Imports do it by themselves."""
    told.answer(ACCOUNT, [{"isin": INFY, "held": 100, "nse": 7}])
    told.positions({(ACCOUNT, INFY): 90})
    assert told.parts() == {INFY: {"unexplained": 17}}
    told.positions({(ACCOUNT, INFY): 100})
    assert told.parts() == {INFY: {"unexplained": 7}}
    told.order("O1", "BUY", 7)
    assert told.parts() == {INFY: {"unsettled-t1": 7}}
    assert the_day(told)["holdings"]["unaccounted"]["count"] == 0


def test_two_accounts_of_one_user_are_held_against_each_other(told: Told) -> None:
    """Five missing here are the five too many there."""
    told.positions({(ACCOUNT, INFY): 100, (OTHER, INFY): 10})
    with told.engine.begin() as connection:
        for account in (ACCOUNT, OTHER):
            connection.execute(
                text("""
                insert into accounts (gateway, account, book, user_ref, first_seen_at, linked_at)
                values ('demo', :account, 'live', 'u1', :now, :now)"""),
                {"account": account, "now": NOW},
            )
    told.answer(ACCOUNT, [{"isin": INFY, "held": 95}])
    told.answer(OTHER, [{"isin": INFY, "held": 15}])
    told.reconcile()
    assert (told.parts(), told.parts(OTHER)) == ({INFY: {"wrong-account": -5}}, {INFY: {"wrong-account": 5}})


def test_an_open_order_break_is_the_root_and_the_holding_only_a_note(told: Told) -> None:
    """The Gateway says 10 filled, the books nothing: one defect, one break."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": INFY, "held": 110}])
    told.reconcile()
    assert findings(told) == [("unexplained", "break")]
    with told.engine.begin() as connection:
        for statement in _ORDER_BREAK.split(";"):
            connection.execute(text(statement), {"account": ACCOUNT, "isin": INFY, "now": NOW})
    assert told.reconcile() == 1
    assert findings(told, "name, class, root::text") == [
        ("orphan-fill", "note", "11111111-1111-4111-8111-111111111111")
    ]


_ORDER_BREAK = """
insert into transactions (gateway, transaction_id, book, origin, registered_at, account)
values ('demo', 'TRX_1', 'live', 'webhook', :now, :account);
insert into their_lines (txn, trade_date, plain, facts, book, batch_id, placed, position, exchange, symbol, instrument,
  side, quantity, filled, status)
select txn, '2026-01-12', false, '\\x00', 'live', 'B', true, 0, 'NSE', 'INFY', :isin, 'BUY', 10, 10, 'COMPLETE'
from transactions;
insert into findings (finding_id, txn, gateway, book, transaction_id, name, class, level, subject, field, impact_inr,
  critical, rule, rule_set, evidence, theirs_line, trade_date, rev, opened_at)
select '11111111-1111-4111-8111-111111111111', e.txn, 'demo', 'live', 'TRX_1', 'missing-internal', 'break', 'line',
  'x', 'line', 4000, false, 'r', 'default', '[]', e.line, '2026-01-12', 1, :now from their_lines e;
insert into finding_changes (finding_id, at, change, rev) select finding_id, :now, 'opened', 1 from findings
where txn is not null
"""


def test_accounts_that_are_not_exclusive_hold_what_is_the_customer_s_own(engine: Engine, tmp_path: Path) -> None:
    """A note where there is more, a break where there is less."""
    shared = Rules(Policy(), exchange_calendar(), holdings=HoldingRules(exclusive=False))
    told = Told(engine, tmp_path, shared)
    told.positions({(ACCOUNT, INFY): 100, (ACCOUNT, TCS): 5})
    told.answer(ACCOUNT, [{"isin": INFY, "held": 110}, {"isin": TCS, "held": 4}])
    told.reconcile()
    assert findings(told) == [("off-platform", "note"), ("off-platform-sale", "break")]


def test_positions_of_an_account_that_never_answered_wait(told: Told) -> None:
    """They are counted, and nothing is concluded."""
    told.positions({(OTHER, INFY): 10})
    held = the_day(told)["holdings"]
    assert [(b["name"], b["side"], b["quantity"]) for b in held["buckets"]] == [("pending", "ours", "10")]


def test_people_see_the_parts_on_the_page_of_the_break_and_the_holdings_on_the_day(told: Told) -> None:
    """From the books to the broker, step by step."""
    told.positions({(ACCOUNT, INFY): 100})
    told.order("O1", "BUY", 7)
    told.answer(ACCOUNT, [{"isin": INFY, "held": 103, "nse": 7}])
    told.reconcile()
    settings = Settings(_env_file=None, gateway_name="demo", console_port=PORT)
    url = told.engine.url.render_as_string(hide_password=False)
    watch, engine = BrokerWatch("redis://127.0.0.1:1/0"), reading_engine(url)
    client = create_app(settings, engine=engine, watch=watch, clock=FixedClock(NOW), rules=told.rules).test_client()
    (number,) = [row[1] for row in findings(told, "name, finding_id") if row[0] == "unexplained"]
    page = client.get(f"/breaks/{number}", headers={"Host": HOST}).get_data(as_text=True)
    assert "10 more than the books: 7 unsettled-t1; 3 unexplained" in page
    assert "held on 2026-01-13" in page
    listed = client.get("/breaks?state=all", headers={"Host": HOST}).get_data(as_text=True)
    assert f"/holdings/{ACCOUNT}" in listed
    account = client.get(f"/holdings/{ACCOUNT}", headers={"Host": HOST}).get_data(as_text=True)
    against = account.split("<caption>Against the books")[1].split("</table>")[0]
    assert "no evidence says why" in against
    assert "settle" in against
    for against, there in (("differ", True), ("agree", False), ("pending", False)):
        found = client.get(f"/holdings?against={against}", headers={"Host": HOST}).get_data(as_text=True)
        assert (f'href="/holdings/{ACCOUNT}' in found) == there, against
    assert client.get("/holdings?against=x", headers={"Host": HOST}).status_code == 400
    shown = client.get("/day/2026-01-14", headers={"Host": HOST}).get_data(as_text=True)
    assert "Holdings of demo" in shown
    engine.dispose()
