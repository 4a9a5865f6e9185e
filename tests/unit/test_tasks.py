"""What a large run hands out to its crew: every range, then shares of what is left, and nothing after a failure."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

from store.scopes import Range
from tieout.review import RANGE
from tieout.tasks import FEW, Tasks

FIRST, SECOND = Range(1, 500, 500), Range(501, 1000, 500)
SOON_S = 0.2


def test_ranges_come_first_and_in_order() -> None:
    """What an early one left waits until all are being paired."""
    tasks = Tasks([FIRST, SECOND], crew=2)
    assert tasks.take() == FIRST
    tasks.done(FIRST, [7])

    assert tasks.take() == SECOND


def test_what_is_left_comes_once_in_ever_smaller_shares() -> None:
    """The first ones first; a share is one of as many as there are workers, neither too large nor too small."""
    tasks = Tasks([FIRST], crew=2)
    tasks.take()
    tasks.done(FIRST, range(500, 0, -1))
    shares = []
    while share := tasks.take():
        assert not isinstance(share, Range)
        shares.append(share)

    assert [txn for share in shares for txn in share] == list(range(1, 501))
    assert [len(share) for share in shares] == [RANGE, 150, 75, 37, FEW, 18]


def test_who_is_free_waits_for_what_the_others_will_leave() -> None:
    """Nobody goes home while a range is still being paired."""
    tasks = Tasks([FIRST], crew=2)
    tasks.take()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(tasks.take)
        assert not wait([waiting], timeout=SOON_S).done
        tasks.done(FIRST, [3, 2])

        assert waiting.result(timeout=5) == (2, 3)


def test_after_a_failure_everybody_goes_home() -> None:
    """One who waits does not wait on, and one who comes back later gets nothing more."""
    tasks = Tasks([FIRST, SECOND], crew=3)
    tasks.take(), tasks.take()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(tasks.take)
        tasks.stop()
        assert waiting.result(timeout=5) is None
    tasks.done(FIRST, [1, 2, 3])

    assert tasks.take() is None
