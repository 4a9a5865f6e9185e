"""Rows of the table of instruments: which ISIN a symbol stands for from a day to a day, and which comes after it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from books.cells import Cell, a_date, isin, plain_text, problem_of
from books.orders import a_symbol, an_exchange
from books.problems import Problem, Unfit
from books.tables import Layout, Row

_SERIES: Final = re.compile(r"[A-Z0-9]{1,2}", re.ASCII)
LAYOUT: Final = Layout(
    required=("exchange", "symbol", "isin", "from"),
    optional=("to", "series", "successor"),
    synonyms=(
        *(("trading_symbol", "symbol"), ("isin_number", "isin"), ("isin_code", "isin"), ("group", "series")),
        *(("valid_from", "from"), ("valid_to", "to"), ("successor_isin", "successor"), ("new_isin", "successor")),
    ),
)


def _a_series(cell: Cell) -> str:
    text = plain_text(cell).upper()
    if not _SERIES.fullmatch(text):
        raise Unfit("is no series", "write one or two letters or digits as the exchange does: EQ, BE, SM, A")
    return text


_READERS: Final[Mapping[str, Callable[[Cell], object]]] = {
    "exchange": an_exchange,
    "symbol": a_symbol,
    "isin": isin,
    "from": a_date,
    "to": a_date,
    "series": _a_series,
    "successor": isin,
}
_SAID: Final = ("exchange", "symbol", "from", "to", "isin", "series", "successor")
_FIX: Final = "end the earlier period the day before the later one begins"


class Period(NamedTuple):
    """One ISIN of one symbol, both days included; no last day means until now."""

    line: int  #: of the file; 0 for a period that is stored already
    exchange: str
    symbol: str
    valid_from: date
    valid_to: date | None
    isin: str
    series: str | None = None  #: in which the exchange trades it
    successor: str | None = None  #: the ISIN that the shares have after the last day

    @property
    def said(self) -> tuple[object, ...]:
        """What the row says, without where it stands."""
        return self[1:]


def read_period(row: Row) -> Period | list[Problem]:
    """The row as a period, or all its problems."""
    values: dict[str, object] = {}
    problems = [row.problem] if row.problem else []
    for name, cell in zip(LAYOUT.columns, row.cells, strict=True):
        try:
            values[name] = _value(name, cell)
        except Unfit as error:
            problems.append(problem_of(row.line, name, cell, error))
    problems.extend(problem_of(row.line, name, str(values[name] or ""), unfit) for name, unfit in _wrong(values))
    if problems:
        return problems
    return Period(row.line, *(values[n] for n in _SAID))  # type: ignore[arg-type]


def _wrong(values: Mapping[str, object]) -> Iterator[tuple[str, Unfit]]:
    """What does not go together, by the column at fault; a column that could not be read is left out."""
    start, end = values.get("from"), values.get("to")
    if isinstance(start, date) and isinstance(end, date) and end < start:
        yield "to", Unfit("lies before from", "swap the two days")
    successor = values.get("successor")
    if successor and successor == values.get("isin"):
        yield "successor", Unfit("is the same ISIN", "write the ISIN that came after it, or leave the cell empty")
    if successor and end is None and "to" in values:
        yield "to", Unfit("is empty, though a successor is told", "write the last day of the old ISIN")


def carried_over(read: Iterable[Period], stored: Iterable[Period], columns: Collection[str]) -> list[Period]:
    """The periods with what their file has no column for as it is stored: a plainer file takes nothing back."""
    begun = {period[1:4]: period for period in stored}
    return [_carried(period, begun.get(period[1:4]), columns) for period in read]


def _carried(period: Period, was: Period | None, columns: Collection[str]) -> Period:
    if was is None:
        return period
    if "series" not in columns:
        period = period._replace(series=was.series)
    if "successor" not in columns and (period.isin, period.valid_to) == (was.isin, was.valid_to):
        period = period._replace(successor=was.successor)
    return period


def without_overlaps(read: Iterable[Period], stored: Iterable[Period]) -> tuple[list[Period], list[Problem]]:
    """The periods that fit beside each other and the stored ones they do not replace; problems of the rest.

    A row replaces the stored period of the same symbol that begins on the same day.
    """
    by_listing: defaultdict[tuple[str, str], list[Period]] = defaultdict(list)
    for period in read:
        by_listing[period.exchange, period.symbol].append(period)
    beside: defaultdict[tuple[str, str], list[Period]] = defaultdict(list)
    for period in stored:
        beside[period.exchange, period.symbol].append(period)
    good: list[Period] = []
    problems: list[Problem] = []
    for listing, own in by_listing.items():
        starts = {period.valid_from for period in own}
        bad = _overlapping(own + [p for p in beside[listing] if p.valid_from not in starts])
        good.extend(period for period in own if period.line not in bad)
        problems.extend(_overlap(period, bad[period.line]) for period in own if period.line in bad)
    return good, problems


def _overlapping(periods: Sequence[Period]) -> dict[int, Period]:
    """By line of each period that overlaps another: that other one."""
    ordered = sorted(periods, key=lambda period: (period.valid_from, period.line))
    found: dict[int, Period] = {}
    longest = ordered[0]
    for period in ordered[1:]:
        if longest.valid_to is None or period.valid_from <= longest.valid_to:
            found.setdefault(longest.line, period)
            found.setdefault(period.line, longest)
        if longest.valid_to is not None and (period.valid_to is None or period.valid_to > longest.valid_to):
            longest = period
    return found


def _overlap(period: Period, other: Period) -> Problem:
    where = f"line {other.line}" if other.line else "the stored table"
    until = other.valid_to.isoformat() if other.valid_to else "now"
    return Problem(
        line=period.line,
        column="from",
        value=period.valid_from.isoformat(),
        problem=f"overlaps {other.isin} from {other.valid_from} to {until} of {where}",
        fix=_FIX,
    )


def _value(name: str, cell: Cell) -> object:
    if isinstance(cell, str) and not cell.strip():
        if name in LAYOUT.optional:
            return None
        raise Unfit("is empty", f"every instrument needs its {name}")
    return _READERS[name](cell)
