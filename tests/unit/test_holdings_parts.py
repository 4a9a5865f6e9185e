"""Reconciling holdings: each cause alone, causes in pairs, and what people see of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations

import pytest

from recon.holdings.judge import judge_holdings, left_over
from recon.holdings.values import Action, Adapter, HoldingVerdict, OrderBreak, Position, Shown, ShownRow
from tests.holdings_oracle import ALONE, BY_THE_REST, CAUSES, DAY, ISIN, NEW, NEXT, OPENING, TEMPORARY, Plot, trade

LISTED = date(2026, 2, 5)  #: 15 sessions after the 14th of January, a Sunday's for the budget among them
PAIRS = [(a, b) for a, b in combinations(CAUSES, 2) if not {a, b} <= BY_THE_REST]


def judged(plot: Plot) -> HoldingVerdict:
    """The only line of a plot."""
    (verdict,) = judge_holdings(plot.case())
    return verdict


def parts(verdict: HoldingVerdict) -> dict[str, int]:
    """Its parts by name."""
    return {part.name: int(part.quantity) for part in verdict.parts}


def said(verdict: HoldingVerdict) -> set[str]:
    """The names of its findings."""
    return {finding.name for finding in verdict.findings}


def test_what_agrees_is_matched() -> None:
    """No part, no finding."""
    verdict = judged(Plot())
    assert (verdict.bucket, verdict.parts, verdict.findings) == ("matched", (), ())


@pytest.mark.parametrize("name", [*CAUSES, *ALONE])
def test_a_cause_alone_gives_just_its_part(name: str) -> None:
    """And no other finding."""
    plot = Plot()
    (CAUSES | ALONE)[name](plot, 7)
    verdict = judged(plot)
    assert (parts(verdict), said(verdict)) == (plot.parts, {*plot.parts} | plot.notes)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_two_causes_give_just_their_two_parts(first: str, second: str) -> None:
    """Whatever they are, unless both are told by what fits the rest alone."""
    plot = Plot()
    CAUSES[first](plot, 7)
    CAUSES[second](plot, 11)
    verdict = judged(plot)
    assert (parts(verdict), said(verdict)) == (plot.parts, {*plot.parts} | plot.notes)


def split(ex_date: date = DAY, **other: object) -> Action:
    """One becomes five."""
    given: dict[str, object] = {"kind": "split", "isin": ISIN, "new_isin": NEW, "ex_date": ex_date}
    return Action(**{**given, "ratio_from": Decimal(1), "ratio_to": Decimal(5), **other})  # type: ignore[arg-type]


def test_a_split_that_both_applied_is_matched_under_the_new_isin() -> None:
    """The step says what happened."""
    verdict = judged(Plot(actions=[split()], shown_isin=NEW, held=500))
    assert (verdict.isin, verdict.bucket, verdict.internal) == (NEW, "matched", Decimal(500))
    assert [step.what for step in verdict.steps] == [f"held on {OPENING}", f"split on {DAY}"]


def test_a_split_that_the_broker_has_not_applied_is_its_whole_part() -> None:
    """100 old ones are 500 new ones: 400 fewer are shown."""
    assert parts(judged(Plot(actions=[split()]))) == {"split": -400}


def test_a_split_that_the_books_have_not_applied_is_a_part_the_other_way() -> None:
    """The books' positions are of after the ex-date and still name the old ISIN."""
    verdict = judged(Plot(actions=[split(OPENING)], shown_isin=NEW, held=500))
    assert parts(verdict) == {"split": 400}


def test_another_ratio_is_told_where_it_gives_the_broker_s_figure_exactly() -> None:
    """Under the new ISIN, and still 100."""
    assert parts(judged(Plot(actions=[split()], shown_isin=NEW, held=100))) == {"ca-ratio": -400}
    assert parts(judged(Plot(actions=[split()], shown_isin=NEW, held=101))) == {"unexplained": -399}


def test_a_bonus_under_its_temporary_isin_counts_and_is_awaited() -> None:
    """Both ISINs are one line with no part; that it is listed is awaited for 15 sessions, then it is a break."""
    bonus = split(kind="bonus", new_isin=None, temporary_isin=TEMPORARY, ratio_from=Decimal(2), ratio_to=Decimal(1))
    plot = Plot(actions=[bonus])
    case = plot.case()
    assert case.shown
    more = ShownRow(isin=TEMPORARY, symbol="BSE:INFY", held=Decimal(50))
    rows = (*case.shown.rows, more)
    (verdict,) = judge_holdings(replace(case, shown=replace(case.shown, rows=rows)))
    assert (verdict.bucket, verdict.internal, verdict.shown) == ("pending", Decimal(150), Decimal(150))
    assert (verdict.parts, said(verdict)) == ((), {"bonus-pending"})
    for day, bucket in ((LISTED, "pending"), (LISTED + timedelta(days=1), "bonus-pending")):
        (verdict,) = judge_holdings(replace(case, day=day, shown=replace(case.shown, day=day, rows=rows)))
        assert verdict.bucket == bucket


def test_a_bonus_that_is_overdue_is_a_break() -> None:
    """Until then it is pending."""
    plot = Plot()
    CAUSES["bonus-pending"](plot, 50)
    assert judged(plot).bucket == "pending"
    plot.actions = [replace(plot.actions[0], credited_by=OPENING)]
    assert judged(plot).bucket == "bonus-pending"


def test_a_demerged_company_that_is_not_shown_is_a_line_of_its_own() -> None:
    """One for two: 50 are due."""
    action = split(kind="demerger", new_isin=NEW, ratio_from=Decimal(2), ratio_to=Decimal(1))
    first, second = judge_holdings(Plot(actions=[action]).case())
    assert (first.isin, first.bucket) == (ISIN, "matched")
    assert (second.isin, parts(second)) == (NEW, {"ca-other": -50})


def test_fewer_held_is_how_other_brokers_show_a_sale() -> None:
    """Their adapter says so."""
    plot = Plot(adapter=Adapter(), held=95, trades=[trade("s", -5, DAY, NEXT)])
    assert parts(judged(plot)) == {"sold-today": -5}


def test_what_was_bought_settles_and_is_no_difference_any_more() -> None:
    """T1 that settled by the day is in both."""
    plot = Plot(base=107, held=100, t1=7, seen=OPENING, trades=[trade("b", 7, OPENING, DAY)])
    assert judged(plot).bucket == "matched"


def test_an_order_break_is_linked_and_only_where_it_fits_exactly() -> None:
    """One defect is one break: the line's bucket is the note."""
    plot = Plot(held=103)
    plot.breaks = [OrderBreak(ref="f" * 32, name="qty-filled", isin=ISIN, quantity=Decimal(3))]
    verdict = judged(plot)
    assert (verdict.bucket, verdict.findings[0].root) == ("orphan-fill", "f" * 32)
    plot.held = 104
    assert parts(judged(plot)) == {"unexplained": 4}


def test_a_row_without_isin_blocks_and_belongs_to_no_line() -> None:
    """Its shares are a part of that name."""
    plot = Plot()
    case = plot.case()
    assert case.shown
    nameless = ShownRow(isin=None, symbol="NSE:NEWCO", held=Decimal(10))
    verdicts = judge_holdings(replace(case, shown=replace(case.shown, rows=(*case.shown.rows, nameless))))
    assert {v.isin: v.bucket for v in verdicts} == {ISIN: "matched", "NSE:NEWCO": "isin-unmapped"}


def test_a_cost_that_differs_is_told_only_where_nothing_moved() -> None:
    """Two paise are one too many."""
    assert said(judged(Plot(average="400.02"))) == {"avg-cost"}
    assert said(judged(Plot(average="400.01"))) == set()
    plot = Plot(average="400.02")
    CAUSES["unsettled-t1"](plot, 1)
    assert said(judged(plot)) == {"unsettled-t1"}


def test_less_than_none_is_critical() -> None:
    """Whatever else is said."""
    verdict = judged(Plot(base=-5, held=-5, average="0"))
    assert (verdict.bucket, verdict.findings[0].critical) == ("negative", True)


def test_without_positions_or_an_answer_everything_waits() -> None:
    """Nothing is concluded from silence."""
    case = Plot().case()
    (verdict,) = judge_holdings(replace(case, opening=None))
    assert (verdict.bucket, verdict.rule, verdict.parts) == ("pending", "no-positions", ())
    (verdict,) = judge_holdings(replace(case, shown=None))
    assert (verdict.bucket, verdict.rule, verdict.internal) == ("pending", "no-holdings", Decimal(100))


def test_what_is_left_over_is_told_for_other_accounts() -> None:
    """Before accounts are held against each other."""
    assert left_over(Plot(held=93).case()) == {ISIN: Decimal(-7)}
    assert left_over(Plot().case()) == {}


def test_a_security_that_only_the_broker_has_is_a_line() -> None:
    """The books hold none of it."""
    case = Plot().case()
    only = Shown(ref="1", day=DAY, rows=(ShownRow(isin=NEW, symbol="NSE:X", held=Decimal(4)),))
    opening = replace(case.opening, positions=(Position(isin=ISIN, quantity=Decimal(0)),))  # type: ignore[type-var]
    verdicts = judge_holdings(replace(case, opening=opening, shown=only))
    assert {v.isin: (v.bucket, int(v.difference or 0)) for v in verdicts} == {
        ISIN: ("matched", 0),
        NEW: ("unexplained", 4),
    }
