"""Rupees as people in India read them."""

from decimal import Decimal

import pytest

from tieout.desk.rupees import grouped, rupees, shares


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0.00"),
        ("999.999", "1,000.00"),
        ("1234567.8", "12,34,567.80"),
        ("-123456789", "-12,34,56,789.00"),
        ("-0.001", "0.00"),
        ("100000", "1,00,000.00"),
    ],
)
def test_rupees_are_grouped_by_thousand_lakh_and_crore(amount: str, shown: str) -> None:
    """Three digits, then pairs, and always two places."""
    assert rupees(Decimal(amount)) == shown


def test_shares_show_no_zeros_after_the_point() -> None:
    """A stored quantity of 1500.000000 is read as 1,500."""
    assert [shares(Decimal(q)) for q in ("1500.000000", "0.500000", "-2")] == ["1,500", "0.5", "-2"]


def test_what_is_absent_is_shown_as_nothing() -> None:
    """None is an empty cell, never a zero."""
    assert (rupees(None), shares(None)) == ("", "")


def test_a_count_is_grouped_the_same_way() -> None:
    """A million is ten lakh."""
    assert (grouped(1_000_000), grouped(-12)) == ("10,00,000", "-12")
