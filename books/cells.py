"""One cell to one value, strictly: what cannot be told for sure is refused with the fix.

A cell is text, or, out of a workbook, a `Stored` value whose exact text the workbook held.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from books.problems import Problem, Unfit, shown
from recon.numbers import NotANumberError, exact
from recon.values import ZERO

MAX_TEXT = 256  #: characters of an id or a word
MAX_CELL = 10_000  #: characters of any cell
MAX_ID_DIGITS = 15  #: Excel keeps no more
IST = timezone(timedelta(hours=5, minutes=30))  #: India has one zone and no summer time


class Kind(StrEnum):
    """What a workbook's cell holds that is not text."""

    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    ERROR = "error"
    FORMULA = "formula without a stored result"


@dataclass(frozen=True, slots=True)
class Stored:
    """A workbook's cell that is not text, with the text that the workbook stores for it."""

    kind: Kind
    text: str


Cell = str | Stored

_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_GROUPED = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})*,\d{3})(?:\.\d*)?", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d+)?[eE][+-]?\d+", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d", re.ASCII)
_CENTURY = (2000, 2099)
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC).replace(tzinfo=None)
_AS_TEXT = "format the column as Text in Excel and enter the id again from its source"


def plain_text(cell: Cell) -> str:
    """The cell's text, stripped. Raises `Unfit` for control characters and endless text."""
    if isinstance(cell, Stored):
        return _stored_text(cell)
    text = cell.strip()
    if len(text) > MAX_TEXT:
        raise Unfit(f"has {len(text):,} characters", f"write at most {MAX_TEXT}")
    if text and not text.isprintable():
        raise Unfit("holds control characters", "take them out: tabs, line ends, NUL and the like")
    return text


def identifier(cell: Cell) -> str:
    """An id as text; a number that Excel may have changed is refused. Raises `Unfit`."""
    text = plain_text(cell)
    if _SCIENTIFIC.fullmatch(text) and ("+" in text or isinstance(cell, Stored)):
        raise Unfit("an id in scientific notation: digits are lost", _AS_TEXT)
    if isinstance(cell, Stored):
        if not text.isdecimal():
            raise Unfit(f"an id stored as {cell.kind.value}", _AS_TEXT)
        if len(text) > MAX_ID_DIGITS:
            raise Unfit(f"a number of {len(text)} digits: Excel keeps only {MAX_ID_DIGITS}", _AS_TEXT)
    return text


def number(cell: Cell) -> Decimal:
    """An exact number, rounded half-even to six places. Raises `Unfit`."""
    if isinstance(cell, Stored):
        if cell.kind is not Kind.NUMBER:
            raise Unfit(f"is a {cell.kind.value}, not a number", "enter the number itself")
        return _exact(cell.text)
    text = cell.strip()
    if _PLAIN.fullmatch(text):
        return _exact(text)
    if _GROUPED.fullmatch(text):
        return _exact(text.replace(",", ""))
    raise Unfit("is not a number", _number_fix(text))


def above_zero(cell: Cell, *, but: str = "") -> Decimal:
    """A number above zero; `but` is what else to say to whoever wrote another. Raises `Unfit`."""
    if (value := number(cell)) <= ZERO:
        raise Unfit("is not above zero", f"write a number above zero{but}")
    return value


def not_negative(cell: Cell, *, but: str = "") -> Decimal:
    """A number that is zero or more, likewise. Raises `Unfit`."""
    if (value := number(cell)) < ZERO:
        raise Unfit("is below zero", f"write zero or more{but}")
    return abs(value)


def a_date(cell: Cell) -> date:
    """A day: ISO text or a real Excel date. Raises `Unfit`."""
    if isinstance(cell, Stored):
        moment = _serial(cell)
        if moment != moment.replace(hour=0, minute=0, second=0, microsecond=0):
            raise Unfit("is a date with a time", "enter the date alone")
        return moment.date()
    if not (found := _DATE.fullmatch(cell.strip())):
        raise Unfit("is not a date of the form 2026-11-23", _date_fix(cell.strip()))
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise Unfit("is no day of the calendar", "write the day as 2026-11-23") from None
    return _in_century(day)


def an_instant(cell: Cell) -> datetime:
    """An instant in UTC: ISO text with zone, or, without one, IST; or a real Excel time in IST."""
    if isinstance(cell, Stored):
        moment = _serial(cell)
    else:
        text = cell.strip()
        if not _INSTANT.fullmatch(text):
            raise Unfit("is not an instant", "write it as 2026-11-23T10:15:00+05:30; without a zone it is IST")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Unfit("is no instant of the calendar", "write it as 2026-11-23T10:15:00+05:30") from None
    _in_century(moment.date())
    return (moment if moment.tzinfo else moment.replace(tzinfo=IST)).astimezone(UTC)


def isin(cell: Cell) -> str:
    """An ISIN whose check digit fits. Raises `Unfit`, which names the digit that would."""
    text = plain_text(cell).upper()
    if not _ISIN.fullmatch(text):
        raise Unfit("is not an ISIN", "an ISIN has two letters, nine letters or digits and a check digit")
    if (digit := check_digit(text[:-1])) != text[-1]:
        raise Unfit(
            f"its check digit is {text[-1]}, by its other characters it is {digit}",
            "copy the ISIN again from the exchange's list: a character was mistyped",
        )
    return text


def check_digit(body: str) -> str:
    """The ISIN check digit (Luhn) of its first eleven characters, letters counting 10 to 35."""
    digits = "".join(str(int(c, 36)) for c in body)
    doubled = "".join(str(int(d) * 2) if i % 2 == 0 else d for i, d in enumerate(reversed(digits)))
    return str(-sum(int(d) for d in doubled) % 10)


def word(cell: Cell, words: Mapping[str, str], what: str) -> str:
    """One of the known words, whatever its case and spacing. Raises `Unfit`."""
    text = normal_word(plain_text(cell))
    if text not in words:
        raise Unfit(f"is no {what}", f"write one of {', '.join(sorted(set(words.values())))}")
    return words[text]


def a_gateway(name: str, gateways: Sequence[str]) -> str:
    """The gateway of that name; the only one where none is named. Raises `Unfit`."""
    if not name and len(gateways) == 1:
        return gateways[0]
    if not name:
        raise Unfit("is empty, and there are several gateways", f"name one of {', '.join(gateways)}")
    if name not in gateways:
        raise Unfit("is no gateway of yours", f"name one of {', '.join(gateways)}")
    return name


def problem_of(line: int, column: str, cell: Cell, error: Unfit) -> Problem:
    """What to tell of a cell in that line and column that does not fit."""
    value = cell if isinstance(cell, str) else cell.text
    return Problem(line=line, column=column, value=shown(value), problem=error.problem, fix=error.fix)


def normal_word(text: str) -> str:
    """A word in upper case with single spaces: cancelled_amo is CANCELLED AMO."""
    return " ".join(text.upper().replace("_", " ").replace("-", " ").split())


def _stored_text(cell: Stored) -> str:
    if cell.kind in (Kind.ERROR, Kind.FORMULA):
        raise Unfit(f"is a {cell.kind.value}", "enter the value itself")
    return cell.text


def _exact(text: str) -> Decimal:
    try:
        return exact(text)
    except NotANumberError:
        raise Unfit("is not a number below 10^14", "write the number in shares or rupees") from None


def _number_fix(text: str) -> str:
    if _SCIENTIFIC.fullmatch(text):
        return "write it with all its digits: scientific notation may have lost some"
    if "," in text:
        return "write 123456.50 or 1,23,456.50: the comma only groups digits"
    return "write digits and a decimal point only, as 123456.50"


def _date_fix(text: str) -> str:
    if not (found := _SLASHED.fullmatch(text)):
        return "write year, month and day: 2026-11-23"
    first, second, year = found[1].zfill(2), found[2].zfill(2), found[3]
    return f"write {year}-{second}-{first} or {year}-{first}-{second}, whichever is meant"


def _in_century(day: date) -> date:
    if not _CENTURY[0] <= day.year <= _CENTURY[1]:
        raise Unfit(f"lies in the year {day.year}", f"write a year from {_CENTURY[0]} to {_CENTURY[1]}")
    return day


def _serial(cell: Stored) -> datetime:
    """An Excel date: days since 1899-12-30, exact to the microsecond then rounded to the second."""
    if cell.kind is not Kind.DATE:
        raise Unfit(f"is a {cell.kind.value}, not a date", "format the cell as a date, or write 2026-11-23 as text")
    days = _exact_serial(cell.text)
    seconds = (days * 86_400).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    moment = _EPOCH + timedelta(seconds=int(seconds))
    _in_century(moment.date())
    return moment


def _exact_serial(text: str) -> Decimal:
    """The serial number with all its digits: six places are too few for seconds."""
    _exact(text)
    days = Decimal(text)
    if not 1 <= days < 73_051:  # noqa: PLR2004 to the end of 2099
        raise Unfit("is a date outside 2000 to 2099", "enter the date again")
    return days
