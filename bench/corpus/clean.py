"""What is no difference: days that tie out, with all the shapes that look like a break and are none."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

from bench.corpus.draw import AFTER_SPLIT, BEFORE_SPLIT, FRIDAY, MONDAY, NEW_NAME, OLD_NAME, PAISA, SHARES, Draw
from bench.corpus.heard import SOON
from bench.corpus.registry import CLEAN, plant
from bench.corpus.story import ZERO, Answer, Leg, Story, at

HALF_PAISA = Decimal("0.005")


@plant(CLEAN, "bought", "sold", "a basket", "one share")
def plain(draw: Draw, variant: str) -> Story:
    """All filled, all booked, heard of once."""
    sides = {"bought": "BUY", "sold": "SELL"}
    counts = {"a basket": 3, "one share": 1}
    return draw.story(draw.legs(counts.get(variant, 0), side=sides.get(variant, "")))


@plant(
    CLEAN,
    "rejected",
    "cancelled",
    "cancelled, and the batch says so",
    "an error, and the batch says so",
    "CANCELLED AMO",
)
def nothing_filled(draw: Draw, variant: str) -> Story:
    """Nothing was filled, and both sides say how it ended."""
    words = {"rejected": "REJECTED", "CANCELLED AMO": "CANCELLED AMO"}
    word = words.get(variant, "ERROR" if variant.startswith("an error") else "CANCELLED")
    return draw.story(draw.legs(status=word), word=word if "the batch" in variant else "UNFILLED")


@plant(CLEAN, "EXPIRED beside CANCELLED")
def mapped_words(draw: Draw, _variant: str) -> Story:
    """A word that says the same as a documented one."""
    story = draw.story(draw.legs(status="CANCELLED"), word="UNFILLED")
    story.batch.legs[0].status = "EXPIRED"
    story.tell_again()
    return story


@plant(CLEAN, "no exchange order ids in the books", "none on either side", "nor batch ids", "equal lines twice")
def without_ids(draw: Draw, variant: str) -> Story:
    """Without exchange order ids, lines find each other by what they say."""
    share = draw.chance.choice(SHARES)
    twice = variant == "equal lines twice"
    story = draw.story(draw.legs(shares=[share, share], quantity=5, side="BUY") if twice else draw.legs(3))
    if twice:
        story.batch.legs[1].price = story.rows[1].price = story.batch.legs[0].price
    for row in story.rows:
        row.exchange_order_id = None
        row.batch_id = None if variant.startswith("nor") else story.batch.batch_id
    for leg in story.batch.legs if not variant.startswith("no ") else ():
        leg.exchange_order_id = None
    story.add_up()
    return story


@plant(CLEAN, "one share twice in a batch", "one share bought and sold", "in two batches")
def same_share(draw: Draw, variant: str) -> Story:
    """The same share twice: the exchange order id, or side and quantity, tells the lines apart."""
    share = draw.chance.choice(SHARES)
    first, second = draw.legs(shares=[share, share], side="BUY")
    if variant.endswith("sold"):
        second.side = "SELL"
    if variant.endswith("batches"):
        story = draw.story([first])
        second.filled, second.price, second.status = ZERO, None, "REJECTED"
        draw.another_batch(story, [second], "UNFILLED")
        return story
    return draw.story([first, second])


@plant(CLEAN, "unplaced, and the books say so", "all unplaced, and the books say so", "unplaced and never booked")
def unplaced(draw: Draw, variant: str) -> Story:
    """A leg never reached the broker, and the books know it, or never had it."""
    whole = variant.startswith("all")
    story = draw.story(draw.legs(2), word="UNPLACED" if whole else "PARTIALLYPLACED")
    for leg in story.batch.legs if whole else story.batch.legs[1:]:
        leg.placed, leg.exchange_order_id, leg.filled, leg.price, leg.status = False, None, ZERO, None, "ERROR"
    story = draw.retold(story, story.webhooks[0].received_at)
    if variant.endswith("never booked"):
        story.rows.pop()
    return story


@plant(CLEAN, "heard of twice", "heard of in order", "the first webhook forged and nobody asked since")
def webhooks(draw: Draw, variant: str) -> Story:
    """Webhooks that repeat or progress say nothing against the API; what was not asked after proves nothing."""
    story = draw.story()
    final = story.webhooks[0]
    if variant.endswith("twice"):
        story.hear(story.batch, final.received_at + SOON)
    elif variant.endswith("order"):
        placed = story.hear(deepcopy(story.batch), final.received_at - SOON)
        placed.batch.status, placed.batch.filled, placed.batch.buy_amount, placed.batch.sell_amount = (
            "PLACED",
            ZERO,
            None,
            None,
        )
    else:
        forged = story.hear(story.batch, final.received_at + SOON)
        forged.batch.filled, forged.unasked = (forged.batch.filled or ZERO) + 1, True
    return story


@plant(
    CLEAN, "amount noise", "amounts at the bound", "amounts at the other bound", "a webhook's amount two roundings away"
)
def amounts(draw: Draw, variant: str) -> Story:
    """Rupees that differ by float noise, or by no more than rounding explains."""
    first, second = draw.legs(shares=[SHARES[2], SHARES[3]], side="BUY", quantity=1)
    first.price, second.price = Decimal("420.10"), Decimal("1154.99")
    story = draw.story([first, second])
    bound = 2 * HALF_PAISA + HALF_PAISA
    said = {"amount noise": Decimal("0.0000000000001"), "amounts at the bound": bound}.get(variant, -bound)
    if variant.startswith("a webhook"):
        story.webhooks[0].batch.buy_amount = (story.batch.buy_amount or ZERO) + PAISA
        return story
    story.batch.buy_amount = (story.batch.buy_amount or ZERO) + said
    story.tell_again()
    return story


@plant(CLEAN, "no status in the books", "no broker in the books", "no figures in the batch", "lower case")
def left_out(draw: Draw, variant: str) -> Story:
    """What a side does not say is not compared."""
    story = draw.story()
    row, batch = story.rows[0], story.batch
    if variant.startswith("no status"):
        row.status = None
    elif variant.startswith("no broker"):
        row.broker = None
    elif variant.startswith("no figures"):
        batch.quantity = batch.filled = batch.buy_amount = batch.sell_amount = None
        story.tell_again()
    else:
        row.broker = "KITE"
    return story


@plant(CLEAN, "answered twice", "told in progress", "completed after the close")
def answers(draw: Draw, variant: str) -> Story:
    """Answers that repeat or progress, and words that only say that somebody closed the rest."""
    story = draw.story(draw.legs(2))
    if variant.startswith("answered"):
        story.answers.append(deepcopy(story.answer))
    elif variant.startswith("told"):
        story.answers.insert(0, _in_progress(story))
    else:
        story.batch.completed_at = at(story.trade_date, "15:45")
        story.webhooks[0].received_at = at(story.trade_date, "15:46")
        story.tell_again()
    return story


def _in_progress(story: Story) -> Answer:
    earlier = deepcopy(story.answer)
    earlier.status, earlier.batches[0].status, earlier.batches[0].completed_at = "PROCESSING", "PLACED", None
    for leg in earlier.batches[0].legs:
        leg.status, leg.filled, leg.price = "PLACED", ZERO, None
    earlier.batches[0].add_up()
    return earlier


@plant(CLEAN, "renamed overnight", "before it was renamed", "before its split", "after its split")
def renamed(draw: Draw, variant: str) -> Story:
    """A symbol counts as what it stood for on the trade date."""
    share, day = {
        "renamed overnight": (NEW_NAME, MONDAY),
        "before it was renamed": (OLD_NAME, FRIDAY),
        "before its split": (BEFORE_SPLIT, FRIDAY),
    }.get(variant, (AFTER_SPLIT, MONDAY))
    story = draw.story(draw.legs(shares=[share]), day=day)
    for row in story.rows:
        row.isin = share.isin
    return story


@plant(CLEAN, "after-market, filled in its session", "after-market, filled after a holiday")
def after_market(draw: Draw, variant: str) -> Story:
    """An after-market order belongs to the session that fills it."""
    placed = at(MONDAY if "holiday" in variant else FRIDAY, "21:00")
    story = draw.amo(draw.legs(2), placed)
    day = story.trade_date
    story.answer.status, story.batch.status, story.batch.completed_at = "COMPLETED", "COMPLETED", at(day, "09:20")
    for leg in story.batch.legs:
        _fill(leg)
    story.as_of = at(day, "20:30")
    return draw.retold(story, at(day, "09:21"))


def _fill(leg: Leg) -> None:
    leg.filled, leg.price, leg.status = leg.quantity, Decimal("101.15"), "COMPLETE"


@plant(CLEAN, "two answers that contradict each other at once")
def undecided(draw: Draw, _variant: str) -> Story:
    """While two answers that overlapped in time disagree, nothing is concluded: every line is pending."""
    story = draw.story()
    later = deepcopy(story.answer)
    later.batches[0].legs[0].filled -= 1
    later.overlaps = True
    story.answers.append(later)
    story.undecided = True
    return story


@plant(CLEAN, "every webhook a minute before the answer")
def prompt(draw: Draw, _variant: str) -> Story:
    """The usual: the webhook came, the answer confirmed it."""
    story = draw.story()
    story.webhooks[0].received_at -= timedelta(seconds=20)
    return story
