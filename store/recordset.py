"""Many rows in one parameter: JSON text on our side, a typed set of records on PostgreSQL's.

JSON carries every decimal as text, so nothing is rounded on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_BINARY = frozenset({bytes, bytearray, memoryview})


def records(table: Table, *names: str, parameter: str = "rows", alias: str = "r") -> str:
    """SQL of the records in `parameter`, with these columns as the table types them."""
    columns = ", ".join(f'"{name}" {table.c[name].type.compile(_DIALECT)}' for name in names)
    return f"json_to_recordset(cast(:{parameter} as json)) as {alias}({columns})"


def as_parameter(rows: Iterable[Mapping[str, object]]) -> str:
    """The rows as the text that `records` reads."""
    return msgspec.json.encode([_with_hex(row) for row in rows]).decode()


def _with_hex(row: Mapping[str, object]) -> Mapping[str, object]:
    """The row with bytes as PostgreSQL writes them: the encoder would write base 64, which a column would take."""
    if _BINARY.isdisjoint(map(type, row.values())):
        return row
    return {name: _hex(value) if type(value) in _BINARY else value for name, value in row.items()}


def _hex(value: object) -> str:
    assert isinstance(value, bytes | bytearray | memoryview)
    return "\\x" + value.hex()
