"""Rows of contract notes and tradebooks: one line of a broker's paper to one exact value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Final

from books.cells import Cell, a_date, above_zero, an_instant, identifier, isin, number, plain_text, word
from books.facts import Fact, FactKind
from books.orders import a_symbol, an_exchange
from books.problems import Problem, Unfit
from books.tables import Layout, Row
from recon.charges import COMPONENTS
from recon.noted import CONTRACT_NOTE, TRADEBOOK

#: What names a note; all lines of one stand in one file.
NOTE: Final = ("gateway", "account", "broker", "trade_date", "note_id")
_LINE: Final = ("exchange", "symbol", "isin", "side", "quantity", "price", "exchange_order_id", "order_id")
_SIDES: Final = {"BUY": "BUY", "B": "BUY", "SELL": "SELL", "S": "SELL"}
_AS_NEEDED: Final = ("gateway", "exchange", "symbol", "isin", "exchange_order_id", "order_id")


_above_zero = partial(above_zero, but="; the side says whether it was bought or sold")


def _named(values: Mapping[str, object]) -> tuple[str, Unfit] | None:
    if not values["symbol"] and not values["isin"]:
        return "symbol", Unfit("is empty, and so is isin", "name the instrument by its symbol, its ISIN or both")
    return None


def _kind(name: str, *, required: tuple[str, ...], optional: tuple[str, ...]) -> FactKind:
    return FactKind(
        name=name,
        layout=Layout(
            required=("trade_date", "account", "broker", "side", "quantity", "price", *required),
            optional=(*optional, *_AS_NEEDED, *COMPONENTS, "net_amount", "issued_at"),
        ),
        readers={
            "trade_date": a_date,
            "account": identifier,
            "broker": lambda cell: plain_text(cell).lower(),
            "side": lambda cell: word(cell, _SIDES, "side"),
            "quantity": _above_zero,
            "price": _above_zero,
            "note_id": identifier,
            "exchange": an_exchange,
            "symbol": a_symbol,
            "isin": isin,
            "exchange_order_id": identifier,
            "order_id": identifier,
            "issued_at": an_instant,
            "net_amount": number,
            **dict.fromkeys(COMPONENTS, number),
        },
        key=NOTE,
        of_gateway=True,
        check=_named,
    )


CONTRACT_NOTES: Final = _kind("contract-notes", required=("note_id",), optional=())
TRADEBOOKS: Final = _kind("tradebook", required=(), optional=("note_id",))
#: What the notes of such a file are.
KIND_OF: Final = {"contract-notes": CONTRACT_NOTE, "tradebook": TRADEBOOK}
NOTES: Final = {kind.name: kind for kind in (CONTRACT_NOTES, TRADEBOOKS)}


def roughly_of(kind: FactKind, row: Row) -> tuple[str, str]:
    """The note that a row is of, as far as it can be read: its account and its number."""
    cells = dict(zip(kind.layout.columns, row.cells, strict=True))
    return tuple(_text(cells.get(name, "")) for name in ("account", "note_id"))  # type: ignore[return-value]


def _text(cell: Cell) -> str:
    return cell.strip() if isinstance(cell, str) else cell.text


def incomplete(fact: Fact) -> Problem:
    """The problem of a row whose note has another row that was refused."""
    return Problem(
        line=fact.line,
        column="note_id",
        value=str(fact.values["note_id"] or ""),
        problem="another row of this note was refused: a note is taken whole or not at all",
        fix="put the other row right and import the file again",
    )


def note_of(fact: Fact) -> tuple[object, ...]:
    """What names the note of the row."""
    return tuple(fact.values[name] or "" for name in NOTE)


def head_of(kind: FactKind, facts: Sequence[Fact]) -> dict[str, object]:
    """A note as it is stored, out of all its rows; the digest is the same in whatever order they stand."""
    said = [json.dumps({**_line(fact), "issued_at": fact.values["issued_at"]}, default=str) for fact in facts]
    issued = [fact.values["issued_at"] for fact in facts if fact.values["issued_at"]]
    return {
        **dict(zip(NOTE, note_of(facts[0]), strict=True)),
        "kind": KIND_OF[kind.name],
        "issued_at": issued[0] if issued else None,
        "digest": sha256("\n".join(sorted(said)).encode()).digest(),
    }


def line_of(kind: FactKind, fact: Fact) -> dict[str, object]:
    """A line as it is stored, with what names its note."""
    named = dict(zip(NOTE, note_of(fact), strict=True))
    return {**named, "kind": KIND_OF[kind.name], **_line(fact), "row": fact.line}


def _line(fact: Fact) -> dict[str, object]:
    values = fact.values
    line = {name: values[name] for name in (*_LINE, *COMPONENTS, "net_amount")}
    return {**line, "exchange": values["exchange"] or "", "symbol": values["symbol"] or values["isin"]}
