"""Reading the database: one snapshot of it, nothing written, any number of rows in little memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

CHUNK = 2000  #: rows held at a time
Row = tuple[Any, ...]

#: Values must come as text the way they did when they were sealed.
_SESSION = (
    "set session characteristics as transaction isolation level repeatable read, read only",
    "set timezone = 'UTC'",
    "set datestyle = 'ISO, MDY'",
    "set bytea_output = 'hex'",
    "set statement_timeout = 0",
)


class Reader:
    """One connection that sees the database as it was when it began."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        """Take a connection whose transaction has not begun."""
        self._connection = connection
        self._names = count(1)

    def one(self, query: str | sql.Composed, **named: object) -> Row | None:
        """The first row, or None."""
        return self._connection.execute(_query(query), named).fetchone()

    def all(self, query: str | sql.Composed, **named: object) -> list[Row]:
        """All rows of a query that has few."""
        return self._connection.execute(_query(query), named).fetchall()

    def records(self, query: str, **named: object) -> Iterator[Any]:
        """The same as named tuples."""
        with self._connection.cursor(name=f"verify_{next(self._names)}", row_factory=namedtuple_row) as cursor:
            cursor.itersize = CHUNK
            cursor.execute(_query(query), named)
            yield from cursor

    def stream(self, query: str | sql.Composed, **named: object) -> Iterator[Row]:
        """The rows of a query that may have many."""
        with self._connection.cursor(name=f"verify_{next(self._names)}") as cursor:
            cursor.itersize = CHUNK
            cursor.execute(_query(query), named)
            yield from cursor


@contextmanager
def reading(url: str) -> Iterator[Reader]:
    """Connect and read; the database's own words when it cannot be reached (`psycopg.OperationalError`)."""
    with psycopg.connect(url, connect_timeout=5, application_name="tieout-verify", autocommit=True) as connection:
        for statement in _SESSION:
            connection.execute(statement)
        connection.autocommit = False
        yield Reader(connection)


def columns(alias: str, names: Sequence[str], written: Mapping[str, str] | None = None) -> sql.Composed:
    """SQL of these columns as text; `written` is SQL of what stands for a column."""
    return sql.SQL(", ").join(_column(alias, name, written or {}) for name in names)


def _column(alias: str, name: str, written: Mapping[str, str]) -> sql.Composed:
    if name in written:
        return sql.SQL("({})::text").format(sql.SQL(written[name]))
    return sql.SQL("{}.{}::text").format(sql.Identifier(alias), sql.Identifier(name))


def _query(query: str | sql.Composed) -> sql.Composed:
    return query if isinstance(query, sql.Composed) else sql.Composed([sql.SQL(query)])
