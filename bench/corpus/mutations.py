"""One field of a clean transaction changed, on one side, and everything that is true then: its closure.

Each mutation starts from one share bought, filled whole, answered, heard of and booked.
A change of the answer alone is also contradicted by the webhook, which still says what was so before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bench.corpus.draw import INFY, Draw
from bench.corpus.registry import plant
from bench.corpus.story import MICRO, ZERO, Story

ONE_FIELD = "one field"
ONE, PAISA = Decimal(1), Decimal("0.01")
BEYOND = PAISA + MICRO
OTHER_ACCOUNT, OTHER_ID = "f" * 24, "9" * 16

Change = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Mutation:
    """Which field of what becomes what, and what is found: `name` of the line, `name*` of the batch."""

    where: str  #: row, leg, batch, answer, heard, heard batch, heard leg
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
    _set("answer", "status", "PROCESSING"),
    _set("answer", "status", "LOST", "unknown-enum*"),
    _set("answer", "account", OTHER_ACCOUNT, "account webhook-differs*"),
    _set("answer", "account", None),
    _set("answer", "broker", "groww"),
    _set("answer", "expire_at", None),
    _set("answer", "created_at", None),
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
    _moved("heard batch", "sell_amount", -BEYOND, "webhook-differs*"),
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
)

MUTATIONS: Sequence[Mutation] = (*ROW, *LEG, *ANSWER, *HEARD)
BY_TITLE = {mutation.title: mutation for mutation in MUTATIONS}


def base(draw: Draw) -> Story:
    """Ten INFY bought, filled whole, answered, heard of and booked."""
    return draw.story(draw.legs(shares=[INFY], side="BUY", quantity=10))


def mutate(story: Story, mutation: Mutation) -> Story:
    """Change that field of the clean story, and say what is true then."""
    about = _places(story)[mutation.where]
    setattr(about, mutation.field, mutation.change(getattr(about, mutation.field)))
    for name in mutation.closure.split():
        if name.endswith("*"):
            story.finds(name.removesuffix("*"))
        else:
            story.finds(name, story.batch.legs[0] if name == "missing-internal" else story.rows[0])
    return story


def _places(story: Story) -> dict[str, object]:
    heard = story.webhooks[0]
    return {
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
