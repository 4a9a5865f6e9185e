"""Rows of reference data: price steps, the day's low and high, schedules of charges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from books.cells import Cell, a_date, above_zero, isin, not_negative, plain_text, word
from books.facts import FactKind
from books.orders import a_symbol, an_exchange
from books.problems import Unfit
from books.tables import Layout
from recon.charges import BASES, COMPONENTS, ROUNDINGS

_SIDES: Final = {"BUY": "BUY", "B": "BUY", "SELL": "SELL", "S": "SELL"}
_PAISA: Final = Decimal("0.01")
Values = Mapping[str, object]


def _words(names: tuple[str, ...]) -> dict[str, str]:
    return {name.upper().replace("_", " ").replace("-", " "): name for name in names}


def _period(values: Values) -> tuple[str, Unfit] | None:
    start, end = values["from"], values["to"]
    if isinstance(start, date) and isinstance(end, date) and end < start:
        return "to", Unfit("lies before from", "swap the two days")
    return None


def _named(values: Values) -> tuple[str, Unfit] | None:
    if not values["symbol"] and not values["isin"]:
        return "symbol", Unfit("is empty, and so is isin", "name the instrument by its symbol, its ISIN or both")
    return None


def _a_tick(values: Values) -> tuple[str, Unfit] | None:
    return _named(values) or _period(values)


def _a_price(values: Values) -> tuple[str, Unfit] | None:
    low, high, close = values["low"], values["high"], values["close"]
    if isinstance(low, Decimal) and isinstance(high, Decimal):
        if high < low:
            return "high", Unfit("is below low", "swap the two prices")
        if isinstance(close, Decimal) and not low <= close <= high:
            return "close", Unfit("lies outside low and high", "copy the row again from the exchange's file")
    return _named(values)


def _a_charge(values: Values) -> tuple[str, Unfit] | None:
    least, most = values["least"], values["most"]
    if isinstance(least, Decimal) and isinstance(most, Decimal) and most < least:
        return "most", Unfit("is below least", "swap the two amounts")
    return _period(values)


_INSTRUMENT: Final[Mapping[str, Callable[[Cell], object]]] = {
    "exchange": an_exchange,
    "symbol": a_symbol,
    "isin": isin,
    "from": a_date,
    "to": a_date,
    "date": a_date,
}

TICKS: Final = FactKind(
    name="ticks",
    layout=Layout(required=("exchange", "tick", "from"), optional=("symbol", "isin", "to")),
    readers={**_INSTRUMENT, "tick": above_zero},
    key=("exchange", "isin", "symbol", "from"),
    of_gateway=False,
    check=_a_tick,
)
PRICES: Final = FactKind(
    name="prices",
    layout=Layout(required=("exchange", "date", "low", "high"), optional=("symbol", "isin", "close")),
    readers={**_INSTRUMENT, **dict.fromkeys(("low", "high", "close"), above_zero)},
    key=("exchange", "isin", "symbol", "date"),
    of_gateway=False,
    check=_a_price,
)
CHARGES: Final = FactKind(
    name="charges",
    layout=Layout(
        required=("component", "basis", "rate", "from"),
        optional=("broker", "exchange", "side", "least", "most", "unit", "rounding", "to"),
    ),
    readers={
        **_INSTRUMENT,
        "component": lambda cell: word(cell, _words(COMPONENTS), "component"),
        "basis": lambda cell: word(cell, _words(BASES), "basis"),
        "rate": not_negative,
        "broker": lambda cell: plain_text(cell).lower(),
        "side": lambda cell: word(cell, _SIDES, "side"),
        "least": not_negative,
        "most": not_negative,
        "unit": above_zero,
        "rounding": lambda cell: word(cell, _words(tuple(ROUNDINGS)), "way of rounding"),
    },
    key=("component", "broker", "exchange", "side", "from"),
    of_gateway=False,
    check=_a_charge,
)
REFERENCE: Final = {kind.name: kind for kind in (TICKS, PRICES, CHARGES)}


def as_fact(kind: FactKind, values: Values) -> dict[str, object]:
    """The row as it is stored: what names it is its `code`, and its days are valid_from and valid_to."""
    if kind is CHARGES:
        return _charge(values)
    dated = ("date", "date") if kind is PRICES else ("from", "to")
    kept = {name: value for name, value in values.items() if name not in dated}
    days = {"valid_from": values[dated[0]], "valid_to": values[dated[1]]}
    return {**kept, **days, "code": values["isin"] or values["symbol"]}


def _charge(values: Values) -> dict[str, object]:
    said = {name: values[name] or "" for name in ("broker", "exchange", "side")}
    return {
        **{name: values[name] for name in ("component", "basis", "rate", "least", "most")},
        **said,
        "unit": values["unit"] or _PAISA,
        "rounding": values["rounding"] or "half-up",
        "valid_from": values["from"],
        "valid_to": values["to"],
        "code": "/".join((str(values["component"]), str(said["broker"]), str(said["side"]))),
    }
