"""What a company exports is what is read, from CSV as from a workbook."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import xlsxwriter  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from books.cells import check_digit, number
from books.orders import LAYOUT, Order, OrderReader, Refused
from books.problems import UnreadableFileError
from books.tables import open_table
from config.statuses import read_statuses

STATUSES = read_statuses()
_TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=30).filter(
    lambda text: text == text.strip() and text.isprintable()
)
#: Nothing that reads as a number in scientific notation, which an id may not.
_IDS = _TEXT.filter(lambda text: not text[0].isdigit())
_MONEY = st.decimals(0, Decimal(10) ** 9, places=6)
_INSTANTS = st.datetimes(datetime(2001, 1, 1), datetime(2098, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))  # noqa: DTZ001


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Any order that a file can state."""
    body = draw(st.from_regex(r"[A-Z]{2}[A-Z0-9]{9}", fullmatch=True))
    optional = st.one_of(st.none(), _IDS)
    return Order(
        line=0,
        raw="",
        gateway="acme",
        order_id=draw(_IDS),
        transaction_id=draw(st.one_of(st.none(), st.from_regex(r"TRX_[0-9a-f]{32}", fullmatch=True))),
        account=draw(_IDS),
        trade_date=draw(st.dates(date(2000, 1, 1), date(2099, 12, 31))),
        exchange=draw(st.sampled_from(["NSE", "BSE"])),
        symbol=draw(_TEXT).upper().strip() or "X",
        side=draw(st.sampled_from(["BUY", "SELL"])),
        quantity=draw(st.decimals(Decimal("0.000001"), Decimal(10) ** 9, places=6)),
        filled=draw(st.one_of(st.none(), _MONEY)),
        average_price=draw(st.one_of(st.none(), _MONEY)),
        status=draw(st.one_of(st.none(), st.sampled_from(sorted(set(STATUSES.values()))))),
        batch_id=draw(optional),
        exchange_order_id=draw(optional),
        isin=draw(st.sampled_from([None, body + check_digit(body)])),
        broker=draw(optional),
        executed_at=draw(st.one_of(st.none(), _INSTANTS)),
    )


def cells_of(order: Order) -> list[str]:
    """The order as an export writes it, in the order of the layout."""
    values = order._asdict() | {"filled_quantity": order.filled}
    return [_cell(values[name]) for name in LAYOUT.columns]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)


@contextmanager
def csv_file(rows: Sequence[Sequence[str]], delimiter: str) -> Iterator[Path]:
    """The rows as a CSV file."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(LAYOUT.columns)
    writer.writerows(rows)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        path.write_bytes(text.getvalue().encode())
        yield path


@contextmanager
def workbook(rows: Sequence[Sequence[str]]) -> Iterator[Path]:
    """The rows as a workbook of text cells."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.xlsx"
        book = xlsxwriter.Workbook(path, {"in_memory": True})
        sheet = book.add_worksheet()
        for at, row in enumerate([LAYOUT.columns, *rows]):
            for column, cell in enumerate(row):
                sheet.write_string(at, column, cell)
        book.close()
        yield path


def read(path: Path) -> list[Order]:
    """The orders of a file, without where they stood; every row must be one."""
    reader = OrderReader(["acme"], STATUSES)
    with open_table(path, LAYOUT) as table:
        found = [reader.read(row) for row in table.rows]
    assert not [row.problems for row in found if isinstance(row, Refused)]
    return [row._replace(line=0, raw="") for row in found if isinstance(row, Order)]


@settings(max_examples=100, deadline=timedelta(seconds=5))
@given(st.lists(orders(), min_size=1, max_size=5), st.sampled_from(",;\t"))
def test_an_exported_csv_reads_back_as_it_was(given_orders: list[Order], delimiter: str) -> None:
    """Whatever the orders and the delimiter, the same values and the same digests come back."""
    with csv_file([cells_of(order) for order in given_orders], delimiter) as path:
        found = read(path)

    assert found == given_orders
    assert [order.digest() for order in found] == [order.digest() for order in given_orders]


@settings(max_examples=60, deadline=timedelta(seconds=5))
@given(st.lists(orders(), min_size=1, max_size=5))
def test_an_exported_workbook_reads_back_as_it_was(given_orders: list[Order]) -> None:
    """The same holds for a workbook."""
    with workbook([cells_of(order) for order in given_orders]) as path:
        assert read(path) == given_orders


@settings(max_examples=100, deadline=timedelta(seconds=5))
@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_read_or_refused(chunks: list[bytes]) -> None:
    """Below a good header, no bytes raise anything but the one error of a file."""
    reader = OrderReader(["acme"], STATUSES)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        path.write_bytes(",".join(LAYOUT.columns).encode() + b"\n" + b"\n".join(chunks))
        try:
            with open_table(path, LAYOUT) as table:
                for row in table.rows:
                    assert isinstance(reader.read(row), Refused)
        except UnreadableFileError as error:
            assert "orders.csv" in str(error)  # noqa: PT017


@given(st.decimals(0, Decimal(10) ** 13, places=6))
def test_indian_grouping_says_the_same_number(value: Decimal) -> None:
    """Lakh and crore are only another way to write it."""
    whole, _, part = format(value, "f").partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]

    assert number(",".join([*groups, tail]) + "." + part) == value
