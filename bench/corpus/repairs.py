"""Chains of repairs: what an order left, what later orders of the same customer made of it.

The first transaction ordered ten and filled seven; a repair is a transaction of its own.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

from bench.corpus.draw import INFY, Draw
from bench.corpus.registry import CLEAN, plant
from bench.corpus.story import GRACE, INSTANT, MICRO, Batch, Leg, Story

LATER = timedelta(minutes=40)


def _leg(draw: Draw, quantity: Decimal | int, filled: Decimal | int) -> Leg:
    leg = draw.legs(shares=[INFY], side="BUY", quantity=1)[0]
    leg.quantity, leg.filled = Decimal(quantity), Decimal(filled)
    leg.status = "COMPLETE" if leg.quantity == leg.filled else "CANCELLED"
    leg.price = leg.price if leg.filled else None
    return leg


def _word(leg: Leg) -> str:
    return "COMPLETED" if leg.quantity == leg.filled else "PARTIALLYFILLED" if leg.filled else "UNFILLED"


def _first(draw: Draw, *, word: str = "FIXED", filled: int = 7, iscid: bool = True) -> Story:
    """Ten ordered, seven filled; both sides say so."""
    story = draw.story([_leg(draw, 10, filled)], word=word)
    if iscid:
        _name(story, draw.hex24())
    if filled < 10:  # noqa: PLR2004 - what was ordered
        story.finds("partial-residual", story.rows[0])
    return story


def _name(story: Story, iscid: object, label: str = "BUY") -> None:
    """Let its batch say which invested smallcase it trades for, and why."""
    story.batch.more = {"iscid": iscid, "label": label}
    story.tell_again()


def _repair(
    draw: Draw, first: Story, quantity: Decimal | int, filled: Decimal | int, *, later: timedelta = LATER
) -> Story:
    """A repair of what the first left, as a transaction of its own."""
    leg = _leg(draw, quantity, filled)
    repair = draw.sibling(first, [leg], word=_word(leg), later=later)
    _name(repair, first.batch.more.get("iscid"), "FIX")
    if 0 < leg.filled < leg.quantity:
        repair.finds("partial-residual", repair.rows[0])
    return repair


@plant("repair-chain", "exactly the rest", "in two repairs", "all but a millionth", "asked for as a repair")
def repair_chain(draw: Draw, variant: str) -> Story:
    """A repair filled what the first order had left, and no more."""
    first = _first(draw)
    if variant == "in two repairs":
        one, two = _repair(draw, first, 3, 2), _repair(draw, first, 1, 1, later=2 * LATER)
        one.finds("repair-chain")
        two.finds("repair-chain")
        return first
    filled = Decimal(3) - (MICRO if variant.startswith("all but") else 0)
    repair = _repair(draw, first, 3, filled)
    if variant.startswith("asked"):
        repair.batch.more.pop("label")
        repair.answer.more = {"orderConfig": {"type": "FIX"}}
        repair.tell_again()
    repair.finds("repair-chain")
    if filled < 3:  # noqa: PLR2004 - the rest
        repair.finds("repair-pending")
    return first


@plant("over-repair", "a millionth too many", "one too many", "by the second repair", "although nothing was left")
def over_repair(draw: Draw, variant: str) -> Story:
    """The repairs filled more than was ordered."""
    if variant.startswith("although"):
        first = _first(draw, filled=10)
        _repair(draw, first, 1, 1).finds("over-repair")
        return first
    first = _first(draw)
    if variant.startswith("by"):
        _repair(draw, first, 3, 3)
        _repair(draw, first, 1, 1, later=2 * LATER).finds("over-repair")
        return first
    filled = Decimal(3) + (MICRO if variant.startswith("a millionth") else 1)
    _repair(draw, first, filled, filled).finds("over-repair")
    return first


@plant("orphan-repair", "no parent, at the end of the grace", "no parent, past it")
def orphan_child(draw: Draw, variant: str) -> Story:
    """A repair of which nobody knows what it repairs."""
    story = draw.story([_leg(draw, 3, 3)])
    _name(story, draw.hex24(), "FIX")
    return _half(story, waiting=not variant.endswith("past it"))


@plant("orphan-repair", "no child, at the end of the grace", "no child, past it")
def orphan_parent(draw: Draw, variant: str) -> Story:
    """A batch says that it was repaired, and nobody knows the repair."""
    return _half(_first(draw), waiting=not variant.endswith("past it"))


def _half(story: Story, *, waiting: bool) -> Story:
    ended = story.batch.completed_at
    assert ended is not None
    story.as_of = ended + GRACE + (timedelta(0) if waiting else INSTANT)
    story.finds("orphan-repair", waiting=waiting)
    return story


@plant("repair-pending", "nothing since", "a millionth left", "repaired in part")
def repair_pending(draw: Draw, variant: str) -> Story:
    """Part of the order is still open to repair."""
    if variant == "repaired in part":
        first = _first(draw)
        repair = _repair(draw, first, 3, 2)
        repair.finds("repair-chain")
        repair.finds("repair-pending")
        return first
    first = _first(draw, word="PARTIALLYFILLED")
    if variant == "a millionth left":
        leg, row = first.batch.legs[0], first.rows[0]
        leg.filled = row.filled = Decimal(10) - MICRO
        first.add_up()
    first.finds("repair-pending")
    return first


@plant("waived", "after a part", "of a repair")
def waived(draw: Draw, variant: str) -> Story:
    """The rest of the order was let go."""
    first = _first(draw, word="MARKEDCOMPLETE")
    if variant == "of a repair":
        first.batch.status = "FIXED"
        first.tell_again()
        repair = _repair(draw, first, 3, 2)
        repair.batch.status = "MARKEDCOMPLETE"
        repair.tell_again()
        repair.finds("repair-chain")
        repair.finds("waived")
        return first
    first.finds("waived")
    return first


@plant("partial-residual", "nothing to repair it by")
def nothing_to_repair_by(draw: Draw, _variant: str) -> Story:
    """A residual of an order that names no invested smallcase is only noted."""
    return _first(draw, word="PARTIALLYFILLED", iscid=False)


@plant(CLEAN, "MARKEDCOMPLETE and all filled", "bought, later bought more", "another account, the same smallcase")
def no_chain(draw: Draw, variant: str) -> Story:
    """Whole orders of one invested smallcase leave nothing to repair."""
    word = "MARKEDCOMPLETE" if variant.startswith("MARKED") else "COMPLETED"
    first = _first(draw, word=word, filled=10)
    if not variant.startswith("MARKED"):
        other = draw.sibling(first, [_leg(draw, 5, 5)], later=LATER)
        _name(other, first.batch.more["iscid"], "INVESTMORE")
        if variant.startswith("another"):
            _give_away(draw, other)
    return first


@plant("partial-residual", "its repair is not decided")
def repair_undecided(draw: Draw, _variant: str) -> Story:
    """While two answers about the repair contradict each other, nothing is said of the chain."""
    first = _first(draw)
    repair = _repair(draw, first, 3, 3)
    later = deepcopy(repair.answer)
    later.batches[0].legs[0].filled = Decimal(1)
    later.overlaps = repair.undecided = True
    repair.answers.append(later)
    return first


def _give_away(draw: Draw, story: Story) -> None:
    """Let the transaction be another account's."""
    story.answer.account = draw.hex24()
    for row in story.rows:
        row.account = story.answer.account
    for webhook in story.webhooks:
        webhook.account = story.answer.account


@plant("repair-chain", "in the same transaction, which names no smallcase")
def repaired_in_place(draw: Draw, _variant: str) -> Story:
    """A second batch of the transaction repairs the first: it is no second execution."""
    story = _first(draw, word="PARTIALLYFILLED", iscid=False)
    batch: Batch = draw.another_batch(story, [_leg(draw, 3, 3)])
    batch.created_at = (batch.created_at or story.registered_at) + timedelta(seconds=1)
    batch.more = {"label": "FIX"}
    story.tell_again()
    story.finds("repair-chain")
    return story


@plant("over-repair", "by a repair of another share")
def repaired_another_share(draw: Draw, _variant: str) -> Story:
    """What was never ordered was filled by a repair, and what was ordered is still open."""
    first = _first(draw)
    leg = draw.legs(1, shares=[draw.share_besides(first.batch.legs)], side="BUY")[0]
    repair = draw.sibling(first, [leg], later=LATER)
    _name(repair, first.batch.more["iscid"], "FIX")
    repair.finds("over-repair")
    repair.finds("repair-pending")
    return first
