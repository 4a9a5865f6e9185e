"""Both sides of a finding put beside each other, field by field, as people read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from config.calendar import IST
from store.desk_transactions import StoredLine, StoredTransaction
from tieout.desk.breaks import WholeBreak
from tieout.desk.rupees import price, rupees, shares

#: Fields in reading order: as findings name them, and in words.
FIELDS = (
    ("order_id", "Order id"),
    ("exchange_order_id", "Exchange order id"),
    ("account", "Account"),
    ("broker", "Broker"),
    ("batch_id", "Batch"),
    ("trade_date", "Trade date"),
    ("exchange", "Exchange"),
    ("symbol", "Symbol"),
    ("instrument", "Instrument"),
    ("side", "Side"),
    ("quantity", "Quantity"),
    ("filled", "Filled"),
    ("average_price", "Average price"),
    ("amount", "Amount ₹"),
    ("status", "Status"),
    ("executed_at", "Executed"),
)
#: Whose words the two values of a finding are, where they are not the books' and the Gateway's.
SPEAKERS = {
    "webhook-differs": ("The webhook", "The API"),
    "out-of-order": ("This webhook", "An earlier one"),
    "batch-sum": ("Sum of its legs", "The batch says"),
    "amount-sum": ("Sum of its legs", "The batch says"),
    "batch-vs-lines": ("Its legs allow", "The batch says"),
    "repair-chain": ("First ordered", "Filled over the chain"),
    "over-repair": ("First ordered", "Filled over the chain"),
    "repair-pending": ("First ordered", "Filled over the chain"),
    "waived": ("First ordered", "Filled over the chain"),
}
#: Fields that findings call by another name.
ALSO = {"filled_quantity": "filled", "price": "average_price"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One field on both sides, as text."""

    field: str
    word: str
    ours: str
    theirs: str
    found: bool  #: what the finding is about

    @property
    def same(self) -> bool:
        """Both sides state it, in the same words."""
        return bool(self.ours and self.theirs) and self.ours.casefold() == self.theirs.casefold()

    @property
    def differs(self) -> bool:
        """Both sides state it, in other words."""
        return bool(self.ours and self.theirs) and not self.same


def speakers(name: str, *, held: bool = False) -> tuple[str, str]:
    """Whose words the values `ours` and `theirs` of a finding of that name are; `held`: it is about holdings."""
    return SPEAKERS.get(name, ("Our books", "The broker" if held else "The Gateway"))


def sides(whole: WholeBreak) -> tuple[Side, ...]:
    """Every field that at least one side states."""
    named = ALSO.get(whole.row.finding.field, whole.row.finding.field)
    return tuple(
        Side(
            field=name,
            word=word,
            ours=_text(whole.ours, name, None),
            theirs=_text(whole.theirs, name, whole.transaction),
            found=name == named,
        )
        for name, word in FIELDS
        if whole.ours or whole.theirs
    )


def _text(line: StoredLine | None, name: str, transaction: StoredTransaction | None) -> str:
    if line is None:
        return ""
    value = getattr(line, name)
    if value is None and transaction and name in {"account", "broker"}:
        value = getattr(transaction, name)
    match value:
        case None:
            return ""
        case Decimal():
            return SHOWN.get(name, shares)(value)
        case datetime():
            return f"{value.astimezone(IST):%d %b %Y %H:%M:%S} IST"
        case _:
            return str(value)


SHOWN: dict[str, Callable[[Decimal], str]] = {"amount": rupees, "average_price": price}
