"""Contract notes and tradebooks beside transactions that tie out, with what must be found of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from bench.corpus.draw import FRIDAY, LISTED, MONDAY, PAISA, Draw
from bench.corpus.registry import CLEAN
from bench.corpus.story import Leg, Story

DAY = timedelta(hours=24)
NOTE, BOOK = "contract-note", "tradebook"
COSTS = ("brokerage", "stt", "exchange_charge", "sebi_fee", "stamp_duty", "gst")
#: The schedule that goes with the corpus: component, side, basis, rate, unit.
SCHEDULE: Sequence[tuple[str, str, str, str, str]] = (
    ("brokerage", "", "order", "20", "0.01"),
    ("stt", "", "turnover", "0.1", "1"),
    ("exchange_charge", "", "turnover", "0.00297", "0.01"),
    ("sebi_fee", "", "turnover", "0.0001", "0.01"),
    ("stamp_duty", "BUY", "turnover", "0.015", "0.01"),
    ("stamp_duty", "SELL", "turnover", "0", "0.01"),
    ("gst", "", "services", "18", "0.01"),
)


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of a note; costs that it leaves out are absent."""

    note_id: str
    trade_date: date
    exchange: str
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    exchange_order_id: str | None
    kind: str = NOTE
    costs: dict[str, Decimal] = field(default_factory=dict)
    net: Decimal | None = None


@dataclass(slots=True, kw_only=True)
class Tale:
    """A transaction, or a few of one account, with all that its broker wrote of them."""

    story: Story
    lines: list[Line]

    @property
    def account(self) -> str:
        """Whose notes they are."""
        return self.story.answer.account or ""


Make = Callable[[Draw, str], Tale]
PAPERS: list[tuple[str, str, Make]] = []


def paper(kind: str, *variants: str) -> Callable[[Make], Make]:
    """Register a function that plants this kind, once for each variant."""

    def register(make: Make) -> Make:
        PAPERS.extend((kind, variant, make) for variant in variants)
        return make

    return register


def tales(draw: Draw, repeats: int) -> Iterator[Tale]:
    """Every variant so many times."""
    for _ in range(repeats):
        for kind, variant, make in PAPERS:
            tale = make(draw, variant)
            for story in tale.story.family:
                story.plants.append(f"{kind}: {variant}")
            yield tale


# ---------------------------------------------------------------- what a broker writes


def noted(draw: Draw, story: Story, kind: str = NOTE) -> Tale:
    """A note that says what was traded, order by order."""
    note_id = f"CN{draw.number()}"
    lines = [
        Line(
            note_id=note_id, trade_date=story.trade_date, exchange=leg.exchange, symbol=leg.symbol, side=leg.side,
            quantity=leg.filled, price=leg.price or Decimal(0), exchange_order_id=leg.exchange_order_id, kind=kind,
        )
        for one in story.family
        for leg in one.batch.legs
    ]  # fmt: skip
    return Tale(story=story, lines=lines)


def charged(draw: Draw, story: Story) -> Tale:
    """A note with every cost by the schedule, and what is paid."""
    tale = noted(draw, story)
    for line in tale.lines:
        gross = line.quantity * line.price
        costs = {
            "brokerage": Decimal(20),
            "stt": (gross / 1000).quantize(Decimal(1), ROUND_HALF_UP),
            "exchange_charge": _paise(gross * 297 / 10_000_000),
            "sebi_fee": _paise(gross / 1_000_000),
            "stamp_duty": _paise(gross * 15 / 100_000) if line.side == "BUY" else Decimal(0),
        }
        line.costs = costs
        _tax(line)
        _pay(line)
    return tale


def _paise(rupees: Decimal) -> Decimal:
    return rupees.quantize(PAISA, ROUND_HALF_UP)


def _tax(line: Line) -> None:
    """GST on what the broker and the exchange are paid for."""
    services = sum(line.costs[name] for name in ("brokerage", "exchange_charge", "sebi_fee"))
    line.costs["gst"] = _paise(services * Decimal("0.18"))


def _pay(line: Line) -> None:
    gross, costs = line.quantity * line.price, sum(line.costs.values())
    line.net = -(gross + costs) if line.side == "BUY" else gross - costs


def _two_exchanges(draw: Draw) -> Story:
    """One share bought by two transactions, one on each exchange."""
    nse, bse = draw.chance.choice(LISTED)
    story = draw.story(draw.legs(shares=[nse], side="BUY"))
    draw.sibling(story, draw.legs(shares=[bse], side="BUY"), later=timedelta(minutes=20))
    return story


def _averaged(draw: Draw) -> Tale:
    """One line over both exchanges, as institutions get it, with an average of six places."""
    tale = noted(draw, _two_exchanges(draw))
    quantity = sum((line.quantity for line in tale.lines), Decimal(0))
    paid = sum((line.quantity * line.price for line in tale.lines), Decimal(0))
    average = (paid / quantity).quantize(Decimal("0.000001"))
    tale.lines = [replace(tale.lines[0], exchange="", exchange_order_id=None, quantity=quantity, price=average)]
    return tale


# ---------------------------------------------------------------- plants


@paper(CLEAN, "a note of each order", "a tradebook", "without order ids", "with every charge", "fill by fill",
       "one average over two exchanges", "beside trades of the customer's own", "no note was ever imported",
       "two averages a paisa apart")  # fmt: skip
def clean(draw: Draw, variant: str) -> Tale:
    """The broker's paper says what was traded."""
    match variant:
        case "one average over two exchanges":
            return _averaged(draw)
        case "with every charge":
            return charged(draw, draw.story())
        case "no note was ever imported":
            return Tale(story=draw.story(), lines=[])
    tale = noted(draw, draw.story(), BOOK if variant == "a tradebook" else NOTE)
    first = tale.lines[0]
    match variant:
        case "without order ids":
            tale.lines = [replace(line, exchange_order_id=None, exchange="") for line in tale.lines]
        case "fill by fill":
            tale.lines[:1] = [replace(first, quantity=Decimal(1)), replace(first, quantity=first.quantity - 1)]
        case "beside trades of the customer's own":
            tale.lines.append(replace(first, exchange_order_id=draw.exchange_order_id(), price=first.price + 1))
        case "two averages a paisa apart":
            first.price += PAISA
    return tale


@paper("note-missing", "not on the note", "a note of the day before", "24 hours to the microsecond", "in the evening")
def note_missing(draw: Draw, variant: str) -> Tale:
    """No contract note speaks of a trade."""
    story = draw.story(draw.legs(2), day=MONDAY)
    tale = noted(draw, story)
    missed: list[Leg] = story.batch.legs[:1]
    if variant == "a note of the day before":
        tale.lines = [replace(tale.lines[0], trade_date=FRIDAY, exchange_order_id=draw.exchange_order_id())]
        missed = story.batch.legs
    else:
        tale.lines = tale.lines[1:]
    assert story.batch.completed_at is not None
    waiting = variant in {"24 hours to the microsecond", "in the evening"}
    if variant != "in the evening":
        story.as_of = story.batch.completed_at + DAY + timedelta(microseconds=0 if waiting else 1)
    for _ in missed:
        story.finds("note-missing", waiting=waiting)
    return tale


@paper("note-diff", "one share short", "one share more", "two paise dearer", "a tradebook short of a fill",
       "an average two paise off", "an average short of one exchange")  # fmt: skip
def note_diff(draw: Draw, variant: str) -> Tale:
    """The broker's paper says something else than the orders."""
    if variant.startswith("an average"):
        tale = _averaged(draw)
        if variant.endswith("off"):
            tale.lines[0].price += 2 * PAISA
        else:
            tale.lines[0].quantity -= 1
        # The first transaction by its id answers for both.
        min(tale.story.family, key=lambda one: one.transaction_id).finds("note-diff")
        return tale
    tale = noted(draw, draw.story(), BOOK if variant.startswith("a tradebook") else NOTE)
    line = draw.chance.choice(tale.lines)
    if variant.startswith("two paise"):
        line.price += 2 * PAISA
    else:
        line.quantity += 1 if variant.endswith("more") else -1
    tale.story.finds("note-diff")
    return tale


@paper("charge", *(f"{name} a unit more" for name in COSTS), "brokerage of another schedule")
def charge(draw: Draw, variant: str) -> Tale:
    """A cost that the schedule does not come to; what is paid is the sum of what is stated."""
    tale = charged(draw, draw.story())
    line = draw.chance.choice(tale.lines)
    name, _, much = variant.partition(" ")
    another = Decimal(5) if much == "of another schedule" else PAISA
    line.costs[name] += Decimal(1) if name == "stt" else another
    if name != "gst":
        _tax(line)
    _pay(line)
    tale.story.finds("charge")
    return tale


@paper("net", "a paisa more", "a charge left out", "the charges taken from a purchase")
def net(draw: Draw, variant: str) -> Tale:
    """What is paid is not the sum of what the note states."""
    tale = charged(draw, draw.story(draw.legs(side="BUY")))
    line = draw.chance.choice(tale.lines)
    assert line.net is not None
    match variant:
        case "a paisa more":
            line.net -= PAISA
        case "a charge left out":
            line.net += line.costs["brokerage"]
        case _:
            line.net = -(line.quantity * line.price - sum(line.costs.values()))
    tale.story.finds("net")
    return tale
