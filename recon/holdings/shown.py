"""What the broker shows of one line of descent, by its adapter, in the units of the newest ISIN."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from recon.holdings.descent import Descent, late_kind, times
from recon.holdings.values import AS_POSITION, BESIDE, IN_HELD, LEFT_OUT, Adapter, ShownRow
from recon.values import ZERO


@dataclass(slots=True)
class ShownLine:
    """The rows of one line added up; `late` is what actions that the broker has not applied would add, by kind."""

    rows: list[ShownRow] = field(default_factory=list)
    isins: set[str] = field(default_factory=set)
    total: Decimal = ZERO
    unsettled: Decimal = ZERO
    sold: Decimal = ZERO
    short: Decimal = ZERO
    apart: dict[str, Decimal] = field(default_factory=dict)  #: pledged, mtf, blocked
    late: dict[str, Decimal] = field(default_factory=dict)


def total_of(row: ShownRow, adapter: Adapter) -> Decimal:
    """All shares of the row, whatever their state."""
    total = row.held + row.nse + row.bse
    for value, where in (
        (row.t1, adapter.t1),
        (row.pledged, adapter.pledged),
        (row.mtf, adapter.mtf),
        (row.blocked, adapter.blocked),
    ):
        total += value if where == BESIDE else ZERO
    return total


def shown_lines(rows: Iterable[ShownRow], adapter: Adapter, descent: Descent) -> dict[str, ShownLine]:
    """The rows by the newest ISIN of their line; a row without an ISIN is a line of its own."""
    lines: dict[str, ShownLine] = {}
    for row in sorted(rows, key=repr):
        name = descent.newest(row.isin) if row.isin else row.symbol
        _add(lines.setdefault(name, ShownLine()), row, adapter, descent)
    return lines


def _add(line: ShownLine, row: ShownRow, adapter: Adapter, descent: Descent) -> None:
    line.rows.append(row)
    path = descent.path(row.isin) if row.isin and not descent.is_temporary(row.isin) else ()
    if row.isin:
        line.isins.add(row.isin)

    def now(quantity: Decimal) -> Decimal:
        for action in path:
            quantity = times(quantity, action)
        return quantity

    total = total_of(row, adapter)
    line.total += total
    if kind := late_kind(path):
        line.late[kind] = line.late.get(kind, ZERO) + now(total) - total
    bought = max(row.nse, ZERO) + max(row.bse, ZERO)
    line.unsettled += now(bought + (row.t1 if adapter.t1 in (BESIDE, IN_HELD) else ZERO))
    line.sold += now(max(-row.nse, ZERO) + max(-row.bse, ZERO)) if adapter.sold == AS_POSITION else ZERO
    line.short += now(row.short)
    for name in ("pledged", "mtf", "blocked"):
        line.apart[name] = line.apart.get(name, ZERO) + now(getattr(row, name))


def counted(adapter: Adapter, name: str) -> bool:
    """Whether the broker's total holds what stands apart under that name."""
    return bool(getattr(adapter, name) != LEFT_OUT)
