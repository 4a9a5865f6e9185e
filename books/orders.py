"""Order lines of the company's books: one row of a file to one exact value, or to all its problems."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache, partial
from hashlib import sha256
from typing import Final, NamedTuple

from books.cells import (
    Cell,
    Stored,
    a_date,
    a_gateway,
    an_instant,
    identifier,
    isin,
    not_negative,
    number,
    plain_text,
    problem_of,
    word,
)
from books.problems import Problem, Unfit, shown
from books.tables import Layout, Row
from recon.values import ZERO, OurLine

LAYOUT: Final = Layout(
    required=(
        "order_id",
        "transaction_id",
        "account",
        "trade_date",
        "exchange",
        "symbol",
        "side",
        "quantity",
    ),
    optional=(
        "gateway",
        "batch_id",
        "exchange_order_id",
        "isin",
        "broker",
        "filled_quantity",
        "average_price",
        "status",
        "executed_at",
    ),
)
_MAY_BE_EMPTY: Final = frozenset({"transaction_id", *LAYOUT.optional})
_SIDES: Final = {"BUY": "BUY", "B": "BUY", "SELL": "SELL", "S": "SELL"}
_EXCHANGE = re.compile(r"[A-Z][A-Z0-9 ]{1,15}", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TRANSACTION = re.compile(r"TRX_[0-9a-fA-F]{32}", re.ASCII)


class Order(NamedTuple):
    """One order line as the books state it; money exact to six places, instants UTC."""

    line: int  #: of the file
    raw: str  #: the cells as they stood, as JSON
    gateway: str
    order_id: str
    transaction_id: str | None  #: None: off-platform
    account: str
    trade_date: date
    exchange: str
    symbol: str
    side: str
    quantity: Decimal
    filled: Decimal | None
    average_price: Decimal | None
    status: str | None
    batch_id: str | None
    exchange_order_id: str | None
    isin: str | None
    broker: str | None
    executed_at: datetime | None

    def digest(self) -> bytes:
        """SHA-256 over the row's meaning: equal for rows that say the same, however they are written.

        No field holds a control character, so none can run into the next.
        """
        fields = ["" if value is None else str(value) for value in self[2:]]
        return sha256("\x1f".join(fields).encode()).digest()

    def as_line(self, instrument: str) -> OurLine:
        """The order as reconciling sees it; its stored row is not yet known."""
        return OurLine(
            line=0,
            order_id=self.order_id,
            account=self.account,
            trade_date=self.trade_date,
            exchange=self.exchange,
            symbol=self.symbol,
            instrument=instrument,
            side=self.side,
            quantity=self.quantity,
            filled=self.filled,
            average_price=self.average_price,
            status=self.status,
            batch_id=self.batch_id,
            exchange_order_id=self.exchange_order_id,
            broker=self.broker,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A row that was not taken, with all that is wrong with it and what could be read of it."""

    line: int
    raw: str
    digest: bytes  #: by which the same refused row is known again
    problems: tuple[Problem, ...]
    gateway: str | None = None
    order_id: str | None = None
    trade_date: date | None = None


class OrderReader:
    """Reads rows; knows the company's gateways and its status words."""

    def __init__(self, gateways: Sequence[str], statuses: Mapping[str, str]) -> None:
        """Take the names of all gateways, and the status words with what they mean."""
        self._gateways = tuple(gateways)
        self._statuses = statuses
        own = {"gateway": lru_cache(64)(self._gateway), "status": lru_cache(256)(self._status)}
        self._readers = tuple((name, own.get(name) or _READERS[name]) for name in LAYOUT.columns)

    def read(self, row: Row) -> Order | Refused:
        """The row as an order, or as refused with every problem."""
        values: dict[str, object] = {}
        problems = [row.problem] if row.problem else []
        for (name, reader), cell in zip(self._readers, row.cells, strict=True):
            try:
                empty = not cell or (isinstance(cell, str) and not cell.strip())
                values[name] = self._when_empty(name) if empty else reader(cell)
            except Unfit as error:
                problems.append(problem_of(row.line, name, cell, error))
        raw = storable(row.raw)
        if problems:
            return _refused(row, raw, problems, values)
        return _order(row.line, raw, values)

    def _when_empty(self, name: str) -> str | None:
        if name == "gateway":
            return a_gateway("", self._gateways)
        if name in _MAY_BE_EMPTY:
            return None
        raise Unfit("is empty", f"every order needs its {name}")

    def _gateway(self, cell: Cell) -> str:
        return a_gateway(plain_text(cell), self._gateways)

    def _status(self, cell: Cell) -> str:
        try:
            return word(cell, self._statuses, "status that is known")
        except Unfit as error:
            raise Unfit(error.problem, f"{error.fix}, or map it in config/statuses.toml") from None


_encode = json.JSONEncoder(ensure_ascii=False).encode


def storable(raw: Mapping[str, str]) -> str:
    """The cells as JSON that the database takes: what it cannot hold is spelt out."""
    text = _encode(raw)
    if (text.isascii() and "\\u0000" not in text) or _holdable(text):
        return text
    return _encode({_clean(name): _clean(value) for name, value in raw.items()})


def _holdable(text: str) -> bool:
    return "\\u0000" not in text and not _SURROGATE.search(text)


def conflicting(line: int, order_id: str, others: Sequence[int]) -> Problem:
    """The problem of a row whose order id other rows of the file give to something else."""
    lines = ", ".join(str(other) for other in others[:5])
    return Problem(
        line=line,
        column="order_id",
        value=shown(order_id),
        problem=f"the same order_id stands with other values in line {lines}",
        fix="keep the one row that is right",
    )


def _clean(text: str) -> str:
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _refused(row: Row, raw: str, problems: Sequence[Problem], values: Mapping[str, object]) -> Refused:
    gateway, order_id, day = (values.get(name) for name in ("gateway", "order_id", "trade_date"))
    return Refused(
        line=row.line,
        raw=raw,
        digest=_digest_of_cells(row),
        problems=tuple(problems),
        gateway=gateway if isinstance(gateway, str) else None,
        order_id=order_id if isinstance(order_id, str) else None,
        trade_date=day if isinstance(day, date) else None,
    )


def _digest_of_cells(row: Row) -> bytes:
    """SHA-256 over the cells as they stood, in whatever order the file has its columns."""
    texts = [cell.text if isinstance(cell, Stored) else cell for cell in row.cells]
    if row.problem:
        texts.extend(row.raw.values())
    return sha256(json.dumps(texts).encode()).digest()


def _order(line: int, raw: str, values: dict[str, object]) -> Order:
    filled = values.pop("filled_quantity")
    return Order(line=line, raw=raw, filled=filled, **values)  # type: ignore[arg-type]


def a_transaction_id(cell: Cell) -> str:
    """A transactionId of the Gateway. Raises `Unfit`."""
    text = plain_text(cell)
    if not _TRANSACTION.fullmatch(text):
        raise Unfit(
            "is no transactionId",
            "write TRX_ and 32 hex digits; leave it empty for an off-platform order",
        )
    return text


@lru_cache(maxsize=64)
def an_exchange(cell: Cell) -> str:
    """An exchange's name in upper case. Raises `Unfit`."""
    text = plain_text(cell).upper()
    if not _EXCHANGE.fullmatch(text):
        raise Unfit("is no exchange", "write NSE or BSE")
    return text


@lru_cache(maxsize=8192)
def a_symbol(cell: Cell) -> str:
    """A trading symbol in upper case. Raises `Unfit`."""
    return plain_text(cell).upper()


@lru_cache(maxsize=64)
def _side(cell: Cell) -> str:
    return word(cell, _SIDES, "side")


@lru_cache(maxsize=8192)
def _quantity(cell: Cell) -> Decimal:
    if (quantity := number(cell)) <= ZERO:
        raise Unfit("is not above zero", "write the quantity ordered; the side says whether it is a sale")
    return quantity


_not_negative = lru_cache(maxsize=8192)(partial(not_negative, but="; the side says whether it is a sale"))
_trade_date = lru_cache(maxsize=4096)(a_date)
_account = lru_cache(maxsize=8192)(identifier)
_broker = lru_cache(maxsize=256)(plain_text)
_isin = lru_cache(maxsize=8192)(isin)

_READERS: Final[Mapping[str, Callable[[Cell], object]]] = {
    "order_id": identifier,
    "transaction_id": a_transaction_id,
    "account": _account,
    "trade_date": _trade_date,
    "exchange": an_exchange,
    "symbol": a_symbol,
    "side": _side,
    "quantity": _quantity,
    "batch_id": identifier,
    "exchange_order_id": identifier,
    "isin": _isin,
    "broker": _broker,
    "filled_quantity": _not_negative,
    "average_price": _not_negative,
    "executed_at": an_instant,
}
