"""Closing a day: what stands in the way, what is kept, what becomes of it afterwards."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from bench import resume
from config.clock import FixedClock
from config.settings import Settings
from console.app import create_app
from recon.digest import TiedLine, line_text
from store.closed_days import Close
from store.days import Scope
from store.digests import canonical_texts
from store.engine import driver_url
from store.verdicts import judge_again
from tests.builders import ACCOUNT, BROKER, DAY, EVENING, GATEWAY
from tests.settled_day import RULES, judge
from tieout.closing import CannotCloseError, Signature, close_day, reopen_day
from tieout.desk.broker import BrokerWatch
from tieout.desk.day import as_json
from tieout.desk.day import day as day_of
from tieout.rules import rules_from
from verify.database import reading
from verify.day import verify

ASHA = Signature(by="Asha Rao", now=EVENING)


def close(engine: Engine, **but: Any) -> Close:
    """Close the day as Asha, in the evening."""
    named: dict[str, Any] = {"gateway": GATEWAY, "trade_date": DAY, "signature": ASHA, "rules": RULES}
    return close_day(engine, **(named | but))


@pytest.fixture(name="database_url")
def _database_url(settled_url: str) -> str:
    """A copy of the small day, told and judged."""
    return settled_url


@pytest.fixture(name="told")
def _told(engine: Engine) -> Engine:
    """The small day, judged."""
    return engine


def run(engine: Engine, sql: str) -> None:
    """Change something behind the service's back."""
    with engine.begin() as connection:
        connection.execute(text(sql))


def digest(engine: Engine) -> str | None:
    """The day's fingerprint."""
    with engine.connect() as connection:
        return day_of(connection, gateway=GATEWAY, trade_date=DAY, as_of=EVENING).digest


def signed(engine: Engine) -> bool:
    """What `day --json` says of the signature."""
    with engine.connect() as connection:
        return bool(as_json(day_of(connection, gateway=GATEWAY, trade_date=DAY, as_of=EVENING))["signed"])


def test_a_day_that_adds_up_is_closed_once(told: Engine) -> None:
    """Its totals, rules and every row it rests on are sealed; a second close is refused."""
    assert not signed(told)
    closed = close(told)

    with told.connect() as connection:
        kept = connection.execute(text("select * from closed_days")).one()
        counted = connection.execute(text("select table_name, count(*) as n from sealed_rows group by 1"))
        tables = {row.table_name: row.n for row in counted}
    assert signed(told)
    assert (kept.closed_by, kept.version, kept.totals["orders"]["unaccounted"]["count"]) == ("Asha Rao", 1, 0)
    assert (kept.rules["name"], kept.rules["price_slack"], kept.previous) == ("default", "0", None)
    assert tables["our_lines"] == 10
    assert tables["verdicts"] == tables["their_lines"] + 2
    assert sum(tables.values()) == kept.rows == closed.rows
    with pytest.raises(CannotCloseError, match=r"closed already, by Asha Rao at .* IST: reopen it first"):
        close(told)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("delete from line_verdicts where ours = (select line from our_lines where order_id = 'O-0')", "2 lines, 20"),
        ("update transactions set rev = rev + 1 where transaction_id like '%3'", "1 transactions are not judged"),
        ("update events set state = 'waiting'", "8 webhooks of the day are not settled"),
    ],
)
def test_what_is_unaccounted_not_judged_or_unsettled_stands_in_the_way(told: Engine, sql: str, words: str) -> None:
    """The refusal says what and how many, and nothing is written."""
    run(told, sql)

    with pytest.raises(CannotCloseError, match=words):
        close(told)
    assert not signed(told)


def test_a_day_is_not_closed_before_it_is_over(told: Engine) -> None:
    """While the session lasts more may come."""
    with pytest.raises(CannotCloseError, match="not over"):
        close(told, signature=Signature(by="Asha", now=EVENING - timedelta(hours=8)))


def test_books_that_are_not_in_need_a_reason(told: Engine) -> None:
    """Between the close of the session and the hour of the books an import must have said that they are complete."""
    run(told, "update imports set complete_for = null")
    early = EVENING - timedelta(hours=2)
    with pytest.raises(CannotCloseError, match="the books are not all in") as refused:
        close(told, signature=Signature(by="Asha", now=early))
    assert refused.value.forgivable

    closed = close(told, signature=Signature(by="Asha", now=early, despite="the desk confirms that these are all"))
    assert closed.despite == "the desk confirms that these are all"


def test_what_is_pending_needs_a_reason_or_a_policy(told: Engine) -> None:
    """An unsettled webhook may be forgiven by a reason that is kept, or by the number that policy allows."""
    run(told, "update events set state = 'parked', reason = 'poison' where batch_id = 'B-0'")
    with pytest.raises(CannotCloseError):
        close(told)

    close(told, allowed=1)
    with told.connect() as connection:
        pending = connection.execute(text("select pending from closed_days")).scalar_one()
    assert [(each["name"], each["count"]) for each in pending] == [("events", 1)]


@pytest.mark.parametrize("name", ["unmapped", "isin-unmapped"])
def test_what_no_table_of_instruments_knows_needs_a_reason(told: Engine, name: str) -> None:
    """However many may be pending, such a day is signed only with a reason, and both are kept."""
    run(told, f"update findings set name = '{name}' where name = 'qty-requested' and closed_at is null")
    with pytest.raises(CannotCloseError, match=rf"\A1 findings are {name}: `tieout import instruments`") as refused:
        close(told, allowed=100)
    assert refused.value.forgivable
    assert not signed(told)

    close(told, signature=Signature(by="Asha", now=EVENING, despite="listed today, the table comes tomorrow"))
    with told.connect() as connection:
        pending = connection.execute(text("select pending from closed_days")).scalar_one()
    assert [(each["name"], each["count"]) for each in pending] == [(name, 1)]


def test_of_two_who_close_a_day_at_once_one_does(told: Engine) -> None:
    """The other waits, sees it closed, and is told by whom."""

    def try_to(_: int) -> str:
        try:
            return f"closed by {close(told).closed_by}"
        except CannotCloseError as error:
            return error.reasons[0][:35]

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(try_to, range(2)))
    assert said == ["closed by Asha Rao", "it is closed already, by Asha Rao a"]


def test_a_reopened_day_is_closed_again_as_its_next_version(told: Engine) -> None:
    """The first signature stays on record, and the second follows from it."""
    first = close(told)
    reopen_day(told, gateway=GATEWAY, trade_date=DAY, signature=Signature(by="Ravi", now=EVENING, why="a late file"))
    assert not signed(told)
    second = close(told)

    with told.connect() as connection:
        kept = connection.execute(text("select version, reopened_by, previous, root from closed_days order by 1")).all()
    assert [(row.version, row.reopened_by) for row in kept] == [(1, "Ravi"), (2, None)]
    assert kept[1].previous == kept[0].root == first.root
    assert second.digest == first.digest


def test_the_desk_shows_the_signature_and_that_it_stands_no_more(told: Engine) -> None:
    """Who closed the day, the root, and after a change that it is another day."""
    root = close(told).root.hex()
    settings = Settings()
    desk = create_app(
        settings, engine=told, watch=BrokerWatch("redis://127.0.0.1:1/0"), clock=FixedClock(EVENING),
        rules=rules_from(settings),
    ).test_client()  # fmt: skip
    host = {"Host": f"127.0.0.1:{settings.console_port}"}

    page = desk.get(f"/day/{DAY}", headers=host).text
    assert "Closed by Asha Rao" in page
    assert root in page
    run(told, "update our_lines set average_price = 421 where order_id = 'O-0'")
    assert "has changed since Asha Rao closed it" in desk.get(f"/day/{DAY}", headers=host).text


def test_reopening_needs_a_close_and_a_reason(told: Engine) -> None:
    """Both are refused in words."""
    for why, words in ((None, "say why"), ("x", "not closed")):
        with pytest.raises(CannotCloseError, match=words):
            reopen_day(told, gateway=GATEWAY, trade_date=DAY, signature=Signature(by="Ravi", now=EVENING, why=why))


def test_a_day_that_changed_since_is_signed_no_more(told: Engine) -> None:
    """It stays closed on record, and the day says that it is another."""
    close(told)
    run(told, "update our_lines set average_price = 421 where order_id = 'O-0'")
    assert not signed(told)


def test_judging_again_what_did_not_change_keeps_the_signature(told: Engine) -> None:
    """The same facts under the same rules say the same, and every row is what was sealed."""
    close(told)
    run(told, "update transactions set rev = rev + 1")
    judge(told, EVENING + timedelta(days=3))

    assert signed(told)
    with reading(driver_url(told.url.render_as_string(hide_password=False))) as reader:
        assert verify(reader, day=DAY, tell=lambda _step: None)[1].holds


def test_a_closed_day_is_left_alone_when_everything_is_judged_anew(told: Engine) -> None:
    """It stands by the rules under which it was signed, until it is reopened."""
    close(told)
    for due in (0, 9):
        with told.begin() as connection:
            judge_again(connection, gateway=GATEWAY)
            count = "select count(*) from unjudged"
            assert connection.execute(text(count)).scalar_one() == due
        if not due:
            again = Signature(by="Ravi", now=EVENING, why="new rules")
            reopen_day(told, gateway=GATEWAY, trade_date=DAY, signature=again)


def test_a_killed_run_taken_up_again_leaves_the_digest_of_an_undisturbed_one(told: Engine) -> None:
    """Killed in a process of its own, after a range was paired and before all of it was judged."""
    expected = digest(told)
    run(told, "update transactions set rev = rev + 1")
    killed = resume.run(told, 1, now=EVENING, die_at=3, check=False)
    assert killed.returncode == -signal.SIGKILL

    resume.run(told, 1, now=EVENING)
    assert digest(told) == expected


def test_the_digest_is_the_same_in_python_and_in_the_database(told: Engine) -> None:
    """What `recon.digest` writes of a line is what PostgreSQL writes, whatever characters are in it."""
    name = '"\\é€😀\t/'
    with told.begin() as connection:
        connection.execute(text("update our_lines set symbol = :n where order_id = 'STRAY'"), {"n": name})
    with told.connect() as connection:
        scope = Scope(gateway=GATEWAY, trade_date=DAY, book="live")
        found = [t for t in canonical_texts(connection, scope) if '"STRAY"' in t]
    stray = (
        "STRAY",
        ACCOUNT,
        BROKER,
        "2026-11-20",
        "NSE",
        name,
        "NSE:AXISBANK",
        "BUY",
        "10",
        "10",
        "420.1",
        "COMPLETE",
    )

    assert found == [line_text(TiedLine(ours=stray, theirs=(), bucket="excluded"))]
