"""The company's books are wrong and the Gateway is right: one line of ours, one field of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from bench.corpus.draw import SHARES, Draw
from bench.corpus.registry import plant
from bench.corpus.story import INSTANT, MICRO, Row, Story, at

ONE = Decimal(1)
PAISA = Decimal("0.01")  #: what two prices rounded to paise may lie apart
DUE = "20:00"  #: the hour at which the books of a day are due, IST


def _victim(draw: Draw, story: Story) -> Row:
    return draw.chance.choice(story.rows)


def _last_booked(draw: Draw, count: int) -> tuple[Story, Row]:
    story = draw.story(draw.legs(count))
    return story, story.rows[-1]


@plant("missing-internal", "the only line", "one of a basket", "at the due hour", "declared complete before it is due")
def missing_internal(draw: Draw, variant: str) -> Story:
    """A line was never entered, and the books of its day are due."""
    story = draw.story(draw.legs(1 if variant == "the only line" else 3))
    if variant == "at the due hour":
        story.as_of = at(story.trade_date, DUE)
    if variant.startswith("declared"):
        story.as_of, story.complete = at(story.trade_date, "18:00"), True
    story.rows.pop()
    story.finds("missing-internal", story.batch.legs[-1])
    return story


@plant("awaiting-books", "in the afternoon", "an instant before they are due", "an order for the next session")
def awaiting_books(draw: Draw, variant: str) -> Story:
    """A line is not in the books, which are not due yet."""
    if variant.startswith("an order"):
        story = draw.amo(draw.legs(2), at(draw.day(), "20:10"))
        story.as_of = at(story.batch.created_at.date(), "21:00")  # type: ignore[union-attr]
        for leg in story.batch.legs:
            story.finds("open-order", story.row_of(leg) if leg is story.batch.legs[0] else leg)
    else:
        story = draw.story(draw.legs(2))
        soon = variant.startswith("an instant")
        story.as_of = at(story.trade_date, DUE) - INSTANT if soon else at(story.trade_date, "16:30")
    story.rows.pop()
    story.finds("awaiting-books", story.batch.legs[-1])
    return story


@plant("missing-external", "another share", "the same share again", "placed and not filled", "never answered for")
def missing_external(draw: Draw, variant: str) -> Story:
    """A line was entered that the Gateway never had, and the Gateway has spoken its last word."""
    story = draw.story()
    model = story.rows[0]
    share = draw.share_besides(story.batch.legs)
    symbol = model.symbol if variant.startswith("the same") else share.symbol
    extra = story.book(model, order_id=draw.order_id(), exchange_order_id=draw.exchange_order_id(), symbol=symbol)
    if variant.startswith("placed"):
        extra.filled, extra.price, extra.status = Decimal(0), None, "PLACED"
    if variant.startswith("never"):
        extra.filled, extra.price, extra.status = None, None, "REJECTED"
    story.finds("missing-external", extra)
    return story


@plant("missing-external", "no such transaction, three times over the grace", "a fill of what came to nothing")
def missing_external_transaction(draw: Draw, variant: str) -> Story:
    """The whole transaction is none at the Gateway, and the books hold a line of it."""
    story = draw.failed("ERRORED", "user_cancelled")
    row = story.rows[0]
    if variant.startswith("no such"):
        first = at(story.trade_date, "11:00")
        story.answers.clear()
        story.absent_at = [first, first + timedelta(minutes=10), first + timedelta(minutes=30)]
    else:
        row.filled, row.price, row.status = row.quantity, Decimal("100.00"), "COMPLETE"
    story.finds("missing-external", row)
    return story


@plant("qty-requested", "one more", "a millionth more", "one less", "what the customer was first asked")
def qty_requested(draw: Draw, variant: str) -> Story:
    """The books hold another ordered quantity; ordered less than was filled, it is overfilled as well."""
    story = draw.story()
    row = _victim(draw, story)
    row.quantity += {"one more": ONE, "a millionth more": MICRO, "one less": -ONE}.get(variant, ONE)
    story.finds("qty-requested", row)
    if variant == "one less":
        story.finds("overfill", row)
    if variant.startswith("what"):
        story.requested = [replace(story.batch.legs[story.rows.index(row)], quantity=row.quantity)]
    return story


@plant("qty-filled", "one less", "a millionth less", "none", "not said", "one more", "cancelled after a part")
def qty_filled(draw: Draw, variant: str) -> Story:
    """The books hold another filled quantity; more than ordered is overfilled, another end is a conflict."""
    story = draw.story()
    row = _victim(draw, story)
    filled = row.filled or Decimal(0)
    changed = {"one less": filled - ONE, "a millionth less": filled - MICRO, "none": Decimal(0), "not said": None}
    row.filled = changed.get(variant, filled - ONE)
    story.finds("qty-filled", row)
    if variant == "one more":
        row.filled = filled + ONE
        story.finds("overfill", row)
    if variant.startswith("cancelled"):
        row.status = "CANCELLED"
        story.finds("status-conflict", row)
    return story


@plant("price-in-tol", "a paisa dearer", "a paisa cheaper", "a millionth dearer")
def price_in_tol(draw: Draw, variant: str) -> Story:
    """Another price, as far away as two rounded prices may lie, and no further."""
    story = draw.story()
    _dearer(story, _victim(draw, story), {"a paisa dearer": PAISA, "a paisa cheaper": -PAISA}.get(variant, MICRO))
    return story


@plant("price-out", "a millionth beyond the paisa", "the same below", "half a rupee", "ten times the price")
def price_out(draw: Draw, variant: str) -> Story:
    """Another price, further away than rounding explains."""
    story = draw.story()
    row = _victim(draw, story)
    beyond = {"a millionth beyond the paisa": PAISA + MICRO, "the same below": -PAISA - MICRO}
    _dearer(story, row, beyond.get(variant, Decimal("0.5") if variant.startswith("half") else 9 * (row.price or ONE)))
    return story


def _dearer(story: Story, row: Row, by: Decimal) -> None:
    row.price = (row.price or Decimal(0)) + by
    story.finds("price-in-tol" if abs(by) <= PAISA else "price-out", row)


@plant("price-absent", "ours not said", "ours zero")
def price_absent(draw: Draw, variant: str) -> Story:
    """A fill is booked without a price."""
    story = draw.story()
    row = _victim(draw, story)
    row.price = None if variant == "ours not said" else Decimal(0)
    story.finds("price-absent", row)
    return story


@plant("side", "by exchange order id", "by elimination")
def side(draw: Draw, variant: str) -> Story:
    """A purchase is booked as a sale, or the reverse."""
    story, row = _last_booked(draw, 2)
    row.side = "SELL" if row.side == "BUY" else "BUY"
    if variant == "by elimination":
        row.exchange_order_id = None
    story.finds("side", row)
    return story


@plant("instrument", "by exchange order id", "by elimination")
def instrument(draw: Draw, variant: str) -> Story:
    """Another share is booked."""
    story, row = _last_booked(draw, 2)
    row.symbol = draw.share_besides(story.batch.legs).symbol
    if variant == "by elimination":
        row.exchange_order_id = None
    story.finds("instrument", row)
    return story


@plant("account", "somebody else", "another broker", "both")
def account(draw: Draw, variant: str) -> Story:
    """Booked on somebody else, or at another broker."""
    story = draw.story()
    row = _victim(draw, story)
    if variant in ("somebody else", "both"):
        row.account = draw.hex24()
        story.finds("account", row)
    if variant in ("another broker", "both"):
        row.broker = "groww"
        story.finds("account", row)
    return story


@plant("status-conflict", "CANCELLED", "ERROR", "CANCELLED AMO")
def status_conflict(draw: Draw, variant: str) -> Story:
    """Rejected at the exchange, and booked with another end; nothing was filled either way."""
    story = draw.story(draw.legs(status="REJECTED"), word="UNFILLED")
    row = _victim(draw, story)
    row.status = variant
    story.finds("status-conflict", row)
    return story


@plant("status-conflict", "filled whole, booked as CANCELLED", "filled whole, booked as REJECTED")
def status_conflict_of_fills(draw: Draw, variant: str) -> Story:
    """All was filled, the fill is booked, and the word beside it says another end."""
    story = draw.story()
    row = _victim(draw, story)
    row.status = variant.rsplit(" ", 1)[1]
    story.finds("status-conflict", row)
    return story


@plant("books-behind", "at the end of the grace", "an instant past it", "a part booked", "no status", "only created")
def books_behind(draw: Draw, variant: str) -> Story:
    """All was filled, and the books still have it open: waiting while the grace lasts."""
    story = draw.story()
    row = _victim(draw, story)
    ended = story.batch.completed_at
    assert ended is not None
    grace_ends = ended + timedelta(minutes=30)
    row.filled, row.price, row.status = Decimal(0), None, "CREATED" if variant.startswith("only") else "PLACED"
    if variant.startswith("a part"):
        row.filled, row.price, row.status = ONE, Decimal("100.00"), "PARTIAL"
    if variant.startswith("no"):
        row.status = None
    waiting = variant.startswith("at")
    if waiting or variant.startswith("an instant"):
        story.as_of = grace_ends if waiting else grace_ends + INSTANT
    story.finds("books-behind", row, waiting=waiting)
    return story


@plant("unplaced", "created", "placed", "rejected", "booked as filled", "of a batch that was never placed")
def unplaced(draw: Draw, variant: str) -> Story:
    """A leg never reached the broker, and the books do not say so."""
    whole = variant.startswith("of a batch")
    story = draw.story(draw.legs(2), word="UNPLACED" if whole else "PARTIALLYPLACED")
    for leg in story.batch.legs if whole else story.batch.legs[1:]:
        leg.placed, leg.exchange_order_id, leg.filled, leg.price, leg.status = False, None, Decimal(0), None, "ERROR"
    story = draw.retold(story, story.webhooks[0].received_at)
    row = story.rows[-1]
    row.status = {"placed": "PLACED", "rejected": "REJECTED", "booked as filled": "COMPLETE"}.get(variant, "CREATED")
    if variant == "booked as filled":
        row.filled, row.price = row.quantity, Decimal("99.95")
    story.finds("unplaced", row)
    return story


@plant("ambiguous", "two of each", "two of ours, one of theirs")
def ambiguous(draw: Draw, variant: str) -> Story:
    """Without exchange order ids, two lines of one share and side could each be the other."""
    share = draw.chance.choice(SHARES)
    story = draw.story(draw.legs(shares=[share, share], quantity=6))
    for row, quantity in zip(story.rows, (5, 7), strict=True):
        row.exchange_order_id, row.quantity, row.filled = None, Decimal(quantity), Decimal(quantity)
    for leg in story.batch.legs:
        leg.exchange_order_id = None
    if not variant.startswith("two of each"):
        story.batch.legs.pop()
    story.add_up()
    for row in story.rows:
        story.finds("ambiguous", row)
    for leg in story.batch.legs:
        story.finds("ambiguous", leg)
    return story
