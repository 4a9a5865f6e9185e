"""What a holdings webhook said against the answer that followed: when they are compared, and in what they differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from recon.held_claims import SHOWN, HeldClaim, HeldSaid, Row, differences
from tests.builders import NOON

MINUTE = timedelta(minutes=1)


def side(as_at: datetime | None = NOON, version: str = "v2", **rows: Row) -> HeldSaid:
    """One side, with rows by name."""
    return HeldSaid(version=version, as_at=as_at, rows=rows)


def claim(said: HeldSaid, answer: HeldSaid) -> HeldClaim:
    """A webhook a minute past noon, and the answer after it."""
    return HeldClaim(
        event_id="e-1",
        received_at=NOON + MINUTE,
        said=said,
        answer=answer,
        answer_ref="7",
        answered_at=NOON + 2 * MINUTE,
    )


def held(count: int, **more: int) -> Row:
    """So many held, and other quantities."""
    return {name: Decimal(value) for name, value in {"held": count, **more}.items()}


@pytest.mark.parametrize(
    ("said", "answer", "comparable"),
    [
        (NOON, NOON, True),
        (NOON, NOON + MINUTE, False),
        (NOON + MINUTE, NOON, True),
        (None, NOON, True),
        (None, NOON + 2 * MINUTE, False),
        (NOON, None, True),
    ],
)
def test_an_answer_of_a_later_instant_is_not_held_against_it(
    said: datetime | None, answer: datetime | None, *, comparable: bool
) -> None:
    """More may have happened by then; where the webhook names no instant, it speaks of its arrival."""
    assert claim(side(said), side(answer)).comparable is comparable


def test_the_older_form_is_not_compared() -> None:
    """Its quantities leave out what belongs to smallcases."""
    assert not claim(side(version="v1"), side()).comparable


def test_equal_sides_differ_in_nothing() -> None:
    """As decimals, whatever their digits; what one side does not state is not compared."""
    said = side(INFY={"held": Decimal("10.0"), "t1": Decimal(1)})
    assert list(differences(claim(said, side(INFY=held(10))))) == []


def test_each_quantity_that_differs_is_one_difference_over_all_securities() -> None:
    """Ours is what the webhook says; the difference is summed."""
    said = side(INFY=held(15, collateral=1), TCS=held(7), SBIN=held(3))
    answered = side(INFY=held(10, collateral=0), TCS=held(5), SBIN=held(3))
    assert [(d.field, d.ours, d.theirs, d.difference) for d in differences(claim(said, answered))] == [
        ("collateral", "INFY 1", "INFY 0", Decimal(1)),
        ("held", "INFY 15; TCS 7", "INFY 10; TCS 5", Decimal(7)),
    ]


def test_a_security_that_one_side_names_alone_is_told() -> None:
    """Of both sides, by name."""
    (found,) = differences(claim(side(INFY=held(1), TCS=held(2)), side(TCS=held(2), SBIN=held(3))))
    assert (found.field, found.ours, found.theirs, found.difference) == ("securities", "INFY", "SBIN", None)


def test_a_long_listing_is_cut() -> None:
    """A column is no place for thousands of securities."""
    many = {f"ISIN{number:08}": held(number) for number in range(1, 100)}
    (found,) = differences(claim(replace(side(), rows=many), side()))
    assert (len(found.ours), found.theirs) == (SHOWN, "none")
