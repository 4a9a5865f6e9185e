"""The items of a case: every line of both sides, once, with all that belongs to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from recon.ends import leg_is_final
from recon.pairing import pair_lines
from recon.scene import Item
from recon.values import Case, OurLine, Regression, TheirLine


def items_of(case: Case) -> tuple[Item, ...]:
    """Every line of both sides, once: paired, ambiguous or alone."""
    answer = None if case.state is None else case.state.answer
    batches = {batch.batch_id: batch for batch in (answer.batches if answer else ())}
    pairing = pair_lines(case.ours, case.theirs, tuple(batches.values()))
    fallen = _fallen(case)

    def item(ours: OurLine | None, theirs: TheirLine | None, *, rung: int | None = None, many: bool = False) -> Item:
        batch = batches.get(theirs.batch_id) if theirs else None
        final = bool(theirs and batch and answer and leg_is_final(theirs.leg, batch, answer.status))
        return Item(
            ours=ours, theirs=theirs, batch=batch, final=final, subject=_subject(ours, theirs), rung=rung,
            ambiguous=many, regressions=tuple(fallen.get(theirs.line, ())) if theirs else (),
        )  # fmt: skip

    return _distinct(
        (
            *(item(pair.ours, pair.theirs, rung=pair.rung) for pair in pairing.pairs),
            *(item(ours, None, many=True) for ours in pairing.ambiguous_ours),
            *(item(None, theirs, many=True) for theirs in pairing.ambiguous_theirs),
            *(item(ours, None) for ours in pairing.ours),
            *(item(None, theirs) for theirs in pairing.theirs),
        )
    )


def _subject(ours: OurLine | None, theirs: TheirLine | None) -> str:
    """A line's natural key: our order id, else the exchange's, else what the batch says of the leg."""
    if ours is not None:
        return ours.order_id
    assert theirs is not None
    leg = theirs.leg
    return leg.exchange_order_id or f"{theirs.batch_id}/{leg.exchange}:{leg.symbol}/{leg.side}"


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    """Number the lines that nothing tells apart, so that no finding hides another."""
    seen: Counter[str] = Counter()
    named = []
    for item in items:
        seen[item.subject] += 1
        again = seen[item.subject]
        named.append(item if again == 1 else replace(item, subject=f"{item.subject}/{again}"))
    return tuple(named)


def _fallen(case: Case) -> dict[int, list[Regression]]:
    """The recorded falls by the line they are about; of equal legs the first not yet taken."""
    fallen: dict[int, list[Regression]] = {}
    for regression in case.state.regressions if case.state else ():
        same = [line for line in case.theirs if (line.batch_id, line.leg) == (regression.batch_id, regression.leg)]
        if same:
            fewest = min(same, key=lambda line: (len(fallen.get(line.line, ())), line.line))
            fallen.setdefault(fewest.line, []).append(regression)
    return fallen
