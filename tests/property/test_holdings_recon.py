"""Holdings whatever comes: parts add up to the difference that a plain second opinion counts, in any order of rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config.calendar import exchange_calendar
from recon.holdings.judge import judge_holdings
from recon.holdings.values import (
    Action,
    Adapter,
    HoldingsCase,
    Opening,
    OrderBreak,
    Position,
    Shown,
    ShownRow,
    Trade,
    Transfer,
)
from tests.holdings_oracle import ALONE, BY_THE_REST, CAUSES, Plot, naive

DAY = date(2026, 1, 14)
ISINS = ("INE009A01021", "INE009A01039", "INE467B01029")
COUNT = st.integers(-20, 200).map(Decimal)
SOME = st.integers(0, 30).map(Decimal)
NEAR = st.integers(-5, 0).map(lambda days: DAY + timedelta(days))
PLACE = st.sampled_from(["in-held", "beside", "left-out"])

ADAPTERS = st.builds(
    Adapter, t1=PLACE, pledged=PLACE, mtf=PLACE, blocked=PLACE, sold=st.sampled_from(["position", "fewer-held"])
)
ROWS = st.builds(
    ShownRow,
    isin=st.sampled_from([*ISINS, None]),
    symbol=st.just("NSE:X"),
    **dict.fromkeys(("held", "nse", "bse"), COUNT),
    **dict.fromkeys(("t1", "pledged", "mtf", "blocked", "short", "smallcase"), SOME),
)
TRADES = st.builds(
    Trade,
    ref=st.uuids().map(str),
    isin=st.sampled_from(ISINS),
    quantity=COUNT,
    trade_date=NEAR,
    settles_on=st.integers(0, 3).map(lambda days: DAY + timedelta(days - 1)),
)
ACTIONS = st.builds(
    Action,
    kind=st.sampled_from(["split", "bonus", "merger", "demerger", "rights", "buy-back"]),
    isin=st.just(ISINS[0]),
    new_isin=st.just(ISINS[1]),
    ex_date=NEAR,
    ratio_from=st.integers(1, 3).map(Decimal),
    ratio_to=st.integers(1, 5).map(Decimal),
)
CASES = st.builds(
    HoldingsCase,
    account=st.just("a"),
    day=st.just(DAY),
    calendar=st.just(exchange_calendar()),
    opening=st.builds(
        Opening,
        as_of=NEAR,
        positions=st.lists(
            st.builds(Position, isin=st.sampled_from(ISINS), quantity=COUNT), max_size=3, unique_by=lambda p: p.isin
        ).map(tuple),
    ),
    shown=st.builds(Shown, ref=st.just("1"), day=NEAR, rows=st.lists(ROWS, max_size=4).map(tuple)),
    trades=st.lists(TRADES, max_size=4, unique_by=lambda t: t.ref).map(tuple),
    transfers=st.lists(
        st.builds(Transfer, ref=st.uuids().map(str), isin=st.sampled_from(ISINS), quantity=COUNT, on=NEAR), max_size=2
    ).map(tuple),
    actions=st.lists(ACTIONS, max_size=2).map(tuple),
    order_breaks=st.lists(
        st.builds(
            OrderBreak,
            ref=st.uuids().map(str),
            name=st.just("qty-filled"),
            isin=st.sampled_from(ISINS),
            quantity=COUNT,
        ),
        max_size=2,
    ).map(tuple),
    adapter=ADAPTERS,
    exclusive=st.booleans(),
    books_hold=st.frozensets(st.sampled_from(["pledged", "mtf", "blocked"])),
)


@given(CASES)
def test_parts_always_add_up_and_every_row_is_in_one_line(case: HoldingsCase) -> None:
    """Judging itself refuses to say otherwise; parts are whole and never zero."""
    for verdict in judge_holdings(case):
        assert verdict.difference == sum((part.quantity for part in verdict.parts), Decimal(0))
        assert all(part.quantity and part.quantity == part.quantity.to_integral_value() for part in verdict.parts)


@given(CASES, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(case: HoldingsCase, chance: Any) -> None:
    """Of rows, positions, trades, transfers, actions or order breaks."""

    def mixed(values: tuple[Any, ...]) -> tuple[Any, ...]:
        listed = list(values)
        chance.shuffle(listed)
        return tuple(listed)

    assert case.opening
    assert case.shown
    other = replace(
        case,
        opening=replace(case.opening, positions=mixed(case.opening.positions)),
        shown=replace(case.shown, rows=mixed(case.shown.rows)),
        trades=mixed(case.trades),
        transfers=mixed(case.transfers),
        order_breaks=mixed(case.order_breaks),
    )
    assert judge_holdings(other) == judge_holdings(case)


@given(st.dictionaries(st.sampled_from(sorted(CAUSES)), st.integers(1, 40), max_size=6))
def test_the_difference_is_the_one_that_a_second_opinion_counts(chosen: dict[str, int]) -> None:
    """And with one cause at most that is told by the rest, the parts are those that were planted."""
    plot = Plot()
    for name in CAUSES:
        if name in chosen:
            CAUSES[name](plot, chosen[name])
    (verdict,) = judge_holdings(plot.case())
    assert verdict.difference == naive(plot)
    if len(BY_THE_REST & chosen.keys()) <= 1:
        assert {part.name: int(part.quantity) for part in verdict.parts} == plot.parts


@given(st.sampled_from(sorted(ALONE)), st.integers(1, 40))
def test_an_old_answer_is_counted_so_too(name: str, quantity: int) -> None:
    """What settled since is its part."""
    plot = Plot()
    ALONE[name](plot, quantity)
    (verdict,) = judge_holdings(plot.case())
    assert verdict.difference == naive(plot) == sum(plot.parts.values())
