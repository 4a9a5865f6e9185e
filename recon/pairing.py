"""Which line of the books is which leg of the Gateway, rung by rung, within one transaction.

0. what a person decided;
1. exchange and exchange order id;
2. same batch, instrument, side and equal compared facts: interchangeable, so no guess;
3. same batch, instrument and side, one left on each side;
4. one line left on each side, agreeing in two of instrument, side, quantity;
5. one line on one side and several on the other that are its parts, adding up exactly.

Two lines that both state an exchange order id, and different ones, are never a pair.
More than one candidate is ambiguous: a wrong pair is worse than none.
A leg that is told twice, equal in everything, is left out before: it is a copy.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from recon.candidates import Group, Left, connected, groups_of, of_any_batch, of_one_batch
from recon.decided import Decision, Ruling
from recon.ends import ending, filled_of, is_unplaced
from recon.keys import their_keys, their_order
from recon.parts import make_up, ours_as_one, theirs_as_one
from recon.values import ZERO, Batch, OurLine, TheirLine
from recon.words import leg_word, our_word

BY_A_PERSON, BY_ID, BY_FACTS, BY_STOCK, BY_ELIMINATION, BY_PARTS = range(6)


class Pair(Struct, frozen=True, kw_only=True):
    """Two lines that are the same leg, and the rung that says so; on rung 5 one of them is made of parts."""

    ours: OurLine
    theirs: TheirLine
    rung: int
    our_parts: tuple[OurLine, ...] = ()
    their_parts: tuple[TheirLine, ...] = ()


@dataclass(slots=True, kw_only=True)
class Pairing:
    """Every line of both sides, once: paired, ambiguous, told twice or left."""

    left: Left
    batches: dict[str, Batch]
    pairs: list[Pair] = field(default_factory=list)
    ambiguous_ours: list[OurLine] = field(default_factory=list)
    ambiguous_theirs: list[TheirLine] = field(default_factory=list)
    doubled: list[OurLine] = field(default_factory=list)  #: a second line of ours for a leg that has its pair
    copies: list[TheirLine] = field(default_factory=list)

    @property
    def ours(self) -> list[OurLine]:
        """Left without a candidate."""
        return self.left.ours

    @property
    def theirs(self) -> list[TheirLine]:
        """Left without a candidate."""
        return self.left.theirs

    def claim(self, ours: OurLine, theirs: TheirLine, rung: int) -> None:
        """Take both out of what is left, as a pair."""
        self.pairs.append(Pair(ours=ours, theirs=theirs, rung=rung))
        self.left.take((ours,), (theirs,))

    def confuse(self, ours: Iterable[OurLine], theirs: Iterable[TheirLine]) -> None:
        """Take them out of what is left, as candidates of each other."""
        many_ours, many_theirs = list(ours), list(theirs)
        self.ambiguous_ours += many_ours
        self.ambiguous_theirs += many_theirs
        self.left.take(many_ours, many_theirs)

    def join(self, group: Group) -> bool:
        """Take the group as one order if one side has a line of which the other has the parts; whether it did."""
        many_ours, many_theirs = tuple(group.ours), tuple(group.theirs)
        if min(len(many_ours), len(many_theirs)) != 1 or len(many_ours) == len(many_theirs):
            return False
        ours, theirs = ours_as_one(many_ours), theirs_as_one(many_theirs, self.batches)
        if ours is None or theirs is None or not make_up(ours, theirs) or not group.is_whole(self.left):
            return False
        self.pairs.append(Pair(ours=ours, theirs=theirs, rung=BY_PARTS, our_parts=many_ours, their_parts=many_theirs))
        self.left.take(many_ours, many_theirs)
        return True

    def is_placed(self, line: TheirLine) -> bool:
        """Whether the leg reached the broker."""
        batch = self.batches.get(line.batch_id)
        return batch is None or not is_unplaced(line.leg, batch)


def pair_lines(
    ours: Sequence[OurLine],
    theirs: Sequence[TheirLine],
    batches: Sequence[Batch],
    decisions: Sequence[Decision] = (),
) -> Pairing:
    """Pair the lines of one transaction; the result does not depend on the order they come in."""
    copies = copies_of(theirs)
    told_once = [line for line in theirs if not any(line is copy for copy in copies)] if copies else theirs
    left = Left(ours=_in_order(ours), theirs=sorted(told_once, key=their_order))
    pairing = Pairing(left=left, batches={batch.batch_id: batch for batch in batches}, copies=copies)
    if decisions:
        _by_a_person(pairing, decisions, their_keys(theirs))
    _by_exchange_id(pairing)
    _by_facts(pairing)
    _by_stock(pairing)
    _by_elimination(pairing)
    return pairing


def copies_of(theirs: Sequence[TheirLine]) -> list[TheirLine]:
    """The legs told again, equal in everything to an earlier one of their batch."""
    named = [line for line in theirs if line.leg.exchange_order_id]
    if len({line.leg.exchange_order_id for line in named}) == len(named):  # nearly always
        return []
    first: set[tuple[str, object]] = set()
    copies = []
    for line in sorted(named, key=their_order):
        told = (line.batch_id, line.leg)
        if told in first:
            copies.append(line)
        first.add(told)
    return copies


def _in_order(ours: Sequence[OurLine]) -> list[OurLine]:
    """By order id; those that share one by all they say."""
    if len({line.order_id for line in ours}) == len(ours):
        return sorted(ours, key=lambda line: line.order_id)
    return sorted(ours, key=lambda line: (line.order_id, repr(line)))


def _by_a_person(pairing: Pairing, decisions: Sequence[Decision], keys: dict[int, str]) -> None:
    """What was decided goes before what the lines say; a decision about a line that is gone decides nothing."""
    ours = {line.order_id: line for line in pairing.ours}
    theirs = {keys[line.line]: line for line in pairing.theirs}
    named = [(d.ruling, ours[d.ours], theirs[d.theirs]) for d in decisions if d.ours in ours and d.theirs in theirs]
    pairing.left.apart = frozenset((o.line, t.line) for ruling, o, t in named if ruling is Ruling.APART)
    for ruling, mine, other in sorted(named, key=lambda each: (each[1].order_id, keys[each[2].line])):
        free = any(mine is line for line in pairing.ours) and any(other is line for line in pairing.theirs)
        if ruling is Ruling.TOGETHER and free and (mine.line, other.line) not in pairing.left.apart:
            pairing.claim(mine, other, BY_A_PERSON)


def _by_exchange_id(pairing: Pairing) -> None:
    groups = groups_of(
        pairing.left,
        lambda line: line.exchange_order_id and (line.exchange.upper(), line.exchange_order_id),
        lambda line: line.leg.exchange_order_id and (line.leg.exchange.upper(), line.leg.exchange_order_id),
    )
    for group in (part for each in groups for part in connected(each, pairing.left.not_apart)):
        if len(group.ours) == len(group.theirs) == 1:
            pairing.claim(group.ours[0], group.theirs[0], BY_ID)
        elif len(group.theirs) == 1:
            _told_twice(pairing, group)
        else:
            pairing.confuse(group.ours, group.theirs)


def _told_twice(pairing: Pairing, group: Group) -> None:
    """Several lines of ours name one leg: its fills, or one of them is the order and the others were booked again."""
    theirs = group.theirs[0]
    if pairing.join(group):
        return
    agreeing = [line for line in group.ours if _agree(pairing, line, theirs)]
    if not agreeing and len({_our_facts(line) for line in group.ours}) == 1:
        agreeing = group.ours  # they say the same, so there is nothing to guess
    if agreeing:
        pairing.claim(agreeing[0], theirs, BY_ID)
        again = [line for line in group.ours if line is not agreeing[0]]
        pairing.left.take(again, ())
    else:
        again = group.ours
        pairing.confuse(group.ours, group.theirs)
    pairing.doubled += again


def _agree(pairing: Pairing, ours: OurLine, theirs: TheirLine) -> bool:
    if pairing.is_placed(theirs):
        return _our_facts(ours) == _their_facts(theirs)
    return _our_order_facts(ours) == _their_order_facts(theirs)


def _by_facts(pairing: Pairing) -> None:
    """Of placed legs all facts count; of unplaced ones only what the books can know as well."""
    for ours_of, theirs_of in (
        (_our_facts, lambda line: _their_facts(line) if pairing.is_placed(line) else None),
        (_our_order_facts, lambda line: None if pairing.is_placed(line) else _their_order_facts(line)),
    ):
        for parts in (of_one_batch, of_any_batch):
            for group in parts(pairing.left, ours_of, theirs_of):
                if group.is_even(pairing.left):
                    for ours, theirs in zip(group.ours, group.theirs, strict=True):
                        pairing.claim(ours, theirs, BY_FACTS)


def _by_stock(pairing: Pairing) -> None:
    for group in of_one_batch(pairing.left, _our_stock, _their_stock):
        if group.is_single(pairing.left):
            pairing.claim(group.ours[0], group.theirs[0], BY_STOCK)
        else:
            pairing.join(group)
    for group in of_any_batch(pairing.left, _our_stock, _their_stock):
        if group.is_single(pairing.left):
            pairing.claim(group.ours[0], group.theirs[0], BY_STOCK)
        elif not pairing.join(group):
            pairing.confuse(group.ours, group.theirs)


def _by_elimination(pairing: Pairing) -> None:
    alone = len(pairing.ours) == len(pairing.theirs) == 1
    if not alone or pairing.ambiguous_ours or pairing.ambiguous_theirs:
        return
    ours, theirs = pairing.ours[0], pairing.theirs[0]
    agreeing = (ours.instrument == theirs.instrument) + (ours.side == theirs.leg.side)
    agreeing += ours.quantity == theirs.leg.quantity
    if agreeing >= 2 and pairing.left.may_pair(ours, theirs):  # noqa: PLR2004 - two of three
        pairing.claim(ours, theirs, BY_ELIMINATION)


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
