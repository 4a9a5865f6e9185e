"""One field of a clean transaction changed, on one side, and everything that is true then: its closure.

Each mutation starts from one share bought, filled whole, answered, heard of and booked.
A change of the answer alone is also contradicted by the webhook, which still says what was so before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from bench.corpus.draw import FRIDAY, INFY, Draw
from bench.corpus.registry import plant
from bench.corpus.story import MICRO, ZERO, Row, Story

ONE_FIELD = "one field"
ONE, PAISA = Decimal(1), Decimal("0.01")
BEYOND = PAISA + MICRO
DAY, ZONE = timedelta(days=1), timedelta(hours=5, minutes=30)
OTHER_ACCOUNT, OTHER_ID = "f" * 24, "9" * 16

Change = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Mutation:
    """Which field of what becomes what, and what is found: `name` of the line, `name*` of the batch."""

    where: str  #: story, row, leg, batch, answer, heard, heard batch, heard leg
    field: str
    label: str
    change: Change
    closure: str

    @property
    def title(self) -> str:
        """In words."""
        return f"{self.where}.{self.field} {self.label}"


def _becomes(value: object) -> Change:
    return lambda _before: value


def _plus(step: Decimal) -> Change:
    return lambda before: (before if isinstance(before, Decimal) else ZERO) + step


def _set(where: str, field: str, value: object, closure: str = "") -> Mutation:
    return Mutation(where, field, f"becomes {value}", _becomes(value), closure)


def _moved(where: str, field: str, step: Decimal, closure: str = "") -> Mutation:
    return Mutation(where, field, f"{step:+}", _plus(step), closure)


def _list(where: str, field: str, label: str, change: Callable[[list[object]], list[object]], closure: str) -> Mutation:
    return Mutation(where, field, label, lambda before: change(before) if isinstance(before, list) else before, closure)


def _later(where: str, field: str, by: timedelta, closure: str = "") -> Mutation:
    return Mutation(where, field, f"moved by {by}", lambda before: before + by, closure)  # type: ignore[operator]


LOST = "missing-internal missing-external"
FIGURES = "batch-sum* amount-sum* webhook-differs*"

#: A line of the books.
ROW = (
    _set("row", "account", OTHER_ACCOUNT, "account"),
    _set("row", "broker", "groww", "account"),
    _set("row", "broker", None),
    _set("row", "symbol", "TCS", "instrument"),
    _set("row", "isin", "INE467B01029"),
    _set("row", "side", "SELL", "side"),
    _moved("row", "quantity", ONE, "qty-requested"),
    _moved("row", "quantity", MICRO, "qty-requested"),
    _moved("row", "quantity", -MICRO, "qty-requested overfill"),
    _moved("row", "filled", -ONE, "qty-filled"),
    _moved("row", "filled", -MICRO, "qty-filled"),
    _moved("row", "filled", MICRO, "qty-filled overfill"),
    _set("row", "filled", None, "qty-filled"),
    _moved("row", "price", PAISA, "price-in-tol"),
    _moved("row", "price", -PAISA, "price-in-tol"),
    _moved("row", "price", MICRO, "price-in-tol"),
    _moved("row", "price", BEYOND, "price-out"),
    _moved("row", "price", -BEYOND, "price-out"),
    _set("row", "price", None, "price-absent"),
    _set("row", "price", ZERO, "price-absent"),
    _set("row", "status", None),
    *(_set("row", "status", word, "books-behind") for word in ("PLACED", "CREATED")),
    *(
        _set("row", "status", word, "status-conflict")
        for word in ("CANCELLED", "REJECTED", "ERROR", "CANCELLED AMO", "UNPLACED", "PARTIAL")
    ),
    _set("row", "exchange_order_id", None),
    _set("row", "exchange_order_id", OTHER_ID, LOST),
    _set("row", "batch_id", "f" * 24),
    Mutation("row", "order_id", "becomes another", lambda before: f"{before}x", ""),
    _set("row", "exchange", "BSE", "exchange"),
    _set("row", "transaction_id", "", "missing-internal"),
    _later("row", "trade_date", -DAY, "trade-date"),
    _later("row", "trade_date", DAY, "trade-date"),
    _later("row", "executed_at", ZONE, "zone-shift"),
    _later("row", "executed_at", -ZONE, "zone-shift"),
    _later("row", "executed_at", DAY),
    _list("story", "rows", "none", lambda _rows: [], "missing-internal"),
    _list("story", "rows", "twice", lambda rows: [*rows, _copy(rows[0])], "dup-internal"),
)

#: A leg of the answer; the batch's figures and the webhook stay as they were.
LEG = (
    _set("leg", "exchange_order_id", None),
    _set("leg", "exchange_order_id", OTHER_ID, f"{LOST} webhook-differs*"),
    _set("leg", "symbol", "TCS", "instrument webhook-differs*"),
    _set("leg", "side", "SELL", "side amount-sum* amount-sum* webhook-differs*"),
    _set("leg", "side", "HOLD", "unknown-enum webhook-differs*"),
    _moved("leg", "quantity", ONE, "qty-requested batch-sum* webhook-differs*"),
    _moved("leg", "quantity", -ONE, "qty-requested overfill batch-sum* webhook-differs*"),
    _moved("leg", "filled", -ONE, f"qty-filled {FIGURES}"),
    _moved("leg", "filled", ONE, f"qty-filled overfill {FIGURES}"),
    _moved("leg", "price", PAISA, "price-in-tol amount-sum*"),
    _moved("leg", "price", BEYOND, "price-out amount-sum* webhook-differs*"),
    _moved("leg", "price", MICRO, "price-in-tol"),
    _set("leg", "price", None, "price-absent"),
    _set("leg", "price", ZERO, "price-absent"),
    *(
        _set("leg", "status", word, "status-conflict batch-vs-lines* webhook-differs*")
        for word in ("CANCELLED", "REJECTED", "ERROR", "CANCELLED AMO")
    ),
    _set("leg", "status", "PLACED", "batch-vs-lines*"),
    _set("leg", "status", "FROZEN", "unknown-enum"),
    _set("leg", "exchange", "BSE", "exchange webhook-differs*"),
    _set("leg", "exchange", "MCX", "unknown-enum webhook-differs*"),
    _set("leg", "quantity", -ONE, "payload-invalid* stale-open"),
    _set("leg", "filled", -MICRO, "payload-invalid* stale-open"),
    _set("leg", "placed", value=False, closure="unplaced webhook-differs*"),
    _list("batch", "legs", "none", lambda _legs: [], f"missing-external batch-sum* {FIGURES}"),
    _list("batch", "legs", "an equal copy", lambda legs: [*legs, *legs], "dup-external"),
)

#: The batch of the answer, and the answer itself.
ANSWER = (
    _moved("batch", "quantity", ONE, "batch-sum* webhook-differs*"),
    _moved("batch", "quantity", MICRO, "batch-sum* webhook-differs*"),
    _moved("batch", "filled", ONE, "batch-sum* webhook-differs*"),
    _moved("batch", "filled", -MICRO, "batch-sum* webhook-differs*"),
    _set("batch", "quantity", None),
    _set("batch", "filled", None),
    _set("batch", "buy_amount", None),
    _moved("batch", "buy_amount", PAISA),
    _moved("batch", "buy_amount", BEYOND, "webhook-differs*"),
    _moved("batch", "buy_amount", ONE, "amount-sum* webhook-differs*"),
    _moved("batch", "sell_amount", PAISA, "amount-sum*"),
    _moved("batch", "sell_amount", PAISA / 2),
    *(
        _set("batch", "status", word, "batch-vs-lines* webhook-differs*")
        for word in ("PARTIALLYFILLED", "UNFILLED", "CANCELLED", "ERROR", "PARTIALLYPLACED")
    ),
    _set("batch", "status", "MELTED", "unknown-enum*"),
    _set("batch", "variety", "bracket", "unknown-enum*"),
    _set("batch", "variety", None),
    _set("batch", "broker", "groww", "account"),
    _set("batch", "broker", None),
    _set("batch", "created_at", None),
    _set("batch", "completed_at", None),
    _later("batch", "completed_at", -DAY, "trade-date"),
    _set("batch", "batch_id", "f" * 24, "webhook-missed* webhook-differs*"),
    _set("batch", "more", {"iscid": "665f0000000000000000000a"}),
    _set("batch", "more", {"label": "FIX"}, "orphan-repair*"),
    _set("answer", "status", "PROCESSING"),
    _set("answer", "status", "LOST", "unknown-enum*"),
    _set("answer", "account", OTHER_ACCOUNT, "account webhook-differs*"),
    _set("answer", "account", None),
    _set("answer", "broker", "groww"),
    _set("answer", "expire_at", None),
    _set("answer", "created_at", None),
    _set("answer", "intent", None),
    _set("answer", "error_message", "user_cancelled"),
    _set("answer", "error_code", "1010"),
    _set("answer", "more", {"orderConfig": {"type": "FIX"}}, "orphan-repair*"),
    _list("answer", "batches", "none", lambda _batches: [], "stale-open webhook-differs*"),
)

#: The webhook alone.
HEARD = (
    _set("heard", "account", OTHER_ACCOUNT, "webhook-differs*"),
    _set("heard", "account", None),
    _moved("heard batch", "quantity", ONE, "webhook-differs*"),
    _moved("heard batch", "filled", MICRO, "webhook-differs*"),
    _moved("heard batch", "filled", -MICRO, "webhook-differs*"),
    _moved("heard batch", "buy_amount", PAISA),
    _moved("heard batch", "buy_amount", BEYOND, "webhook-differs*"),
    _moved("heard batch", "sell_amount", BEYOND, "webhook-differs*"),
    _moved("heard batch", "sell_amount", -MICRO, "payload-invalid* webhook-missed*"),
    _set("heard leg", "quantity", -ONE, "payload-invalid* webhook-missed*"),
    _set("heard batch", "filled", None),
    _set("heard batch", "status", "PLACED", "webhook-missed*"),
    _set("heard batch", "status", "UNFILLED", "webhook-differs*"),
    _set("heard batch", "batch_id", "f" * 24, "webhook-missed* webhook-differs*"),
    _set("heard leg", "symbol", "TCS", "webhook-differs*"),
    _set("heard leg", "side", "SELL", "webhook-differs*"),
    _moved("heard leg", "quantity", ONE, "webhook-differs*"),
    _moved("heard leg", "filled", -ONE, "webhook-differs*"),
    _moved("heard leg", "price", PAISA),
    _moved("heard leg", "price", BEYOND, "webhook-differs*"),
    _set("heard leg", "status", "CANCELLED", "webhook-differs*"),
    _set("heard leg", "status", "PLACED"),
    _set("heard leg", "exchange_order_id", None),
    _set("heard leg", "exchange_order_id", OTHER_ID, "webhook-differs*"),
    _set("heard leg", "exchange", "BSE", "webhook-differs*"),
    _set("heard leg", "placed", value=False, closure="webhook-differs*"),
    _list("heard batch", "legs", "none", lambda _legs: [], ""),
    _later("heard", "received_at", timedelta(days=1), "webhook-missed*"),
    _set("heard", "unasked", value=True),
    _list("story", "webhooks", "none", lambda _heard: [], "webhook-missed*"),
    _list("story", "webhooks", "twice", lambda heard: [*heard, *heard], ""),
)

MUTATIONS: Sequence[Mutation] = (*ROW, *LEG, *ANSWER, *HEARD)
BY_TITLE = {mutation.title: mutation for mutation in MUTATIONS}


def base(draw: Draw) -> Story:
    """Ten INFY bought on a Friday, filled whole, answered, heard of and booked with their instant."""
    story = draw.story(draw.legs(shares=[INFY], side="BUY", quantity=10), day=FRIDAY)
    story.rows[0].executed_at = story.batch.completed_at
    return story


def mutate(story: Story, mutation: Mutation) -> Story:
    """Change that field of the clean story, and say what is true then."""
    leg = story.batch.legs[0]
    about = _places(story)[mutation.where]
    setattr(about, mutation.field, mutation.change(getattr(about, mutation.field)))
    for name in mutation.closure.split():
        if name.endswith("*"):
            story.finds(name.removesuffix("*"))
        else:
            story.finds(name, leg if name in ("missing-internal", "dup-external") else story.rows[-1])
    return story


def _copy(row: object) -> Row:
    assert isinstance(row, Row)
    return replace(row, order_id=f"{row.order_id}z")


def _places(story: Story) -> dict[str, object]:
    heard = story.webhooks[0]
    return {
        "story": story,
        "row": story.rows[0],
        "leg": story.batch.legs[0],
        "batch": story.batch,
        "answer": story.answer,
        "heard": heard,
        "heard batch": heard.batch,
        "heard leg": heard.batch.legs[0],
    }


@plant(ONE_FIELD, *BY_TITLE)
def one_field(draw: Draw, variant: str) -> Story:
    """A clean transaction of which one field was changed."""
    return mutate(base(draw), BY_TITLE[variant])
