"""Folding answers: the state never goes back, and overlapping calls prove nothing against each other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from msgspec.structs import replace

from recon.history import Mark, fold, trace
from recon.values import Answer, Batch, Leg, Snapshot
from tests.builders import NOON


def a_leg(filled: int = 0, status: str = "PLACED", *, symbol: str = "INFY", exchange_id: str | None = None) -> Leg:
    """A leg of ten."""
    return Leg(
        placed=True, exchange="NSE", symbol=symbol, side="BUY", quantity=Decimal(10), filled=Decimal(filled),
        average_price=Decimal(5) if filled else None, status=status, exchange_order_id=exchange_id,
    )  # fmt: skip


def a_batch(*legs: Leg, status: str = "PLACED", filled: int | None = None, batch_id: str = "B1") -> Batch:
    """A batch of these legs."""
    return Batch(batch_id=batch_id, status=status, legs=legs, filled=None if filled is None else Decimal(filled))


def asked(at: float, *batches: Batch, status: str = "COMPLETED", took: float = 1) -> Snapshot:
    """An answer to a question asked so many seconds past noon, which took so many seconds."""
    start = NOON + timedelta(seconds=at)
    return Snapshot(
        asked_at=start,
        answered_at=start + timedelta(seconds=took),
        answer=Answer(transaction_id="TRX_1", status=status, batches=batches),
        ref=f"at {at:g}",
    )


OPEN = a_batch(a_leg())
PARTLY = a_batch(a_leg(4, "PARTIAL"))
DONE = a_batch(a_leg(10, "COMPLETE"), status="COMPLETED")


def test_without_an_answer_there_is_no_state() -> None:
    """Folding nothing is a fault of the caller."""
    with pytest.raises(ValueError, match="at least one answer"):
        fold([])


def test_progress_is_news_and_repetition_is_not() -> None:
    """Placed, partly filled, done, and done again."""
    history = trace([asked(0, OPEN), asked(10, PARTLY), asked(20, DONE), asked(30, DONE)])

    assert history.marks == (Mark.NEWS, Mark.NEWS, Mark.NEWS, Mark.SAME)
    assert history.state.answer.batches == (DONE,)
    assert (history.state.regressions, history.state.settled, history.state.ref) == ((), True, "at 30")


def test_the_order_in_which_answers_are_given_does_not_matter() -> None:
    """They are folded oldest question first."""
    answers = [asked(0, OPEN), asked(10, DONE), asked(20, PARTLY), asked(30, DONE)]

    assert len({repr(fold(order)) for order in permutations(answers)}) == 1


def test_an_answer_asked_for_earlier_but_come_later_is_no_news() -> None:
    """The slow answer says what was so before, and takes nothing back."""
    slow, quick = asked(0, OPEN, took=30), asked(10, DONE)

    for given in ([slow, quick], [quick, slow]):
        history = trace(given)
        assert dict(zip(given, history.marks, strict=True)) == {slow: Mark.OUT_OF_ORDER, quick: Mark.NEWS}
        assert (history.state.answer.batches, history.state.regressions) == ((DONE,), ())
        assert history.state.settled


@pytest.mark.parametrize(
    ("after", "field", "said"),
    [
        (a_batch(a_leg(8, "COMPLETE"), status="COMPLETED"), "filled", "8"),
        (a_batch(a_leg(10, "PLACED"), status="COMPLETED"), "status", "PLACED"),
        (a_batch(status="COMPLETED"), "present", "absent"),
    ],
)
def test_a_leg_that_falls_is_recorded_and_the_earlier_batch_stands_whole(after: Batch, field: str, said: str) -> None:
    """Fewer filled, open again, or gone: asked for after the earlier answer had come."""
    state = fold([asked(0, DONE), asked(10, after)])

    (fall,) = state.regressions
    assert (fall.field, fall.after, fall.leg, fall.ref) == (field, said, DONE.legs[0], "at 10")
    assert state.answer.batches == (DONE,)


@pytest.mark.parametrize(
    ("after", "field"),
    [
        (replace(DONE, status="PLACED"), "status"),
        (replace(DONE, filled=Decimal(9)), "filled"),
    ],
)
def test_a_batch_that_falls_without_any_leg_is_recorded_as_a_batch(after: Batch, field: str) -> None:
    """Its own word or figure falls."""
    state = fold([asked(0, replace(DONE, filled=Decimal(10))), asked(10, after)])

    (fall,) = state.regressions
    assert (fall.batch_id, fall.field, fall.leg) == ("B1", field, None)


def test_a_batch_that_disappears_stands_and_is_recorded() -> None:
    """An answer without it takes it back."""
    state = fold([asked(0, DONE), asked(10)])

    assert [fall.field for fall in state.regressions] == ["present"]
    assert state.answer.batches == (DONE,)


def test_a_transaction_never_leaves_completed() -> None:
    """Its word stands, and the fall is recorded without a batch."""
    state = fold([asked(0, DONE), asked(10, DONE, status="PROCESSING")])

    assert state.answer.status == "COMPLETED"
    assert [(fall.batch_id, fall.after) for fall in state.regressions] == [("", "PROCESSING")]


def test_an_unknown_word_is_shown_and_is_no_fall() -> None:
    """Nobody knows whether it says less."""
    frozen = a_batch(a_leg(10, "FROZEN"), status="MELTED")
    state = fold([asked(0, DONE), asked(10, frozen, status="LOST")])

    assert (state.answer.status, state.answer.batches, state.regressions) == ("LOST", (frozen,), ())


def test_a_fall_is_recorded_once_and_names_its_leg_as_it_stands() -> None:
    """Repeated it is one, and later progress moves it along; so does an exchange id that comes late."""
    fallen = a_batch(a_leg(3, "PARTIAL"))
    done = a_batch(a_leg(10, "COMPLETE", exchange_id="N1"), status="COMPLETED")
    state = fold([asked(0, PARTLY), asked(10, fallen), asked(20, fallen), asked(30, done)])

    (fall,) = state.regressions
    assert (fall.before, fall.after, fall.leg) == ("4", "3", done.legs[0])


def test_falls_of_other_batches_stay_as_they_are() -> None:
    """Only the batch that moved on carries its falls along."""
    other = a_batch(a_leg(symbol="TCS"), batch_id="B2")
    moved = a_batch(a_leg(5, "PARTIAL", symbol="TCS"), batch_id="B2")
    state = fold([asked(0, PARTLY, other), asked(10, OPEN, other), asked(20, PARTLY, moved)])

    assert [fall.leg for fall in state.regressions] == [PARTLY.legs[0]]


def test_overlapping_answers_that_disagree_settle_nothing() -> None:
    """Which of the two was read first is not known: ask again."""
    history = trace([asked(0, DONE, took=10), asked(5, PARTLY, took=20)])

    assert history.marks == (Mark.NEWS, Mark.OVERLAP)
    assert not history.state.settled
    assert (history.state.regressions, history.state.answer.batches) == ((), (DONE,))


def test_a_question_asked_after_both_settles_them() -> None:
    """It may confirm the higher state, or take it back."""
    unclear = [asked(0, DONE, took=10), asked(5, PARTLY, took=20)]

    confirmed, taken_back = fold([*unclear, asked(30, DONE)]), fold([*unclear, asked(30, PARTLY)])

    assert (confirmed.settled, confirmed.regressions) == (True, ())
    assert (taken_back.settled, len(taken_back.regressions)) == (True, 1)


def test_three_overlapping_answers_wait_for_the_last() -> None:
    """A question asked before the slowest answer came settles nothing."""
    state = fold([asked(0, DONE, took=100), asked(5, PARTLY, took=3), asked(20, PARTLY, took=3)])

    assert not state.settled


def test_overlapping_answers_that_differ_without_progress_settle_nothing() -> None:
    """Cancelled and rejected are both an end, so neither follows the other."""
    cancelled = a_batch(a_leg(0, "CANCELLED"), status="UNFILLED")
    rejected = a_batch(a_leg(0, "REJECTED"), status="UNFILLED")

    assert not fold([asked(0, cancelled, took=10), asked(5, rejected, took=10)]).settled
    assert fold([asked(0, cancelled), asked(5, rejected)]).settled


def test_an_overlapping_transaction_word_that_falls_settles_nothing() -> None:
    """COMPLETED and PROCESSING in the same moment."""
    state = fold([asked(0, DONE, took=10), asked(5, DONE, status="PROCESSING", took=10)])

    assert (state.settled, state.answer.status, state.regressions) == (False, "COMPLETED", ())


def test_what_a_later_answer_leaves_out_stays_known() -> None:
    """Account, broker, expiry and basket are kept."""
    first = asked(0, OPEN, status="PROCESSING")
    told = replace(first.answer, account="A", broker="kite", expire_at=NOON, intent="TRANSACTION")
    state = fold([replace(first, answer=told), asked(10, DONE)])

    assert (state.answer.account, state.answer.broker, state.answer.expire_at) == ("A", "kite", NOON)
    assert state.answer.intent == "TRANSACTION"


def test_legs_are_told_apart_by_exchange_id_then_by_what_was_ordered() -> None:
    """Two orders of one share: the fill of the second is not a fall of the first, whatever their order."""
    one, two = a_leg(0, exchange_id="N1"), a_leg(0, exchange_id="N2")
    after = a_batch(replace(two, filled=Decimal(5), status="PARTIAL"), one)
    bigger = replace(a_leg(), quantity=Decimal(12))

    assert fold([asked(0, a_batch(one, two)), asked(10, after)]).regressions == ()
    assert fold([asked(0, a_batch(a_leg(4, "PARTIAL"))), asked(9, a_batch(bigger))]).regressions[0].field == "filled"


def test_a_placed_leg_that_becomes_unplaced_has_fallen() -> None:
    """And one that is placed after all has not."""
    unplaced = a_batch(replace(a_leg(), placed=False))

    assert [fall.field for fall in fold([asked(0, OPEN), asked(10, unplaced)]).regressions] == ["status"]
    assert fold([asked(0, unplaced), asked(10, OPEN)]).regressions == ()
