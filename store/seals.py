"""Sealing a day: one SHA-256 for each row that it rests on, made and kept by PostgreSQL.

The canonical text of a row is, for each column in the order of the layout, its name, a colon, and either
the length in bytes, a colon and the value as PostgreSQL writes it, or `-` for null; each ended by a comma.
For a revision stands whether it is the present one: judging again what did not change raises it and changes nothing.
Which rows a day rests on stands in `store.sealed`, `store.sealed_facts` and `store.sealed_holdings`.
`verify/` says the same in words of its own; docs/proof.md says it for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256

from sqlalchemy import Connection, text

from store.days import Scope
from store.sealed import DAY, Sealed
from store.sealed import ROWS as ORDERS
from store.sealed_facts import FACTS, USED
from store.sealed_holdings import HELD, JUDGED

CHUNK = 4096  #: sealed rows whose digests are taken together on the way to the root

#: How values are written as text; whoever makes or checks a seal must be set so.
WRITTEN = "set local timezone = 'UTC'; set local datestyle = 'ISO, MDY'; set local bytea_output = 'hex'"

_ROWS = tuple(sorted((*ORDERS, *FACTS, *HELD), key=lambda rows: rows.table.name))


def layout() -> dict[str, list[str]]:
    """The columns that are sealed of each table."""
    return {sealed.table.name: sealed.columns for sealed in _ROWS}


def seal_rows(connection: Connection, *, close_id: int, scope: Scope, each: Callable[[str], None] | None = None) -> int:
    """Write down the digest of every row that the day rests on; how many. `each` hears of every table."""
    sealed = 0
    for rows in _ROWS:
        if each:
            each(rows.table.name)
        named = {**scope, "close_id": close_id, "sealed": sealed, "table": rows.table.name}
        sealed += connection.execute(text(_statement(rows)), named).rowcount
    return sealed


def _statement(rows: Sealed) -> str:
    return f"""
with {DAY}{USED}{JUDGED}, sealed as (
  select {rows.key} as key, sha256(convert_to({canonical("r", rows.columns, rows.written)}, 'UTF8')) as digest
  from {rows.source or rows.table.name} r {rows.joins} where {rows.where}
)
insert into sealed_rows (close_id, place, table_name, key, digest)
select :close_id, :sealed + row_number() over (order by key collate "C", digest), :table, key, digest from sealed
"""


def canonical(alias: str, columns: Sequence[str], written: Mapping[str, str] | None = None) -> str:
    """SQL of a row's canonical text; `written` is SQL of what stands for a column."""
    values = {name: f'{alias}."{name}"' for name in columns} | dict(written or {})
    return " || ".join(_field(name, f"({values[name]})::text") for name in columns)


def _field(name: str, value: str) -> str:
    # the colon is spelt out, because `:name` would be a parameter
    return f"'{name}' || chr(58) || coalesce(octet_length({value}) || chr(58) || {value}, '-') || ','"


_PARTS = text(f"""
select encode(sha256(convert_to(string_agg(
  table_name || chr(31) || key || chr(31) || encode(digest, 'hex') || chr(10), '' order by place), 'UTF8')), 'hex')
from sealed_rows where close_id = :close_id group by (place - 1) / {CHUNK} order by (place - 1) / {CHUNK}
""")


def parts(connection: Connection, close_id: int) -> Iterator[str]:
    """The digest of each run of sealed rows, in hex, in order."""
    found = connection.execute(_PARTS, {"close_id": close_id}, execution_options={"yield_per": CHUNK})
    yield from found.scalars()


def root_of(head: str, sealed: Iterator[str]) -> bytes:
    """The root: SHA-256 over the canonical text of the close itself and over its parts, a line each."""
    root = sha256(f"{head}\n".encode())
    for part in sealed:
        root.update(f"{part}\n".encode())
    return root.digest()


def reopening_of(root: bytes, said: Sequence[str]) -> bytes:
    """What seals a reopening: SHA-256 over the root in hex and when, who and why, a line each."""
    return sha256("\n".join([root.hex(), *said]).encode()).digest()
