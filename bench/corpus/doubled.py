"""One order told twice, executed twice, told in parts, or under another name, date or zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from bench.corpus.draw import FRIDAY, HIGH, INFY, INFY_EQ, LISTED, LOW, MONDAY, NEW_NAME, OLD_NAME, TICK, TICKED, Draw
from bench.corpus.registry import CLEAN, plant
from bench.corpus.story import MICRO, ZERO, Story, at

ONE = Decimal(1)
HALF_PAISA = Decimal("0.005")
ZONE = timedelta(hours=5, minutes=30)


@plant("dup-external", "an equal copy", "two equal copies", "one of them filled less", "one of them at another price")
def dup_external(draw: Draw, variant: str) -> Story:
    """The Gateway lists one exchange order twice; an equal copy counts in no sum."""
    story = draw.story(draw.legs(2, quantity=20))
    batch, leg, row = story.batch, story.batch.legs[0], story.rows[0]
    copies = [replace(leg) for _ in range(2 if variant.startswith("two") else 1)]
    batch.legs += copies
    if "equal" in variant:
        for copy in copies:
            story.finds("dup-external", copy)
        story.tell_again()
        return story
    if variant.endswith("less"):
        copies[0].filled -= ONE
    else:
        copies[0].price = (leg.price or ZERO) + ONE
    story.add_up()
    for one in (leg, *copies):
        story.finds("dup-external", one)
        story.finds("ambiguous", one)
    story.finds("ambiguous", row)
    return story


@plant("dup-internal", "an equal line", "the later one differs", "the earlier one differs", "both differ alike")
def dup_internal(draw: Draw, variant: str) -> Story:
    """The books hold one order twice: the line that agrees is the order's, else the first of equal ones."""
    story = draw.story(draw.legs(2, quantity=20))
    first = story.rows[0]
    second = story.book(first, order_id=f"{first.order_id}z")
    dearer = (first.price or ZERO) + ONE
    if variant.startswith("the later"):
        second.price = dearer
    elif variant.startswith("the earlier"):
        first.price = dearer
        first, second = second, first
    elif variant.startswith("both"):
        first.price = second.price = dearer
        story.finds("price-out", first)
    story.finds("dup-internal", second)
    return story


@plant("dup-internal", "two that say different things, neither right")
def dup_internal_unclear(draw: Draw, _variant: str) -> Story:
    """Neither line is the Gateway's: a person chooses."""
    story = draw.story(draw.legs(2, quantity=20))
    first = story.rows[0]
    second = story.book(first, order_id=f"{first.order_id}z")
    first.price, second.price = (first.price or ZERO) + 1, (first.price or ZERO) + 2
    for row in (first, second):
        story.finds("dup-internal", row)
        story.finds("ambiguous", row)
    story.finds("ambiguous", story.batch.legs[0])
    return story


@plant("dup-execution", "the same again", "a millionth of it", "three times", "another share")
def dup_execution(draw: Draw, variant: str) -> Story:
    """The customer asked once, and two batches of the transaction filled something."""
    share = draw.chance.choice(LISTED)[0]
    shares = [share] if variant != "another share" else []
    story = draw.story(draw.legs(1, shares=[share], quantity=20, side="BUY"))
    for _ in range(2 if variant == "three times" else 1):
        leg = draw.legs(1, shares=shares, quantity=20, side="BUY")[0]
        word = "COMPLETED"
        if variant.startswith("a millionth"):
            leg.filled, leg.status, word = MICRO, "CANCELLED", "PARTIALLYFILLED"
        draw.another_batch(story, [leg], word)
        if variant.startswith("a millionth"):
            story.finds("partial-residual", story.rows[-1])
    story.finds("dup-execution")
    return story


@plant("alias", "another symbol of one ISIN", "the old symbol, with its ISIN")
def alias(draw: Draw, variant: str) -> Story:
    """The same security under another name is no difference, and is said."""
    old = variant.startswith("the old")
    story = draw.story(draw.legs(shares=[NEW_NAME if old else INFY]), day=MONDAY)
    row = story.rows[0]
    row.symbol, row.isin = (OLD_NAME if old else INFY_EQ).symbol, OLD_NAME.isin if old else None
    story.finds("alias", row)
    return story


@plant("exchange", "at the same price", "at another price", "without exchange order ids")
def exchange(draw: Draw, variant: str) -> Story:
    """The same security is booked on the other exchange."""
    story = draw.story(draw.legs(2))
    row = story.rows[-1]
    row.exchange = "BSE"
    if variant.startswith("without"):
        row.exchange_order_id = None
    story.finds("exchange", row)
    if variant == "at another price":
        row.price = (row.price or ZERO) + ONE
        story.finds("price-out", row)
    return story


@plant("unmapped", "on both sides", "in the books", "the old symbol, without its ISIN", "before it was listed")
def unmapped(draw: Draw, variant: str) -> Story:
    """A symbol that the table of instruments does not know on that day, though it knows the exchange."""
    story = draw.story(draw.legs(shares=[INFY]), day=MONDAY)
    row, leg = story.rows[0], story.batch.legs[0]
    if variant == "in the books":
        row.symbol = "XYZLTD"
    elif variant.startswith("the old"):
        leg.symbol, row.symbol = NEW_NAME.symbol, OLD_NAME.symbol
    else:
        leg.symbol = row.symbol = "XYZLTD" if variant == "on both sides" else OLD_NAME.symbol
    if row.symbol != leg.symbol:
        story.finds("instrument", row)
    story.tell_again()
    story.finds("unmapped", row)
    return story


@plant("price-implausible", "one share off the tick", "above the day's high", "below the day's low")
def price_implausible(draw: Draw, variant: str) -> Story:
    """A price at which nobody can have traded, on both sides alike."""
    story = _ticked(draw, 1 if variant.startswith("one") else 10, _IMPLAUSIBLE[variant])
    story.finds("price-implausible", story.rows[0])
    return story


_IMPLAUSIBLE = {
    "one share off the tick": TICKED.price + TICK - Decimal("0.01"),
    "above the day's high": HIGH + HALF_PAISA + MICRO,
    "below the day's low": LOW - HALF_PAISA - MICRO,
}
_PLAUSIBLE = {
    "one share on the tick": (1, TICKED.price + TICK),
    "an average off the tick": (10, TICKED.price + Decimal("0.01")),
    "as far above the high as rounding explains": (10, HIGH + HALF_PAISA),
    "as far below the low as rounding explains": (10, LOW - HALF_PAISA),
}


@plant(CLEAN, *_PLAUSIBLE)
def price_plausible(draw: Draw, variant: str) -> Story:
    """Prices on the edge of what can be."""
    return _ticked(draw, *_PLAUSIBLE[variant])


def _ticked(draw: Draw, quantity: int, price: Decimal) -> Story:
    story = draw.story(draw.legs(shares=[TICKED], quantity=quantity), day=FRIDAY)
    story.batch.legs[0].price = story.rows[0].price = price
    story.add_up()
    return story


@plant("trade-date", "the session before", "the day after", "a Saturday", "after-market, two sessions before")
def trade_date(draw: Draw, variant: str) -> Story:
    """The two sides book the order on different days."""
    if variant.startswith("after"):
        story = _after_market(draw, date(2026, 11, 19))
    else:
        story = draw.story(day=MONDAY)
        days = {"the session before": FRIDAY, "the day after": date(2026, 11, 24), "a Saturday": date(2026, 11, 21)}
        story.rows[0].trade_date = days[variant]
    story.finds("trade-date", story.rows[0])
    return story


@plant(CLEAN, "after-market, booked the day it was placed")
def booked_when_placed(draw: Draw, _variant: str) -> Story:
    """The books may say the day before the session for an after-market order."""
    return _after_market(draw, FRIDAY)


def _after_market(draw: Draw, booked: date) -> Story:
    """Placed on Friday evening, filled on Monday, booked on that day."""
    story = draw.story(day=MONDAY, created=at(FRIDAY, "21:00"), completed=at(MONDAY, "09:16"), variety="amo")
    story.rows[0].trade_date = booked
    return story


@plant("zone-shift", "read as UTC", "read as India twice", "on another date with it")
def zone_shift(draw: Draw, variant: str) -> Story:
    """The instants lie exactly one zone apart; it stands for the date."""
    story = draw.story(draw.legs(2), completed=at(MONDAY, "03:00" if variant.startswith("on") else "12:00"))
    row, ended = story.rows[0], story.batch.completed_at
    assert ended is not None
    row.executed_at = ended + (ZONE if variant == "read as UTC" else -ZONE)
    if variant.startswith("on"):
        row.trade_date = date(2026, 11, 22)
    story.finds("zone-shift", row)
    return story


@plant(CLEAN, "executed when the Gateway says", "a second beside a zone apart", "an hour apart")
def executed_at(draw: Draw, variant: str) -> Story:
    """An instant of execution that is right, or wrong in no way that names a zone."""
    story = draw.story(completed=at(MONDAY, "12:00"))
    apart = {"an hour apart": timedelta(hours=1), "executed when the Gateway says": timedelta(0)}
    ended = story.batch.completed_at
    assert ended is not None
    story.rows[0].executed_at = ended + apart.get(variant, ZONE - timedelta(seconds=1))
    return story


@plant("payload-invalid", "a webhook", "two webhooks", "an answer")
def payload_invalid(draw: Draw, variant: str) -> Story:
    """Something about the transaction came that nobody can read; nothing is concluded from it."""
    story = draw.story()
    said = '{"transactionId": "%s", "batchId": "%s", "status": "COMPLETED", "filled": "ten%d", "smallcaseAuthId": "%s"}'
    for number in range({"a webhook": 1, "two webhooks": 2}.get(variant, 0)):
        ids = (story.transaction_id, story.batch.batch_id, number, story.answer.account)
        story.garbled.append((said % ids).encode())
    if variant == "an answer":
        story.answers.insert(0, replace(story.answer, garbled=True))
    story.finds("payload-invalid")
    return story


@plant(CLEAN, "one order of ours in two legs", "one leg in two lines of ours", "three lines at three prices")
def in_parts(draw: Draw, variant: str) -> Story:
    """One order told as several lines that make it up exactly."""
    if variant.startswith("one order"):
        return _legs_of_one_order(draw)
    story = draw.story(draw.legs(1, quantity=30, side="BUY"))
    whole = story.rows.pop()
    count = 3 if variant.startswith("three") else 2
    for number in range(count):
        part = story.book(whole, order_id=f"{whole.order_id}/{number}")
        part.quantity = part.filled = Decimal(30) / count
        part.price = (whole.price or ZERO) + (number - 1 if count > 2 else 0)  # noqa: PLR2004 - the first is cheaper
    return story


def _legs_of_one_order(draw: Draw) -> Story:
    first, second = draw.legs(shares=[INFY, INFY], quantity=15, side="BUY")
    second.price = first.price
    story = draw.story([first, second])
    whole, _ = story.rows
    whole.quantity, whole.filled, whole.exchange_order_id = Decimal(30), Decimal(30), None
    story.rows.pop()
    return story
