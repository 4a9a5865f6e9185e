"""What the words say: against each other, against the list, against earlier answers, against the legs."""

from __future__ import annotations

from collections.abc import Iterator

from recon.ends import ending, filled_of, is_unplaced, leg_is_final
from recon.rules.quantity import both_ended
from recon.scene import Item, Scene
from recon.severity import NOTHING_FILLED
from recon.values import Batch, Evidence, Finding, Leg, Regression
from recon.words import (
    CANCELLED,
    CANCELLED_AMO,
    CLOSED_BY_HAND,
    COMPLETE,
    COMPLETED,
    ERROR,
    PARTIALLYFILLED,
    PARTIALLYPLACED,
    PLACED,
    UNFILLED,
    UNPLACED,
    batch_word,
    is_exchange,
    is_side,
    is_variety,
    leg_word,
    our_word,
    transaction_word,
)


def conflict(item: Item, _scene: Scene) -> Iterator[Finding]:
    """Both are at their end and name different ends."""
    ends = both_ended(item)
    if ends is None or ends[0].status is None:
        return
    ours, theirs = ends
    mine = ending(our_word(ours.status or ""), filled_of(ours), ours.quantity)
    other = ending(leg_word(theirs.leg.status), theirs.leg.filled, theirs.leg.quantity)
    if mine and other and mine != other:
        nothing = filled_of(ours) == theirs.leg.filled == 0
        yield item.finding(
            "status-conflict", "status", ours=ours.status, theirs=theirs.leg.status,
            cause=NOTHING_FILLED if nothing else None,
        )  # fmt: skip


def unknown_in_line(item: Item, _scene: Scene) -> Iterator[Finding]:
    """A word of the leg or of the books' line that is not in the list."""
    ours, leg = item.ours, item.theirs and item.theirs.leg
    for field, mine, other in (
        ("status", _unknown_status(item), leg and leg_word(leg.status) is None and leg.status),
        ("side", ours and not is_side(ours.side) and ours.side, leg and not is_side(leg.side) and leg.side),
        (
            "exchange",
            ours and not is_exchange(ours.exchange) and ours.exchange,
            leg and not is_exchange(leg.exchange) and leg.exchange,
        ),
    ):
        unknown_ours, unknown_theirs = isinstance(mine, str), isinstance(other, str)
        if unknown_ours or unknown_theirs:
            yield item.finding(
                "unknown-enum", field, ours=mine if unknown_ours else None, theirs=other if unknown_theirs else None
            )


def unknown_in_batch(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """A word of the batch that is not in the list."""
    if batch_word(batch.status) is None:
        yield scene.of_batch("unknown-enum", batch, "status", theirs=batch.status)
    if not is_variety(batch.variety):
        yield scene.of_batch("unknown-enum", batch, "variety", theirs=batch.variety)


def unknown_in_transaction(scene: Scene) -> Iterator[Finding]:
    """The transaction's word is not in the list."""
    if scene.answer is not None and transaction_word(scene.status) is None:
        yield scene.of_transaction("unknown-enum", "status", theirs=scene.status)


def regression_of_line(item: Item, _scene: Scene) -> Iterator[Finding]:
    """A later answer took back what an earlier one said of the leg."""
    for regression in item.regressions:
        yield item.finding("regression", regression.field, **_taken_back(regression))


def regression_of_batch(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """A later answer took back what an earlier one said of the batch, without any leg falling."""
    for regression in scene.case.state.regressions if scene.case.state else ():
        if regression.batch_id == batch.batch_id and regression.leg is None:
            yield scene.of_batch("regression", batch, regression.field, **_taken_back(regression))


def regression_of_transaction(scene: Scene) -> Iterator[Finding]:
    """A later answer took back that the transaction is completed."""
    for regression in scene.case.state.regressions if scene.case.state else ():
        if not regression.batch_id:
            yield scene.of_transaction("regression", regression.field, **_taken_back(regression))


def batch_vs_lines(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """The batch's word is none that its legs allow; not judged while a word is unknown."""
    word = batch_word(batch.status)
    placed = [leg for leg in batch.legs if not is_unplaced(leg, batch) or leg.filled]
    unknown = word is None or any(leg_word(leg.status) is None for leg in placed)
    if unknown or not batch.legs or word in CLOSED_BY_HAND:
        return
    fitting = _fitting(batch, placed, scene.status)
    if word not in fitting:
        yield scene.of_batch("batch-vs-lines", batch, "status", ours=" or ".join(sorted(fitting)), theirs=batch.status)


def _fitting(batch: Batch, placed: list[Leg], transaction_status: str) -> set[str]:
    """The batch words that its legs allow."""
    if not placed:
        return {UNPLACED}
    words = {leg_word(leg.status) for leg in placed}
    some_unplaced = len(placed) < len(batch.legs)
    if any(not leg_is_final(leg, batch, transaction_status) for leg in placed):
        fitting = {PLACED}
    elif words == {COMPLETE}:
        fitting = {COMPLETED, PARTIALLYFILLED} if some_unplaced else {COMPLETED}
    elif any(leg.filled for leg in placed):
        fitting = {PARTIALLYFILLED}
    else:
        fitting = _unfilled(words)
    return fitting | {PARTIALLYPLACED} if some_unplaced else fitting


def _unfilled(words: set[str | None]) -> set[str]:
    fitting = {UNFILLED}
    if words <= {CANCELLED, CANCELLED_AMO}:
        fitting.add(CANCELLED)
    if words == {ERROR}:
        fitting.add(ERROR)
    return fitting


def _unknown_status(item: Item) -> str | None:
    if item.ours is None or item.ours.status is None or our_word(item.ours.status) is not None:
        return None
    return item.ours.status


def _taken_back(regression: Regression) -> dict[str, object]:
    """The earlier word stands as theirs; what was said later is the cause."""
    return {
        "theirs": regression.before,
        "cause": f"later answer: {regression.after}",
        "critical": True,
        "evidence": (Evidence(kind="snapshot", ref=regression.ref, says=regression.after),),
    }
