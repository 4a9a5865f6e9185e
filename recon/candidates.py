"""Which lines of both sides could be one: groups by what a rung asks, and their parts that hang together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from recon.values import OurLine, TheirLine

OurTrait = Callable[[OurLine], Hashable]
TheirTrait = Callable[[TheirLine], Hashable]


@dataclass(slots=True, kw_only=True)
class Left:
    """What no rung has taken yet, and the pairs that a person has ruled out, by their numbers."""

    ours: list[OurLine]
    theirs: list[TheirLine]
    apart: frozenset[tuple[int, int]] = field(default_factory=frozenset)

    def may_pair(self, ours: OurLine, theirs: TheirLine) -> bool:
        """Whether nothing that both state, and nobody, says that they are different orders."""
        return refusal(ours, theirs) is None and self.not_apart(ours, theirs)

    def not_apart(self, ours: OurLine, theirs: TheirLine) -> bool:
        """Whether nobody ruled the pair out."""
        return (ours.line, theirs.line) not in self.apart

    def take(self, ours: Sequence[OurLine], theirs: Sequence[TheirLine]) -> None:
        """They are no longer left."""
        taken = {id(line) for line in (*ours, *theirs)}
        self.ours = [line for line in self.ours if id(line) not in taken]
        self.theirs = [line for line in self.theirs if id(line) not in taken]


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of both sides that agree in what a rung asks."""

    ours: list[OurLine]
    theirs: list[TheirLine]

    def is_single(self, left: Left) -> bool:
        """Whether there is one on each side, which may be a pair."""
        return len(self.ours) == len(self.theirs) == 1 and left.may_pair(self.ours[0], self.theirs[0])

    def is_even(self, left: Left) -> bool:
        """Whether each may be paired with each, and none would be left over."""
        return len(self.ours) == len(self.theirs) and self.is_whole(left)

    def is_whole(self, left: Left) -> bool:
        """Whether each may be paired with each."""
        return all(left.may_pair(ours, theirs) for ours in self.ours for theirs in self.theirs)


def refusal(ours: OurLine, theirs: TheirLine) -> str | None:
    """Why the two cannot be one order, in the words of both; None if nothing says so."""
    mine, other = ours.exchange_order_id, theirs.leg.exchange_order_id
    if mine and other and mine != other:
        return f"they name different exchange order ids: {mine} and {other}"
    if ours.batch_id is not None and ours.batch_id != theirs.batch_id:
        return f"they name different batches: {ours.batch_id} and {theirs.batch_id}"
    return None


def of_one_batch(left: Left, ours_of: OurTrait, theirs_of: TheirTrait) -> list[Group]:
    """What is left and may be paired, where both name the same batch."""
    groups = groups_of(
        left,
        lambda line: line.batch_id and _both(line.batch_id, ours_of(line)),
        lambda line: _both(line.batch_id, theirs_of(line)),
    )
    return [part for group in groups for part in connected(group, left.may_pair)]


def of_any_batch(left: Left, ours_of: OurTrait, theirs_of: TheirTrait) -> list[Group]:
    """What is left and may be paired."""
    return [part for group in groups_of(left, ours_of, theirs_of) for part in connected(group, left.may_pair)]


def _both(first: Hashable, second: Hashable) -> Hashable:
    return None if second is None else (first, second)


def groups_of(left: Left, ours_of: OurTrait, theirs_of: TheirTrait) -> list[Group]:
    """What is left, by what a rung asks; lines of which it asks nothing, and one-sided groups, left out."""
    groups: dict[Hashable, Group] = defaultdict(lambda: Group([], []))
    for ours in left.ours:
        groups[ours_of(ours) or None].ours.append(ours)
    for theirs in left.theirs:
        groups[theirs_of(theirs) or None].theirs.append(theirs)
    groups.pop(None, None)
    return [group for group in groups.values() if group.ours and group.theirs]


def connected(group: Group, may_pair: Callable[[OurLine, TheirLine], bool]) -> Iterable[Group]:
    """The group in parts: within a part each line is a candidate of another, between parts none is."""
    if len(group.ours) == len(group.theirs) == 1:  # nearly every group
        if may_pair(group.ours[0], group.theirs[0]):
            yield group
        return
    left_ours, left_theirs = list(group.ours), list(group.theirs)
    while left_ours:
        part = Group([left_ours.pop(0)], [])
        grown = True
        while grown:
            new_theirs = [line for line in left_theirs if any(may_pair(ours, line) for ours in part.ours)]
            part.theirs.extend(new_theirs)
            left_theirs = [line for line in left_theirs if not any(line is taken for taken in new_theirs)]
            new_ours = [line for line in left_ours if any(may_pair(line, theirs) for theirs in part.theirs)]
            part.ours.extend(new_ours)
            left_ours = [line for line in left_ours if not any(line is taken for taken in new_ours)]
            grown = bool(new_ours)
        if part.theirs:
            yield part
