"""How a day ties out: two counts that know nothing of each other, and what is left between them."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests.answered import answered
from tests.builders import (
    DAY,
    EVENING,
    GATEWAY,
    NOON,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    iso,
    our_line,
    raise_rev,
    rules,
    store_snapshot,
)
from tieout.desk.day import Day, Figures, as_json
from tieout.desk.day import day as day_of
from tieout.reconcile import exclude_off_platform, reconcile
from tieout.state import refresh

RULES = rules()
NEXT = date(2026, 11, 23)  #: the session after DAY, a Monday


def a_day(connection: Connection, **options: Any) -> Day:
    """The day as it stands."""
    named: dict[str, Any] = {"gateway": GATEWAY, "trade_date": DAY, "as_of": EVENING}
    return day_of(connection, **(named | options))


def a_mixed_day(connection: Connection, order: list[int] | None = None) -> list[int]:
    """Eight transactions: matched, in tolerance, each kind of trouble, off-platform; judged."""
    makers = [_matched, _priced, _unbooked, _invented, _turned, _dated, _partial, _matched]
    txns = [makers[n](connection, f"TRX_{n}", 100 + n) for n in order or range(len(makers))]
    stray = our_line(connection, None, a_leg(exchangeOrderId="99"), order_id="STRAY")
    exclude_off_platform(connection, [stray.line], rules=RULES)
    reconcile(connection, txns=txns, now=EVENING, rules=RULES)
    return txns


def _leg(number: int, **fields: Any) -> dict[str, Any]:
    return a_leg(exchangeOrderId=str(number), **fields)


def _booked(connection: Connection, txn: int, leg: dict[str, Any], name: str, **fields: Any) -> int:
    our_line(connection, txn, leg, transaction_id=name, order_id=f"O-{name}", **fields)
    return txn


def _matched(connection: Connection, name: str, number: int) -> int:
    leg = _leg(number)
    return _booked(connection, answered(connection, leg, name=name), leg, name)


def _priced(connection: Connection, name: str, number: int) -> int:
    leg = _leg(number)
    txn = answered(connection, leg, name=name)
    return _booked(connection, txn, leg, name, average_price=Decimal("420.105"))


def _unbooked(connection: Connection, name: str, number: int) -> int:
    return answered(connection, _leg(number), name=name)


def _invented(connection: Connection, name: str, number: int) -> int:
    txn = answered(connection, _leg(number), name=name)
    _booked(connection, txn, _leg(number), name)
    return _booked(connection, txn, _leg(number + 5000, tradingsymbol="INFY"), f"{name}-2")


def _turned(connection: Connection, name: str, number: int) -> int:
    leg = _leg(number)
    return _booked(connection, answered(connection, leg, name=name), leg, name, side="SELL")


def _dated(connection: Connection, name: str, number: int) -> int:
    leg = _leg(number)
    return _booked(connection, answered(connection, leg, name=name), leg, name, trade_date=NEXT)


def _partial(connection: Connection, name: str, number: int) -> int:
    leg = _leg(number, filledQuantity=4, status="CANCELLED")
    txn = answered(connection, leg, name=name, status="PARTIALLYFILLED")
    return _booked(connection, txn, leg, name)


def _sum(day: Day, side: str) -> Figures:
    mine = [bucket for bucket in day.orders.buckets if bucket.side == side]
    return Figures(
        count=sum(b.count for b in mine),
        quantity=sum((b.quantity for b in mine), Decimal(0)),
        amount=sum((b.amount for b in mine), Decimal(0)),
    )


def test_every_line_lies_in_exactly_one_bucket(connection: Connection) -> None:
    """The buckets of each side add up to its lines in count, shares and rupees."""
    a_mixed_day(connection)
    day = a_day(connection)

    assert day.ties_out
    assert (_sum(day, "ours"), _sum(day, "theirs")) == (day.orders.ours, day.orders.theirs)
    assert {(b.name, b.side): b.count for b in day.orders.buckets} == {
        ("matched", "ours"): 4,
        ("matched", "theirs"): 4,
        ("matched-in-tolerance", "ours"): 1,
        ("matched-in-tolerance", "theirs"): 1,
        ("missing-internal", "theirs"): 1,
        ("missing-external", "ours"): 1,
        ("side", "ours"): 1,
        ("side", "theirs"): 1,
        ("excluded", "ours"): 1,
    }


def test_each_side_counts_its_own_values(connection: Connection) -> None:
    """Shares are what was filled, rupees those times the price, exactly; unknown is nothing."""
    leg = _leg(1)
    txn = answered(connection, leg, name="TRX_1")
    _booked(connection, txn, leg, "TRX_1", average_price=Decimal("420.103"))
    blank: dict[str, Any] = {"quantity": Decimal(5), "filled": None, "average_price": None, "status": None}
    our_line(connection, txn, _leg(2), transaction_id="TRX_1", **blank)
    reconcile(connection, txns=[txn], now=EVENING, rules=RULES)
    day = a_day(connection)

    assert day.orders.ours == Figures(count=2, quantity=Decimal(10), amount=Decimal("4201.03"))
    assert day.orders.theirs == Figures(count=1, quantity=Decimal(10), amount=Decimal(4201))
    assert day.ties_out


def test_over_all_dates_both_sides_add_up_to_their_lines(connection: Connection) -> None:
    """A pair lies on our date on both sides, and no line is on two dates or on none."""
    a_mixed_day(connection)
    days = [a_day(connection, trade_date=DAY + timedelta(days=n)) for n in range(-3, 7)]

    stored = {
        side: connection.execute(
            text(f"select count(*), sum(coalesce(filled, 0)), sum(coalesce(filled * average_price, 0)) from {table}")
        ).one()
        for side, table in (("ours", "our_lines"), ("theirs", "their_lines"))
    }
    for side in ("ours", "theirs"):
        totals = [getattr(day.orders, side) for day in days]
        over_all = (sum(t.count for t in totals), sum(t.quantity for t in totals), sum(t.amount for t in totals))
        assert over_all == tuple(stored[side])
    assert all(day.ties_out for day in days)
    assert [day.trade_date for day in days if day.orders.theirs] == [DAY, NEXT]


@pytest.mark.parametrize("bucket", ["matched", "missing-internal", "missing-external", "side", "excluded"])
def test_a_lost_verdict_shows_as_unaccounted(connection: Connection, bucket: str) -> None:
    """One verdict deleted behind the service's back, and the day does not tie out any more."""
    a_mixed_day(connection)
    lost = connection.execute(
        text(
            "delete from line_verdicts where ctid = (select max(ctid) from line_verdicts"
            " where bucket = :b and trade_date = :d) returning (ours is not null)::int + (theirs is not null)::int"
        ),
        {"b": bucket, "d": DAY},
    ).scalar_one()
    day = a_day(connection)

    assert (day.orders.unaccounted.count, day.ties_out) == (lost, False)
    assert day.orders.unaccounted.quantity == 10 * lost


def test_a_lost_verdict_of_a_pair_on_two_dates_shows_on_both(connection: Connection) -> None:
    """Without it their line is back on its own date, and neither date ties out."""
    a_mixed_day(connection)
    connection.execute(text("delete from line_verdicts where trade_date = :d"), {"d": NEXT})

    unaccounted = [a_day(connection, trade_date=day).orders.unaccounted.count for day in (DAY, NEXT)]
    assert unaccounted == [1, 1]


def test_a_doubled_verdict_shows_as_unaccounted(connection: Connection) -> None:
    """Even where the index that forbids it is not there."""
    a_mixed_day(connection)
    for index in ("uq_line_verdicts_ours", "uq_line_verdicts_theirs"):
        connection.execute(text(f"drop index {index}"))
    connection.execute(
        text(
            "insert into line_verdicts (txn, ours, theirs, rev, bucket, rung, trade_date, book, rule_set)"
            " select txn, ours, theirs, rev, bucket, rung, trade_date, book, rule_set from verdicts"
            " where bucket = 'matched' and trade_date = :d limit 1"
        ),
        {"d": DAY},
    )

    assert a_day(connection).orders.unaccounted.count == 2


def test_a_changed_line_shows_as_unaccounted_until_it_is_judged(connection: Connection) -> None:
    """A value changed behind the service's back moves both counts; a date moves only one."""
    a_mixed_day(connection)
    connection.execute(text("update our_lines set trade_date = :d where order_id = 'O-TRX_0'"), {"d": NEXT})

    assert not a_day(connection).ties_out


def test_lines_not_judged_at_their_revision_are_pending(connection: Connection) -> None:
    """A change makes the verdicts of its transaction count no more, and the day still adds up."""
    txns = a_mixed_day(connection)
    raise_rev(connection, txns[0])
    day = a_day(connection)

    assert (day.orders.bucket("pending", "ours").count, day.orders.bucket("pending", "theirs").count) == (1, 1)
    assert day.ties_out


def test_rows_that_could_not_be_read_are_counted_as_excluded(connection: Connection) -> None:
    """An open refused row is a line of the file; one that a later import replaced is not."""
    a_mixed_day(connection)
    before = a_day(connection).orders.ours.count
    import_id = _an_import(connection, rows=2, refused=2)
    for row, replaced_by in ((1, None), (2, 7)):
        connection.execute(
            text(
                "insert into refused_rows (import_id, row, gateway, trade_date, digest, raw, problems, replaced_by)"
                " values (:i, :r, :g, :d, :x, '{}', '[]', :b)"
            ),
            {"i": import_id, "r": row, "g": GATEWAY, "d": DAY, "x": bytes([row]), "b": replaced_by},
        )
    day = a_day(connection)

    assert (day.orders.bucket("excluded", "ours").count, day.orders.ours.count) == (2, before + 1)
    assert day.ties_out


def _an_import(connection: Connection, **counts: int) -> int:
    named = {"rows": 0, "new": 0, "changed": 0, "refused": 0} | counts
    return int(
        connection.execute(
            text(
                "insert into imports (kind, gateway, file_name, file_digest, imported_at, rows, new, changed,"
                " unchanged, refused) values ('orders', :g, 'f', '', :n, :rows, :new, :changed, 0, :refused)"
                " returning import_id"
            ),
            {"g": GATEWAY, "n": NOON, **named},
        ).scalar_one()
    )


def test_a_line_that_an_import_brought_and_is_gone_shows_as_unaccounted(connection: Connection) -> None:
    """The import's own row count is held against what is stored of it."""
    a_mixed_day(connection)
    import_id = _an_import(connection, rows=3, new=3)
    version = text(
        "insert into line_versions (line, version, import_id, row, known_at, digest, raw)"
        " select line, 1, :i, 1, :n, '', '{}' from our_lines where order_id = any(:o)"
    )
    for orders, unaccounted in ((["O-TRX_0", "O-TRX_1"], 1), (["O-TRX_4"], 0)):
        connection.execute(version, {"i": import_id, "n": NOON, "o": orders})
        assert a_day(connection).orders.unaccounted.count == unaccounted


def test_tests_are_kept_out_of_a_live_day(connection: Connection) -> None:
    """The book `test` has totals of its own; a gateway that only tests is shown its tests."""
    a_mixed_day(connection)
    leg = _leg(900)
    txn = a_transaction(connection, "TRX_T")
    batch = a_batch(leg, dummy=True)
    store_snapshot(connection, txn, an_answer(batch, transaction_id="TRX_T"))
    refresh(connection, txn=txn, now=NOON, rules=RULES)
    _booked(connection, txn, leg, "TRX_T")
    before = a_day(connection)
    reconcile(connection, txns=[txn], now=EVENING, rules=RULES)

    assert a_day(connection) == before
    test = a_day(connection, book="test")
    assert (test.orders.ours.count, test.orders.theirs.count, test.ties_out) == (1, 1, True)


def test_another_gateway_has_a_day_of_its_own(connection: Connection) -> None:
    """Nothing of this gateway is counted there."""
    a_mixed_day(connection)

    assert a_day(connection, gateway="other").orders.ours == Figures()


def test_findings_are_counted_by_name(connection: Connection) -> None:
    """Notes and findings of batches have no bucket, and are listed all the same."""
    a_mixed_day(connection)

    named = {named.name: (named.count, named.finding_class) for named in a_day(connection).findings}
    assert named["partial-residual"] == (1, "note")
    assert named["price-in-tol"] == (1, "note")
    assert named["missing-internal"] == (1, "break")


def test_the_digest_does_not_depend_on_the_order_in_which_things_came(connection: Connection) -> None:
    """The same day told in three orders, with other ids and judged another number of times, has one digest."""
    digests = set()
    for seed, order in enumerate(([*range(8)], [*reversed(range(8))], [5, 0, 7, 2, 4, 1, 6, 3])):
        txns = a_mixed_day(connection, order)
        for _ in range(seed):
            for txn in txns:
                raise_rev(connection, txn)
            reconcile(connection, txns=txns, now=EVENING + timedelta(days=seed), rules=RULES)
        digests.add(tuple(a_day(connection, trade_date=day).digest for day in (DAY, NEXT)))
        connection.rollback()

    ((first, second),) = digests
    assert first != second


def test_the_digest_changes_with_anything_that_is_said(connection: Connection) -> None:
    """One line turned round is another day."""
    txns = a_mixed_day(connection)
    before = a_day(connection).digest
    connection.execute(text("update our_lines set side = 'SELL', plain = false where order_id = 'O-TRX_0'"))
    raise_rev(connection, txns[0])
    stale = a_day(connection).digest
    reconcile(connection, txns=[txns[0]], now=EVENING, rules=RULES)

    assert len({before, stale, a_day(connection).digest}) == 3


def test_the_day_for_machines_keeps_its_contract(connection: Connection) -> None:
    """Names, decimals as text, absent as null."""
    txn = answered(connection, _leg(1), name="TRX_1", completedDate=iso(NOON))
    _booked(connection, txn, _leg(1), "TRX_1")
    reconcile(connection, txns=[txn], now=EVENING, rules=RULES)
    day = a_day(connection)

    figures = {"count": 1, "quantity": "10", "amount": "4201"}
    told = json.loads(json.dumps(as_json(day), default=str))
    assert told == {
        "gateway": GATEWAY,
        "trade_date": "2026-11-20",
        "as_of": str(EVENING),
        "orders": {
            "ours": figures,
            "theirs": figures,
            "buckets": [{"name": "matched", "side": side, **figures} for side in ("ours", "theirs")],
            "unaccounted": {"count": 0, "quantity": "0", "amount": "0"},
        },
        "holdings": None,
        "tolerance": {"by_rounding": 0, "by_slack": 0, "slack_inr": "0"},
        "unchecked": {
            "ours": 1,
            "theirs": 1,
            "missing": [
                {"import": kind, "lines": 2, "shares": 1, "named": ["NSE:AXISBANK"]} for kind in ("ticks", "prices")
            ],
        },
        "digest": day.digest,
        "signed": False,
    }
