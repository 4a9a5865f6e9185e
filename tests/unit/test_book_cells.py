"""Single cells of the company's files: what is read, and what is refused with which fix."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from books import instruments, orders, transactions
from books.cells import Cell, Kind, Stored, a_date, an_instant, check_digit, identifier, isin, number, plain_text
from books.facts import FACTS
from books.notes import NOTES
from books.orders import OrderReader, a_transaction_id
from books.problems import Unfit, shown
from books.reference import REFERENCE
from books.tables import Layout, Row
from config.statuses import read_statuses


def stored(text: str, kind: Kind = Kind.NUMBER) -> Stored:
    """A workbook's cell that is not text."""
    return Stored(kind, text)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("10", "10"),
        (" 10.50 ", "10.5"),
        ("1,23,456.50", "123456.5"),
        ("12,34,56,789", "123456789"),
        ("1,234,567.25", "1234567.25"),
        (".5", "0.5"),
        ("1575.0900000000001", "1575.09"),
        (stored("1575.0900000000001"), "1575.09"),
        (stored("1.0000000000000001E-5"), "0.00001"),
        (stored("90071992547409.9301"), "90071992547409.9301"),
        ("9" * 14, "9" * 14),
    ],
)
def test_a_number_is_read_exactly(cell: Cell, value: str) -> None:
    """From text or from the exact text a workbook stores; grouping may be Indian or western."""
    assert number(cell) == Decimal(value)


@pytest.mark.parametrize(
    ("reader", "cell", "problem", "fix"),
    [
        (number, "ten", "not a number", "digits and a decimal point"),
        (number, "12,5", "not a number", "the comma only groups"),
        (number, "1.234,50", "not a number", "the comma only groups"),
        (number, "1E5", "not a number", "scientific notation"),
        (number, "٣", "not a number", "digits"),
        (number, "₹ 10", "not a number", "digits"),
        (number, "NaN", "not a number", "digits"),
        (number, "9" * 1_000_000, "below 10^14", "shares or rupees"),
        (number, "99999999999999.9999999", "below 10^14", "shares or rupees"),
        (number, stored("1E400"), "below 10^14", "shares or rupees"),
        (number, stored("46000", Kind.DATE), "is a date", "the number itself"),
        (number, stored("#DIV/0!", Kind.ERROR), "is a error", "the number itself"),
        (a_date, "01/02/2026", "form 2026-11-23", "2026-02-01 or 2026-01-02"),
        (a_date, "1.2.2026", "form 2026-11-23", "2026-02-01 or 2026-01-02"),
        (a_date, "20261123", "form 2026-11-23", "year, month and day"),
        (a_date, "2026-02-30", "no day of the calendar", "2026-11-23"),
        (a_date, "2206-11-23", "lies in the year 2206", "from 2000 to 2099"),
        (a_date, "2026-11-23 10:00:00", "form 2026-11-23", "year, month and day"),
        (a_date, stored("46349.5", Kind.DATE), "date with a time", "the date alone"),
        (a_date, stored("46349"), "not a date", "format the cell as a date"),
        (a_date, stored("9e99", Kind.DATE), "below 10^14", ""),
        (an_instant, "10:15", "not an instant", "without a zone it is IST"),
        (an_instant, "2026-11-23", "not an instant", "T10:15:00"),
        (an_instant, "2026-11-23T25:00", "no instant of the calendar", "T10:15:00"),
        (identifier, stored("1234567890123456"), "16 digits", "as Text"),
        (identifier, stored("1.23456789012345E+17"), "scientific notation", "as Text"),
        (identifier, "1.23457E+17", "scientific notation", "as Text"),
        (identifier, stored("12.5"), "stored as number", "as Text"),
        (identifier, stored("=", Kind.FORMULA), "formula without a stored result", "the value itself"),
        (identifier, "a\0b", "control characters", "NUL"),
        (identifier, "a\nb", "control characters", "line ends"),
        (identifier, "a\u200bb", "control characters", "take them out"),
        (identifier, "a\ud800", "control characters", "take them out"),
        (plain_text, "x" * 300, "300 characters", "at most 256"),
        (isin, "INE467B01028", "check digit is 8", "copy the ISIN again"),
        (isin, "INE467B0102", "not an ISIN", "check digit"),
        (a_transaction_id, "TRX_123", "no transactionId", "32 hex digits"),
        (a_transaction_id, "trx_" + "a" * 32, "no transactionId", "off-platform"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_fix(
    reader: Callable[[Cell], object], cell: Cell, problem: str, fix: str
) -> None:
    """Each refusal says what is wrong and what to write instead."""
    with pytest.raises(Unfit) as refusal:
        reader(cell)

    assert problem in refusal.value.problem
    assert fix in refusal.value.fix


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3"])
def test_what_a_spreadsheet_would_run_stays_text(text: str) -> None:
    """A formula in an id is only text here."""
    assert identifier(text) == text


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-11-23", date(2026, 11, 23)),
        ("2026-11-23 00:00:00", date(2026, 11, 23)),
        (Stored(Kind.DATE, "46349"), date(2026, 11, 23)),
        (Stored(Kind.DATE, "46349.0"), date(2026, 11, 23)),
    ],
)
def test_a_day_is_read_from_iso_text_or_a_real_date(cell: Cell, day: date) -> None:
    """Midnight after a date adds nothing; Excel counts days from the end of 1899."""
    assert a_date(cell) == day


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-11-23T10:15:00+05:30", datetime(2026, 11, 23, 4, 45, tzinfo=UTC)),
        ("2026-11-23T10:15:00", datetime(2026, 11, 23, 4, 45, tzinfo=UTC)),
        ("2026-11-23 10:15", datetime(2026, 11, 23, 4, 45, tzinfo=UTC)),
        ("2026-11-23T04:45:00.250Z", datetime(2026, 11, 23, 4, 45, 0, 250_000, tzinfo=UTC)),
        (Stored(Kind.DATE, "46349.427083333336"), datetime(2026, 11, 23, 4, 45, tzinfo=UTC)),
    ],
)
def test_a_time_without_zone_is_in_india(cell: Cell, instant: datetime) -> None:
    """With a zone it is what it says; Excel's times, which have none, are IST to the second."""
    assert an_instant(cell) == instant


@pytest.mark.parametrize("code", ["INE467B01029", "INE009A01021", "INE002A01018", "US0378331005", "inf204kb14i2"])
def test_a_real_isin_passes(code: str) -> None:
    """TCS, Infosys, Reliance, Apple and an exchange traded fund, in any case."""
    assert isin(code) == code.upper()


def test_the_check_digit_tells_a_mistyped_character() -> None:
    """Changing any one digit of an ISIN changes the digit that fits."""
    assert check_digit("INE467B0102") == "9"
    assert check_digit("INE467B0103") != "9"


@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("complete", "COMPLETE"),
        ("Cancelled_AMO", "CANCELLED AMO"),
        ("cancelled-amo", "CANCELLED AMO"),
        ("open", "PLACED"),
        ("Filled", "COMPLETE"),
        ("EXPIRED", "CANCELLED"),
        ("created", "CREATED"),
    ],
)
def test_a_status_is_known_in_any_spelling(word: str, means: str) -> None:
    """The Gateway's words in any case, others through the mapping."""
    assert OrderReader(["acme"], read_statuses())._status(word) == means


def test_an_unknown_status_names_the_file_that_could_map_it() -> None:
    """The fix lists the known words and the mapping."""
    with pytest.raises(Unfit) as refusal:
        OrderReader(["acme"], read_statuses())._status("MAYBE")

    assert "COMPLETE" in refusal.value.fix
    assert "config/statuses.toml" in refusal.value.fix


def test_a_wrong_value_is_shown_short_and_harmless() -> None:
    """A report never prints endless text or control characters."""
    assert shown("a\0\x1b[31m") == r"a\x00\x1b[31m"
    assert shown("9" * 1000).startswith("9" * 60 + "... (1,000")


@pytest.mark.parametrize(
    ("layout", "read"),
    [
        (orders.LAYOUT, OrderReader(["acme"], read_statuses()).read),
        (instruments.LAYOUT, instruments.read_period),
        (transactions.LAYOUT, transactions.RegistrationReader(["acme"]).read),
        *((kind.layout, partial(kind.read, gateways=["acme"])) for kind in (*FACTS.values(), *NOTES.values())),
        *((kind.layout, partial(kind.read, gateways=())) for kind in REFERENCE.values()),
    ],
)
def test_an_error_of_excel_is_a_problem_in_every_kind_of_file(layout: Layout, read: Callable[[Row], Any]) -> None:
    """A formula that came to nothing is refused like any other cell that does not fit, and shown as it stands."""
    told = read(Row(2, [stored("#N/A", Kind.ERROR)] * len(layout.columns), {}))
    problems = told.problems if isinstance(told, orders.Refused) else told

    assert set(layout.required) <= {problem.column for problem in problems}
    assert {problem.value for problem in problems} == {"#N/A"}
