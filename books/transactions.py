"""Rows of transactions as the company registered them when it created them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from books.cells import MAX_CELL, Cell, Stored, a_gateway, an_instant, identifier, number, plain_text, problem_of
from books.orders import a_transaction_id
from books.problems import Problem, Unfit
from books.tables import Layout, Row

LAYOUT: Final = Layout(
    required=("transaction_id",),
    optional=("gateway", "account", "user", "created_at", "expire_at", "intent", "requested"),
)
_BASKET_FIX: Final = 'write [{"ticker": "TCS", "type": "BUY", "quantity": 10}], or leave it empty'


class Registration(NamedTuple):
    """One transaction; what is None the row does not say."""

    line: int  #: of the file
    gateway: str
    transaction_id: str
    account: str | None
    user: str | None  #: the company's own
    created_at: datetime | None
    expire_at: datetime | None
    intent: str | None
    requested: str | None  #: JSON: a list of exchange, symbol, side, quantity


class RegistrationReader:
    """Reads rows; knows the company's gateways."""

    def __init__(self, gateways: Sequence[str]) -> None:
        """Take the names of all gateways."""
        self._gateways = tuple(gateways)

    def read(self, row: Row) -> Registration | list[Problem]:
        """The row as a registration, or all its problems."""
        values: dict[str, object] = {}
        problems = [row.problem] if row.problem else []
        for name, cell in zip(LAYOUT.columns, row.cells, strict=True):
            try:
                values[name] = self._value(name, cell)
            except Unfit as error:
                problems.append(problem_of(row.line, name, cell, error))
        return problems or Registration(line=row.line, **values)  # type: ignore[arg-type]

    def _value(self, name: str, cell: Cell) -> object:
        if isinstance(cell, str) and not cell.strip():
            return self._when_empty(name)
        if name == "gateway":
            return a_gateway(plain_text(cell), self._gateways)
        return _READERS[name](cell)

    def _when_empty(self, name: str) -> str | None:
        if name == "transaction_id":
            raise Unfit("is empty", "every transaction needs its transactionId")
        return a_gateway("", self._gateways) if name == "gateway" else None


def basket(cell: Cell) -> str:
    """The basket asked for, out of the Gateway's orderConfig or its list of securities. Raises `Unfit`."""
    text = cell.text if isinstance(cell, Stored) else cell
    if len(text) > MAX_CELL:
        raise Unfit(f"has {len(text):,} characters", f"write at most {MAX_CELL:,}")
    try:
        document = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise Unfit("is no JSON", _BASKET_FIX) from None
    legs = document.get("securities") if isinstance(document, dict) else document
    if legs is None:  # a smallcase basket names no single orders
        return "[]"
    if not isinstance(legs, list):
        raise Unfit("is no basket", _BASKET_FIX)
    return json.dumps([_leg(leg) for leg in legs])


def _leg(leg: object) -> dict[str, str]:
    if not isinstance(leg, Mapping):
        raise Unfit("holds something that is no order", _BASKET_FIX)
    symbol, side = leg.get("symbol") or leg.get("ticker"), leg.get("side") or leg.get("type")
    quantity, exchange = leg.get("quantity"), leg.get("exchange") or "NSE"
    if not all(isinstance(value, str) for value in (symbol, side, quantity, exchange)):
        raise Unfit("holds an order without ticker, type and quantity", _BASKET_FIX)
    words = {"exchange": exchange, "symbol": symbol, "side": side}
    return {name: plain_text(str(value)).upper() for name, value in words.items()} | {
        "quantity": format(number(str(quantity)).normalize(), "f")
    }


_READERS: Final[Mapping[str, Callable[[Cell], object]]] = {
    "transaction_id": a_transaction_id,
    "account": identifier,
    "user": identifier,
    "created_at": an_instant,
    "expire_at": an_instant,
    "intent": plain_text,
    "requested": basket,
}
