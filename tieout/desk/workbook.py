"""A trade date as a workbook: the equation with live formulas over every line, every finding, what was refused.

Whoever opens it can add it up again: the buckets are formulas over the sheet of lines, and what is left between
them and the totals that were counted at the source stands beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy import Connection

from config.calendar import IST
from recon.values import Bucket
from store import day_lines
from store.days import Scope
from store.desk_breaks import FindingFilter
from store.desk_breaks import findings as stored_findings
from tieout.desk import lines as desk_lines
from tieout.desk.breaks import Break, Severity
from tieout.desk.day import Day

SHEET_MAX = 1_048_575  #: rows below the header that a sheet can hold
REFUSED_MAX = 100_000
CHUNK = 1000
#: Column letters of the sheet Lines, of each side: filled, rupees; and whether the side has a line at all.
FILLED, AMOUNT = {"ours": "L", "theirs": "Q"}, {"ours": "N", "theirs": "S"}
FINDINGS = (
    *("name", "severity", "state", "symbol", "transaction_id", "account", "line", "field", "ours", "theirs"),
    *("difference", "impact_inr", "cause", "opened_at", "break"),
)


class TooManyLinesError(Exception):
    """A sheet cannot hold the day; the message says what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """How much was written."""

    lines: int
    findings: int
    refused: int


@dataclass(frozen=True, slots=True)
class _Book:
    book: Any
    bold: Any
    number: Any
    money: Any
    price: Any

    def sheet(self, name: str, columns: Sequence[str], widths: Sequence[int]) -> Any:
        """A sheet whose first row names the columns and stays in sight."""
        sheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for place, (column, width) in enumerate(zip(columns, widths, strict=True)):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, column.replace("_", " "), self.bold)
        return sheet


def write(
    file: Path,
    connection: Connection,
    day: Day,
    *,
    scope: Scope,
    severity_of: Severity,
    each: Callable[[int], None] | None = None,
) -> Exported:
    """Write the day to that file, replacing it. Raises `TooManyLinesError`, `OSError`."""
    if max(day.orders.ours.count, day.orders.theirs.count) > SHEET_MAX:
        raise TooManyLinesError(f"a sheet holds {SHEET_MAX:,} rows: take `tieout lines {day.trade_date} --csv` instead")
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(file), options) as raw:
        book = _Book(
            raw,
            raw.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
            raw.add_format({"num_format": "#,##0.######"}),
            raw.add_format({"num_format": "[>=10000000]##\\,##\\,##\\,##0.00;[>=100000]##\\,##\\,##0.00;##,##0.00"}),
            raw.add_format({"num_format": "#,##0.00####"}),
        )
        _day(book, day)
        return Exported(
            lines=_lines(book, connection, scope, each),
            findings=_findings(book, connection, scope, severity_of),
            refused=_refused(book, connection, scope),
        )


def _day(book: _Book, day: Day) -> None:
    columns = ("bucket", "our lines", "our shares", "our rupees", "their lines", "their shares", "their rupees")
    sheet = book.sheet("Day", columns, (26, 12, 16, 20, 12, 16, 20))
    names = day.orders.bucket_names
    for row, name in enumerate(names, start=1):
        sheet.write_string(row, 0, name)
        for side, place in (("ours", 1), ("theirs", 4)):
            _bucket(book, sheet, row, place, day.orders.bucket(name, side))
    last = len(names) + 1
    for row, words, put in (
        (last, "all buckets", _added),
        (last + 1, "total, counted at the source", _source),
        (last + 2, "unaccounted", _left),
    ):
        sheet.write_string(row, 0, words, book.bold)
        for side, place in (("ours", 1), ("theirs", 4)):
            for offset, name in enumerate(("count", "quantity", "amount")):
                put(
                    sheet,
                    (row, place + offset),
                    _Figure(day, side, name),
                    book.money if name == "amount" else book.number,
                )
    for row, (word, value) in enumerate(_facts(day), start=last + 4):
        sheet.write_string(row, 0, word, book.bold)
        sheet.write_string(row, 1, value)


def _bucket(book: _Book, sheet: Any, row: int, place: int, bucket: Bucket) -> None:
    """Three formulas over the sheet of lines; refused rows are lines of ours without figures."""
    side = bucket.side
    named = f"Lines!$A:$A,$A{row + 1}"
    refused = "+COUNTA('Refused rows'!$B:$B)-1" if (bucket.name, side) == ("excluded", "ours") else ""
    sheet.write_formula(
        row, place, f'=COUNTIFS({named},Lines!{_there(side)},"yes"){refused}', book.number, bucket.count
    )
    for offset, column, shown, value in (
        (1, FILLED[side], book.number, bucket.quantity),
        (2, AMOUNT[side], book.money, bucket.amount),
    ):
        formula = f"=SUMIFS(Lines!${column}:${column},{named})"
        sheet.write_formula(row, place + offset, formula, shown, value)


def _there(side: str) -> str:
    return "$U:$U" if side == "ours" else "$V:$V"


@dataclass(frozen=True, slots=True)
class _Figure:
    """Count, quantity or amount of one side of a day."""

    day: Day
    side: str
    name: str

    @property
    def source(self) -> Decimal:
        """As counted at the source."""
        return Decimal(getattr(getattr(self.day.orders, self.side), self.name))

    @property
    def added(self) -> Decimal:
        """All buckets together."""
        buckets = (bucket for bucket in self.day.orders.buckets if bucket.side == self.side)
        return sum((Decimal(getattr(bucket, self.name)) for bucket in buckets), Decimal(0))


def _added(sheet: Any, cell: tuple[int, int], figure: _Figure, shown: Any) -> None:
    column = chr(ord("A") + cell[1])
    sheet.write_formula(*cell, f"=SUM({column}2:{column}{cell[0]})", shown, figure.added)


def _source(sheet: Any, cell: tuple[int, int], figure: _Figure, shown: Any) -> None:
    sheet.write_number(*cell, figure.source, shown)


def _left(sheet: Any, cell: tuple[int, int], figure: _Figure, shown: Any) -> None:
    """What is left between the two rows above."""
    column, row = chr(ord("A") + cell[1]), cell[0]
    sheet.write_formula(*cell, f"=ROUND({column}{row}-{column}{row - 1},4)", shown, figure.source - figure.added)


def _facts(day: Day) -> Iterator[tuple[str, str]]:
    yield "gateway", day.gateway
    yield "book", day.book
    yield "trade date", day.trade_date.isoformat()
    yield "as of", _ist(day.as_of)
    yield "digest", day.digest or ""
    if day.close:
        yield "closed by", f"{day.close.closed_by}, {_ist(day.close.closed_at)}"
        yield "root", day.close.root.hex()
    yield "signed", "yes" if day.signed else "no"


def _lines(book: _Book, connection: Connection, scope: Scope, each: Callable[[int], None] | None) -> int:
    columns = (*desk_lines.COLUMNS, "ours", "theirs")
    sheet = book.sheet("Lines", columns, (20, 38, 20, 20, 26, 12, 11, 6, 14, 6, *(12, 10, 12, 16, 12) * 2, 6, 6))
    row = 0
    for row, line in enumerate(desk_lines.every(connection, scope), start=1):
        for place, name in enumerate(desk_lines.COLUMNS):
            _cell(book, sheet, row, place, name, getattr(line, name))
        sheet.write_string(row, len(desk_lines.COLUMNS), "yes" if line.ours else "no")
        sheet.write_string(row, len(desk_lines.COLUMNS) + 1, "yes" if line.theirs else "no")
        if each and row % CHUNK == 0:
            each(row)
    sheet.autofilter(0, 0, max(row, 1), len(columns) - 1)
    return row


def _findings(book: _Book, connection: Connection, scope: Scope, severity_of: Severity) -> int:
    sheet = book.sheet("Findings", FINDINGS, (20, 10, 10, 14, 38, 26, 20, 16, 26, 26, 14, 16, 40, 24, 38))
    wanted = FindingFilter(
        states=("break", "pending", "note"), gateway=scope["gateway"], trade_date=scope["trade_date"]
    )
    row, after = 0, None
    while found := stored_findings(connection, wanted, limit=CHUNK, after=after):
        for finding in found:
            row += 1
            one = Break(finding=finding, severity=severity_of(finding))
            more = {"severity": one.severity, "break": str(finding.finding_id)}
            for place, name in enumerate(FINDINGS):
                _cell(book, sheet, row, place, name, more[name] if name in more else getattr(finding, name))
        after = (found[-1].impact_inr, found[-1].finding_id)
    sheet.autofilter(0, 0, max(row, 1), len(FINDINGS) - 1)
    return row


def _refused(book: _Book, connection: Connection, scope: Scope) -> int:
    sheet = book.sheet("Refused rows", ("file", "row", "order_id", "what is wrong"), (30, 8, 22, 90))
    row = 0
    for row, refused in enumerate(day_lines.refused(connection, scope, limit=REFUSED_MAX), start=1):
        sheet.write_string(row, 0, refused.file_name)
        sheet.write_number(row, 1, refused.row)
        sheet.write_string(row, 2, refused.order_id or "")
        sheet.write_string(row, 3, "; ".join(f"{p['column']} {p['value']}: {p['problem']}" for p in refused.problems))
    return row


def _cell(book: _Book, sheet: Any, row: int, place: int, name: str, value: object) -> None:
    """Numbers as numbers, all else as text, so that no id is changed and nothing is run as a formula."""
    match value:
        case None:
            return
        case Decimal():
            shown = book.money if name.endswith(("amount", "inr")) else book.price if "price" in name else book.number
            sheet.write_number(row, place, value, shown)
        case datetime():
            sheet.write_string(row, place, _ist(value))
        case date():
            sheet.write_string(row, place, value.isoformat())
        case _:
            sheet.write_string(row, place, str(value))


def _ist(at: datetime) -> str:
    return f"{at.astimezone(IST):%d %b %Y %H:%M:%S} IST"
