"""What is found of a transaction, told by tapes: both sides as lines in the docstring (see tests/tape.py)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from recon.judge import _every_line_once
from recon.names import class_of
from recon.values import Answer, FindingClass, Policy, Regression, State
from tests.builders import DAY, NOON
from tests.tape import Tape, read


@pytest.fixture(name="tape")
def _tape(request: pytest.FixtureRequest) -> Tape:
    """The tape in the test's docstring."""
    return read(request.function.__doc__)


def test_equal_lines_are_matched(tape: Tape) -> None:
    """Both sides say the same.

    transaction COMPLETED
    batch       B1 COMPLETED quantity=10 filled=10 buy=15000
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    bucket      O1 matched
    """
    (verdict,) = tape.check().verdicts

    assert (verdict.rung, verdict.trade_date) == (1, DAY)


def test_a_smaller_booked_fill_is_a_quantity_break(tape: Tape) -> None:
    """The Gateway filled more than we booked.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 7/10 @ 1500.00 COMPLETE
    finds       qty-filled O1
    bucket      O1 qty-filled
    """
    (finding,) = tape.check().all_findings()

    assert (finding.ours, finding.theirs, finding.difference) == ("7", "10", Decimal(-3))
    assert finding.impact_inr == Decimal(4500)
    assert finding.rule == "quantity.filled"
    assert [evidence.kind for evidence in finding.evidence] == ["books", "snapshot"]


def test_a_quantity_that_was_first_asked_for_is_explained(tape: Tape) -> None:
    """The customer made it eight on the review screen; our ten is what was asked for.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 8/8 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 8/10 @ 1500.00 COMPLETE
    finds       qty-requested O1
    """
    leg = tape.batches[0].legs[0]
    asked = (replace(leg, quantity=Decimal(10)),)

    (finding,) = tape.check(requested=asked).all_findings()
    (unexplained,) = tape.check().all_findings()

    assert (finding.cause, unexplained.cause) == ("user-edited", None)


def test_a_partial_fill_that_both_sides_know_is_a_note(tape: Tape) -> None:
    """PARTIAL that went no further says the same as CANCELLED.

    transaction COMPLETED
    batch       B1 PARTIALLYFILLED
    leg         N1 BUY INFY 7/10 @ 1500.00 PARTIAL
    books       O1 N1 BUY INFY 7/10 @ 1500.00 CANCELLED
    finds       partial-residual O1
    bucket      O1 matched
    """
    tape.check()


def test_partial_in_the_books_is_an_end_once_it_agrees(tape: Tape) -> None:
    """The books' PARTIAL with the Gateway's fill is done; with less it is behind.

    transaction COMPLETED
    batch       B1 PARTIALLYFILLED
    leg         N1 BUY INFY 7/10 @ 1500.00 CANCELLED
    leg         N2 BUY TCS 7/10 @ 1500.00 CANCELLED
    books       O1 N1 BUY INFY 7/10 @ 1500.00 PARTIAL
    books       O2 N2 BUY TCS 5/10 @ 1500.00 PARTIAL
    finds       partial-residual O1
    finds       books-behind O2
    """
    tape.check()


def test_a_price_one_paisa_apart_is_matched_in_tolerance(tape: Tape) -> None:
    """Two prices rounded to paise may differ by one.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.01 COMPLETE
    finds       price-in-tol O1
    bucket      O1 matched-in-tolerance
    """
    (finding,) = tape.check().all_findings()

    assert (finding.difference, finding.tolerance) == (Decimal("0.01"), Decimal("0.01"))


def test_a_price_beyond_the_bound_is_a_break_unless_slack_covers_it(tape: Tape) -> None:
    """The bound is half a unit of each side, plus what the policy allows.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.02 COMPLETE
    finds       price-out O1
    bucket      O1 price-out
    """
    (finding,) = tape.check().all_findings()
    (allowed,) = tape.judged(policy=Policy(price_slack=Decimal("0.01"))).all_findings()

    assert (finding.impact_inr, allowed.name) == (Decimal("0.20"), "price-in-tol")


def test_a_fill_without_a_price_is_said_instead_of_a_price_difference(tape: Tape) -> None:
    """Ten filled at nothing.

    transaction COMPLETED
    batch       B1 COMPLETED buy=15000
    leg         N1 BUY INFY 10/10 @ 0 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       price-absent O1
    """
    tape.check()


def test_the_wrong_side_and_the_wrong_share_are_found_by_elimination(tape: Tape) -> None:
    """Without exchange ids, one line left on each side that agrees in two of three is a pair.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 - SELL INFY 10/10 @ 1500.00 COMPLETE
    finds       side O1
    bucket      O1 side
    """
    (verdict,) = tape.check().verdicts

    assert (verdict.rung, verdict.findings[0].impact_inr) == (4, Decimal(30000))


def test_lines_that_name_different_orders_are_never_a_pair(tape: Tape) -> None:
    """The same share and quantity under another exchange order id is another order.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N2 BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       missing-external O1
    finds       missing-internal N1
    """
    tape.check()


def test_another_account_or_broker_is_critical(tape: Tape) -> None:
    """Booked on somebody else at another broker: one finding each.

    transaction COMPLETED account=A broker=kite
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE account=B broker=groww
    finds       account O1
    """
    assert [(f.field, f.critical) for f in tape.check().all_findings()] == [("account", True), ("broker", True)]


def test_two_ends_with_other_words_conflict(tape: Tape) -> None:
    """Rejected there, cancelled here; nothing was filled, so it is harmless.

    transaction COMPLETED
    batch       B1 UNFILLED
    leg         N1 BUY INFY 0/10 @ - REJECTED
    books       O1 N1 BUY INFY 0/10 @ - CANCELLED
    finds       status-conflict O1
    """
    (finding,) = tape.check().all_findings()

    assert finding.cause == "nothing-filled"


def test_interchangeable_lines_are_paired_without_a_guess(tape: Tape) -> None:
    """Two equal orders, booked twice without exchange ids: whichever is which, both tie out.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 6/6 @ 1500.00 COMPLETE
    leg         N2 BUY INFY 6/6 @ 1500.00 COMPLETE
    books       O1 - BUY INFY 6/6 @ 1500.00 COMPLETE
    books       O2 - BUY INFY 6/6 @ 1500.00 COMPLETE
    bucket      O1 matched
    bucket      N2 matched
    """
    assert {verdict.rung for verdict in tape.check().verdicts} == {2}


def test_several_candidates_are_all_ambiguous(tape: Tape) -> None:
    """Nobody can tell which of ours is which of theirs.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 6/6 @ 1500.00 COMPLETE
    leg         N2 BUY INFY 6/6 @ 1500.00 COMPLETE
    books       O1 - BUY INFY 5/5 @ 1500.00 COMPLETE
    books       O2 - BUY INFY 7/7 @ 1500.00 COMPLETE
    finds       ambiguous O1
    finds       ambiguous O2
    finds       ambiguous N1
    finds       ambiguous N2
    """
    tape.check()


def test_a_line_alone_on_either_side_is_missing_on_the_other(tape: Tape) -> None:
    """The books are due: what they lack is missing; what the Gateway's last word lacks is too.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N9 SELL TCS 5/5 @ 4000.00 COMPLETE
    finds       missing-internal N1
    finds       missing-external O1
    """
    impacts = {finding.name: finding.impact_inr for finding in tape.check().all_findings()}

    assert impacts == {"missing-internal": Decimal(15000), "missing-external": Decimal(20000)}


def test_books_are_awaited_until_they_are_due(tape: Tape) -> None:
    """At noon nobody can say that a line is missing.

    at          12:00
    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       awaiting-books N1
    bucket      N1 pending
    """
    judgement = tape.check()

    assert judgement.review_at == NOON + timedelta(hours=8)
    assert {f.name for f in tape.judged(as_of=judgement.review_at).all_findings()} == {"missing-internal"}


def test_an_open_order_is_pending_and_then_stale(tape: Tape) -> None:
    """Until the close and the grace it can still be filled.

    at          15:00
    transaction PROCESSING
    batch       B1 PLACED
    leg         N1 BUY INFY 0/10 @ - PLACED
    books       O1 N1 BUY INFY 0/10 @ - PLACED
    finds       open-order O1
    bucket      O1 pending
    """
    judgement = tape.check()

    assert judgement.review_at == NOON + timedelta(hours=4, microseconds=1)  # 16:00 IST
    assert {f.name for f in tape.judged(as_of=judgement.review_at).all_findings()} == {"stale-open"}


def test_books_behind_are_pending_within_the_grace(tape: Tape) -> None:
    """Ten minutes after the end the books may still be on their way.

    at          12:10
    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 0/10 @ - PLACED
    finds       books-behind O1
    bucket      O1 pending
    """
    (early,) = tape.check().all_findings()
    (late,) = tape.judged(as_of=NOON + timedelta(hours=1)).all_findings()

    assert (class_of(early), class_of(late)) == (FindingClass.PENDING, FindingClass.BREAK)


def test_an_unplaced_leg_stands_for_all_else_of_its_line(tape: Tape) -> None:
    """It never reached the broker; that our line is open and has a fill follows from it.

    transaction COMPLETED
    batch       B1 PARTIALLYPLACED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    unplaced    - BUY SBIN 0/5 @ - ERROR
    unplaced    - BUY TCS 0/5 @ - ERROR
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O2 - BUY SBIN 5/5 @ 800.00 COMPLETE
    finds       unplaced O2
    bucket      O1 matched
    bucket      TCS matched
    """
    (finding,) = tape.check().all_findings()

    assert finding.critical


def test_books_that_call_it_unplaced_agree(tape: Tape) -> None:
    """Once corrected, nothing is left to say.

    transaction COMPLETED
    batch       B1 UNPLACED
    leg         - BUY SBIN 0/5 @ - ERROR
    books       O1 - BUY SBIN 0/5 @ - UNPLACED
    bucket      O1 matched
    """
    tape.check()


@pytest.mark.parametrize("doc", ["INITIALIZED expired", "EXPIRED", "ERRORED error=user_cancelled code=1010"])
def test_a_transaction_that_was_never_begun_is_a_note(doc: str) -> None:
    """Nothing came of it, and the books booked nothing."""
    tape = read(f"\n    transaction {doc}\n    books O1 - BUY INFY 0/10 @ - CREATED\n    finds never-triggered O1")

    assert [verdict.bucket for verdict in tape.check().verdicts] == ["matched"]


def test_a_fill_booked_on_a_dead_transaction_is_missing_outside(tape: Tape) -> None:
    """The transaction expired unused, and the books say ten were filled.

    transaction INITIALIZED expired
    books       O1 - BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       missing-external O1
    """
    assert tape.check().all_findings()[0].critical


@pytest.mark.parametrize(
    "doc", ["ERRORED error=user_cancelled code=1012", "ERRORED error=timed_out", "INITIALIZED", "USED expired"]
)
def test_an_unclear_end_proves_nothing(doc: str) -> None:
    """An order may exist after a login, a time-out, or before an expiry that nobody stated."""
    line = "O1 - BUY INFY 0/10 @ - PLACED"

    read(f"\n    at 15:00\n    transaction {doc}\n    books {line}\n    finds open-order O1").check()


def test_an_empty_answer_is_no_proof_of_absence(tape: Tape) -> None:
    """COMPLETED without any batch may come from a place that lists none.

    transaction COMPLETED
    books       O1 - BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       stale-open O1
    """
    tape.check()


def test_a_created_line_that_the_gateway_does_not_hold_stays_pending(tape: Tape) -> None:
    """It says neither placed nor filled.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O2 - BUY TCS 0/10 @ - CREATED
    finds       open-order O2
    bucket      O2 pending
    """
    tape.check()


def test_a_transaction_absent_three_times_over_the_grace_is_absent(tape: Tape) -> None:
    """Twice, or three times in a hurry, proves nothing.

    books       O1 - BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       missing-external O1
    """
    tape.check(absent_at=tuple(NOON + timedelta(minutes=15 * n) for n in range(3)))
    hurried = tape.judged(absent_at=tuple(NOON + timedelta(minutes=n) for n in range(3)))

    assert [finding.name for finding in hurried.all_findings()] == ["stale-open"]


def test_an_unknown_word_is_never_taken_for_another(tape: Tape) -> None:
    """Neither a conflict nor a contradiction of the batch is concluded from it.

    transaction COMPLETED
    batch       B1 PARTIALLYFILLED
    leg         N1 BUY INFY 0/10 @ - FROZEN
    books       O1 N1 BUY INFY 0/10 @ - CANCELLED
    finds       unknown-enum O1
    """
    tape.check()


def test_unknown_words_are_said_where_they_stand(tape: Tape) -> None:
    """On the transaction, the batch and the line.

    transaction LOST
    batch       B1 MELTED
    leg         N1 HOLD INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 THAWED
    finds       unknown-enum O1
    finds       unknown-enum -
    """
    levels = [(finding.level, finding.field) for finding in tape.check().all_findings()]

    assert levels == [("line", "status"), ("line", "side"), ("batch", "status"), ("transaction", "status")]


def test_more_filled_than_ordered_is_critical_whatever_it_costs(tape: Tape) -> None:
    """Twelve of ten, by both sides' account: one finding.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 12/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 12/10 @ 1500.00 COMPLETE
    finds       overfill O1
    """
    tape.check()


def test_a_batch_has_to_add_up_in_shares_and_rupees(tape: Tape) -> None:
    """One share and five rupees too many; the lines themselves tie out.

    transaction COMPLETED
    batch       B1 COMPLETED filled=11 buy=15005
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       batch-sum -
    finds       amount-sum -
    bucket      O1 matched
    """
    differences = [finding.difference for finding in tape.check().findings]

    assert differences == [Decimal(-1), Decimal(-5)]


def test_rounded_prices_may_move_an_amount_by_half_a_unit_a_share(tape: Tape) -> None:
    """Ten at 1500.00, truly 1500.004: 15000.04 rupees.

    transaction COMPLETED
    batch       B1 COMPLETED buy=15000.04 sell=0
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    """
    tape.check()


@pytest.mark.parametrize(
    ("word", "legs", "fits"),
    [
        ("COMPLETED", ("10/10 @ 5 COMPLETE", "10/10 @ 5 COMPLETE"), True),
        ("COMPLETED", ("10/10 @ 5 COMPLETE", "0/10 @ - CANCELLED"), False),
        ("PARTIALLYFILLED", ("10/10 @ 5 COMPLETE", "0/10 @ - CANCELLED"), True),
        ("UNFILLED", ("0/10 @ - REJECTED", "0/10 @ - CANCELLED"), True),
        ("CANCELLED", ("0/10 @ - CANCELLED AMO", "0/10 @ - CANCELLED"), True),
        ("CANCELLED", ("0/10 @ - REJECTED", "0/10 @ - CANCELLED"), False),
        ("ERROR", ("0/10 @ - ERROR", "0/10 @ - ERROR"), True),
        ("ERROR", ("0/10 @ - ERROR", "0/10 @ - REJECTED"), False),
        ("FIXED", ("0/10 @ - REJECTED", "0/10 @ - CANCELLED"), True),
        ("PLACED", ("0/10 @ - PLACED", "10/10 @ 5 COMPLETE"), True),
        ("UNFILLED", ("10/10 @ 5 COMPLETE", "10/10 @ 5 COMPLETE"), False),
    ],
)
def test_the_batch_word_follows_from_its_legs(word: str, legs: tuple[str, str], fits: bool) -> None:  # noqa: FBT001
    """Each kind of batch, and what does not fit it."""
    lines = "".join(f"\n    leg N{place} BUY S{place} {leg}" for place, leg in enumerate(legs))
    judgement = read(f"\n    transaction COMPLETED\n    batch B1 {word}{lines}").judged()

    assert ("batch-vs-lines" not in {finding.name for finding in judgement.findings}) is fits


def test_a_lost_webhook_is_late_and_then_missed(tape: Tape) -> None:
    """The API's answer counts; that nobody told us is a finding by itself.

    at          12:20
    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    no webhook
    finds       webhook-late -
    bucket      O1 matched
    """
    judgement = tape.check()

    assert judgement.review_at == NOON + timedelta(minutes=30, microseconds=1)
    assert [f.name for f in tape.judged(as_of=judgement.review_at).findings] == ["webhook-missed"]


def test_a_webhook_overtaken_by_a_later_one_is_noted(tape: Tape) -> None:
    """PLACED after COMPLETED is old news, and no difference.

    transaction COMPLETED
    batch       B1 COMPLETED filled=10
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    webhook     B1 COMPLETED
    webhook     B1 PLACED filled=0
    finds       out-of-order -
    """
    tape.check()


def test_a_webhook_that_claims_more_than_the_answer_differs(tape: Tape) -> None:
    """A captured signature carries another body: one finding per field, and all its events as evidence.

    transaction COMPLETED
    batch       B1 COMPLETED quantity=10 filled=10 buy_amount=15000
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    webhook     B1 COMPLETED
    webhook     B1 COMPLETED quantity=15 filled=15 buy_amount=22500
    webhook     B9 COMPLETED
    finds       webhook-differs -
    bucket      O1 matched
    """
    fields = {(finding.batch_id, finding.field) for finding in tape.check().findings}

    assert fields == {("B1", "quantity"), ("B1", "filled"), ("B9", "batch")}


def test_a_webhook_is_held_against_an_answer_only_once_one_was_asked_for_after_it(tape: Tape) -> None:
    """Until then the answer may simply be older.

    transaction PROCESSING
    batch       B1 PLACED filled=0
    leg         N1 BUY INFY 0/10 @ - PLACED
    books       O1 N1 BUY INFY 0/10 @ - PLACED
    webhook     B1 COMPLETED filled=10 unasked
    finds       stale-open O1
    """
    tape.check()


def test_what_was_taken_back_is_critical_on_its_line(tape: Tape) -> None:
    """Ten were filled, then eight: ten stand, and a webhook that says eight was answered too.

    transaction COMPLETED
    batch       B1 COMPLETED filled=10
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    webhook     B1 COMPLETED
    webhook     B1 COMPLETED filled=8
    finds       regression O1
    finds       out-of-order -
    bucket      O1 regression
    """
    leg = tape.batches[0].legs[0]
    fall = Regression(batch_id="B1", field="filled", before="10", after="8", leg=leg, ref="9")
    state = tape.case().state
    assert state is not None

    tape.check(state=State(answer=state.answer, regressions=(fall,)))


def test_nothing_is_concluded_while_overlapping_answers_disagree(tape: Tape) -> None:
    """Every line is pending, and nothing is found.

    transaction COMPLETED
    batch       B1 COMPLETED filled=11
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 7/10 @ 1500.00 COMPLETE
    bucket      O1 pending
    """
    state = tape.case().state
    assert state is not None

    tape.check(state=State(answer=state.answer, settled=False))


def test_lines_that_nothing_tells_apart_have_subjects_of_their_own(tape: Tape) -> None:
    """Two equal legs without exchange ids are two missing lines.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         - BUY INFY 10/10 @ 1500.00 COMPLETE
    leg         - BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       missing-internal -
    """
    subjects = {finding.subject for finding in tape.check(claims=tape.case().claims).all_findings()}

    assert subjects == {"B1/NSE:INFY/BUY", "B1/NSE:INFY/BUY/2"}


def test_the_severest_break_names_the_bucket(tape: Tape) -> None:
    """A wrong account outweighs a wrong fill.

    transaction COMPLETED
    batch       B1 COMPLETED
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 7/10 @ 1500.50 COMPLETE account=B
    finds       qty-filled O1
    finds       price-out O1
    finds       account O1
    bucket      O1 account
    """
    tape.check()


def test_a_finding_without_any_line_is_dated_by_the_beginning_of_its_transaction(tape: Tape) -> None:
    """By its creation, else by when it was registered, else by now.

    transaction LOST
    finds       unknown-enum -
    """
    days = [
        tape.check().trade_date,
        tape.check(registered_at=NOON - timedelta(days=1)).trade_date,
    ]
    state = tape.case().state
    assert state is not None
    created = State(answer=replace(state.answer, created_at=NOON - timedelta(days=2)))

    assert [*days, tape.check(state=created).trade_date] == [
        DAY + timedelta(days=3),  # judged on Friday evening
        DAY - timedelta(days=1),
        DAY - timedelta(days=2),
    ]


def test_a_webhook_that_placed_a_batch_not_yet_answered_claims_nothing(tape: Tape) -> None:
    """It may only be quicker than the API.

    transaction INITIALIZED
    webhook     B9 PLACED filled=0
    """
    tape.check()


def test_a_webhook_without_a_filled_quantity_is_ranked_by_its_word_alone(tape: Tape) -> None:
    """And one with an unknown word by its filled quantity alone.

    transaction COMPLETED
    batch       B1 COMPLETED filled=10
    leg         N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    books       O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    webhook     B1 COMPLETED
    webhook     B1 MELTED filled=9
    finds       out-of-order -
    """
    (finding,) = tape.check().findings

    assert (finding.field, finding.ours, finding.theirs) == ("filled", "9", "10")


def test_a_line_that_is_lost_stops_everything(tape: Tape) -> None:
    """Nothing is said rather than something that does not add up.

    transaction COMPLETED
    books       O1 - BUY INFY 10/10 @ 1500.00 COMPLETE
    """
    verdicts = tape.judged().verdicts

    with pytest.raises(AssertionError, match="exactly one bucket"):
        _every_line_once(tape.case(), (*verdicts, *verdicts))


def test_an_intent_that_places_no_order_has_the_last_word_without_batches(tape: Tape) -> None:
    """A line booked on an import of holdings is no order of the Gateway's.

    books       O1 - BUY INFY 10/10 @ 1500.00 COMPLETE
    finds       missing-external O1
    """
    answer = Answer(transaction_id="TRX_1", status="COMPLETED", intent="HOLDINGS_IMPORT")

    tape.check(state=State(answer=answer))
