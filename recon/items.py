"""The items of a case: every line of both sides, once, with all that belongs to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from recon.ends import leg_is_final
from recon.keys import their_key
from recon.pairing import Pair, Pairing, pair_lines
from recon.scene import Item
from recon.values import Answer, Batch, Case, OurLine, Regression, TheirLine


def items_of(case: Case, pairing: Pairing | None = None) -> tuple[Item, ...]:
    """Every line of both sides, once: paired, ambiguous, told twice or alone; parts with the whole they make up."""
    paired = pairing or pairing_of(case)
    return _distinct(_Making(case, paired, _fallen(case), _told_twice(case.theirs, paired.copies)).items())


def pairing_of(case: Case) -> Pairing:
    """Which lines of the case are one order."""
    batches = () if case.state is None else case.state.answer.batches
    return pair_lines(case.ours, case.theirs, batches, case.decisions)


@dataclass(slots=True)
class _Making:
    """One case on the way to its items."""

    case: Case
    pairing: Pairing
    fallen: Mapping[int, list[Regression]]
    twice: frozenset[tuple[str, str]]

    def items(self) -> Iterator[Item]:
        pairing, made = self.pairing, self._item
        for pair in pairing.pairs:
            yield made(pair.ours, pair.theirs, pair)
        yield from (made(ours, None, ambiguous=True) for ours in pairing.ambiguous_ours)
        yield from (made(None, theirs, ambiguous=True) for theirs in pairing.ambiguous_theirs)
        doubled = [line for line in pairing.doubled if not any(line is each for each in pairing.ambiguous_ours)]
        yield from (made(ours, None) for ours in (*doubled, *pairing.ours))
        yield from (made(None, theirs) for theirs in pairing.theirs)
        yield from (made(None, theirs, copied=True) for theirs in pairing.copies)

    def _item(
        self,
        ours: OurLine | None,
        theirs: TheirLine | None,
        pair: Pair | None = None,
        *,
        ambiguous: bool = False,
        copied: bool = False,
    ) -> Item:
        legs = (pair and pair.their_parts) or (() if theirs is None else (theirs,))
        return Item(
            ours=ours,
            theirs=theirs,
            batch=self._batch(theirs),
            final=self._is_final(theirs),
            subject=_subject(ours, theirs),
            rung=pair.rung if pair else None,
            ambiguous=ambiguous,
            copied=copied,
            twice=not copied and any(_order(line) in self.twice for line in legs),
            doubled=any(ours is line for line in self.pairing.doubled),
            our_parts=pair.our_parts if pair else (),
            their_parts=pair.their_parts if pair else (),
            regressions=tuple(fall for line in legs for fall in self.fallen.get(line.line, ())),
        )

    @property
    def _answer(self) -> Answer | None:
        return None if self.case.state is None else self.case.state.answer

    def _batch(self, theirs: TheirLine | None) -> Batch | None:
        return None if theirs is None else self.pairing.batches.get(theirs.batch_id)

    def _is_final(self, theirs: TheirLine | None) -> bool:
        batch, answer = self._batch(theirs), self._answer
        return bool(theirs and batch and answer and leg_is_final(theirs.leg, batch, answer.status))


def _subject(ours: OurLine | None, theirs: TheirLine | None) -> str:
    """A line's natural key: our order id, else the exchange's, else what the batch says of the leg."""
    if ours is not None:
        return ours.order_id
    assert theirs is not None
    return their_key(theirs)


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    """Number the lines that nothing tells apart, so that no finding hides another."""
    seen: dict[str, int] = {}
    named = []
    for item in items:
        again = seen[item.subject] = seen.get(item.subject, 0) + 1
        named.append(item if again == 1 else replace(item, subject=f"{item.subject}/{again}"))
    return tuple(named)


def _order(line: TheirLine) -> tuple[str, str]:
    return (line.leg.exchange.upper(), line.leg.exchange_order_id or "")


def _told_twice(theirs: Sequence[TheirLine], copies: Sequence[TheirLine]) -> frozenset[tuple[str, str]]:
    """The exchange orders that several legs name, copies left out."""
    once = [line for line in theirs if not any(line is copy for copy in copies)] if copies else theirs
    named = Counter(_order(line) for line in once if line.leg.exchange_order_id)
    return frozenset(order for order, count in named.items() if count > 1)


def _fallen(case: Case) -> Mapping[int, list[Regression]]:
    """The recorded falls by the line they are about; of equal legs the first not yet taken."""
    fallen: dict[int, list[Regression]] = {}
    for regression in case.state.regressions if case.state else ():
        same = [line for line in case.theirs if (line.batch_id, line.leg) == (regression.batch_id, regression.leg)]
        if same:
            fewest = min(same, key=lambda line: (len(fallen.get(line.line, ())), line.line))
            fallen.setdefault(fewest.line, []).append(regression)
    return fallen
