"""A row read again from the cells that were kept of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from books.cells import Cell, Kind, Stored
from books.tables import Layout, Row, plain_name

_SERIAL = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_DATES = frozenset({"trade_date", "executed_at", "as_of"})


def row_again(line: int, raw: Mapping[str, str], layout: Layout) -> Row:
    """The row of a file as it was, out of its kept cells; a date that a workbook held as a number is one again."""
    texts = {plain_name(name): text for name, text in raw.items()}
    return Row(line, [_cell(name, texts.get(plain_name(name), "")) for name in layout.columns], dict(raw))


def _cell(name: str, text: str) -> Cell:
    return Stored(Kind.DATE, text) if name in _DATES and _SERIAL.fullmatch(text.strip()) else text
