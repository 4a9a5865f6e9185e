"""The simulator's gate: so many calls in any sliding second, and not while it is down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain, repeat

from simulator.day import Day
from simulator.gate import Gate
from simulator.plan import Plan, plan_day

DAY = Day(date(2026, 11, 18))


def a_gate(most: int, at_ms: Iterator[int]) -> Gate:
    """A gate whose calls come at these milliseconds."""
    return Gate(most=most, clock_ns=lambda: next(at_ms) * 1_000_000)


def test_a_call_too_many_in_any_second_is_refused_with_a_pause() -> None:
    """The third within a second is refused, and the next one a whole second after the first is not."""
    gate = a_gate(2, iter([0, 500, 999, 1000, 1001, 1500]))
    replies = [gate.refuse() for _ in range(6)]
    assert [reply.status if reply else 200 for reply in replies] == [200, 200, 429, 200, 429, 200]
    assert [reply.headers for reply in replies if reply] == [{"retry-after": "1"}] * 2
    assert gate.status()["refused"] == 2


def test_the_busiest_second_counts_every_call() -> None:
    """Refused ones too, so that a client can be told how fast it came."""
    gate = a_gate(1, iter([0, 1, 2, 900, 1500, 3000]))
    for _ in range(6):
        gate.refuse()
    assert gate.busiest == 4


def test_without_a_limit_all_may_pass() -> None:
    """Zero is no limit."""
    gate = a_gate(0, repeat(0))
    assert [gate.refuse() for _ in range(1000)] == [None] * 1000


def test_while_it_is_down_nothing_passes() -> None:
    """A reset connection or 503, counted apart from what came too fast."""
    gate = a_gate(0, chain(range(3)))
    gate.down = "reset"
    assert (reply := gate.refuse())
    assert reply.reset
    gate.down = "503"
    assert (reply := gate.refuse())
    assert reply.status == 503
    gate.down = ""
    assert gate.refuse() is None
    assert gate.status()["turned_away"] == 2


def a_plan(share: float, seed: int = 1) -> Plan:
    """A day of which so many webhooks are withheld."""
    return plan_day(DAY, seed=seed, transactions=500, gateway="simulated", withheld=share)


def test_the_share_of_withheld_webhooks_is_exact_and_the_same_for_a_seed() -> None:
    """A quarter is a quarter; the day is otherwise the one without."""
    plan, whole = a_plan(0.25), a_plan(0)
    withheld = [post for post in plan.posts if post.withheld]
    assert len(withheld) == round(0.25 * len(plan.posts))
    assert withheld == [post for post in a_plan(0.25).posts if post.withheld]
    assert plan.lines == whole.lines
    assert [post.transaction_id for post in plan.posts] == [post.transaction_id for post in whole.posts]


def test_a_transaction_whose_end_nobody_tells_is_missed() -> None:
    """Exactly those whose every final webhook is withheld are planted besides the day's own."""
    plan = a_plan(0.25)
    missed = {story.transaction_id for story in plan.stories if ("webhook-missed", None) in story.findings}
    for story in plan.stories:
        told = [post for post in story.posts if post.batch.completed_at and not post.withheld and post.expect == 200]
        ended = story.pictures[-1].batch
        never_told = ended is not None and ended.completed_at is not None and not told
        assert (story.transaction_id in missed) == (never_told and story.plot != "webhook-late"), story.plot
