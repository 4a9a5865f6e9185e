"""Orders told twice or in parts, repaired, renamed, on another day: told by tapes (see tests/tape.py)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from recon.values import Evidence
from tests.tape import Tape, read


@pytest.fixture(name="tape")
def _tape(request: pytest.FixtureRequest) -> Tape:
    """The tape in the test's docstring."""
    return read(request.function.__doc__)


class Listed:
    """Infosys alone on the NSE, five paise a step, between 1,490 and 1,510."""

    def tick(self, instrument: str, day: date, exchange: str) -> Decimal | None:  # noqa: ARG002 every day alike
        """Five paise."""
        return Decimal("0.05") if instrument == "NSE:INFY" else None

    def low_high(self, instrument: str, day: date, exchange: str) -> tuple[Decimal, Decimal] | None:  # noqa: ARG002 as above
        """Of Infosys."""
        return (Decimal(1490), Decimal(1510)) if instrument == "NSE:INFY" else None

    def lists(self, exchange: str, symbol: str, day: date) -> bool | None:  # noqa: ARG002 as above
        """Of the NSE everything is known."""
        return symbol == "INFY" if exchange == "NSE" else None


# ---------------------------------------------------------------- told twice


def test_a_leg_told_twice_word_for_word_counts_once(tape: Tape) -> None:
    """The copy is dropped from every sum; the first one ties out.

    transaction COMPLETED
    batch       B1 COMPLETED quantity=10 filled=10 buy=15000
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       dup-external N1
    bucket      O1 matched
    """
    (finding,) = tape.check().all_findings()

    assert (finding.cause, finding.subject) == ("equal-copy", "N1")


def test_one_exchange_order_told_in_two_ways_is_nobodys_to_choose(tape: Tape) -> None:
    """Ten filled or eight: each is reported, none is taken.

    transaction COMPLETED
    batch       B1 PARTIALLYFILLED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    leg         N1 BUY INFY 8/10 @ 1500.00 CANCELLED
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       dup-external N1
    finds       ambiguous N1
    finds       ambiguous O1
    bucket      O1 ambiguous
    bucket      N1 dup-external
    """
    assert {finding.cause for finding in tape.check().all_findings()} == {None}


def test_an_order_booked_twice_keeps_the_line_that_agrees(tape: Tape) -> None:
    """The wrong one was entered first; the right one is the pair all the same.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 9/9 @ 1500.00 COMPLETE
    books       O2 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       dup-internal O1
    bucket      O2 matched
    bucket      N1 matched
    bucket      O1 dup-internal
    """
    (finding,) = tape.check().all_findings()

    assert finding.impact_inr == Decimal(13500)


def test_two_wrong_lines_for_one_leg_are_both_reported(tape: Tape) -> None:
    """Nine or eleven: neither is ten.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 9/9 @ 1500.00 COMPLETE
    books       O2 N1 BUY INFY 11/11 @ 1500.00 COMPLETE
    finds       dup-internal O1
    finds       dup-internal O2
    finds       ambiguous O1
    finds       ambiguous O2
    finds       ambiguous N1
    bucket      O1 dup-internal
    """
    tape.check()


def test_one_intent_executed_twice_is_critical(tape: Tape) -> None:
    """Both batches tie out by themselves; the second costs what it filled.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    batch       B2 COMPLETED
    leg         N2 BUY INFY 10/10 @ 1501.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O2 N2 BUY INFY 10/10 @ 1501.00 COMPLETE
    finds       dup-execution -
    bucket      O2 matched
    """
    (finding,) = tape.check().all_findings()

    assert (finding.critical, finding.impact_inr) == (True, Decimal(15010))
    assert finding.theirs == "B1 filled 10, B2 filled 10"


# ---------------------------------------------------------------- told in parts


def test_an_order_filled_by_two_legs_of_one_batch_adds_up(tape: Tape) -> None:
    """Twelve are five and seven; the average price is 1,500.58 and a third, and ours rounds it.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 5/5 @ 1500.00 COMPLETE
    leg         N2 BUY INFY 7/7 @ 1501.00 COMPLETE
    books       O1 - BUY INFY 12/12 @ 1500.58 COMPLETE
    finds       price-in-tol O1
    bucket      O1 matched-in-tolerance
    bucket      N2 matched-in-tolerance
    """
    verdicts = tape.check().verdicts

    assert {verdict.rung for verdict in verdicts} == {5}
    assert {verdict.members for verdict in verdicts} == {("O1", "N1", "N2")}
    assert verdicts[0].findings[0].difference == Decimal("-0.003333")


def test_books_that_keep_fills_add_up_to_the_leg(tape: Tape) -> None:
    """Two lines of ours name one exchange order and are its fills.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 4/4 @ 1499.25 COMPLETE
    books       O2 N1 BUY INFY 6/6 @ 1500.50 COMPLETE
    bucket      O1 matched
    bucket      O2 matched
    bucket      N1 matched
    """
    assert [verdict.members for verdict in tape.check().verdicts] == [("O1", "O2", "N1")] * 2


def test_parts_that_do_not_add_up_are_no_parts(tape: Tape) -> None:
    """Eleven of twelve: nobody guesses.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 5/5 @ 1500.00 COMPLETE
    leg         N2 BUY INFY 6/6 @ 1500.00 COMPLETE
    books       O1 - BUY INFY 12/12 @ 1500.00 COMPLETE
    finds       ambiguous O1
    finds       ambiguous N1
    finds       ambiguous N2
    """
    tape.check()


def test_legs_of_two_batches_are_no_parts_of_one_order(tape: Tape) -> None:
    """An order belongs to one batch.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 5/5 @ 1500.00 COMPLETE
    batch       B2 COMPLETED label=FIX
    leg         N2 BUY INFY 7/7 @ 1500.00 COMPLETE
    books       O1 - BUY INFY 12/12 @ 1500.00 COMPLETE
    finds       ambiguous O1
    finds       ambiguous N1
    finds       ambiguous N2
    finds       over-repair -
    """
    tape.check()


# ---------------------------------------------------------------- decided


def test_a_decision_goes_before_what_the_lines_say(tape: Tape) -> None:
    """The two are one although the figures would pair them the other way round.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 6/6 @ 1500.00 COMPLETE
    leg         N2 BUY INFY 7/7 @ 1500.00 COMPLETE
    books       O1 - BUY INFY 6/6 @ 1500.00 COMPLETE
    books       O2 - BUY INFY 7/7 @ 1500.00 COMPLETE
    ruled       together O1 N2
    finds       qty-requested O1
    finds       qty-requested O2
    finds       qty-filled O1
    finds       qty-filled O2
    """
    judgement = tape.check()

    assert [verdict.rung for verdict in judgement.verdicts] == [0, 3]
    assert judgement.verdicts[0].findings[0].evidence[-1].kind == "decision"


# ---------------------------------------------------------------- repaired


def test_a_repair_that_finishes_the_rest_is_a_note(tape: Tape) -> None:
    """Seven yesterday and three today are ten.

    transaction COMPLETED
    batch       B1 COMPLETED iscid=I1 label=FIX
    leg         N1 BUY INFY 3/3 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 3/3 @ 1500.00 COMPLETE
    chain       TRX_0 B0 FIXED I1 BUY INFY 7/10
    finds       repair-chain -
    """
    (finding,) = tape.check().all_findings()

    assert (finding.ours, finding.theirs, finding.difference) == ("10", "10", Decimal(0))


def test_a_repair_of_another_share_is_more_than_was_ordered(tape: Tape) -> None:
    """Nobody ordered it: all of it is excess, and what was ordered is still open.

    transaction COMPLETED
    batch       B1 COMPLETED iscid=I1 label=FIX
    leg         N1 BUY TCS 3/3 @ 1500.00 COMPLETE
    books       O1 N1 BUY TCS 3/3 @ 1500.00 COMPLETE
    chain       TRX_0 B0 FIXED I1 BUY INFY 7/10
    finds       over-repair -
    finds       repair-pending -
    """
    found = {finding.name: finding for finding in tape.check().all_findings()}
    over, pending = found["over-repair"], found["repair-pending"]

    assert (over.subject, over.impact_inr, over.critical) == ("B1/NSE:TCS/BUY", Decimal(4500), True)
    assert (pending.ours, pending.theirs, pending.difference) == ("10", "7", Decimal(3))


def test_a_rest_is_pending_on_its_last_batch_only(tape: Tape) -> None:
    """The repair of today left a share; the first batch is not asked for it again.

    transaction COMPLETED
    batch       B1 PARTIALLYFILLED iscid=I1 label=FIX
    leg         N1 BUY INFY 2/3 @ 1500.00 CANCELLED
    books       O1 N1 BUY INFY 2/3 @ 1500.00 CANCELLED
    chain       TRX_0 B0 PARTIALLYFILLED I1 BUY INFY 7/10
    finds       partial-residual O1
    finds       repair-chain -
    finds       repair-pending -
    """
    pending = next(f for f in tape.check().all_findings() if f.name == "repair-pending")

    assert (pending.ours, pending.theirs, pending.impact_inr) == ("10", "9", Decimal(1500))


def test_a_parent_whose_repair_is_in_another_transaction_is_no_orphan(tape: Tape) -> None:
    """The batch says FIXED, and its child is known.

    transaction COMPLETED
    batch       B1 FIXED iscid=I1
    leg         N1 BUY INFY 7/10 @ 1500.00 CANCELLED
    books       O1 N1 BUY INFY 7/10 @ 1500.00 CANCELLED
    chain       TRX_9 B9 COMPLETED I1 BUY INFY 3/3 fix
    finds       partial-residual O1
    """
    tape.check()


def test_a_half_repair_waits_for_its_grace(tape: Tape) -> None:
    """Until 12:30 the other half may still be heard of.

    at          12:29
    transaction COMPLETED
    batch       B1 FIXED iscid=I1
    leg         N1 BUY INFY 7/10 @ 1500.00 CANCELLED
    books       O1 N1 BUY INFY 7/10 @ 1500.00 CANCELLED
    finds       partial-residual O1
    finds       orphan-repair -
    """
    assert {f.waiting for f in tape.check().all_findings() if f.name == "orphan-repair"} == {True}


# ---------------------------------------------------------------- names, days, zones, prices


def test_another_spelling_of_one_security_is_a_note(tape: Tape) -> None:
    """Ours calls it INFY-EQ.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY-EQ 10/10 @ 1500.00 COMPLETE is=NSE:INFY
    finds       alias O1
    bucket      O1 matched
    """
    tape.check()


def test_the_other_exchange_costs_the_difference_in_price(tape: Tape) -> None:
    """Booked on the BSE at half a rupee more.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 - BUY INFY 10/10 @ 1500.50 COMPLETE exchange=BSE is=NSE:INFY
    finds       exchange O1
    finds       price-out O1
    """
    found = {finding.name: finding for finding in tape.check().all_findings()}

    assert found["exchange"].impact_inr == Decimal(5)


def test_a_symbol_outside_the_table_is_unmapped(tape: Tape) -> None:
    """The table knows the exchange and not the symbol.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY XYZLTD 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY XYZLTD 10/10 @ 1500.00 COMPLETE
    finds       unmapped O1
    bucket      O1 unmapped
    """
    tape.market = Listed()

    tape.check()


def test_the_wrong_day_is_a_break_but_not_the_eve_of_an_after_market_order(tape: Tape) -> None:
    """Placed on Thursday evening, executed on Friday.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    batch       B2 COMPLETED variety=amo label=FIX
    leg         N2 BUY TCS 0/10 @ - COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE date=2026-11-19
    books       O2 N2 BUY TCS 0/10 @ - COMPLETE date=2026-11-19
    finds       trade-date O1
    finds       repair-chain -
    bucket      O2 matched
    """
    tape.check()


def test_five_hours_and_a_half_are_a_zone_and_no_other_day(tape: Tape) -> None:
    """Executed at 12:00 IST and read as if it were UTC.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    leg         N2 BUY TCS 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE at=17:30 date=2026-11-19
    books       O2 N2 BUY TCS 10/10 @ 1500.00 COMPLETE at=17:29
    finds       zone-shift O1
    """
    (finding,) = tape.check().all_findings()

    assert (finding.ours, finding.theirs) == ("2026-11-20T17:30:00+05:30", "2026-11-20T06:30:00Z")


def test_a_price_nobody_can_have_traded_at_is_implausible(tape: Tape) -> None:
    """One share off the grid, ten beyond the day's high; an average of ten may lie between two ticks.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 1/1 @ 1500.03 COMPLETE
    leg         N2 BUY INFY 10/10 @ 1510.50 COMPLETE
    leg         N3 BUY INFY 10/10 @ 1500.03 COMPLETE
    books       O1 N1 BUY INFY 1/1 @ 1500.03 COMPLETE
    books       O2 N2 BUY INFY 10/10 @ 1510.50 COMPLETE
    books       O3 N3 BUY INFY 10/10 @ 1500.03 COMPLETE
    finds       price-implausible O1
    finds       price-implausible O2
    bucket      O3 matched
    """
    tape.market = Listed()

    assert {(f.line, f.impact_inr) for f in tape.check().all_findings()} == {
        ("O1", Decimal("0.02")),
        ("O2", Decimal(5)),
    }


def test_what_cannot_be_read_is_told_with_its_bytes(tape: Tape) -> None:
    """A webhook and an answer, each once.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       payload-invalid -
    """
    unreadable = (
        Evidence(kind="event", ref="e1", says="filled is no number"),
        Evidence(kind="event", ref="e2", says="filled is no number"),
        Evidence(kind="snapshot", ref="7", says="data is no object"),
    )

    found = tape.check(unreadable=unreadable).all_findings()

    assert [(f.field, f.theirs) for f in found] == [("event", "filled is no number"), ("snapshot", "data is no object")]
