"""What the shares that are held have cost: weighted, and first in first out."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from recon.holdings.costs import Cost, cost_of
from recon.holdings.values import Trade

FIRST = date(2026, 1, 12)


def traded(*said: tuple[int, str | None]) -> list[Trade]:
    """A trade a day: shares, bought above zero, and the price."""
    return [
        Trade(
            ref=f"O{n}",
            isin="INE238A01034",
            quantity=Decimal(quantity),
            trade_date=FIRST + timedelta(days=n),
            settles_on=FIRST + timedelta(days=n + 1),
            price=None if price is None else Decimal(price),
        )
        for n, (quantity, price) in enumerate(said)
    ]


def cost(*said: tuple[int, str | None], held: int) -> tuple[str, str] | None:
    """Weighted, and first in first out."""
    found = cost_of(traded(*said), Decimal(held))
    return None if found is None else (str(found.weighted), str(found.first_in_first_out))


def test_without_a_sale_both_methods_agree() -> None:
    """100 at 400 and 300 at 500 are 400 at 475."""
    assert cost((100, "400"), (300, "500"), held=400) == ("475.000000", "475.000000")


def test_a_sale_takes_the_oldest_shares_or_an_average_one() -> None:
    """100 at 400, 100 at 500, 50 sold: weighted the rest is 450; first in first out 50 at 400 and 100 at 500."""
    assert cost((100, "400"), (100, "500"), (-50, "600"), held=150) == ("450.000000", "466.666667")


def test_a_sale_over_several_lots_leaves_what_came_last() -> None:
    """And what was sold whole leaves no trace in either."""
    assert cost((10, "100"), (10, "200"), (-15, "1"), held=5) == ("150.000000", "200.000000")
    assert cost((10, "100"), (-10, "1"), (4, "300"), held=4) == ("300.000000", "300.000000")


def test_a_day_buys_before_it_sells_whatever_the_order_is_called() -> None:
    """The order of ids says nothing about time."""
    sale, purchase = traded((-5, "1"), (10, "200"))
    same_day = [sale, Trade(**{n: getattr(purchase, n) for n in Trade.__slots__} | {"trade_date": FIRST})]
    assert cost_of(same_day, Decimal(5)) == Cost(weighted=Decimal(200), first_in_first_out=Decimal(200))


@pytest.mark.parametrize(
    ("said", "held"),
    [
        ([], 10),
        ([(10, "100")], 20),
        ([(10, None)], 10),
        ([(10, "100"), (-20, "100"), (20, "100")], 10),
        ([(10, "100"), (-10, "100")], 0),
    ],
    ids=["none", "another quantity", "no price", "sold before bought", "nothing left"],
)
def test_trades_that_do_not_lead_to_what_is_held_say_nothing(said: list[tuple[int, str | None]], held: int) -> None:
    """A split, a transfer or a holding from before the books begin: no figure is better than a wrong one."""
    assert cost(*said, held=held) is None


def test_a_figure_is_told_by_the_methods_that_give_it() -> None:
    """To the paisa, which is half a paisa of rounding on each side."""
    both = Cost(weighted=Decimal("450.004"), first_in_first_out=Decimal("466.67"))
    assert both.methods(Decimal("450.01")) == ("weighted",)
    assert both.methods(Decimal("466.67")) == ("first in first out",)
    assert both.methods(Decimal(451)) == ()
