"""Many rows in one parameter: JSON text on our side, a typed set of records on PostgreSQL's.

JSON carries every decimal as text, so nothing is rounded on the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def records(table: Table, *names: str, parameter: str = "rows", alias: str = "r") -> str:
    """SQL of the records in `parameter`, with these columns as the table types them."""
    columns = ", ".join(f'"{name}" {table.c[name].type.compile(_DIALECT)}' for name in names)
    return f"json_to_recordset(cast(:{parameter} as json)) as {alias}({columns})"


def as_parameter(rows: Iterable[Mapping[str, object]]) -> str:
    """The rows as the text that `records` reads."""
    return json.dumps(list(rows), default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return "\\x" + value.hex()
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"no column takes a {type(value).__name__}")
