"""The trap of the tick size: it is looked up for the share and the day, never computed from the price."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from bench.corpus.draw import AFTER_SPLIT, FRIDAY, MONDAY, Draw
from bench.corpus.market import Prices
from bench.corpus.pure import case_of
from config.calendar import exchange_calendar
from recon.judge import judge
from recon.values import Policy

REVIEW = date(2026, 12, 1)  #: on which the exchange looks at its bands again


class Ticks(Prices):
    """What the exchange said: 10 paise for a share of 1,800 rupees, kept after its split until the review."""

    def tick(self, instrument: str, day: date, exchange: str) -> Decimal | None:  # noqa: ARG002 the protocol's shape
        """The tick of the share that was split."""
        if instrument != AFTER_SPLIT.isin:
            return None
        return Decimal("0.10") if day < REVIEW else Decimal("0.05")


@pytest.mark.parametrize(("day", "found"), [(MONDAY, ["price-implausible"]), (REVIEW, [])])
def test_the_tick_stays_after_a_split_until_the_review(day: date, found: list[str]) -> None:
    """One share at 360.05 cannot have traded the week after the split, though shares of that price move by 5 paise."""
    draw = Draw(1)
    story = draw.story(draw.legs(shares=[AFTER_SPLIT], quantity=1), day=day)
    story.batch.legs[0].price = story.rows[0].price = Decimal("360.05")
    story.add_up()

    judgement = judge(
        case_of(story),
        as_of=story.as_of,
        policy=Policy(),
        calendar=exchange_calendar(),
        books_in=lambda _day: True,
        market=Ticks(),
    )

    assert day > FRIDAY
    assert [finding.name for finding in judgement.all_findings()] == found
