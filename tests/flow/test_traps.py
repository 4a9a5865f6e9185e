"""The traps into which programs that compare orders fall, each told as it happens, in a real database.

What the Gateway answers is stored as a fetch stores it, what the company books as an import does.
Those of ticks are told in `test_reference_facts`, of contract notes in `test_contract_notes`, of what is held in
`test_traps_holdings` and `test_traps_actions`.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, text

from config.calendar import exchange_calendar
from recon.lines import IST
from recon.values import Policy
from store.instruments import read_master
from tests.builders import (
    DAY,
    EVENING,
    NOON,
    Booked,
    Json,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    iso,
    our_line,
    store_snapshot,
    store_webhook,
)
from tieout.import_report import Job
from tieout.instrument_import import import_instruments
from tieout.reconcile import reconcile
from tieout.rules import Rules
from tieout.state import refresh

RULES = Rules(Policy(), exchange_calendar())
MONDAY = date(2026, 11, 23)
TICK = timedelta(microseconds=1)


def ist(day: date, clock: str) -> datetime:
    """That wall clock time in India."""
    return datetime.combine(day, datetime.strptime(clock, "%H:%M").time(), tzinfo=IST)  # noqa: DTZ007 - IST is given


class Story:
    """One transaction of which things become known one after the other."""

    def __init__(self, connection: Connection, name: str = "TRX_1") -> None:
        self.connection, self.name = connection, name
        self.txn = a_transaction(connection, name)

    def answers(self, *batches: Json, **fields: Any) -> None:
        """The API is asked and says this."""
        said = an_answer(*batches, transaction_id=self.name, **fields)
        store_snapshot(self.connection, self.txn, said, took=TICK)
        refresh(self.connection, txn=self.txn, now=NOON, rules=RULES)

    def answers_raw(self, body: bytes, kind: str = "details") -> None:
        """The API is asked and says exactly these bytes."""
        store_snapshot(self.connection, self.txn, body, kind=kind, took=TICK)
        refresh(self.connection, txn=self.txn, now=NOON, rules=RULES)

    def hears(self, batch: Json, at: datetime = NOON) -> None:
        """A webhook about that batch comes."""
        store_webhook(self.connection, batch, transaction_id=self.name, received_at=at)

    def books(self, leg: Json, **fields: Any) -> Booked:
        """The company books that leg, but for these fields."""
        return our_line(self.connection, self.txn, leg, transaction_id=self.name, **fields)

    def found(self, at: datetime = EVENING) -> list[tuple[str, str]]:
        """Judge the transaction at that instant; what is found, by name and class."""
        reconcile(self.connection, txns=[self.txn], now=at, rules=RULES)
        rows = self.connection.execute(
            text('select name, "class" from findings where txn = :txn and closed_at is null'), {"txn": self.txn}
        )
        return sorted((row.name, row[1]) for row in rows)

    def buckets(self) -> list[str]:
        """In which buckets its lines lie."""
        found = text("select bucket from verdicts where txn = :txn order by bucket")
        return list(self.connection.execute(found, {"txn": self.txn}).scalars())

    def legs(self) -> list[Row[Any]]:
        """Its legs as they stand."""
        found = text("select * from their_lines where txn = :txn order by line")
        return list(self.connection.execute(found, {"txn": self.txn}))


@pytest.fixture(name="story")
def _story(connection: Connection) -> Story:
    """One transaction heard of at noon."""
    return Story(connection)


def test_an_amount_with_float_noise_is_no_difference(story: Story) -> None:
    """The Gateway writes 1575.0900000000001 for 420.10 + 1154.99: it is read as 1,575.09, and its text is kept."""
    one, two = a_leg(quantity=1, filledQuantity=1), a_leg("HDFC", quantity=1, filledQuantity=1, averagePrice=1154.99)
    batch = a_batch(one, two, buyAmount="NOISE")
    body = json.dumps(an_answer(batch)).replace('"NOISE"', "1575.0900000000001").encode()
    story.hears({**batch, "buyAmount": 1575.09})
    story.answers_raw(body)
    story.books(one)
    story.books(two)

    assert story.found() == []
    stored = story.connection.execute(text("select buy_amount from batches")).scalar_one()
    assert stored == Decimal("1575.09")
    kept = story.connection.execute(text("select body from snapshots")).scalar_one()
    assert b"1575.0900000000001" in bytes(kept)


def test_completed_does_not_mean_filled(story: Story) -> None:
    """A COMPLETED transaction may have filled nothing; who books a fill by that word is told."""
    leg = a_leg(status="REJECTED", filledQuantity=0, averagePrice=0)
    batch = a_batch(leg, status="UNFILLED")
    story.hears(batch)
    story.answers(batch)
    booked = story.books(leg)
    assert (story.found(), story.buckets()) == ([], ["matched"])

    story.connection.execute(text("delete from our_lines where line = :line"), {"line": booked.line})
    story.books(leg, filled=Decimal(10), average_price=Decimal("420.1"), status="COMPLETE")
    assert story.found() == [("qty-filled", "break"), ("status-conflict", "break")]


def test_an_after_market_order_is_still_placed_at_the_close(story: Story) -> None:
    """Placed on Friday evening it is open until Monday's session is over with the grace, and stale an instant later."""
    leg = a_leg(status="PLACED", filledQuantity=0, averagePrice=None)
    batch = a_batch(leg, status="PLACED", variety="amo", createdAt=iso(ist(DAY, "19:00")), completedDate=None)
    story.hears(batch)
    story.answers(batch, status="PROCESSING")
    story.books(leg, trade_date=MONDAY)

    assert story.found(ist(DAY, "20:30")) == [("open-order", "pending")]
    assert story.found(ist(MONDAY, "16:00")) == [("open-order", "pending")]
    assert story.found(ist(MONDAY, "16:00") + TICK) == [("stale-open", "break")]


def test_an_order_that_never_reached_the_exchange_has_no_id(story: Story) -> None:
    """Two rejected legs without exchange order ids find their lines by what they are."""
    legs = [
        a_leg(symbol, exchangeOrderId=None, status="REJECTED", filledQuantity=0, averagePrice=None)
        for symbol in ("AXISBANK", "INFY")
    ]
    batch = a_batch(*legs, status="UNFILLED")
    story.hears(batch)
    story.answers(batch)
    for leg in legs:
        story.books(leg)

    assert (story.found(), story.buckets()) == ([], ["matched", "matched"])


def test_one_share_twice_in_a_batch_is_told_apart_by_its_order_id(story: Story) -> None:
    """Two purchases of one share, booked the other way round, each find their own leg."""
    one, two = a_leg(averagePrice=420.1), a_leg(averagePrice=421.3)
    batch = a_batch(one, two)
    story.hears(batch)
    story.answers(batch)
    story.books(two)
    story.books(one)

    assert (story.found(), story.buckets()) == ([], ["matched", "matched"])


def test_one_share_twice_without_ids_is_never_guessed(story: Story) -> None:
    """Where nothing tells two lines apart and they differ, all of them are ambiguous."""
    one, two = (a_leg(exchangeOrderId=None, quantity=6, filledQuantity=6) for _ in range(2))
    batch = a_batch(one, two)
    story.hears(batch)
    story.answers(batch)
    story.books(one, quantity=Decimal(5), filled=Decimal(5))
    story.books(two, quantity=Decimal(7), filled=Decimal(7))

    assert story.found() == [("ambiguous", "break")] * 4


def test_one_share_bought_and_sold_in_one_batch(story: Story) -> None:
    """Each side is its own line and its own sum: nothing is netted."""
    bought, sold = a_leg(), a_leg(transactionType="SELL", averagePrice=421.0)
    batch = a_batch(bought, sold)
    story.hears(batch)
    story.answers(batch)
    story.books(bought, exchange_order_id=None)
    story.books(sold, exchange_order_id=None)

    assert (story.found(), story.buckets()) == ([], ["matched", "matched"])


def test_a_batch_is_fixed_by_another_transaction(story: Story) -> None:
    """7 of 10 filled and FIXED: half a chain, until the repair is heard of; then both halves are one."""
    leg = a_leg(filledQuantity=7, status="CANCELLED")
    batch = a_batch(leg, status="FIXED", iscid="665f0000000000000000000a", label="BUY")
    story.hears(batch)
    story.answers(batch)
    story.books(leg)
    assert story.found() == [("orphan-repair", "break"), ("partial-residual", "note")]

    child = Story(story.connection, "TRX_2")
    rest = a_leg(quantity=3, filledQuantity=3)
    fix = a_batch(rest, iscid="665f0000000000000000000a", label="FIX", createdAt=iso(NOON - timedelta(minutes=2)))
    child.hears(fix)
    child.answers(fix)
    child.books(rest)
    assert child.found() == [("repair-chain", "note")]
    assert story.found() == [("partial-residual", "note")]


def test_a_webhook_comes_twice_and_the_first_one_last(story: Story) -> None:
    """Nothing is booked twice, the state does not go back, and the disorder is only noted."""
    leg = a_leg()
    done = a_batch(leg)
    placed = done | {"status": "PLACED", "filled": 0, "buyAmount": 0, "orders": [leg | {"status": "PLACED"}]}
    placed["orders"][0] |= {"filledQuantity": 0, "averagePrice": 0}
    story.hears(done)
    story.hears(done, NOON + timedelta(minutes=1))
    story.hears(placed, NOON + timedelta(minutes=2))
    story.answers(done)
    story.books(leg)

    assert (story.found(), story.buckets()) == ([("out-of-order", "note")], ["matched"])
    (line,) = story.legs()
    assert (line.status, line.filled) == ("COMPLETE", Decimal(10))


def test_a_page_of_order_details_is_silently_shorter(story: Story) -> None:
    """An id that is not among the order details was dropped, not denied: the line stays open and nothing is missing."""
    leg = a_leg()
    other = {"transactionId": "TRX_2", "orderBatches": [a_batch()]}
    story.answers_raw(json.dumps({"success": True, "errors": None, "data": [other]}).encode(), kind="orders")
    story.books(leg, filled=Decimal(0), average_price=None, status="PLACED")
    assert story.found(NOON) == [("open-order", "pending")]

    batch = a_batch(leg)
    story.hears(batch)
    story.answers(batch)
    story.answers_raw(json.dumps({"success": True, "errors": None, "data": [other]}).encode(), kind="orders")
    assert [line.filled for line in story.legs()] == [Decimal(10)]


def test_an_answer_has_silently_lost_a_leg(story: Story) -> None:
    """A later answer without a leg takes it back: what was said stands, and that it was taken back is told."""
    one, two = a_leg(), a_leg("INFY")
    batch = a_batch(one, two, batch_id="B1")
    story.hears(batch)
    story.answers(batch)
    story.answers(a_batch(one, batch_id="B1"))
    story.books(one)
    story.books(two)

    assert len(story.legs()) == 2
    assert story.found() == [("regression", "break")]
    assert story.buckets() == ["matched", "regression"]


@pytest.mark.parametrize(
    ("ended", "day"), [("23:59", DAY + timedelta(days=1)), ("00:00", MONDAY), ("05:29", MONDAY), ("05:30", MONDAY)]
)
def test_the_trade_date_turns_at_midnight_in_india(story: Story, ended: str, day: date) -> None:
    """18:29 UTC is still today and 18:30 UTC tomorrow; midnight in London means nothing."""
    completed = ist(day, ended)
    leg = a_leg()
    batch = a_batch(leg, createdAt=iso(completed - timedelta(minutes=9)), completedDate=iso(completed))
    story.hears(batch, completed)
    story.answers(batch)
    story.books(leg, trade_date=day)

    assert [line.trade_date for line in story.legs()] == [day]
    assert story.found(completed + timedelta(hours=1)) == []


def test_partial_is_an_end_after_the_rest_was_cancelled(story: Story) -> None:
    """PARTIAL in a COMPLETED transaction went no further: it says what CANCELLED with the same fill says."""
    leg = a_leg(filledQuantity=7, status="PARTIAL")
    batch = a_batch(leg, status="PARTIALLYFILLED")
    story.hears(batch)
    story.answers(batch)
    story.books(leg, status="CANCELLED")

    assert (story.found(), story.buckets()) == ([("partial-residual", "note")], ["matched"])


def test_a_fill_has_an_average_price_of_zero(story: Story) -> None:
    """A price of 0 is no price: it is told, and neither a difference nor a sum is made of it."""
    leg = a_leg(averagePrice=0)
    batch = a_batch(leg, buyAmount=4201)
    story.hears(batch)
    story.answers(batch)
    story.books(leg, average_price=Decimal("420.1"))

    assert story.found() == [("price-absent", "break")]


NEVER_SEEN: dict[str, tuple[Json, Json, Json]] = {
    "a leg's status": ({"status": "FROZEN"}, {}, {}),
    "a side": ({"transactionType": "SHORT"}, {"buyAmount": None}, {}),
    "a batch's status": ({}, {"status": "MELTED"}, {}),
    "a variety": ({}, {"variety": "iceberg"}, {}),
    "a transaction's status": ({}, {}, {"status": "RECONSIDERED"}),
}


@pytest.mark.parametrize("where", NEVER_SEEN)
def test_a_word_that_was_never_seen_before(story: Story, where: str) -> None:
    """It is kept as it came and told once where it stands; it is never taken for another word."""
    leg, batch, transaction = NEVER_SEEN[where]
    said = a_leg(**leg)
    told = a_batch(said) | batch
    story.hears(told)
    story.answers(told, **transaction)
    story.books(said, side="BUY", status="COMPLETE")

    assert story.found() == [("unknown-enum", "break")]


def listed(connection: Connection, folder: Path, *rows: str) -> None:
    """The instruments table is told these rows."""
    file = folder / "instruments.csv"
    file.write_text("\n".join(["exchange,symbol,isin,from,to", *rows]))
    job = Job(file=file, gateways=(), statuses={}, now=NOON, rules=RULES)
    assert import_instruments(connection, job).refused == 0
    connection.execute(text("discard temp"))  # as at the end of each import's database transaction


def instrument(connection: Connection, symbol: str, day: date) -> str:
    """How the books' lines of that symbol and day are called."""
    return read_master(connection).instrument_at("NSE", symbol, day)


def test_a_symbol_is_renamed_overnight(story: Story, tmp_path: Path) -> None:
    """The books still say the old name the morning after: by its ISIN it is the same share, and that is noted."""
    listed(
        story.connection,
        tmp_path,
        "NSE,OLDNAME,INE758T01015,2020-01-01,2026-11-20",
        "NSE,NEWNAME,INE758T01015,2026-11-23,",
    )
    leg = a_leg("NEWNAME")
    done = ist(MONDAY, "10:00")
    batch = a_batch(leg, createdAt=iso(done - timedelta(minutes=1)), completedDate=iso(done))
    story.hears(batch, done)
    story.answers(batch)
    story.books(leg, trade_date=MONDAY, symbol="OLDNAME", instrument="INE758T01015")

    assert story.found(ist(MONDAY, "20:30")) == [("alias", "note")]
    assert story.buckets() == ["matched"]


def test_a_split_changes_the_isin_between_trade_and_settlement(story: Story, tmp_path: Path) -> None:
    """An order of Friday keeps Friday's ISIN, although the table knows Monday's by the time it is judged."""
    leg = a_leg("SPLITCO")
    batch = a_batch(leg)
    story.hears(batch)
    story.answers(batch)
    listed(story.connection, tmp_path, "NSE,SPLITCO,INE237A01028,2020-01-01,2026-11-20")
    story.books(leg, instrument=instrument(story.connection, "SPLITCO", DAY))
    listed(story.connection, tmp_path, "NSE,SPLITCO,INE237A01036,2026-11-23,")
    refresh(story.connection, txn=story.txn, now=NOON, rules=RULES)

    assert story.found(ist(MONDAY, "20:30")) == []
    assert [line.instrument for line in story.legs()] == ["INE237A01028"]
    assert instrument(story.connection, "SPLITCO", MONDAY) == "INE237A01036"
