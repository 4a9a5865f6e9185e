"""A workbook's first visible sheet, row by row, with numbers as the exact text the file stores.

Spreadsheet libraries hand numbers out as binary floats; money may not pass through one, so the
sheet's XML is read here. Sizes are bounded: a hostile workbook is refused, not unpacked.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache, reduce
from pathlib import Path
from posixpath import join, normpath
from typing import IO, cast
from xml.etree import ElementTree as ET  # expat refuses amplifying entities
from zipfile import BadZipFile, ZipFile

from books.cells import Cell, Kind, Stored
from books.problems import UnreadableFileError

MAX_UNPACKED = 2 << 30  #: bytes of all parts together
MAX_STRINGS = 4_000_000
MAX_ROWS = 1 << 20  #: Excel has no more
MAX_ROW = 200_000  #: elements of one row; Excel has 16,384 columns
MAX_LETTERS = 3  #: of a column's name
MAX_SILENCE = 1 << 20  #: bytes without the end of an element
MAX_PART = 8 << 20  #: bytes of a part that is read whole
_CHUNK = 1 << 16
_DATES_1904 = 1462  #: days between Excel's two epochs
_BROKEN = (
    BadZipFile,
    zlib.error,
    ET.ParseError,
    LookupError,
    ValueError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    OSError,
)  # fmt: skip -- what the parts of a broken workbook raise
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]')
_DATE_LETTER = re.compile(r"[dmyhs]", re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BUILTIN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_DIGITS = "0123456789"


@dataclass(slots=True)
class Progress:
    """How many of the sheet's bytes are read."""

    done: int = 0
    total: int = 0


@dataclass(slots=True)
class Sheet:
    """An open sheet; `rows` yields (row number, cells by column from 0) and raises `UnreadableFileError`."""

    name: str
    others: tuple[str, ...]
    rows: Iterator[tuple[int, dict[int, Cell]]]
    progress: Progress = field(default_factory=Progress)


def open_sheet(path: Path, archive: ZipFile) -> Sheet:
    """The first visible sheet of an open workbook. Raises `UnreadableFileError`."""
    if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED:
        raise UnreadableFileError(f"{path.name}: unpacks to more than 2 GiB: split it, or import it as CSV")
    try:
        book = _Workbook.of(archive)
        progress = Progress(total=archive.getinfo(book.part).file_size)
    except _BROKEN as error:
        raise _broken(path, error) from None
    return Sheet(book.name, book.others, _guarded(path, book.rows(archive, progress)), progress)


def open_archive(path: Path) -> ZipFile:
    """The workbook as an archive. Raises `UnreadableFileError`."""
    try:
        return ZipFile(path)
    except _BROKEN as error:
        raise _broken(path, error) from None


def _guarded(path: Path, rows: Iterator[tuple[int, dict[int, Cell]]]) -> Iterator[tuple[int, dict[int, Cell]]]:
    try:
        yield from rows
    except _BROKEN as error:
        raise _broken(path, error) from None


def _broken(path: Path, error: Exception) -> UnreadableFileError:
    detail = str(error).strip("'\"").splitlines() or [type(error).__name__]
    return UnreadableFileError(
        f"{path.name}: no readable .xlsx workbook ({detail[0][:100]}): save it again as .xlsx or CSV UTF-8"
    )


@dataclass(frozen=True, slots=True)
class _Workbook:
    name: str
    others: tuple[str, ...]
    part: str
    strings: list[str]
    dates: list[bool]  #: by style: does it show a date
    old_epoch: bool

    @classmethod
    def of(cls, archive: ZipFile) -> _Workbook:
        root = _tree(archive, "xl/workbook.xml")
        sheets = [(s.get("name", ""), _relation(s)) for s in _all(root, "sheet") if s.get("state") in {None, "visible"}]
        if not sheets:
            raise ValueError("it has no visible sheet")
        name, relation = sheets[0]
        targets = {r.get("Id", ""): r.get("Target", "") for r in _tree(archive, "xl/_rels/workbook.xml.rels")}
        properties = next(_all(root, "workbookPr"), None)
        old_epoch = properties is not None and properties.get("date1904") in {"1", "true"}
        others = tuple(other for other, _ in sheets[1:])
        part = _part(targets[relation])
        return cls(name, others, part, _shared_strings(archive), _date_styles(archive), old_epoch)

    def rows(self, archive: ZipFile, progress: Progress) -> Iterator[tuple[int, dict[int, Cell]]]:
        number = 0
        with archive.open(self.part) as source:
            for row in _elements(source, "row", progress, MAX_ROWS):
                number = int(row.get("r") or number + 1)
                yield number, self._cells(row)

    def _cells(self, row: ET.Element) -> dict[int, Cell]:
        cells: dict[int, Cell] = {}
        column = -1
        for element in row:
            ref = element.get("r")
            column = _column(ref.rstrip(_DIGITS)) if ref else column + 1
            cell = self._cell(element)
            if cell != "":
                cells[column] = cell
        return cells

    def _cell(self, element: ET.Element) -> Cell:
        value, formula = "", False
        for child in element:
            tag = child.tag[-2:]  # }v, }f, }t; or }is
            if tag == "}v":
                value = child.text or ""
            elif tag == "}f":
                formula = True
            elif tag == "is":
                return _text_of(child)
        if value:
            return self._typed(element, value)
        return Stored(Kind.FORMULA, "=") if formula and element.get("t") != "str" else ""

    def _typed(self, element: ET.Element, value: str) -> Cell:
        match element.get("t", "n"):
            case "s":
                return self.strings[int(value)] if value.isdecimal() else _no_text(value)
            case "str" | "d":
                return _unescaped(value)
            case "b":
                return Stored(Kind.BOOLEAN, "TRUE" if value == "1" else "FALSE")
            case "e":
                return Stored(Kind.ERROR, value)
            case _:
                return self._number(element, value.strip())

    def _number(self, element: ET.Element, value: str) -> Cell:
        style = int(element.get("s") or 0)
        if not (style < len(self.dates) and self.dates[style]):
            return Stored(Kind.NUMBER, value) if value else ""
        if self.old_epoch:
            value = str(Decimal(value[:40]) + _DATES_1904)
        return Stored(Kind.DATE, value)


def _tree(archive: ZipFile, part: str) -> ET.Element:
    """A small part, whole."""
    if archive.getinfo(part).file_size > MAX_PART:
        raise ValueError(f"{part} is too large")
    return ET.fromstring(archive.read(part))  # noqa: S314 expat refuses amplifying entities


def _all(root: ET.Element, tag: str) -> Iterator[ET.Element]:
    return (e for e in root.iter() if e.tag.rpartition("}")[2] == tag)


def _relation(sheet: ET.Element) -> str:
    return next((v for k, v in sheet.attrib.items() if k.rpartition("}")[2] == "id"), "")


def _part(target: str) -> str:
    return target[1:] if target.startswith("/") else normpath(join("xl", target))


def _shared_strings(archive: ZipFile) -> list[str]:
    part = "xl/sharedStrings.xml"
    if part not in archive.namelist():
        return []
    strings: list[str] = []
    with archive.open(part) as source:
        strings.extend(_text_of(element) for element in _elements(source, "si", Progress(), MAX_STRINGS))
    return strings


def _text_of(element: ET.Element) -> str:
    """The text of a string item: its runs joined, phonetic hints left out."""
    parts = []
    for child in element:
        tag = child.tag.rpartition("}")[2]
        if tag == "t":
            parts.append(child.text or "")
        elif tag == "r":
            parts.extend(t.text or "" for t in child if t.tag.endswith("}t"))
    return _unescaped("".join(parts))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def _date_styles(archive: ZipFile) -> list[bool]:
    if "xl/styles.xml" not in archive.namelist():
        return []
    root = _tree(archive, "xl/styles.xml")
    formats = {f.get("numFmtId"): f.get("formatCode", "") for f in _all(root, "numFmt")}
    styles = next(_all(root, "cellXfs"), ())
    return [_shows_date(style.get("numFmtId", "0"), formats) for style in styles]


def _shows_date(number: str, formats: dict[str | None, str]) -> bool:
    if number in formats:
        first = _LITERAL.sub("", formats[number].split(";")[0])
        return first.lower() != "general" and bool(_DATE_LETTER.search(first))
    return int(number) in _BUILTIN_DATES


def _no_text(index: str) -> str:
    raise ValueError(f"it has no text number {index[:20]}")


@lru_cache(maxsize=1024)
def _column(letters: str) -> int:
    """The column's place from 0: A is 0, AA is 26."""
    if not (0 < len(letters) <= MAX_LETTERS and letters.isascii() and letters.isalpha()):
        raise ValueError(f"it has no column {letters[:20]}")
    return reduce(lambda column, letter: column * 26 + int(letter, 36) - 9, letters, 0) - 1


def _elements(source: IO[bytes], tag: str, progress: Progress, most: int) -> Iterator[ET.Element]:
    """Each whole element of that tag, emptied when the next is asked for; nothing grows without bound."""
    parser: ET.XMLPullParser[ET.Element] = ET.XMLPullParser(("end",))
    wanted, count, others, silence = "", 0, 0, 0
    while chunk := source.read(_CHUNK):
        progress.done += len(chunk)
        parser.feed(chunk)
        silence += len(chunk)
        for _, element in cast("Iterator[tuple[str, ET.Element]]", parser.read_events()):
            silence = 0
            if not wanted and element.tag.rpartition("}")[2] == tag:
                wanted = element.tag
            if element.tag != wanted:
                others += 1
                continue
            yield element
            element.clear()
            count, others = count + 1, 0
        if others > MAX_ROW or silence > MAX_SILENCE:
            raise ValueError(f"one {tag} has no end")
        if count > most:
            raise ValueError(f"more than {most:,} of {tag}")
    parser.close()
