"""Changing one value of one row of a closed day behind the service's back, in every way there is.

Nothing is committed: the verifier looks from within the same database transaction.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from store.seals import layout
from verify.closes import Close
from verify.database import Reader
from verify.day import verify
from verify.report import Report
from verify.tables import OF, about

Connection = psycopg.Connection[tuple[object, ...]]

#: SQL of another value, by the type of the column.
_OTHER = {
    "boolean": "not coalesce({0}, false)",
    "text": "case when {0} is null then 'x' when {0} = '' then 'x' else overlay({0} placing"
    " case when left({0}, 1) = 'x' then 'y' else 'x' end from 1 for 1) end",
    "bytea": "case when coalesce(length({0}), 0) = 0 then '\\x01' else set_byte({0}, 0, get_byte({0}, 0) # 1) end",
    "numeric": "coalesce({0}, 0) + 0.000001",
    "date": "coalesce({0}, '2026-01-01') + 1",
    "timestamp with time zone": "coalesce({0}, '2026-01-01') - interval '1 microsecond'",
    "bigint": "coalesce({0}, 0) + 1000000",
    "integer": "coalesce({0}, 0) + 100000",
    "uuid": "case when {0} is null then gen_random_uuid()"
    " else overlay({0}::text placing case left({0}::text, 1) when 'f' then 'e' else 'f' end from 1 for 1)::uuid end",
    "jsonb": "case jsonb_typeof({0}) when 'object' then {0} || '{{\"x\": 1}}' when 'array' then {0} || '[1]'"
    " else '[1]' end",
}
_TYPES = """
select column_name, data_type, is_identity = 'YES' from information_schema.columns
where table_schema = 'public' and table_name = %s
"""


#: Where the rows of what is sealed lie that is no table itself. One of `tied_out` is called after its first line.
STORED = {
    "verdicts": {
        "line_verdicts": "(select tableoid, ctid, * from line_verdicts where txn in (select txn from about)"
        " or txn is null and ours in (select line from booked))",
        "tied_out": "(select tableoid, ctid, txn, ours[1] as ours, theirs[1] as theirs from tied_out"
        " where txn in (select txn from about))",
    }
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one table that a closed day rests on."""

    table: str  #: as it is sealed
    stored: str  #: where its rows lie
    name: str
    kind: str
    identity: bool

    @property
    def other(self) -> str:
        """SQL of a value that differs from the one there."""
        quoted = f'"{self.name}"'
        if self.stored == "tied_out" and self.kind == "ARRAY":
            return f"array[{quoted}[1] + 1000000] || {quoted}[2:]"
        if self.kind == "ARRAY":
            return f"{quoted} || {quoted}[1:0] || array_fill({quoted}[1], array[1])"
        return _OTHER.get(self.kind, "coalesce({0}, 0) + 1").format(quoted)


def columns(connection: Connection) -> list[Column]:
    """Every sealed column of every table."""
    found = []
    for table, names in layout().items():
        for stored in STORED.get(table, (table,)):
            kinds = {str(row[0]): row for row in connection.execute(_TYPES, (stored,))}
            held = [kinds[name] for name in names if name in kinds]
            found += [Column(table, stored, str(row[0]), str(row[1]), bool(row[2])) for row in held]
    return found


def empty_tables(connection: Connection, close: Close) -> set[str]:
    """Those of which the day rests on no row, so that none can be changed."""
    return {table for table in layout() if not _rows(connection, close, table)}


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """Take back whatever is done within, with foreign keys not looked at meanwhile."""
    try:
        connection.execute("set local session_replication_role = replica")
        for setting in ("timezone = 'UTC'", "datestyle = 'ISO, MDY'", "bytea_output = 'hex'"):
            connection.execute(sql.SQL("set local {}").format(sql.SQL(setting)))
        yield
    finally:
        connection.rollback()


def change(connection: Connection, close: Close, column: Column, draw: random.Random) -> str:
    """Change that column of one row that the day rests on; what people call the row."""
    row = draw.choice([row for row in _rows(connection, close, column.table) if row.stored == column.stored])
    _change(connection, column, row.place)
    return row.key


def change_together(
    connection: Connection, close: Close, columns: Sequence[Column], draw: random.Random
) -> list[tuple[Column, str]]:
    """Change these columns of one table, each of another row; those that found a row, with what it is called."""
    rows = _rows(connection, close, columns[0].table)
    draw.shuffle(rows)
    changed = [
        (column, row)
        for stored in {row.stored for row in rows}
        for column, row in zip(
            [column for column in columns if column.stored == stored],
            [row for row in rows if row.stored == stored],
            strict=False,
        )
    ]
    for column, row in changed:
        _change(connection, column, row.place)
    return [(column, row.key) for column, row in changed]


def _change(connection: Connection, column: Column, place: str) -> None:
    _drop(connection, column.stored, "c")
    if column.identity:
        connection.execute(_sql(f'alter table {column.stored} alter column "{column.name}" set generated by default'))
    statement = f'update {column.stored} set "{column.name}" = {column.other} where (tableoid, ctid)::text = %s'
    try:
        with connection.transaction():
            changed = connection.execute(_sql(statement), (place,)).rowcount
    except psycopg.errors.UniqueViolation:  # the other value is that of its neighbour, as of a price a day later
        _drop_keys(connection, column.stored)
        changed = connection.execute(_sql(statement), (place,)).rowcount
    if changed != 1:
        raise LookupError(f"{changed} rows of {column.stored} were changed")


def delete(connection: Connection, close: Close, table: str, draw: random.Random) -> str:
    """Delete one row that the day rests on; what people call it."""
    row = draw.choice(_rows(connection, close, table))
    connection.execute(_sql(f"delete from {row.stored} where (tableoid, ctid)::text = %s"), (row.place,))
    return row.key


def insert(connection: Connection, close: Close, table: str, draw: random.Random) -> str:
    """Insert a copy of one row, keys and indexes that would refuse it taken away; what people call it."""
    chosen = draw.choice(_rows(connection, close, table))
    _drop_keys(connection, chosen.stored)
    listed = ", ".join(f'"{row[0]}"' for row in connection.execute(_TYPES, (chosen.stored,)))
    connection.execute(
        _sql(
            f"insert into {chosen.stored} ({listed}) overriding system value"
            f" select {listed} from {chosen.stored} where (tableoid, ctid)::text = %s"
        ),
        (chosen.place,),
    )
    return chosen.key


def verdict(connection: Connection, close: Close) -> Report:
    """What the verifier says now."""
    reader = Reader(connection)
    return verify(reader, day=close.day, gateway=close.gateway, book=close.book, tell=lambda _step: None)[1]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that the day rests on: what people call it, and where it lies."""

    key: str
    stored: str
    place: str


def _rows(connection: Connection, close: Close, table: str) -> list[_Row]:
    rows, found = OF[table], []
    for stored, source in STORED.get(table, {table: table}).items():
        query = f"select {rows.key}, (r.tableoid, r.ctid)::text from {source} r {rows.joins}"
        asked = connection.execute(_sql(f"{about()}{query} where {rows.where} order by 1"), close.scope)
        found += [_Row(str(key), stored, str(place)) for key, place in asked]
    return found


def _drop_keys(connection: Connection, table: str) -> None:
    _drop(connection, table, "pu")
    indexes = connection.execute(
        "select indexrelid::regclass::text from pg_index where indrelid = %s::regclass and indisunique", (table,)
    ).fetchall()
    for (name,) in indexes:
        connection.execute(_sql(f"drop index {name}"))


def _drop(connection: Connection, table: str, kinds: str) -> None:
    """Take away what PostgreSQL itself would refuse a change by."""
    found = connection.execute(
        "select conname from pg_constraint where conrelid = %s::regclass and strpos(%s, contype::text) > 0",
        (table, kinds),
    ).fetchall()
    for (name,) in found:
        connection.execute(_sql(f'alter table {table} drop constraint "{name}" cascade'))


def _sql(statement: str) -> sql.SQL:
    return sql.SQL(statement)
