"""Which ISIN comes after which: what several sources say must be one story, and never lead back to where it began."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from books.problems import Problem

_ONE: Final = "say the same in both: correct the one that is wrong, in one file where both are in this table"
_STRAIGHT: Final = "take out the link that is wrong: shares never come back to an ISIN that they left"


class Link(NamedTuple):
    """Shares of `isin` became shares of `successor`."""

    isin: str
    successor: str
    said_by: str  #: in words
    line: int = 0  #: of the file at hand; 0: known before
    sole: bool = True  #: its source allows one successor; of actions, two may lead on from one ISIN


def misfits(told: Sequence[Link], known: Iterable[Link], *, column: str) -> list[Problem]:
    """The problems of the told links: another successor of the same ISIN is known, or they close a circle.

    Of two told links that contradict each other both are at fault, and of a circle every told link in it.
    """
    said: defaultdict[str, list[Link]] = defaultdict(list)
    for link in (*told, *known):
        said[link.isin].append(link)
    found = {link.line: problem for link in told if (problem := _contradiction(link, said, column))}
    for links in said.values():
        links[:] = [link for link in links if link.line not in found]
    for link in told:
        if link.line not in found and (way := _way_back(link, said)):
            story = " -> ".join((link.isin, *(each.successor for each in (link, *way))))
            told_by = ", ".join(dict.fromkeys(each.said_by for each in way))
            what = f"makes a circle: {story}" + (f", with what is said by {told_by}" if told_by else "")
            found[link.line] = Problem(line=link.line, column=column, value=link.successor, problem=what, fix=_STRAIGHT)
    return list(found.values())


def _contradiction(link: Link, said: Mapping[str, Sequence[Link]], column: str) -> Problem | None:
    apart = (each for each in said[link.isin] if each.successor != link.successor and (link.sole or each.sole))
    other = next(apart, None)
    if other is None:
        return None
    what = f"{other.said_by} says that {link.isin} became {other.successor}"
    return Problem(line=link.line, column=column, value=link.successor, problem=what, fix=_ONE)


def _way_back(link: Link, said: Mapping[str, Sequence[Link]]) -> list[Link] | None:
    """The links that lead from its successor back to it; none if it leads nowhere or on for ever elsewhere."""
    reached: dict[str, list[Link]] = {link.successor: []}
    waiting = [link.successor]
    while waiting:
        at = waiting.pop()
        for onward in said.get(at, ()):
            way = [*reached[at], onward]
            if onward.successor == link.isin:
                return way
            if onward.successor not in reached:
                reached[onward.successor] = way
                waiting.append(onward.successor)
    return None
