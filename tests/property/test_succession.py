"""Whatever is told of successors, what is taken is one story: one successor an ISIN, and no way back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from books.successors import Link, misfits

NAMES = st.sampled_from("ABCDEF")
PAIRS = st.lists(st.tuples(NAMES, NAMES).filter(lambda pair: pair[0] != pair[1]), max_size=8)


def taken(pairs: list[tuple[str, str]], known: list[Link]) -> list[Link]:
    """The links of a file with these rows that are not refused."""
    told = [Link(isin, successor, f"line {line}", line) for line, (isin, successor) in enumerate(pairs, start=2)]
    wrong = {problem.line for problem in misfits(told, known, column="successor")}
    return [link for link in told if link.line not in wrong]


@given(PAIRS, PAIRS)
def test_what_is_taken_never_forks_and_never_turns_back(
    first: list[tuple[str, str]], then: list[tuple[str, str]]
) -> None:
    """Over two files, however they contradict themselves or each other."""
    known = taken(first, [])
    links = [*known, *taken(then, known)]

    after: dict[str, str] = {}
    for link in links:
        assert after.setdefault(link.isin, link.successor) == link.successor
    for start in after:
        at, steps = start, 0
        while at in after:
            at, steps = after[at], steps + 1
            assert steps <= len(after), f"{start} leads back"


@given(PAIRS)
def test_a_chain_that_contradicts_nothing_is_taken_whole(pairs: list[tuple[str, str]]) -> None:
    """Links that only lead on, from each letter to a later one, once each, are all taken; told again, too."""
    onward = list({a: (a, b) for a, b in pairs if a < b}.values())

    assert len(taken(onward, [])) == len(onward)
    assert len(taken(onward, taken(onward, []))) == len(onward)
