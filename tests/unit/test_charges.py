"""What a trade costs by a schedule: which rule counts, and how it rounds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from recon.charges import Rate, rate_of

DAY = date(2026, 11, 20)


def rule(**fields: Any) -> Rate:
    """A tenth of a percent of the turnover, to the rupee, since 2020."""
    said = {"component": "stt", "basis": "turnover", "rate": Decimal("0.1"), "unit": Decimal(1), "rounding": "half-up"}
    return Rate(**{**said, "valid_from": date(2020, 1, 1), **fields})


@pytest.mark.parametrize(
    ("rounding", "charge", "stated"),
    [
        ("half-up", "4.5", "5"),
        ("half-even", "4.5", "4"),
        ("up", "4.01", "5"),
        ("down", "4.99", "4"),
    ],
)
def test_a_charge_is_rounded_as_its_rule_says(rounding: str, charge: str, stated: str) -> None:
    """To the rupee."""
    assert rule(rounding=rounding).rounded(Decimal(charge)) == Decimal(stated)


def test_a_charge_lies_between_its_least_and_its_most() -> None:
    """A percentage of a small trade is the least, of a large one the most; rupees are no percentage."""
    bounded = rule(component="brokerage", rate=Decimal("0.5"), least=Decimal(2), most=Decimal(20))

    assert [bounded.exact(Decimal(base)) for base in (100, 1000, 100_000)] == [Decimal(2), Decimal(5), Decimal(20)]
    assert rule(basis="quantity", rate=Decimal("0.25")).exact(Decimal(8)) == 2


def test_what_names_more_of_the_trade_counts() -> None:
    """The broker before the exchange, the exchange before the side, then what began last; none fits is none."""
    usual, later = rule(), rule(valid_from=date(2026, 1, 1))
    exchange, broker = rule(exchange="NSE", side="BUY"), rule(broker="kite")
    over, coming = rule(broker="kite", valid_to=date(2021, 1, 1)), rule(broker="kite", valid_from=date(2027, 1, 1))

    def counts(*rates: Rate) -> Rate | None:
        return rate_of(rates, "stt", broker="kite", exchange="NSE", side="BUY", day=DAY)

    assert counts(usual, later) is later
    assert counts(later, exchange, usual) is exchange
    assert counts(exchange, broker, over, coming) is broker
    assert counts(over, coming, rule(component="gst"), rule(side="SELL"), rule(exchange="BSE")) is None
