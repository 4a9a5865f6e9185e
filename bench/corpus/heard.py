"""Webhooks that did not come, came late, came out of order, or say what the API does not confirm."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal

from bench.corpus.draw import Draw
from bench.corpus.registry import plant
from bench.corpus.story import GRACE, INSTANT, MICRO, ZERO, Story, Webhook, at

ONE = Decimal(1)
SOON = timedelta(minutes=2)


@plant(
    "webhook-late", "at the end of the grace", "only the first one came", "it comes an instant later", "no instant said"
)
def webhook_late(draw: Draw, variant: str) -> Story:
    """The batch is done and no webhook has said so; it may still come."""
    return _unheard(draw, variant, "webhook-late", late=False)


@plant(
    "webhook-missed",
    "an instant past the grace",
    "only the first one came",
    "it comes an instant later",
    "no instant said",
)
def webhook_missed(draw: Draw, variant: str) -> Story:
    """The batch is done, no webhook has said so, and the grace is over."""
    return _unheard(draw, variant, "webhook-missed", late=True)


def _unheard(draw: Draw, variant: str, name: str, *, late: bool) -> Story:
    story = draw.story()
    ended = story.batch.completed_at
    if variant == "no instant said":
        story.batch.completed_at, ended = None, at(story.trade_date, "15:30")
    assert ended is not None
    story.as_of = ended + GRACE + (INSTANT if late else timedelta(0))
    final = story.webhooks.pop()
    if variant.startswith("only"):
        _placed_only(story, final)
    if variant.startswith("it comes"):
        story.hear(story.batch, story.as_of + INSTANT)
    story.finds(name)
    return story


def _placed_only(story: Story, final: Webhook) -> Webhook:
    """The webhook that only says that the orders were placed."""
    batch = deepcopy(final.batch)
    batch.status, batch.completed_at = "PLACED", None
    for leg in batch.legs:
        leg.status, leg.filled, leg.price = "PLACED", ZERO, None
    batch.add_up()
    return story.hear(batch, (story.batch.created_at or story.registered_at) + timedelta(seconds=2))


@plant("webhook-missed", "of the second batch alone")
def webhook_missed_of_one_batch(draw: Draw, _variant: str) -> Story:
    """Two batches are done, and one of them was heard of."""
    story = draw.story(draw.legs(1))
    draw.another_batch(story, draw.legs(1, status="REJECTED"), "UNFILLED")
    story.webhooks.pop()
    story.finds("webhook-missed")
    return story


@plant("out-of-order", "the first came last", "and once more", "fewer filled", "a millionth fewer")
def out_of_order(draw: Draw, variant: str) -> Story:
    """A webhook said less of its batch than one before it: one note, however often."""
    story = draw.story()
    final = story.webhooks[0]
    if variant in ("the first came last", "and once more"):
        _placed_only(story, final).received_at = final.received_at + SOON
    if variant == "and once more":
        _placed_only(story, final).received_at = final.received_at + 2 * SOON
    if "fewer" in variant:
        for minutes, less in ((-3, ONE), (-2, ONE + (MICRO if variant.startswith("a") else ONE))):
            partial = _placed_only(story, final)
            partial.batch.filled = (final.batch.filled or ZERO) - less
            partial.received_at = final.received_at + timedelta(minutes=minutes)
    story.finds("out-of-order")
    return story


def _filled(webhook: Webhook) -> None:
    webhook.batch.filled = (webhook.batch.filled or ZERO) + ONE


def _millionth(webhook: Webhook) -> None:
    webhook.batch.filled = (webhook.batch.filled or ZERO) + MICRO


def _quantity(webhook: Webhook) -> None:
    webhook.batch.quantity = (webhook.batch.quantity or ZERO) + ONE


def _amount(webhook: Webhook) -> None:
    webhook.batch.buy_amount = (webhook.batch.buy_amount or ZERO) + Decimal("0.010001")


def _account(webhook: Webhook) -> None:
    webhook.account = "f" * 24


def _status(webhook: Webhook) -> None:
    webhook.batch.status = "PARTIALLYFILLED"


def _symbol(webhook: Webhook) -> None:
    webhook.batch.legs[0].symbol = "FORGED"


def _price(webhook: Webhook) -> None:
    leg = webhook.batch.legs[0]
    leg.price = (leg.price or ZERO) + Decimal("0.010001")


def _leg_status(webhook: Webhook) -> None:
    webhook.batch.legs[0].status = "CANCELLED"


def _another_batch(webhook: Webhook) -> None:
    webhook.batch.batch_id = "f" * 24


#: A verified webhook that says one thing which the API does not confirm: one finding each.
FORGED: dict[str, Callable[[Webhook], None]] = {
    "one more filled": _filled,
    "a millionth more filled": _millionth,
    "one more ordered": _quantity,
    "rupees beyond two roundings": _amount,
    "another account": _account,
    "another end": _status,
    "another share": _symbol,
    "a price beyond two roundings": _price,
    "a leg with another end": _leg_status,
    "a batch nobody knows": _another_batch,
}


@plant("webhook-differs", *FORGED)
def webhook_differs(draw: Draw, variant: str) -> Story:
    """A webhook with a good signature says what the API, asked after it came, does not confirm."""
    story = draw.story()
    forged = story.hear(story.batch, story.webhooks[0].received_at + SOON)
    FORGED[variant](forged)
    story.finds("webhook-differs")
    return story


@plant("webhook-differs", "nothing was filled", "all at once", "filled while still open")
def webhook_differs_in_several(draw: Draw, variant: str) -> Story:
    """One finding for each field of the webhook that is not confirmed."""
    story = draw.story(draw.legs(1))
    forged = story.hear(story.batch, story.webhooks[0].received_at + SOON)
    batch, leg = forged.batch, forged.batch.legs[0]
    if variant == "nothing was filled":
        batch.status, leg.status, leg.filled, leg.price = "UNFILLED", "CANCELLED", ZERO, None
        batch.add_up()
        for _ in ("status", "filled", "amount", "legs"):
            story.finds("webhook-differs")
        story.finds("out-of-order")
    elif variant == "all at once":
        batch.quantity, batch.filled, forged.account = Decimal(9999), Decimal(9999), "f" * 24
        batch.status, leg.symbol = "PARTIALLYFILLED", "FORGED"
        for _ in ("quantity", "filled", "account", "status", "legs"):
            story.finds("webhook-differs")
    else:
        batch.status, batch.filled = "PLACED", (batch.filled or ZERO) + ONE
        for _ in ("filled",):
            story.finds("webhook-differs")
        story.finds("out-of-order")
    return story
