"""Which line of the books is which leg of the Gateway, rung by rung, within one transaction.

1. exchange and exchange order id;
2. same batch, instrument, side and equal compared facts: interchangeable, so no guess;
3. same batch, instrument and side, one left on each side;
4. one line left on each side, agreeing in two of instrument, side, quantity.

Two lines that both state an exchange order id, and different ones, are never a pair.
More than one candidate is ambiguous: a wrong pair is worse than none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from recon.ends import ending, filled_of, is_unplaced
from recon.values import ZERO, Batch, OurLine, TheirLine
from recon.words import leg_word, our_word


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two lines that are the same leg, and the rung that says so."""

    ours: OurLine
    theirs: TheirLine
    rung: int


@dataclass(slots=True, kw_only=True)
class Pairing:
    """Every line of both sides, once: paired, ambiguous or left."""

    pairs: list[Pair] = field(default_factory=list)
    ambiguous_ours: list[OurLine] = field(default_factory=list)
    ambiguous_theirs: list[TheirLine] = field(default_factory=list)
    ours: list[OurLine] = field(default_factory=list)  #: left without a candidate
    theirs: list[TheirLine] = field(default_factory=list)

    def claim(self, ours: OurLine, theirs: TheirLine, rung: int) -> None:
        """Take both out of what is left, as a pair."""
        self.pairs.append(Pair(ours=ours, theirs=theirs, rung=rung))
        self._take((ours,), (theirs,))

    def confuse(self, ours: Iterable[OurLine], theirs: Iterable[TheirLine]) -> None:
        """Take them out of what is left, as candidates of each other."""
        many_ours, many_theirs = list(ours), list(theirs)
        self.ambiguous_ours += many_ours
        self.ambiguous_theirs += many_theirs
        self._take(many_ours, many_theirs)

    def _take(self, ours: Sequence[OurLine], theirs: Sequence[TheirLine]) -> None:
        taken = {id(line) for line in (*ours, *theirs)}
        self.ours = [line for line in self.ours if id(line) not in taken]
        self.theirs = [line for line in self.theirs if id(line) not in taken]


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of both sides that agree in what a rung asks."""

    ours: list[OurLine]
    theirs: list[TheirLine]

    @property
    def single(self) -> bool:
        """Whether there is one on each side, which may be a pair."""
        return len(self.ours) == len(self.theirs) == 1 and may_pair(self.ours[0], self.theirs[0])

    @property
    def even(self) -> bool:
        """Whether each may be paired with each, and none would be left over."""
        every = all(may_pair(ours, theirs) for ours in self.ours for theirs in self.theirs)
        return every and len(self.ours) == len(self.theirs)


def pair_lines(ours: Sequence[OurLine], theirs: Sequence[TheirLine], batches: Sequence[Batch]) -> Pairing:
    """Pair the lines of one transaction; the result does not depend on the order they come in."""
    pairing = Pairing(ours=sorted(ours, key=_our_order), theirs=sorted(theirs, key=_their_order))
    legs = _Legs({batch.batch_id: batch for batch in batches})
    _by_exchange_id(pairing)
    _by_facts(pairing, legs)
    _by_stock(pairing)
    _by_elimination(pairing)
    return pairing


def may_pair(ours: OurLine, theirs: TheirLine) -> bool:
    """Whether nothing that both state says that they are different orders."""
    mine, other = ours.exchange_order_id, theirs.leg.exchange_order_id
    same_order = not mine or not other or mine == other
    return same_order and (ours.batch_id is None or ours.batch_id == theirs.batch_id)


def _our_order(line: OurLine) -> tuple[str, str]:
    return (line.order_id, repr(line))


def _their_order(line: TheirLine) -> tuple[str, str, int]:
    return (line.batch_id, repr(line.leg), line.line)


@dataclass(frozen=True, slots=True)
class _Legs:
    """What is compared of a leg, by whether it was placed."""

    batches: dict[str, Batch]

    def placed(self, line: TheirLine) -> bool:
        batch = self.batches.get(line.batch_id)
        return batch is None or not is_unplaced(line.leg, batch)


def _by_exchange_id(pairing: Pairing) -> None:
    groups = _groups(
        pairing,
        lambda line: line.exchange_order_id and (line.exchange.upper(), line.exchange_order_id),
        lambda line: line.leg.exchange_order_id and (line.leg.exchange.upper(), line.leg.exchange_order_id),
    )
    for group in groups:
        if len(group.ours) == len(group.theirs) == 1:
            pairing.claim(group.ours[0], group.theirs[0], 1)
        else:
            pairing.confuse(group.ours, group.theirs)


def _by_facts(pairing: Pairing, legs: _Legs) -> None:
    """Of placed legs all facts count; of unplaced ones only what the books can know as well."""
    for ours_of, theirs_of in (
        (_our_facts, lambda line: _their_facts(line) if legs.placed(line) else None),
        (_our_order_facts, lambda line: None if legs.placed(line) else _their_order_facts(line)),
    ):
        for parts in (_of_one_batch, _of_any_batch):
            for group in parts(pairing, ours_of, theirs_of):
                if group.even:
                    for ours, theirs in zip(group.ours, group.theirs, strict=True):
                        pairing.claim(ours, theirs, 2)


def _by_stock(pairing: Pairing) -> None:
    for group in _of_one_batch(pairing, _our_stock, _their_stock):
        if group.single:
            pairing.claim(group.ours[0], group.theirs[0], 3)
    for group in _of_any_batch(pairing, _our_stock, _their_stock):
        if group.single:
            pairing.claim(group.ours[0], group.theirs[0], 3)
        else:
            pairing.confuse(group.ours, group.theirs)


def _by_elimination(pairing: Pairing) -> None:
    alone = len(pairing.ours) == len(pairing.theirs) == 1
    if not alone or pairing.ambiguous_ours or pairing.ambiguous_theirs:
        return
    ours, theirs = pairing.ours[0], pairing.theirs[0]
    agreeing = (ours.instrument == theirs.instrument) + (ours.side == theirs.leg.side)
    agreeing += ours.quantity == theirs.leg.quantity
    if agreeing >= 2 and may_pair(ours, theirs):  # noqa: PLR2004 - two of three
        pairing.claim(ours, theirs, 4)


def _our_facts(line: OurLine) -> Hashable:
    filled = filled_of(line)
    word = None if line.status is None else our_word(line.status) or line.status
    price = line.average_price if filled else None
    return (*_our_order_facts(line), filled, price, ending(word, filled, line.quantity) or word)


def _their_facts(line: TheirLine) -> Hashable:
    leg = line.leg
    word = leg_word(leg.status) or leg.status
    price = leg.average_price if leg.filled else None
    return (*_their_order_facts(line), leg.filled, price, ending(word, leg.filled, leg.quantity) or word)


def _our_stock(line: OurLine) -> Hashable:
    return (line.instrument, line.side)


def _their_stock(line: TheirLine) -> Hashable:
    return (line.instrument, line.leg.side)


def _our_order_facts(line: OurLine) -> tuple[Hashable, ...]:
    return (line.instrument, line.side, line.quantity + ZERO)


def _their_order_facts(line: TheirLine) -> tuple[Hashable, ...]:
    return (line.instrument, line.leg.side, line.leg.quantity + ZERO)


OurTrait = Callable[[OurLine], Hashable]
TheirTrait = Callable[[TheirLine], Hashable]


def _of_one_batch(pairing: Pairing, ours_of: OurTrait, theirs_of: TheirTrait) -> list[Group]:
    """What is left and may be paired, where both name the same batch."""
    groups = _groups(
        pairing,
        lambda line: line.batch_id and _both(line.batch_id, ours_of(line)),
        lambda line: _both(line.batch_id, theirs_of(line)),
    )
    return [part for group in groups for part in _connected(group)]


def _of_any_batch(pairing: Pairing, ours_of: OurTrait, theirs_of: TheirTrait) -> list[Group]:
    """What is left and may be paired."""
    return [part for group in _groups(pairing, ours_of, theirs_of) for part in _connected(group)]


def _both(first: Hashable, second: Hashable) -> Hashable:
    return None if second is None else (first, second)


def _groups(pairing: Pairing, ours_of: OurTrait, theirs_of: TheirTrait) -> list[Group]:
    """What is left, by what a rung asks; lines of which it asks nothing, and one-sided groups, left out."""
    groups: dict[Hashable, Group] = defaultdict(lambda: Group([], []))
    for ours in pairing.ours:
        groups[ours_of(ours) or None].ours.append(ours)
    for theirs in pairing.theirs:
        groups[theirs_of(theirs) or None].theirs.append(theirs)
    groups.pop(None, None)
    return [group for group in groups.values() if group.ours and group.theirs]


def _connected(group: Group) -> Iterable[Group]:
    """The group in parts: within a part each line is a candidate of another, between parts none is."""
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
