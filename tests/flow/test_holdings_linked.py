"""Which accounts are followed for their holdings: linked ones from the link on, unlinked ones no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import jwt
import pytest
from sqlalchemy import Engine, text

from config.clock import FixedClock
from store.dispatch import Share
from store.holding_due import due
from store.progress import open_work
from tests.holdings_stub import HoldingsStub, holdings_stub
from tests.shops import JWT, a_shop
from tieout.accounts import Link, link, link_by_token, unlink
from tieout.desk.holdings import HoldingsFilter, listing
from tieout.holding_states import HoldingsPlan, closed_before, next_due
from tieout.holdings import fetch, known_accounts, settle_holdings
from tieout.imports import import_file
from tieout.shop import Shop

NOW = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)  #: a Wednesday, two hours after the close
ACCOUNT = "5f0321b5f3743c31d95abd35"


@pytest.fixture(name="stub")
def _stub() -> Iterator[HoldingsStub]:
    """The stand-in of the Gateway."""
    with holdings_stub() as stub:
        yield stub


@pytest.fixture(name="shop")
def _shop(database_url: str, engine: Engine, broker_url: str, stub: HoldingsStub) -> Iterator[Shop]:
    """What settling needs, asking an account as often as it likes."""
    with a_shop(database_url, broker_url, stub.url, holdings_investments=False) as shop:
        yield replace(shop, clock=FixedClock(NOW))


def linked(engine: Engine, user: str = "u-1", *, now: datetime = NOW) -> None:
    """A person links the account."""
    wanted = Link(gateway="demo", book="live", account=ACCOUNT, user_ref=user, source="by-hand", by="Asha")
    with engine.begin() as connection:
        assert link(connection, wanted, now=now).change == "linked"


def unlinked(engine: Engine) -> None:
    """A person unlinks it."""
    with engine.begin() as connection:
        unlink(connection, gateway="demo", account=ACCOUNT, reason="wrong login", by="Asha", now=NOW)


def heard(engine: Engine) -> None:
    """A webhook about its holdings is stored."""
    with engine.begin() as connection:
        connection.execute(
            text("""
            insert into events (event_id, gateway, book, family, account, key_id, received_at, state, next_attempt_at)
            values (:id, 'demo', 'live', 'holdings', :a, 'k1', :now, 'received', clock_timestamp())"""),
            {"id": uuid4(), "a": ACCOUNT, "now": NOW},
        )


def units_due(engine: Engine, now: datetime = NOW) -> list[str]:
    """What the sweep would announce of holdings."""
    pauses = {"first": timedelta(0), "most": timedelta(0)}
    with engine.begin() as connection:
        return due(connection, Share(gateway="demo", limit=10, retries=1), now=now, **pauses)


def one(engine: Engine, sql: str) -> tuple[object, ...]:
    """The one row of a question."""
    with engine.connect() as connection:
        return tuple(connection.execute(text(sql)).one())


def test_an_account_that_only_a_token_linked_is_fetched_and_followed(
    shop: Shop, engine: Engine, stub: HoldingsStub
) -> None:
    """Nothing but the SDK's token names it: it is due at once, then after each close."""
    gateway = shop.gateways["demo"]
    token = jwt.encode({"smallcaseAuthId": ACCOUNT, "exp": 4102444800}, JWT, algorithm="HS256")
    with engine.begin() as connection:
        link_by_token(connection, token, gateway=gateway, others=(), user_ref="u-1", by="key", now=NOW, wall=NOW)
        assert open_work(connection, gateway="demo", now=NOW).asks == 1
    settle_holdings(shop, units_due(engine))

    after = next_due(shop.rules.calendar, NOW, HoldingsPlan())
    assert one(engine, "select origin, state, next_fetch_at from holding_accounts") == ("link", "ok", after)
    assert units_due(engine) == []
    assert units_due(engine, after) == [f"demo:holdings:{ACCOUNT}"]
    assert stub.of("holdings") == [ACCOUNT]


def test_an_unlinked_account_is_asked_for_no_more_whatever_comes(
    shop: Shop, engine: Engine, stub: HoldingsStub
) -> None:
    """No close, webhook or fetch reaches the Gateway; its webhooks are done, and its attempts say why."""
    linked(engine)
    unlinked(engine)
    heard(engine)
    settle_holdings(shop, [f"demo:holdings:{ACCOUNT}"])

    assert fetch(engine, gateway=shop.gateways["demo"], accounts=[ACCOUNT], now=NOW) == []
    assert known_accounts(engine, "demo") == []
    assert units_due(engine, NOW + timedelta(days=30)) == []
    assert stub.asked == []
    assert one(engine, "select state, next_fetch_at from holding_accounts") == ("unlinked", None)
    assert one(engine, "select state, reason from events") == ("done", None)
    assert one(engine, "select array_agg(detail order by attempt_id) from holding_attempts") == (
        [
            "unlinked by Asha: wrong login",
            "1 webhooks came: not asked for, since the account is linked to nobody any more",
        ],
    )


def test_its_state_is_listed_with_the_next_step(shop: Shop, engine: Engine) -> None:
    """People find it by its state, and read how it is taken up."""
    linked(engine)
    unlinked(engine)

    closed = closed_before(shop.rules.calendar, NOW, HoldingsPlan())
    (row,) = listing(engine, HoldingsFilter(states=["unlinked"]), closed=closed, limit=None)
    assert (row["account"], "link it again" in str(row["next_step"])) == (ACCOUNT, True)


def test_linking_again_takes_it_up(shop: Shop, engine: Engine, stub: HoldingsStub) -> None:
    """It is new again and due now, whoever has it."""
    linked(engine)
    unlinked(engine)
    linked(engine, "u-2")
    assert one(engine, "select state, next_fetch_at from holding_accounts") == ("new", NOW)

    settle_holdings(shop, units_due(engine))
    assert one(engine, "select state from holding_accounts") == ("ok",)
    assert stub.of("holdings") == [ACCOUNT]


def test_an_answer_that_comes_after_the_unlinking_is_not_kept(shop: Shop, engine: Engine, stub: HoldingsStub) -> None:
    """The claim under way is void: nothing is stored of somebody who is nobody's any more."""
    linked(engine)
    heard(engine)
    stub.gate.clear()
    asking = threading.Thread(target=settle_holdings, args=(shop, [f"demo:holdings:{ACCOUNT}"]))
    asking.start()
    assert stub.began.wait(10)
    unlinked(engine)
    stub.gate.set()
    asking.join(10)

    assert one(engine, "select state, next_fetch_at, lease_until from holding_accounts") == ("unlinked", None, None)
    assert one(engine, "select count(*) from holding_snapshots") == (0,)
    assert one(engine, "select state from events") == ("done",)


def test_an_account_that_the_books_hold_something_of_is_fetched(shop: Shop, engine: Engine, tmp_path: Path) -> None:
    """Its positions name it before anything else does; importing them again asks for nothing more."""
    file = tmp_path / "positions.csv"
    file.write_text(f"account,as_of,isin,quantity\n{ACCOUNT},2026-01-14,INE009A01021,10\n")
    given = {"kind": "positions", "file": file, "gateways": tuple(shop.gateways.values()), "rules": shop.rules}
    import_file(engine, **given, now=NOW)  # type: ignore[arg-type]
    assert units_due(engine) == [f"demo:holdings:{ACCOUNT}"]

    settle_holdings(shop, [f"demo:holdings:{ACCOUNT}"])
    import_file(engine, **given, now=NOW)  # type: ignore[arg-type]
    assert units_due(engine) == []
