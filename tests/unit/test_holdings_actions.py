"""Corporate actions and transfers beside positions that hold them already, answers that are too old, and dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from recon.holdings.judge import judge_holdings
from recon.holdings.values import Action, HoldingVerdict, Opening, Position, Transfer
from tests.holdings_oracle import DAY, ISIN, NEW, NEXT, OPENING, Plot, trade

BEFORE = date(2026, 1, 12)


def action(kind: str, ex_date: date = DAY, held: int = 2, gets: int = 1, **other: object) -> Action:
    """For so many held, so many come, or become of them."""
    given: dict[str, object] = {"kind": kind, "isin": ISIN, "ex_date": ex_date, "new_isin": NEW}
    if kind in ("bonus", "rights", "buy-back"):
        del given["new_isin"]
    return Action(ratio_from=Decimal(held), ratio_to=Decimal(gets), **{**given, **other})  # type: ignore[arg-type]


def said(plot: Plot, isin: str = ISIN) -> list[tuple[str, int, bool]]:
    """The parts of that line: name, shares, whether it is awaited."""
    verdicts = {verdict.isin: verdict for verdict in judge_holdings(plot.case())}
    return [(part.name, int(part.quantity), part.waiting) for part in verdicts[isin].parts]


def moved(out: int, on: date) -> Transfer:
    """So many went out."""
    return Transfer(ref="T1", isin=ISIN, quantity=Decimal(-out), on=on)


def test_a_transfer_that_the_positions_hold_already_is_told_where_it_fits_exactly() -> None:
    """Five went out on the day of the positions, and the broker still shows them; of six, one is something else."""
    assert said(Plot(base=95, transfers=[moved(5, OPENING)])) == [("transfer", 5, False)]
    assert said(Plot(base=94, transfers=[moved(5, OPENING)])) == [("unexplained", 6, False)]


@pytest.mark.parametrize(("ago", "name"), [(30, "transfer"), (31, "unexplained")])
def test_a_transfer_is_looked_for_through_thirty_days(ago: int, name: str) -> None:
    """What happened before explains nothing of today."""
    assert said(Plot(base=95, transfers=[moved(5, DAY - timedelta(days=ago))])) == [(name, 5, False)]


def test_a_transfer_after_the_answer_is_the_answer_s_age() -> None:
    """Whether the positions hold it or are moved on by it."""
    assert said(Plot(base=95, seen=BEFORE, transfers=[moved(5, OPENING)])) == [("snapshot-age", 5, False)]
    assert said(Plot(base=100, seen=BEFORE, transfers=[moved(5, DAY)])) == [("snapshot-age", 5, False)]


def test_a_transfer_before_a_split_is_counted_in_the_new_shares() -> None:
    """Five old ones are twenty-five new ones."""
    split = action("split", held=1, gets=5)
    plot = Plot(base=95, shown_isin=NEW, held=500, actions=[split], transfers=[moved(5, OPENING)])
    assert said(plot, NEW) == [("transfer", 25, False)]


@pytest.mark.parametrize("kind", ["rights", "buy-back"])
@pytest.mark.parametrize(("ago", "name"), [(60, "ca-other"), (61, "unexplained")])
def test_an_action_of_long_ago_explains_nothing(kind: str, ago: int, name: str) -> None:
    """After 60 days the positions know of it, or it never came."""
    more = 3 if kind == "rights" else -3
    plot = Plot(held=100 + more, actions=[action(kind, DAY - timedelta(days=ago))])
    assert said(plot) == [(name, more, False)]


def test_an_action_after_the_positions_is_looked_for_however_long() -> None:
    """Nobody booked it: the positions are of before."""
    plot = Plot(held=103, actions=[action("rights", DAY - timedelta(days=90))])
    case = plot.case()
    (verdict,) = judge_holdings(
        replace(case, opening=Opening(as_of=DAY - timedelta(days=91), positions=case.opening.positions))  # type: ignore[union-attr]
    )
    assert [part.name for part in verdict.parts] == ["ca-other"]


@pytest.mark.parametrize(
    ("held", "found"),
    [(100, [("bonus-pending", -50, True)]), (150, []), (149, [("unexplained", -1, False)])],
)
def test_a_bonus_that_the_positions_hold_already(held: int, found: list[tuple[str, int, bool]]) -> None:
    """150 are the 100 with their bonus, if the broker lacks just those 50."""
    assert said(Plot(base=150, held=held, actions=[action("bonus", OPENING)])) == found


def test_what_was_bought_after_the_ex_date_has_no_bonus() -> None:
    """Of the 160 ten were bought on the ex-date itself: 150 came of 100."""
    plot = Plot(base=160, held=110, actions=[action("bonus", OPENING)], trades=[trade("b", 10, OPENING, DAY)])
    assert said(plot) == [("bonus-pending", -50, True)]


def test_an_odd_share_brings_no_half_one() -> None:
    """101 and their bonus are 151."""
    assert said(Plot(base=151, held=101, actions=[action("bonus", OPENING)])) == [("bonus-pending", -50, True)]


@pytest.mark.parametrize(("kind", "more"), [("demerger", -50), ("merger", 50)])
def test_an_answer_of_before_an_action_cannot_know_of_it(kind: str, more: int) -> None:
    """Fifty of the new company are due, or a hundred old shares are fifty new ones: awaited, then a break."""
    assert said(Plot(seen=OPENING, actions=[action(kind)]), NEW) == [("ca-other", more, True)]
    assert said(Plot(seen=DAY, actions=[action(kind)]), NEW) == [("ca-other", more, False)]


@pytest.mark.parametrize(("ahead", "found"), [(15, [("ca-ratio", 400, False)]), (16, [("unexplained", 500, False)])])
def test_a_split_that_the_broker_applied_before_its_day(ahead: int, found: list[tuple[str, int, bool]]) -> None:
    """One line and one break, while the action is at most 15 days ahead; else nothing links the two ISINs."""
    split = action("split", DAY + timedelta(days=ahead), held=1, gets=5)
    plot = Plot(shown_isin=NEW, held=500, actions=[split], average="80")
    assert said(plot, NEW) == found
    assert len(judge_holdings(plot.case())) == (1 if ahead == 15 else 2)


def test_a_bonus_that_the_broker_credited_before_its_day() -> None:
    """Just so many more."""
    assert said(Plot(held=150, actions=[action("bonus", NEXT)])) == [("ca-ratio", 50, False)]
    assert said(Plot(held=149, actions=[action("bonus", NEXT)])) == [("unexplained", 49, False)]
    assert said(Plot(actions=[action("bonus", NEXT)])) == []


def test_another_ratio_is_told_beside_positions_that_applied_the_right_one() -> None:
    """The books hold 500, which were 100; the broker shows 100 of the new ISIN, as if one had become one."""
    plot = Plot(base=500, opening_isin=NEW, shown_isin=NEW, held=100, actions=[action("split", OPENING, 1, 5)])
    assert said(plot, NEW) == [("ca-ratio", -400, False)]


def test_the_fraction_of_a_share_is_paid_in_cash() -> None:
    """The books carry the half share that a bonus on 101 left; without an action half a share is unexplained."""
    assert fraction([action("bonus", OPENING)]) == [("ca-other", Decimal("-0.5"))]
    assert fraction([]) == [("unexplained", Decimal("-0.5"))]


def fraction(actions: list[Action]) -> list[tuple[str, Decimal]]:
    """The parts where the books hold 151 and a half, the broker 151."""
    case = Plot(held=151, actions=actions).case()
    half = Position(isin=ISIN, quantity=Decimal("151.5"), average_price=Decimal(400))
    verdict: HoldingVerdict
    (verdict,) = judge_holdings(replace(case, opening=Opening(as_of=OPENING, positions=(half,))))
    return [(part.name, part.quantity) for part in verdict.parts]


@pytest.mark.parametrize(("ago", "found"), [(60, set()), (61, {"avg-cost"})])
def test_the_broker_s_cost_is_not_looked_at_soon_after_an_action(ago: int, found: set[str]) -> None:
    """It is wrong for weeks, and then it is right."""
    plot = Plot(average="266.67", actions=[action("bonus", DAY - timedelta(days=ago))])
    (verdict,) = judge_holdings(plot.case())
    assert {finding.name for finding in verdict.findings} == found
