"""Waking the requests of a group: one wakes the next, and nobody who gave up breaks the chain."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from itertools import pairwise

from inbox.arrivals import Arrival, Waiting

AT = datetime(2024, 1, 15, tzinfo=UTC)
ROW = Arrival(b"", "g", "live", "orders", None, None, None, "k", AT, b"", b"", b"", "", None)


def chain(number: int) -> list[Waiting]:
    """So many that wait, each to wake the next."""
    group = [Waiting(ROW) for _ in range(number)]
    for one, successor in pairwise(group):
        one.successor = successor
    return group


def test_each_wakes_the_next() -> None:
    """The writer wakes the first alone, and all go on."""
    group, woken = chain(20), []
    threads = [threading.Thread(target=lambda one=one: woken.append(one.wait(10))) for one in group]
    for thread in threads:
        thread.start()

    group[0].wake()
    for thread in threads:
        thread.join(10)

    assert woken == [True] * 20


def test_one_that_gave_up_is_passed_over() -> None:
    """Its time was over before it was woken; those behind it are woken all the same."""
    group = chain(4)
    assert not group[1].wait(0.01)
    assert not group[2].wait(0.01)

    group[0].wake()

    assert group[0].wait(1)
    assert group[3].wait(1)


def test_giving_up_at_the_moment_of_waking_loses_nobody() -> None:
    """However the two fall together, the last of the chain is woken."""
    for _ in range(300):
        group = chain(3)
        thread = threading.Thread(target=group[1].wait, args=(0.0005,))
        thread.start()
        group[0].wake()
        assert group[0].wait(1)
        assert group[2].wait(1)
        thread.join()
