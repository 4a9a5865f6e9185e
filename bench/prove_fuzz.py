"""Mutated answers at full size: most at the level of the readers and the decision, a sample over real HTTP."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from bench.fuzz.calls import SLACK_S, Called, call
from bench.fuzz.trial import Tally, run
from bench.proofs import Outcome

ANSWERS: Final = 100_000
CALLS: Final = 360
SEED: Final = 1_000_000
_PROCESSES, _PART = 2, 2_500


def fuzz(answers: int = ANSWERS, calls: int = CALLS) -> Outcome:
    """So many mutated answers and calls; held if nothing crashed, was booked wrongly, silent or late."""
    begun = time.monotonic()
    tally = mutated_answers(answers)
    print(f"{tally.answers} answers in {time.monotonic() - begun:.0f} s", flush=True)
    called = call(calls)
    lines = [*_of_answers(tally), *_of_calls(called)]
    return Outcome(tally.held and called.held and not +tally.lost, lines)


def mutated_answers(count: int, *, processes: int = _PROCESSES, seed: int = SEED) -> Tally:
    """So many, by seed, over some processes."""
    parts = [(at, min(_PART, seed + count - at)) for at in range(seed, seed + count, _PART)]
    tally = Tally()
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(run, *zip(*parts, strict=True)):
            tally.add(part)
    return tally


def _of_answers(tally: Tally) -> list[str]:
    kinds = ", ".join(f"{kind} {count}" for kind, count in tally.refused.most_common())
    ways = ", ".join(f"{how} {count}" for how, count in sorted(tally.by_mutation.items()))
    found = f"crashes {len(tally.crashes)}, wrong bookings {len(tally.wrong)}, silent refusals {len(tally.silent)}"
    return [
        f"mutated answers: {tally.answers}; {found}",
        f"read as what they say: {tally.booked}; refused: {kinds}",
        f"told otherwise and the same, and refused all the same: {sum((+tally.lost).values())}",
        f"longest time of the processor for one: {1000 * tally.slowest_s:.0f} ms",
        f"mutations: {ways}",
        *tally.crashes[:10],
        *tally.wrong[:10],
    ]


def _of_calls(called: Called) -> list[str]:
    kinds = ", ".join(f"{kind} {count}" for kind, count in called.refused.most_common())
    found = f"crashes {len(called.crashes)}, wrong bookings {len(called.wrong)}"
    late = f"later than {SLACK_S:g} s after their deadline {len(called.late)}"
    return [
        f"calls over HTTP, deadline 0.5 s, {len(called.by_way)} ways to answer: {called.calls}; {found}, {late}",
        f"read: {called.booked}; refused: {kinds}; longest call: {called.slowest_s:.2f} s",
        *called.crashes[:10],
        *called.wrong[:10],
        *called.late[:10],
    ]
