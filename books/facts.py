"""Dated facts of the company's: positions, corporate actions, transfers; a row to one fact, or to all its problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from books.cells import (
    Cell,
    a_date,
    a_gateway,
    above_zero,
    identifier,
    isin,
    not_negative,
    number,
    plain_text,
    problem_of,
    word,
)
from books.orders import a_symbol
from books.problems import Problem, Unfit, shown
from books.tables import Layout, Row

_ACTIONS: Final = {name.upper(): name for name in ("split", "bonus", "merger", "demerger", "rights", "buy-back")}
_ACTIONS_SAID: Final = {**_ACTIONS, "BUYBACK": "buy-back", "BUY BACK": "buy-back"}
_DIRECTIONS: Final = {"IN": "in", "OUT": "out"}
#: The kinds of action that lead from one ISIN to another.
RENAMING: Final = frozenset({"split", "merger", "demerger"})

Check = Callable[[Mapping[str, object]], tuple[str, Unfit] | None]


class Fact(NamedTuple):
    """One fact with the line of the file that says it; values by column, None where nothing is said."""

    line: int
    values: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactKind:
    """How a file of one kind is read, and which of its columns name a fact."""

    name: str
    layout: Layout
    readers: Mapping[str, Callable[[Cell], object]]
    key: tuple[str, ...]
    of_gateway: bool  #: whether each row belongs to one gateway
    check: Check = lambda _values: None

    def read(self, row: Row, gateways: Sequence[str]) -> Fact | list[Problem]:
        """The row as a fact, or all its problems."""
        values: dict[str, object] = {}
        problems = [row.problem] if row.problem else []
        for name, cell in zip(self.layout.columns, row.cells, strict=True):
            try:
                values[name] = self._value(name, cell, gateways)
            except Unfit as error:
                problems.append(problem_of(row.line, name, cell, error))
        if not problems and (wrong := self.check(values)):
            column, unfit = wrong
            problems.append(problem_of(row.line, column, str(values[column] or ""), unfit))
        return problems or Fact(row.line, values)

    def named(self, fact: Fact) -> tuple[object, ...]:
        """What names the fact."""
        return tuple(fact.values[name] for name in self.key)

    def _value(self, name: str, cell: Cell, gateways: Sequence[str]) -> object:
        empty = isinstance(cell, str) and not cell.strip()
        if name == "gateway":
            return a_gateway("" if empty else plain_text(cell), gateways)
        if empty and name in self.layout.optional:
            return None
        if empty:
            raise Unfit("is empty", f"every row needs its {name}")
        return self.readers[name](cell)


def conflicting(fact: Fact, key: Sequence[str], others: Sequence[int]) -> Problem:
    """The problem of a row that says something else than another row of the file about the same."""
    lines = ", ".join(str(other) for other in others[:5])
    return Problem(
        line=fact.line,
        column=key[-1],
        value=shown(str(fact.values[key[-1]])),
        problem=f"line {lines} says something else of the same {', '.join(key)}",
        fix="keep the one row that is right",
    )


def _an_action(values: Mapping[str, object]) -> tuple[str, Unfit] | None:
    """What of an action cannot be, told by the column at fault."""
    if values["kind"] in RENAMING and not values["new_isin"]:
        return "new_isin", Unfit("is empty", f"a {values['kind']} leads to a new ISIN: write it")
    if values["new_isin"] == values["isin"]:
        return "new_isin", Unfit("is the old ISIN", "write the ISIN that the shares have afterwards")
    credited, ex_date = values["credited_by"], values["ex_date"]
    if isinstance(credited, date) and isinstance(ex_date, date) and credited < ex_date:
        return "credited_by", Unfit("lies before the ex-date", "swap the two days")
    return None


POSITIONS: Final = FactKind(
    name="positions",
    layout=Layout(
        required=("account", "as_of", "isin", "quantity"), optional=("gateway", "broker", "symbol", "average_price")
    ),
    readers={
        "account": identifier,
        "as_of": a_date,
        "isin": isin,
        "quantity": number,
        "broker": plain_text,
        "symbol": a_symbol,
        "average_price": not_negative,
    },
    key=("gateway", "account", "as_of", "isin"),
    of_gateway=True,
)
CORPORATE_ACTIONS: Final = FactKind(
    name="corporate-actions",
    layout=Layout(
        required=("kind", "isin", "ex_date", "ratio_from", "ratio_to"),
        optional=("new_isin", "temporary_isin", "record_date", "credited_by"),
    ),
    readers={
        "kind": lambda cell: word(cell, _ACTIONS_SAID, "kind of corporate action"),
        "isin": isin,
        "ex_date": a_date,
        "ratio_from": above_zero,
        "ratio_to": above_zero,
        "new_isin": isin,
        "temporary_isin": isin,
        "record_date": a_date,
        "credited_by": a_date,
    },
    key=("kind", "isin", "ex_date"),
    of_gateway=False,
    check=_an_action,
)
TRANSFERS: Final = FactKind(
    name="transfers",
    layout=Layout(
        required=("reference", "account", "date", "isin", "direction", "quantity"), optional=("gateway", "symbol")
    ),
    readers={
        "reference": identifier,
        "account": identifier,
        "date": a_date,
        "isin": isin,
        "symbol": a_symbol,
        "direction": lambda cell: word(cell, _DIRECTIONS, "direction"),
        "quantity": above_zero,
    },
    key=("gateway", "reference"),
    of_gateway=True,
)
FACTS: Final = {kind.name: kind for kind in (POSITIONS, CORPORATE_ACTIONS, TRANSFERS)}
