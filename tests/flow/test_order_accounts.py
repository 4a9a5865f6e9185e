"""Books that name the company's own users: each is the account linked to it, without an invented break."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from config.calendar import exchange_calendar
from config.settings import Gateway
from recon.values import Origin, Policy
from store.transactions import ensure
from tieout.accounts import BY_HAND, Link, learn, link, unlink
from tieout.import_report import Report
from tieout.imports import import_file
from tieout.rules import Rules

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
T1 = "TRX_" + "1" * 32
ACCOUNT, SECOND = "5f0321b5f3743c31d95abd35", "6f0321b5f3743c31d95abd36"
ACME = Gateway(name="acme", url="", secrets=(), api_secrets=(), book="test")
HEADER = "order_id,transaction_id,account,trade_date,exchange,symbol,side,quantity,broker"
Import = Callable[..., Report]


@pytest.fixture(name="imports")
def _imports(engine: Engine, tmp_path: Path) -> Import:
    """Imports rows of orders."""
    rules = Rules(Policy(), exchange_calendar())

    def run(*rows: str) -> Report:
        file = tmp_path / "orders.csv"
        file.write_text("\n".join([HEADER, *rows]))
        return import_file(engine, kind="orders", file=file, gateways=[ACME], now=NOW, rules=rules)

    return run


def a_row(order: str, account: str, *, transaction: str = T1, broker: str = "") -> str:
    """One order."""
    return f"{order},{transaction},{account},2026-11-20,NSE,TCS,BUY,10,{broker}"


def _give(engine: Engine, account: str, user: str, broker: str | None = None) -> None:
    with engine.begin() as connection:
        wanted = Link(gateway="acme", book="test", account=account, user_ref=user, source=BY_HAND, by="test")
        assert link(connection, wanted, now=NOW).change == "linked"
        connection.execute(text("update accounts set broker = :b where account = :a"), {"a": account, "b": broker})


def _stored(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("select account from our_lines order by order_id")).scalars())


def test_a_linked_user_is_stored_as_the_account(engine: Engine, imports: Import) -> None:
    """By the link, so that both sides name the same; the cells stay as they stood."""
    _give(engine, ACCOUNT, "u-17")
    imports(a_row("A", "u-17"), a_row("B", ACCOUNT), a_row("C", "u-18"))
    assert _stored(engine) == [ACCOUNT, ACCOUNT, "u-18"]
    with engine.connect() as connection:
        raw = connection.execute(text("select raw ->> 'account' from line_versions order by line")).scalars()
        assert list(raw) == ["u-17", ACCOUNT, "u-18"]


def test_importing_again_after_a_link_changes_nothing(engine: Engine, imports: Import) -> None:
    """The row says what it said; what it means follows from the link."""
    imports(a_row("A", "u-17"))
    _give(engine, ACCOUNT, "u-17")
    report = imports(a_row("A", "u-17"))
    assert (report.new, report.changed, report.unchanged) == (0, 0, 1)


def test_an_accounts_own_id_is_itself_whoever_is_called_so(engine: Engine, imports: Import) -> None:
    """A user whose id looks like a known account cannot take its lines."""
    _give(engine, ACCOUNT, "u-1")
    with engine.begin() as connection:
        wanted = Link(gateway="acme", book="test", account=SECOND, user_ref=ACCOUNT, source=BY_HAND, by="test")
        assert link(connection, wanted, now=NOW).reason == "user-is-an-account"
    imports(a_row("A", ACCOUNT))
    assert _stored(engine) == [ACCOUNT]


def test_of_several_accounts_the_one_that_logged_in_is_meant(engine: Engine, imports: Import) -> None:
    """Else the one at the row's broker; else it is said that nothing tells."""
    _give(engine, ACCOUNT, "u-17", "kite")
    _give(engine, SECOND, "u-17", "groww")
    _made_by(engine, SECOND)
    other = "TRX_" + "2" * 32
    report = imports(
        a_row("A", "u-17"), a_row("B", "u-17", transaction=other, broker="KITE"), a_row("C", "u-17", transaction=other)
    )
    assert _stored(engine) == [SECOND, ACCOUNT, "u-17"]
    assert any("1 rows name a user with several accounts" in note for note in report.notes)


def test_an_account_that_is_not_the_users_is_not_taken_for_his(engine: Engine, imports: Import) -> None:
    """The user's only account did not make the transaction: the row keeps the user, and the difference shows."""
    _give(engine, ACCOUNT, "u-17")
    _made_by(engine, SECOND)
    imports(a_row("A", "u-17"))
    assert _stored(engine) == ["u-17"]


def test_a_link_that_comes_later_has_its_lines_stored_and_judged_again(engine: Engine, imports: Import) -> None:
    """As the account, with new facts, as if the link had been there; taking it away later changes no line."""
    _give(engine, SECOND, "u-99")
    imports(a_row("A", "u-17"), a_row("B", ACCOUNT))
    _run(engine, "delete from unjudged")
    _give(engine, ACCOUNT, "u-17")
    assert _stored(engine) == [ACCOUNT, ACCOUNT]
    facts = _column(engine, "select distinct facts from our_lines")
    assert len(facts) == 1
    assert _column(engine, "select count(*) from unjudged") == [1]
    with engine.begin() as connection:
        unlink(connection, gateway="acme", account=ACCOUNT, reason="test", by="test", now=NOW)
    assert _stored(engine) == [ACCOUNT, ACCOUNT]


def test_an_answer_that_comes_later_tells_which_of_several_is_meant(engine: Engine, imports: Import) -> None:
    """Until then the row keeps the user; learning who logged in settles it."""
    _give(engine, ACCOUNT, "u-17")
    _give(engine, SECOND, "u-17")
    imports(a_row("A", "u-17"))
    assert _stored(engine) == ["u-17"]
    _run(engine, "update transactions set account = :a, known = true", a=SECOND)
    with engine.begin() as connection:
        txns = list(connection.execute(text("select txn from transactions")).scalars())
        learn(connection, txns=txns, now=NOW)
    assert _stored(engine) == [SECOND]


def test_an_import_asks_for_users_once_a_batch(engine: Engine, imports: Import) -> None:
    """However many rows and users: a few statements, not one a row."""
    _give(engine, ACCOUNT, "u-1")
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *a: asked.append(str(a[2])))
    imports(*(a_row(f"o{n}", f"u-{n % 300}", transaction=f"TRX_{n:032x}") for n in range(2100)))
    assert sum("join accounts" in statement for statement in asked) <= 2
    with engine.connect() as connection:
        count = connection.execute(text("select count(*) from our_lines where account = :a"), {"a": ACCOUNT})
        assert count.scalar_one() == len([n for n in range(2100) if n % 300 == 1])


def _run(engine: Engine, sql: str, **named: object) -> None:
    with engine.begin() as connection:
        connection.execute(text(sql), named)


def _column(engine: Engine, sql: str) -> list[object]:
    with engine.connect() as connection:
        return list(connection.execute(text(sql)).scalars())


def _made_by(engine: Engine, account: str) -> None:
    with engine.begin() as connection:
        ensure(connection, gateway="acme", book="test", origin=Origin.IMPORT, ids=[T1], now=NOW)
        connection.execute(text("update transactions set account = :a"), {"a": account})
