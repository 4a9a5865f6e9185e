"""Several statements in one trip to the database and back, in order, each seeing what came before it.

On a small machine the trip costs more than the statement. SQLAlchemy waits for every answer by
itself, so these go to psycopg directly, in its pipeline mode, on the same connection and in the same
database transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]

Record = Any  #: a row as a named tuple; its names are the statement's columns


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement with its parameters."""

    sql: str
    parameters: Mapping[str, object]


class Query:
    """A statement whose parameters are written `:name`."""

    def __init__(self, sql: str) -> None:
        """Take the statement in the form that psycopg reads."""
        self._sql = str(text(sql).compile(dialect=_DIALECT))

    def of(self, **parameters: object) -> Asked:
        """The statement with these parameters."""
        return Asked(self._sql, parameters)


def together(connection: Connection, *asked: Asked) -> list[list[Record]]:
    """The rows of each statement, none for one that returns nothing.

    Raises SQLAlchemy's `DBAPIError`, as any other statement does; none after the first that failed has run.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.pipeline():
            cursors = [driver.cursor(row_factory=namedtuple_row).execute(a.sql, a.parameters) for a in asked]
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, dialect=connection.dialect) from error


def rows_of(connection: Connection, asked: Asked) -> list[Record]:
    """The rows of one statement."""
    return together(connection, asked)[0]
