"""A holdings webhook says what the API does not: a break of the import's transaction, found once it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from config.clock import FixedClock
from tests.holdings_stub import HoldingsStub, held, holdings_stub
from tests.shops import a_shop
from tieout.desk.breaks import show
from tieout.holdings import settle_holdings
from tieout.review import review_due
from tieout.shop import Shop

NOW = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)  #: a Wednesday, two hours after the close
ACCOUNT = "5f0321b5f3743c31d95abd35"
TRANSACTION = "TRX_0123456789abcdef0123456789abcdef"
SENT = Path(__file__).parents[1] / "samples" / "holdings" / "webhook.json"


@pytest.fixture(name="stub")
def _stub() -> Iterator[HoldingsStub]:
    """The stand-in of the Gateway; it answers what the webhook of the sample says."""
    with holdings_stub() as stub:
        securities = json.loads(SENT.read_text())["securities"]
        stub.says = lambda account: held(account, securities=securities)
        yield stub


@pytest.fixture(name="shop")
def _shop(database_url: str, broker_url: str, stub: HoldingsStub) -> Iterator[Shop]:
    """What settling needs."""
    with a_shop(database_url, broker_url, stub.url, holdings_investments=False) as shop:
        yield replace(shop, clock=FixedClock(NOW))


def told(engine: Engine, shop: Shop, quantity: int) -> None:
    """A webhook that says so many are held is stored, its account asked, and all judged."""
    document = json.loads(SENT.read_text())
    document["securities"][0]["holdings"]["quantity"] = quantity
    named = {"id": uuid4(), "a": ACCOUNT, "t": TRANSACTION, "now": NOW, "body": json.dumps(document).encode()}
    with engine.begin() as connection:
        connection.execute(
            text("""
            insert into events (event_id, gateway, book, family, transaction_id, account, key_id, received_at, state,
                                next_attempt_at)
            values (:id, 'demo', 'live', 'holdings', :t, :a, 'k1', :now, 'received', clock_timestamp())"""),
            named,
        )
        connection.execute(
            text("""
            insert into deliveries (event_id, received_at, body, headers, signature, key_id, verdict)
            values (:id, :now, :body, '{}', '\\x00', 'k1', 'ok')"""),
            named,
        )
    settle_holdings(shop, [f"demo:holdings:{ACCOUNT}"])
    review_due(engine, now=NOW, rules=shop.rules, limit=100)


def found(engine: Engine) -> list[tuple[object, ...]]:
    """The open findings."""
    sql = """select name, field, ours, theirs, difference, subject, class from findings
             where closed_at is null order by field"""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_a_webhook_that_the_api_confirms_is_no_break(shop: Shop, engine: Engine) -> None:
    """Both say the same of every security."""
    told(engine, shop, 10)
    assert found(engine) == []


def test_a_webhook_that_says_more_than_the_api_is_a_break_with_both_as_evidence(shop: Shop, engine: Engine) -> None:
    """The body is not signed, so it may be forged: the API's answer counts, and people hear of the difference."""
    told(engine, shop, 15)
    named = ("INE238A01034 15", "INE238A01034 10", 5, TRANSACTION, "break")
    assert found(engine) == [("webhook-differs", "held", *named)]
    with engine.connect() as connection:
        evidence = connection.execute(text("select evidence from findings")).scalar_one()
        event, snapshot = connection.execute(
            text("select (select event_id::text from events), (select snapshot_id::text from holding_snapshots)")
        ).one()
    assert [(each["kind"], each["ref"]) for each in evidence] == [("event", event), ("holdings", snapshot)]


def test_people_see_both_bodies_with_the_break(shop: Shop, engine: Engine) -> None:
    """What the webhook said, and what the API answered, as they came."""
    told(engine, shop, 15)
    with engine.connect() as connection:
        finding = connection.execute(text("select finding_id from findings")).scalar_one()
    whole = show(engine, finding, severity_of=lambda _finding: "high")
    assert whole
    bodies = {proof.kind: json.loads(proof.body or b"{}") for proof in whole.proofs}
    assert bodies["event"]["securities"][0]["holdings"]["quantity"] == 15
    assert bodies["holdings"]["data"]["securities"][0]["holdings"]["quantity"] == 10


def test_an_answer_that_is_of_a_later_instant_says_nothing_of_it(
    shop: Shop, engine: Engine, stub: HoldingsStub
) -> None:
    """The customer may have traded meanwhile."""
    stub.says = lambda account: held(account, snapshotDate="2026-01-14T12:05:00.000Z")
    told(engine, shop, 15)
    assert found(engine) == []


def test_an_answer_that_is_being_updated_is_waited_for(shop: Shop, engine: Engine, stub: HoldingsStub) -> None:
    """The next whole one tells."""
    whole = stub.says
    stub.says = lambda account: held(account, updating=True, securities=[])
    told(engine, shop, 15)
    assert found(engine) == []

    stub.says = whole
    told(engine, shop, 15)
    assert [row[:2] for row in found(engine)] == [("webhook-differs", "held")]
