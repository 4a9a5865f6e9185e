"""`python -m bench.volume.peer`: datacompy with Polars on the same tables, in a process of its own.

It loads both sides, compares them and stores nothing. The database's address comes in on standard input.
Prints one JSON object; without datacompy its one key `error` says so.
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from time import perf_counter
from typing import Any

import psycopg

from bench.peers import DATACOMPY, MISSING

COLUMNS = ("instrument", "symbol", "side", "quantity", "filled", "average_price", "status", "trade_date")


def main() -> None:
    """Load and compare; both are part of the time, the import of the library is not."""
    url = sys.stdin.readline().strip()
    try:
        names = f"{DATACOMPY} {version(DATACOMPY)} with polars {version('polars')}"
        import datacompy  # noqa: F401, PLC0415 -- only there for development
    except (ImportError, PackageNotFoundError):
        print(json.dumps({"error": MISSING}))
        return
    began = perf_counter()
    with psycopg.connect(url) as connection:
        ours, theirs = _frame(connection, "our_lines"), _frame(connection, "their_lines")
    loaded_s = perf_counter() - began
    different = _compared(ours, theirs)
    print(json.dumps({"name": names, "s": perf_counter() - began, "loaded_s": loaded_s, "different": different}))


def _frame(connection: psycopg.Connection[Any], table: str) -> Any:
    """One side, by COPY: of the ways tried the quickest."""
    import polars as pl  # noqa: PLC0415 -- only there for development

    content = BytesIO()
    names = ", ".join(COLUMNS)
    sql = f"copy (select encode(key, 'hex') as key, {names} from {table}) to stdout (format csv, header)"  # noqa: S608
    with connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
        for part in copy:
            content.write(part)
    types = dict.fromkeys(("quantity", "filled", "average_price"), pl.Decimal(20, 6))
    return pl.read_csv(content.getvalue(), schema_overrides=types)


def _compared(ours: Any, theirs: Any) -> int:
    from datacompy import PolarsCompare  # noqa: PLC0415 -- only there for development

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # theirs, about how they call Polars
        found = PolarsCompare(ours, theirs, join_columns=["key"])
        alone = len(found.df1_unq_rows) + len(found.df2_unq_rows)
        return alone + len(found.intersect_rows) - found.count_matching_rows()


if __name__ == "__main__":
    main()
