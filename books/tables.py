"""Rows with their line numbers out of a CSV file or an XLSX workbook, one at a time."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from books.cells import MAX_CELL, Cell, Stored
from books.problems import Problem, UnreadableFileError, shown
from books.xlsx import open_archive, open_sheet

_DELIMITERS = ",;\t"
_HEADER_BYTES = 1 << 16
_LONGEST_CELL = 1 << 24  #: above it the file is not read on: a quotation mark is never closed
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_ZIP = b"PK\x03\x04"
_SEP = re.compile(r"sep=([,;\t])\r?\n?", re.IGNORECASE)
_NOT_NAME = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns a kind of file has; order and spelling of the header are free."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, str], ...] = ()  #: other names of columns, as exchanges and vendors write them

    @property
    def names(self) -> dict[str, str]:
        """By what a header may write, which column it means."""
        also = {plain_name(other): column for other, column in self.synonyms}
        return also | {plain_name(column): column for column in self.columns}

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, the required ones first."""
        return self.required + self.optional


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line, its cells in the order of the layout, and all of it as it stood."""

    line: int
    cells: list[Cell]
    raw: dict[str, str]  #: by the header's own names, empty cells left out
    problem: Problem | None = None  #: the row's shape is wrong


@dataclass(slots=True)
class Table:
    """An open file; `rows` is read once and raises `UnreadableFileError` where the file breaks."""

    rows: Iterator[Row]
    notes: list[str]
    position: Callable[[], tuple[int, int]] = field(default=lambda: (0, 0))  #: bytes read, of how many
    columns: frozenset[str] = frozenset()  #: of the layout, those that the file has


@contextmanager
def open_table(path: Path, layout: Layout) -> Iterator[Table]:
    """The file as a table, told by its first bytes. Raises `UnreadableFileError`, one line with the fix."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            start = file.read(4)
            file.seek(0)
        except OSError as error:
            raise UnreadableFileError(f"{path}: {error.strerror}: name a file that can be read") from None
        if start.startswith(_ZIP):
            yield _sheet_table(path, stack, layout)
        else:
            yield _csv_table(path, file, start, stack, layout)


def _sheet_table(path: Path, stack: ExitStack, layout: Layout) -> Table:
    sheet = open_sheet(path, stack.enter_context(open_archive(path)))
    notes = [f"read the sheet {sheet.name!r}; not {', '.join(sheet.others)}"] if sheet.others else []
    first = next(((n, cells) for n, cells in sheet.rows if cells), None)
    if first is None:
        raise UnreadableFileError(f"{path.name}: the sheet {sheet.name!r} is empty: its first row names the columns")
    width = max(first[1]) + 1
    header = _Header.of(path, [_text(first[1].get(i, "")) for i in range(width)], layout, notes)
    rows = (header.row(n, _dense(cells, width)) for n, cells in sheet.rows if cells)
    return Table(rows, notes, lambda: (sheet.progress.done, sheet.progress.total), header.columns)


def _dense(cells: dict[int, Cell], width: int) -> list[Cell]:
    return [cells.get(i, "") for i in range(max(width, max(cells) + 1))]


def _csv_table(path: Path, file: BinaryIO, start: bytes, stack: ExitStack, layout: Layout) -> Table:
    _refuse_other_formats(path, start)
    size = path.stat().st_size
    beginning = _decoded(path, file.read(_HEADER_BYTES))
    delimiter = _delimiter(beginning, layout)
    file.seek(0)
    lines = _Lines(stack.enter_context(TextIOWrapper(file, encoding="utf-8-sig", newline="")))
    csv.field_size_limit(_LONGEST_CELL)
    records = _records(path, lines, delimiter)
    notes: list[str] = []
    first = next(((n, r) for n, r in records if any(r) and not _SEP.fullmatch(delimiter.join(r))), None)
    if first is None:
        raise UnreadableFileError(f"{path.name}: the file is empty: its first row names the columns")
    header = _Header.of(path, first[1], layout, notes)
    cut = not _ends_in_newline(path)
    rows = (header.row(n, list(r), last=cut and lines.done) for n, r in records if any(map(str.strip, r)))
    return Table(rows, notes, lambda: (min(file.tell(), size) if not file.closed else size, size), header.columns)


class _Lines:
    """A file's lines, knowing after each whether it was the last."""

    def __init__(self, source: TextIOWrapper) -> None:
        self._source = source
        self.done = False

    def __iter__(self) -> Iterator[str]:
        held = self._read()
        while held:
            following = self._read()
            self.done = not following
            yield held
            held = following

    def _read(self) -> str:
        line = self._source.readline(_LONGEST_CELL)
        if len(line) == _LONGEST_CELL:
            raise csv.Error(f"a line of more than {_LONGEST_CELL:,} characters")
        return line


def _records(path: Path, lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            yield line, record
            line = reader.line_num + 1
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except csv.Error as error:
        raise UnreadableFileError(
            f"{path.name}, line {line}: {error}: close every quotation mark, and double those inside a cell"
        ) from None


def _refuse_other_formats(path: Path, start: bytes) -> None:
    if start.startswith(_OLD_EXCEL):
        raise UnreadableFileError(f"{path.name}: an old .xls or a workbook with a password: save it as plain .xlsx")
    if start.startswith(_UTF16):
        raise UnreadableFileError(f"{path.name}: the text is UTF-16: save it as CSV UTF-8")


def _decoded(path: Path, beginning: bytes) -> str:
    try:
        return beginning.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(beginning) - 3:
            raise _not_utf8(path) from None
        return beginning[: error.start].decode("utf-8-sig")


def _not_utf8(path: Path) -> UnreadableFileError:
    """Which line is not UTF-8, found by reading again."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_CELL), b""), start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return UnreadableFileError(f"{path.name}, line {number}: the text is not UTF-8: save it as CSV UTF-8")
    return UnreadableFileError(f"{path.name}: the text is not UTF-8: save it as CSV UTF-8")


def _ends_in_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) in b"\r\n"


def _delimiter(beginning: str, layout: Layout) -> str:
    """The delimiter by which the header names the most known columns."""
    if said := _SEP.match(beginning):
        return said[1]
    known = set(layout.names)

    def named(delimiter: str) -> int:
        try:
            records = islice(csv.reader(beginning.splitlines(), delimiter=delimiter), 10)
            first = next((r for r in records if any(r)), [])
        except csv.Error:
            return 0
        return len(known & {plain_name(cell) for cell in first})

    return max(_DELIMITERS, key=named)


@dataclass(frozen=True, slots=True)
class _Header:
    names: list[str]  #: as they stand
    places: list[int]  #: by the layout's order: where the column is; beyond the end when absent
    columns: frozenset[str]  #: of the layout, those that are there

    @classmethod
    def of(cls, path: Path, names: list[str], layout: Layout, notes: list[str]) -> _Header:
        """Find the layout's columns. Raises `UnreadableFileError`; unknown columns become a note."""
        found: dict[str, int] = {}
        known = layout.names
        unknown = []
        for place, name in enumerate(names):
            if (column := known.get(plain_name(name))) is None:
                unknown.append(shown(name.strip()))
            elif column in found:
                raise UnreadableFileError(f"{path.name}: the column {column} is there twice: keep one")
            else:
                found[column] = place
        if missing := [name for name in layout.required if name not in found]:
            raise UnreadableFileError(_no_column(path, missing, names))
        if unknown := [name for name in unknown if name]:
            notes.append(f"columns not read: {', '.join(unknown[:20])}")
        _refuse_namesakes(path, names)
        own = [name.strip() or f"column {place}" for place, name in enumerate(names, start=1)]
        return cls(own, [found.get(name, len(names)) for name in layout.columns], frozenset(found))

    def row(self, line: int, cells: Sequence[Cell], *, last: bool = False) -> Row:
        """The record as a row; a wrong number of cells or an endless cell is a problem of the row."""
        texts = [cell.text if isinstance(cell, Stored) else cell for cell in cells]
        problem = _shape(line, texts, len(self.names), cut=last)
        count = min(len(cells), len(self.names))
        return Row(line, [cells[p] if p < count else "" for p in self.places], self._raw(texts), problem)

    def _raw(self, texts: list[str]) -> dict[str, str]:
        raw = {name: text for name, text in zip(self.names, texts, strict=False) if text}
        if len(texts) > len(self.names):
            beyond = enumerate(texts[len(self.names) :], start=len(self.names) + 1)
            raw |= {f"column {place}": text for place, text in beyond if text}
        return raw


def _no_column(path: Path, missing: list[str], names: list[str]) -> str:
    first = ", ".join(shown(name) for name in names[:8])
    return f"{path.name}: no column {', '.join(missing)}: the first row names the columns, and it reads: {first}"


def _refuse_namesakes(path: Path, names: list[str]) -> None:
    filled = [name.strip() for name in names if name.strip()]
    if twice := next((name for name in filled if filled.count(name) > 1), None):
        raise UnreadableFileError(f"{path.name}: the column {shown(twice)} is there twice: rename one")


def _shape(line: int, texts: list[str], width: int, *, cut: bool) -> Problem | None:
    if any(texts[width:]):
        problem = f"the row has {len(texts)} cells, the header {width}"
        fix = "put text that holds the delimiter in quotation marks"
        return Problem(line=line, column="", value=shown(texts[width]), problem=problem, fix=fix)
    if cut and len(texts) < width:
        fix = "export the file again, whole"
        return Problem(line=line, column="", value="", problem="the file ends in the middle of this row", fix=fix)
    if len(longest := max(texts, key=len)) > MAX_CELL:
        problem, fix = f"a cell of {len(longest):,} characters", f"write at most {MAX_CELL:,}"
        return Problem(line=line, column="", value=shown(longest), problem=problem, fix=fix)
    return None


def _text(cell: Cell) -> str:
    return cell.text if isinstance(cell, Stored) else cell


def plain_name(name: str) -> str:
    """A column's name by its letters and digits alone: `Order ID` is `orderid`."""
    return _NOT_NAME.sub("", name).lower()
