"""Files as tables: headers, delimiters, encodings, line numbers, broken workbooks."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter  # type: ignore[import-untyped]
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from books import xlsx
from books.cells import Kind, Stored, a_date
from books.problems import UnreadableFileError
from books.tables import Layout, Row, open_table

LAYOUT = Layout(required=("order_id", "quantity"), optional=("trade_date", "account"))


def rows_of(path: Path) -> list[Row]:
    """All rows of a file."""
    with open_table(path, LAYOUT) as table:
        return list(table.rows)


def notes_of(path: Path) -> list[str]:
    """The notes on a file."""
    with open_table(path, LAYOUT) as table:
        return table.notes


@pytest.fixture(name="csv")
def _csv(tmp_path: Path) -> Callable[[bytes | str], Path]:
    """Writes a CSV file."""

    def write(content: bytes | str) -> Path:
        path = tmp_path / "file.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_csv_is_read_whatever_its_dialect(
    csv: Callable[[bytes | str], Path], mark: bytes, delimiter: str, end: str
) -> None:
    """With or without byte order mark, three delimiters, three line ends."""
    text = end.join([delimiter.join(["order_id", "quantity"]), delimiter.join(["A", "10"])]) + end

    (row,) = rows_of(csv(mark + text.encode()))

    assert (row.line, row.cells[:2]) == (2, ["A", "10"])


def test_columns_may_stand_in_any_order_and_spelling(csv: Callable[[bytes | str], Path]) -> None:
    """Case, spaces and underscores do not matter; what is not known is a note and stays in the raw row."""
    path = csv("Remark,QUANTITY,Order ID\nhello,10,A\n")

    assert notes_of(path) == ["columns not read: Remark"]
    (row,) = rows_of(path)
    assert row.cells == ["A", "10", "", ""]
    assert row.raw == {"Remark": "hello", "QUANTITY": "10", "Order ID": "A"}


def test_line_numbers_are_those_of_an_editor(csv: Callable[[bytes | str], Path]) -> None:
    """A cell with line ends and an empty line move the rows below."""
    path = csv('order_id,quantity,remark\nA,1,"two\nlines"\n\nB,2,\n')

    assert [row.line for row in rows_of(path)] == [2, 5]


def test_excel_may_name_the_delimiter(csv: Callable[[bytes | str], Path]) -> None:
    """A first line sep=; is no header."""
    (row,) = rows_of(csv("sep=;\r\norder_id;quantity\r\nA;1,5\r\n"))

    assert (row.line, row.cells[:2]) == (3, ["A", "1,5"])


def test_a_row_with_too_many_cells_is_a_problem(csv: Callable[[bytes | str], Path]) -> None:
    """An unquoted 1,234 would move every later cell by one."""
    (row,) = rows_of(csv("order_id,quantity\nA,1,234\n"))

    assert row.problem
    assert "quotation marks" in row.problem.fix
    assert row.raw["column 3"] == "234"


def test_a_file_cut_short_says_so(csv: Callable[[bytes | str], Path]) -> None:
    """The last row lacks cells and its line end; a whole last row does not."""
    path = csv("order_id,quantity,account\nA,1,x\nB,2")

    assert [bool(row.problem) for row in rows_of(path)] == [False, True]
    assert not rows_of(csv("order_id,quantity,account\nA,1,x\nB,2\n"))[1].problem


def test_an_endless_cell_refuses_its_row_only(csv: Callable[[bytes | str], Path]) -> None:
    """A million digits are shown short; the next row is read."""
    first, second = rows_of(csv(f"order_id,quantity\nA,{'9' * 1_000_000}\nB,1\n"))

    assert first.problem
    assert "1,000,000 characters" in first.problem.problem
    assert len(first.problem.value) < 100
    assert not second.problem


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"order_id,price\nA,1\n", "no column quantity"),
        (b"order_id,quantity,Order_ID\nA,1,B\n", "order_id is there twice"),
        (b"order_id,quantity,x,x\nA,1,B,C\n", "x is there twice"),
        ("order_id,quantity\nA,1\n".encode("utf-16"), "UTF-16: save it as CSV UTF-8"),
        (b"order_id,quantity\nA,1\nB\xff,2\n", "line 3: the text is not UTF-8"),
        (b"order_id,quantity\n" + b"A,1\n" * 50_000 + b"\x93B,2\n", "line 50002: the text is not UTF-8"),
        (b'order_id,quantity\nA,1\n"B,2\nC,3\n', "line 3"),
        (b'order_id,quantity\nA,1\n"B"x,2\n', "line 3"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old .xls"),
        (b"PK\x03\x04 not really", "no readable .xlsx"),
        (bytes(range(256)) * 20, "UTF-8"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "UTF-8"),
        (b"\0" * 1000, "no column"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_clear_line(
    csv: Callable[[bytes | str], Path], content: bytes, says: str
) -> None:
    """The message is one line, names the file and says what to do."""
    with pytest.raises(UnreadableFileError) as error:
        rows_of(csv(content))

    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert "file.csv" in str(error.value)


def test_a_missing_file_gets_one_clear_line(tmp_path: Path) -> None:
    """As does a folder."""
    with pytest.raises(UnreadableFileError, match="No such file"):
        rows_of(tmp_path / "none.csv")
    with pytest.raises(UnreadableFileError, match="directory"):
        rows_of(tmp_path)


# ---------------------------------------------------------------- workbooks


def a_workbook(path: Path, *rows: tuple[Any, ...], epoch: str = "1900") -> Path:
    """A workbook of one sheet, as openpyxl writes it: texts shared, dates as real dates."""
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    if epoch == "1904":
        book.epoch = CALENDAR_MAC_1904
    book.save(path)
    return path


@pytest.mark.parametrize("epoch", ["1900", "1904"])
def test_a_workbooks_dates_are_known_by_their_format(tmp_path: Path, epoch: str) -> None:
    """Also in a workbook that counts days from 1904."""
    day = date(2026, 11, 23)
    path = a_workbook(tmp_path / "a.xlsx", ("order_id", "quantity", "trade_date"), ("A", 1, day), epoch=epoch)

    (row,) = rows_of(path)

    assert isinstance(row.cells[2], Stored)
    assert row.cells[2].kind is Kind.DATE
    assert a_date(row.cells[2]) == day


def test_a_workbook_keeps_text_text(tmp_path: Path) -> None:
    """Text that looks like a number or a formula is text; gaps and blank rows are skipped rightly."""
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    sheet.write_row(1, 0, ("order_id", "quantity", "remark", "account"))
    sheet.write_string(4, 0, "0012345678901234567")
    sheet.write_string(4, 3, "=1+1")
    sheet.write_rich_string(4, 2, "bold ", book.add_format({"bold": True}), "text", " end")
    book.close()

    (row,) = rows_of(path)

    assert (row.line, row.cells) == (5, ["0012345678901234567", "", "", "=1+1"])
    assert row.raw["remark"] == "bold text end"


def test_a_formula_gives_its_stored_result(tmp_path: Path) -> None:
    """Without one it is told apart from an empty cell."""
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ("order_id", "quantity"))
    sheet.write_formula(1, 0, '="A"&"1"', None, "A1")
    sheet.write_formula(1, 1, "=5*2", None, 10)
    book.close()
    unstored = a_workbook(tmp_path / "b.xlsx", ("order_id", "quantity"), ("A", "=5*2"))

    assert rows_of(path)[0].cells[:2] == ["A1", Stored(Kind.NUMBER, "10")]
    assert rows_of(unstored)[0].cells[1] == Stored(Kind.FORMULA, "=")


def test_only_the_first_visible_sheet_is_read(tmp_path: Path) -> None:
    """A note says which, and which not."""
    book = openpyxl.Workbook()
    book.worksheets[0].sheet_state = "hidden"
    for name in ("orders", "notes"):
        book.create_sheet(name).append(("order_id", "quantity"))
    book.save(tmp_path / "a.xlsx")

    assert notes_of(tmp_path / "a.xlsx") == ["read the sheet 'orders'; not notes"]


def _sheet(path: Path, xml: bytes, *, strings: bytes = b"") -> Path:
    """A workbook whose sheet is that XML."""
    main = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    with zipfile.ZipFile(a_workbook(path, ("order_id", "quantity"))) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    parts["xl/worksheets/sheet1.xml"] = b"<worksheet " + main + b"><sheetData>" + xml + b"</sheetData></worksheet>"
    if strings:
        parts["xl/sharedStrings.xml"] = b"<sst " + main + b">" + strings + b"</sst>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as broken:
        for name, content in parts.items():
            broken.writestr(name, content)
    return path


HEAD = (
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>order_id</t></is></c>'
    b'<c r="B1" t="inlineStr"><is><t>quantity</t></is></c></row>'
)


NUMBERS = (b"1575.0900000000001", b"90071992547409.9301", b"1E-3")


def test_a_workbook_hands_out_the_exact_text_of_its_numbers(tmp_path: Path) -> None:
    """What the sheet's XML says is what is read: float noise and digits that no float has."""
    cells = b"".join(b'<row><c t="inlineStr"><is><t>A</t></is></c><c><v>%s</v></c></row>' % v for v in NUMBERS)

    rows = rows_of(_sheet(tmp_path / "a.xlsx", HEAD + cells))

    assert [row.cells[1] for row in rows] == [Stored(Kind.NUMBER, value.decode()) for value in NUMBERS]
    assert [row.line for row in rows] == [2, 3, 4]


@pytest.mark.parametrize(
    ("xml", "strings", "says"),
    [
        (HEAD + b"<row", b"", "no readable .xlsx"),
        (HEAD + b'<row r="x"/>', b"", "no readable .xlsx"),
        (HEAD + b'<row r="2"><c r="A2" t="s"><v>99</v></c></row>', b"", "no readable .xlsx"),
        (HEAD + b'<row r="2">' + b"<c/>" * 300_000 + b"</row>", b"", "one row has no end"),
        (HEAD + b'<row r="2"><c r="A2"><v>' + b"9" * (20 << 20) + b"</v></c></row>", b"", "one row has no end"),
        (HEAD, b"<si><t>" + b"x" * (20 << 20) + b"</t></si>", "one si has no end"),
        (b"", b"", "is empty"),
    ],
    ids=["cut", "row-number", "string-index", "wide", "long", "strings", "empty"],
)
def test_a_hostile_sheet_is_refused_in_bounded_memory(tmp_path: Path, xml: bytes, strings: bytes, says: str) -> None:
    """Whatever its XML says, the answer is one clear line."""
    with pytest.raises(UnreadableFileError, match=says):
        rows_of(_sheet(tmp_path / "a.xlsx", xml, strings=strings))


def test_a_million_laughs_are_refused(tmp_path: Path) -> None:
    """Entities that amplify are not expanded."""
    entities = b"".join(b'<!ENTITY e%d "%s">' % (i, b"&e%d;" % (i - 1) * 10) for i in range(1, 12))
    bomb = b'<!DOCTYPE s [<!ENTITY e0 "ha">' + entities + b"]><s>&e11;</s>"
    path = _sheet(tmp_path / "a.xlsx", HEAD)
    with zipfile.ZipFile(path, "a") as book:
        book.writestr("xl/styles2.xml", bomb)
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    parts["xl/styles.xml"] = bomb
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)

    with pytest.raises(UnreadableFileError, match="no readable"):
        rows_of(path)


def test_any_broken_copy_of_a_workbook_is_read_or_refused(tmp_path: Path) -> None:
    """Cut anywhere or with a byte changed, it never raises anything but `UnreadableFileError`."""
    whole = a_workbook(tmp_path / "whole.xlsx", ("order_id", "quantity"), ("A", 1)).read_bytes()
    broken = tmp_path / "broken.xlsx"
    said = []
    for place in range(4, len(whole), 37):
        for content in (whole[:place], whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]):
            broken.write_bytes(content)
            try:
                rows_of(broken)
            except UnreadableFileError as error:
                said.append(str(error))
    assert len(said) > 100
    assert not any("\n" in message for message in said)


def test_a_workbook_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A zip archive that holds no workbook says what to save."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    path = tmp_path / "a.xlsx"
    path.write_bytes(buffer.getvalue())

    with pytest.raises(UnreadableFileError, match="save it again"):
        rows_of(path)


def test_a_workbook_that_unpacks_without_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes it declares count before anything is unpacked."""
    monkeypatch.setattr(xlsx, "MAX_UNPACKED", 1 << 20)
    path = _sheet(tmp_path / "a.xlsx", HEAD + b" " * (2 << 20))
    assert path.stat().st_size < 20_000

    with pytest.raises(UnreadableFileError, match="unpacks to more than"):
        rows_of(path)


def test_a_sheet_has_no_more_rows_than_excel_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nothing but empty rows ends somewhere."""
    monkeypatch.setattr(xlsx, "MAX_ROWS", 1000)

    with pytest.raises(UnreadableFileError, match="more than 1,000 of row"):
        rows_of(_sheet(tmp_path / "a.xlsx", HEAD + b"<row/>" * 20_000))
