"""What time alone decides: the ends of sessions and graces, midnight in India, holidays, after-market orders."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bench.corpus.draw import FRIDAY, MONDAY, WEDNESDAY, Draw
from bench.corpus.registry import CLEAN, plant
from bench.corpus.story import GRACE, INSTANT, Story, at

CLOSE = "15:30"


def _open_until(day: date) -> datetime:
    """When an order of that session should have come to its end."""
    return at(day, CLOSE) + GRACE


def _finds_in_every_line(story: Story, name: str) -> Story:
    for row in story.rows:
        story.finds(name, row)
    return story


@plant("open-order", "in the afternoon", "at the close", "at the end of the grace", "OPEN beside PLACED")
def open_order(draw: Draw, variant: str) -> Story:
    """An order that is not at its end, and may still be filled."""
    story = draw.open()
    instants = {
        "at the close": at(story.trade_date, CLOSE),
        "at the end of the grace": _open_until(story.trade_date),
    }
    story.as_of = instants.get(variant, story.as_of)
    if variant.startswith("OPEN"):
        story.batch.legs[0].status = "OPEN"
        story.tell_again()
    return _finds_in_every_line(story, "open-order")


@plant("stale-open", "an instant past the grace", "in the evening", "the next session")
def stale_open(draw: Draw, variant: str) -> Story:
    """An order that should have come to its end and has not."""
    story = draw.open()
    if variant.startswith("an instant"):
        story.as_of = _open_until(story.trade_date) + INSTANT
    else:
        story.as_of = at(story.trade_date, "20:30") + timedelta(days=3 if variant.startswith("the next") else 0)
    return _finds_in_every_line(story, "stale-open")


#: When an after-market order was placed, the session it belongs to, and what is said of it.
AMO = {
    "at night, judged before its session ends": (at(FRIDAY, "22:00"), MONDAY),
    "after midnight": (at(FRIDAY, "00:10"), FRIDAY),
    "an instant before the opening": (at(FRIDAY, "09:15") - timedelta(milliseconds=1), FRIDAY),
    "at the opening": (at(FRIDAY, "09:15"), MONDAY),
    "over a weekend": (at(date(2026, 11, 21), "12:00"), MONDAY),
    "over a holiday": (at(MONDAY, "20:00"), WEDNESDAY),
    "on a holiday": (at(date(2026, 11, 24), "10:00"), WEDNESDAY),
}


@plant("open-order", *(f"after-market, {name}" for name in AMO))
def open_amo(draw: Draw, variant: str) -> Story:
    """An after-market order stays open until its session is over, and the grace with it."""
    return _amo(draw, variant, "open-order", late=False)


@plant("stale-open", *(f"after-market, {name}" for name in AMO))
def stale_amo(draw: Draw, variant: str) -> Story:
    """An after-market order that outlived its session."""
    return _amo(draw, variant, "stale-open", late=True)


def _amo(draw: Draw, variant: str, name: str, *, late: bool) -> Story:
    placed, session = AMO[variant.removeprefix("after-market, ")]
    story = draw.amo(draw.legs(), placed, session)
    story.as_of = _open_until(session) + (INSTANT if late else timedelta(0))
    return _finds_in_every_line(story, name)


#: How a transaction may say nothing of its orders: its word, the message of its error, the error's code.
SILENT: dict[str, tuple[str, str | None, str | None]] = {
    "begun and past its expiry": ("USED", None, None),
    "in process past its expiry": ("PROCESSING", None, None),
    "closed after the login": ("ERRORED", "user_cancelled", "1012"),
    "timed out": ("ERRORED", "timed_out", None),
    "queued": ("ERRORED", "order_in_queue", None),
    "pending": ("ERRORED", "order_pending", None),
    "completed, and no batch is listed": ("COMPLETED", None, None),
}


@plant("open-order", *SILENT, "no answer yet", "not begun and no expiry known")
def silent(draw: Draw, variant: str) -> Story:
    """The books hold a line, and the Gateway has not said what became of it."""
    return _silent(draw, variant, "open-order", late=False)


@plant("stale-open", *SILENT, "no answer yet", "not begun and no expiry known")
def silent_for_too_long(draw: Draw, variant: str) -> Story:
    """As before, and the session of its day is over with the grace."""
    return _silent(draw, variant, "stale-open", late=True)


def _silent(draw: Draw, variant: str, name: str, *, late: bool) -> Story:
    story = draw.failed(*SILENT.get(variant, ("INITIALIZED", None, None)))
    if variant == "no answer yet":
        story.answers.clear()
    if variant.startswith("not begun"):
        story.answer.expire_at = None
    story.as_of = _open_until(story.trade_date) + (INSTANT if late else timedelta(0))
    return _finds_in_every_line(story, name)


@plant(
    "open-order", "not begun, at its expiry", "no such transaction, an instant too few", "no such transaction, twice"
)
def not_yet_certain(draw: Draw, variant: str) -> Story:
    """What would prove that there is no order is an instant, or an answer, short."""
    story = draw.failed("INITIALIZED")
    first = at(story.trade_date, "11:00")
    if variant.startswith("not begun"):
        story.as_of = story.answer.expire_at or story.as_of
        return _finds_in_every_line(story, "open-order")
    story.answers.clear()
    story.as_of = at(story.trade_date, "15:00")
    story.absent_at = [first, first + GRACE]
    if variant.endswith("too few"):
        story.absent_at = [first, first + GRACE / 2, first + GRACE - INSTANT]
    return _finds_in_every_line(story, "open-order")


@plant("open-order", "only created, and not at the Gateway")
def only_created(draw: Draw, _variant: str) -> Story:
    """A line that is only created claims no order, so the Gateway's last word need not hold it."""
    story = draw.story()
    extra = story.book(story.rows[0], order_id=draw.order_id(), exchange_order_id=draw.exchange_order_id())
    extra.filled, extra.price, extra.status = None, None, "CREATED"
    story.finds("open-order", extra)
    return story


#: Messages of an error that each exclude that an order came to be.
EXCLUDING = (
    *("user_cancelled", "transaction_expired", "no_broker", "consent_denied", "market_closed"),
    *("insufficient_holdings", "User Cancelled"),
)


@plant("never-triggered", "an instant past its expiry", "expired", *(f"error {said}" for said in EXCLUDING))
def never_triggered(draw: Draw, variant: str) -> Story:
    """The customer never got as far as placing the order."""
    story = draw.failed("INITIALIZED")
    answer = story.answer
    if variant.startswith("an instant"):
        story.as_of = (answer.expire_at or story.as_of) + INSTANT
    elif variant == "expired":
        answer.status = "EXPIRED"
    else:
        answer.status, answer.error_message = "ERRORED", variant.removeprefix("error ")
    return _finds_in_every_line(story, "never-triggered")


@plant("never-triggered", "expired as registered")
def never_triggered_as_registered(draw: Draw, _variant: str) -> Story:
    """The answer does not say until when it could be begun; the registration did."""
    story = draw.failed("INITIALIZED")
    story.expire_at, story.answer.expire_at = story.answer.expire_at, None
    story.as_of = (story.expire_at or story.as_of) + INSTANT
    return _finds_in_every_line(story, "never-triggered")


#: Instants of completion around midnight in India, which is 18:30 UTC, and the trade date each belongs to.
MIDNIGHTS = {
    "a millisecond before midnight in India": (at(MONDAY, "00:00") - timedelta(milliseconds=1), date(2026, 11, 22)),
    "at midnight in India": (at(MONDAY, "00:00"), MONDAY),
    "at midnight in London": (at(MONDAY, "05:30"), MONDAY),
    "a millisecond before midnight in London": (at(MONDAY, "05:30") - timedelta(milliseconds=1), MONDAY),
}


@plant(CLEAN, *MIDNIGHTS)
def midnight(draw: Draw, variant: str) -> Story:
    """A day begins at midnight in India, whatever the date is elsewhere; the trade date is that of completion."""
    completed, day = MIDNIGHTS[variant]
    story = draw.story(day=day, created=completed - timedelta(minutes=5), completed=completed)
    story.as_of = max(story.as_of, completed + GRACE)
    return story


@plant("missing-internal", *MIDNIGHTS)
def missing_at_midnight(draw: Draw, variant: str) -> Story:
    """The books are due in the evening of the Indian date on which the order was completed."""
    story = midnight(draw, variant)
    due = at(story.trade_date, "20:00")
    return _unbooked(story, "missing-internal", max(due, MIDNIGHTS[variant][0] + GRACE))


@plant("awaiting-books", *[name for name in MIDNIGHTS if "before midnight in India" not in name])
def awaited_at_midnight(draw: Draw, variant: str) -> Story:
    """An instant before that evening they are not due."""
    story = midnight(draw, variant)
    return _unbooked(story, "awaiting-books", at(story.trade_date, "20:00") - INSTANT)


def _unbooked(story: Story, name: str, as_of: datetime) -> Story:
    story.rows.clear()
    story.as_of = as_of
    for leg in story.batch.legs:
        story.finds(name, leg)
    return story
