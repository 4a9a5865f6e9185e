"""Results to people and to machines: tables, JSON lines, CSV on stdout; everything else on stderr."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import IO, Any
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from config.calendar import IST

FOUND, WRONG_CALL, AWAY = 1, 2, 3  #: exit codes; 0 is "did it"

NUMBER = re.compile(r"-?[0-9,]{1,13}(\.[0-9]+)?")  #: no id: those are longer, or have letters
UNBOUNDED = 400  #: columns of a file or a pipe

Row = Mapping[str, object]


class Failure(click.ClickException):
    """One clear line to stderr and an exit code: 1 found, 2 wrong call, 3 something is away."""

    def __init__(self, exit_code: int, message: str) -> None:
        """Take the exit code and what to tell, with the fix in it."""
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message alone, without a prefix that says nothing."""
        click.echo(self.format_message(), file=file or sys.stderr, err=True)


def stdout() -> Console:
    """Where results go."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def stderr() -> Console:
    """Where progress and remarks go."""
    return Console(file=sys.stderr, highlight=False)


def as_json(value: object) -> str:
    """One line of JSON: decimals as strings, instants as ISO 8601 UTC, absent as null."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def in_ist(at: datetime | None, *, none: str = "not known") -> str:
    """The instant as people in India read it, to the minute."""
    return f"{at.astimezone(IST):%d %b %Y %H:%M} IST" if at else none


def show_rows(
    rows: Iterable[Row],
    *,
    columns: Sequence[str],
    as_json: bool = False,
    as_csv: bool = False,
    empty: str = "Nothing.",
) -> int:
    """Print the rows as a table, JSON lines or CSV, and tell how many there were.

    `empty` teaches what to do when there are none; it goes to stderr.
    """
    shown = _show_json(rows) if as_json else _show_csv(rows, columns) if as_csv else _show_table(rows, columns)
    if not shown:
        stderr().print(empty)
    return shown


def output_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add --json and --csv to a command that lists."""
    command = click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header row.")(command)
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")(command)


def _show_json(rows: Iterable[Row]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 the count is the answer
        click.echo(as_json(dict(row)))
    return count


def _show_csv(rows: Iterable[Row], columns: Sequence[str]) -> int:
    writer, count = csv.writer(sys.stdout), 0
    writer.writerow(columns)
    for count, row in enumerate(rows, start=1):  # noqa: B007 the count is the answer
        writer.writerow([_cell(row.get(name)) for name in columns])
    return count


def _show_table(rows: Iterable[Row], columns: Sequence[str]) -> int:
    """Numbers stand below each other by their ends; what is no terminal is as wide as the rows need."""
    cells = [[cell(row.get(name)) for name in columns] for row in rows]
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(columns):
        numbers = all(NUMBER.fullmatch(row[place]) for row in cells if row[place])
        table.add_column(name.replace("_", " "), overflow="fold", justify="right" if numbers else "left")
    for row in cells:
        table.add_row(*row)
    out = stdout()
    if not out.is_terminal:
        out.width = UNBOUNDED
    if cells:
        out.print(table)
    return len(cells)


def cell(value: object) -> str:
    """A value as people read it: an instant in Indian time, to the second, yes and no; empty for None."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value.astimezone(IST):%d %b %Y %H:%M:%S} IST" if isinstance(value, datetime) else _cell(value)


def _cell(value: object) -> str:
    return "" if value is None else str(_plain(value))


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Enum():
            return value.value
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case _:
            return value
