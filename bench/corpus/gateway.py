"""The Gateway contradicts itself, takes something back, or uses a word that nobody described."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal

from bench.corpus.draw import Draw
from bench.corpus.registry import plant
from bench.corpus.story import MICRO, ZERO, Answer, Row, Story

ONE = Decimal(1)
HALF_PAISA = Decimal("0.005")


def _sum_bound(story: Story, side: str) -> Decimal:
    """How far the rupees of one side may lie from the sum of its fills: half a paisa a share, and half a paisa."""
    return (sum((leg.filled for leg in story.batch.legs if leg.side == side), ZERO) + 1) * HALF_PAISA


@plant("overfill", "both sides say so", "by a millionth")
def overfill(draw: Draw, variant: str) -> Story:
    """More was filled than was ordered, and both sides agree on it."""
    story = draw.story()
    leg = draw.chance.choice(story.batch.legs)
    leg.filled = leg.quantity + (MICRO if variant == "by a millionth" else ONE)
    row = story.row_of(leg)
    row.filled = leg.filled
    story.add_up()
    story.finds("overfill", row)
    return story


@plant("partial-residual", "cancelled after a part", "PARTIAL on both sides", "all but a millionth")
def partial_residual(draw: Draw, variant: str) -> Story:
    """Only a part was filled, and both sides say so."""
    story = draw.story(draw.legs(2, quantity=10), word="PARTIALLYFILLED")
    leg = story.batch.legs[-1]
    leg.filled = leg.quantity - MICRO if variant.startswith("all but") else Decimal(7)
    leg.status = "PARTIAL" if variant.startswith("PARTIAL") else "CANCELLED"
    row = story.row_of(leg)
    row.filled, row.status = leg.filled, leg.status
    story.add_up()
    story.finds("partial-residual", row)
    return story


@plant("batch-sum", "one more filled", "a millionth less filled", "one more ordered", "both")
def batch_sum(draw: Draw, variant: str) -> Story:
    """The batch's shares are not the sum of its legs."""
    story = draw.story()
    if variant != "one more ordered":
        story.batch.filled = (story.batch.filled or ZERO) + (-MICRO if variant.startswith("a millionth") else ONE)
        story.finds("batch-sum")
    if variant in ("one more ordered", "both"):
        story.batch.quantity = (story.batch.quantity or ZERO) + ONE
        story.finds("batch-sum")
    story.tell_again()
    return story


@plant("amount-sum", "a millionth beyond rounding", "the same below", "five rupees", "of the sales", "of both")
def amount_sum(draw: Draw, variant: str) -> Story:
    """The batch's rupees are further from the sum of its fills than rounding explains."""
    legs = draw.legs(2)
    legs[0].side, legs[1].side = "BUY", "SELL"
    story = draw.story(legs)
    batch = story.batch
    beyond = _sum_bound(story, "BUY") + MICRO
    off = {"a millionth beyond rounding": beyond, "the same below": -beyond}.get(variant, _sum_bound(story, "BUY") + 5)
    if variant != "of the sales":
        batch.buy_amount = (batch.buy_amount or ZERO) + off
        story.finds("amount-sum")
    if variant in ("of the sales", "of both"):
        batch.sell_amount = (batch.sell_amount or ZERO) + _sum_bound(story, "SELL") + MICRO
        story.finds("amount-sum")
    story.tell_again()
    return story


@plant("price-absent", "theirs zero", "theirs not said", "neither side says one")
def price_absent(draw: Draw, variant: str) -> Story:
    """The Gateway filled something and does not say at what price."""
    story = draw.story()
    leg = draw.chance.choice(story.batch.legs)
    leg.price = ZERO if variant == "theirs zero" else None
    row = story.row_of(leg)
    if variant.startswith("neither"):
        row.price = None
    story.add_up()
    story.finds("price-absent", row)
    return story


@plant("batch-vs-lines", *("UNFILLED", "PARTIALLYFILLED", "CANCELLED", "ERROR", "UNPLACED is said of nothing placed"))
def batch_vs_lines(draw: Draw, variant: str) -> Story:
    """The batch's word does not follow from its legs, which are all complete."""
    if variant.startswith("UNPLACED"):
        return _nothing_placed(draw)
    story = draw.story()
    story.batch.status = variant
    story.tell_again()
    story.finds("batch-vs-lines")
    return story


def _nothing_placed(draw: Draw) -> Story:
    """Only unplaced legs, the books say so too, and the batch calls itself completed."""
    story = draw.story(draw.legs(2))
    for leg in story.batch.legs:
        leg.placed, leg.exchange_order_id, leg.filled, leg.price, leg.status = False, None, ZERO, None, "ERROR"
    story = draw.retold(story, story.webhooks[0].received_at)
    story.finds("batch-vs-lines")
    return story


@plant("batch-vs-lines", "completed, all cancelled", "completed, all rejected", "cancelled, one rejected")
def batch_vs_unfilled_lines(draw: Draw, variant: str) -> Story:
    """The batch's word does not follow from its legs, of which none was filled."""
    word, wrong = ("REJECTED", "COMPLETED") if variant.endswith("all rejected") else ("CANCELLED", "COMPLETED")
    story = draw.story(draw.legs(2, status=word), word=wrong)
    if variant.startswith("cancelled"):
        story.batch.status = "CANCELLED"
        story.batch.legs[0].status = story.rows[0].status = "REJECTED"
    story.tell_again()
    story.finds("batch-vs-lines")
    return story


@plant("unknown-enum", "of a leg", "of a batch", "of the transaction", "a variety", "a side", "an exchange")
def unknown_enum(draw: Draw, variant: str) -> Story:
    """A word that is not in the list; it is never taken for another one."""
    story = draw.story()
    leg = story.batch.legs[-1]
    row = story.row_of(leg)
    where: Row | None = row
    if variant == "of a leg":
        leg.status = "FROZEN"
    elif variant == "of a batch":
        story.batch.status, where = "MELTED", None
    elif variant == "of the transaction":
        story.answer.status, where = "LOST", None
    elif variant == "a variety":
        story.batch.variety, where = "bracket", None
    elif variant == "a side":
        leg.side = "HOLD"
    else:
        leg.exchange = "MCX"
    story.add_up()
    story.finds("unknown-enum", where)
    return story


@plant("unknown-enum", "a status in the books")
def unknown_enum_of_ours(draw: Draw, _variant: str) -> Story:
    """A word of the books that no import lets through, but that a line may hold all the same."""
    story = draw.story()
    row = draw.chance.choice(story.rows)
    row.status, story.stored = "FROZEN", False
    story.finds("unknown-enum", row)
    return story


def _then(story: Story) -> Answer:
    """A later answer, so far equal to the first."""
    story.answers.append(deepcopy(story.answers[0]))
    return story.answers[-1]


@plant("regression", "fewer filled", "a millionth fewer", "open again", "a leg gone")
def regression_of_leg(draw: Draw, variant: str) -> Story:
    """A later answer takes back what an earlier one said of a leg: the earlier one stands."""
    story = draw.story(draw.legs(2))
    later = _then(story).batches[0]
    leg = later.legs[-1]
    if variant == "open again":
        leg.status = "PLACED"
    elif variant == "a leg gone":
        later.legs.pop()
    else:
        leg.filled -= MICRO if variant.startswith("a millionth") else ONE
    story.finds("regression", story.rows[-1])
    return story


@plant("regression", "a batch gone", "a batch open again", "a batch filled less")
def regression_of_batch(draw: Draw, variant: str) -> Story:
    """A later answer takes back what an earlier one said of a batch, without any leg falling."""
    story = draw.story()
    if variant == "a batch gone":
        draw.another_batch(story, draw.legs(1, status="REJECTED"), "UNFILLED")
    later = _then(story)
    if variant == "a batch gone":
        later.batches.pop()
    elif variant == "a batch open again":
        later.batches[0].status = "PLACED"
    else:
        later.batches[0].filled = (later.batches[0].filled or ZERO) - ONE
    story.finds("regression")
    return story


@plant("regression", "the transaction no longer completed")
def regression_of_transaction(draw: Draw, _variant: str) -> Story:
    """A later answer takes back that the transaction is completed."""
    story = draw.story()
    _then(story).status = "PROCESSING"
    story.finds("regression")
    return story
