"""Sealing a day: one SHA-256 for each row that it rests on, made and kept by PostgreSQL.

The canonical text of a row is, for each column in the order of the layout, its name, a colon, and either
the length in bytes, a colon and the value as PostgreSQL writes it, or `-` for null; each ended by a comma.
For a revision stands whether it is the present one: judging again what did not change raises it and changes nothing.
A day rests on every row of the transactions that have a line, verdict or finding on it.
`verify/` says the same in words of its own; docs/proof.md says it for people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection, Table, text

from store import schema
from store.days import Scope

CHUNK = 4096  #: sealed rows whose digests are taken together on the way to the root

#: What is known of a transaction; the rest says how it is followed, and goes on after the day is closed.
_KNOWN = (
    *("txn", "gateway", "transaction_id", "book", "origin", "registered_at", "account", "broker", "intent"),
    *("status", "created_at", "expire_at", "error_code", "error_message", "requested", "known", "absent_at"),
    *("final", "settled", "judged_rev"),
)

#: How values are written as text; whoever makes or checks a seal must be set so.
WRITTEN = "set local timezone = 'UTC'; set local datestyle = 'ISO, MDY'; set local bytea_output = 'hex'"

#: The transactions and lines of a day: parameters as in `Scope`.
DAY = """
day_txns as materialized (
  select o.txn from our_lines o join transactions t on t.txn = o.txn and t.gateway = :gateway and t.book = :book
  where o.trade_date = :trade_date
  union
  select e.txn from their_lines e join transactions t on t.txn = e.txn and t.gateway = :gateway and t.book = :book
  where e.trade_date = :trade_date
  union
  select v.txn from verdicts v join transactions t on t.txn = v.txn and t.gateway = :gateway and t.book = :book
  where v.trade_date = :trade_date
  union
  select txn from findings
  where gateway = :gateway and book = :book and trade_date = :trade_date and txn is not null
), day_lines as materialized (
  select o.line from our_lines o join day_txns d on d.txn = o.txn
  union all
  select line from our_lines
  where txn is null and gateway = :gateway and book = :book and trade_date = :trade_date
)"""
_OF_TXN = "join day_txns d on d.txn = r.txn join transactions t on t.txn = r.txn"
_THEIR_KEY = (
    "t.transaction_id || '/' || {0}.batch_id || '/' || case when {0}.placed then 'placed' else 'unplaced' end"
    " || '/' || {0}.position"
)
#: Of the day's transactions, or, about something else, of the day itself.
_SAID_OF_DAY = (
    "({0}.txn in (select txn from day_txns) or {0}.txn is null and {0}.gateway = :gateway and {0}.book = :book"
    " and {0}.trade_date = :trade_date)"
)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """Which rows `r` of a table a day rests on, and what people call one."""

    table: Table
    joins: str
    key: str
    where: str = "true"
    written: Mapping[str, str] = field(default_factory=dict)  #: columns of which something else is sealed

    @property
    def columns(self) -> list[str]:
        """What is sealed of each row, in order."""
        named = [column.name for column in self.table.c]
        return [name for name in named if name in _KNOWN] if self.table is schema.transactions else named

    def text(self) -> str:
        """SQL of the canonical text of a row."""
        return canonical("r", self.columns, self.written)


_ROWS = (
    _Sealed(schema.batches, _OF_TXN, "t.transaction_id || '/' || r.batch_id"),
    _Sealed(schema.decisions, _OF_TXN, "t.transaction_id || '/' || r.decision_id"),
    _Sealed(
        schema.deliveries,
        "join events e on e.event_id = r.event_id join transactions t on t.gateway = e.gateway"
        " and t.transaction_id = e.transaction_id join day_txns d on d.txn = t.txn",
        "r.event_id || '/' || r.delivery_id",
    ),
    _Sealed(
        schema.events,
        "join transactions t on t.gateway = r.gateway and t.transaction_id = r.transaction_id"
        " join day_txns d on d.txn = t.txn",
        "r.event_id::text",
    ),
    _Sealed(
        schema.finding_changes,
        "join findings f on f.finding_id = r.finding_id",
        "r.finding_id || '/' || r.change_id",
        _SAID_OF_DAY.format("f"),
    ),
    _Sealed(schema.findings, "", "r.finding_id::text", _SAID_OF_DAY.format("r")),
    _Sealed(
        schema.imports,
        "",
        "r.import_id::text",
        "r.complete_for = :trade_date and (r.gateway is null or r.gateway = :gateway) or r.import_id in"
        " (select v.import_id from line_versions v join day_lines l on l.line = v.line)",
    ),
    _Sealed(
        schema.line_versions,
        "join day_lines l on l.line = r.line join our_lines o on o.line = r.line",
        "o.order_id || '/' || r.version",
    ),
    _Sealed(schema.our_lines, "join day_lines l on l.line = r.line", "r.order_id"),
    _Sealed(
        schema.refused_rows,
        "",
        "r.import_id || '/' || r.row",
        "r.trade_date = :trade_date and (r.gateway = :gateway or r.gateway is null)",
    ),
    _Sealed(schema.snapshots, _OF_TXN, "t.transaction_id || '/' || r.snapshot_id"),
    _Sealed(schema.their_lines, _OF_TXN, _THEIR_KEY.format("r")),
    _Sealed(
        schema.transactions,
        "join day_txns d on d.txn = r.txn",
        "r.transaction_id",
        written={"judged_rev": "r.judged_rev = r.rev"},
    ),
    _Sealed(
        schema.verdicts,
        "left join our_lines o on o.line = r.ours left join their_lines e on e.line = r.theirs"
        " left join transactions t on t.txn = e.txn left join transactions j on j.txn = r.txn",
        f"coalesce(o.order_id, {_THEIR_KEY.format('e')}, 'verdict ' || coalesce(r.ours, r.theirs))",
        "r.txn in (select txn from day_txns) or r.ours in (select line from day_lines)",
        written={"rev": "r.rev = coalesce(j.rev, o.version)"},
    ),
)


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


def _statement(rows: _Sealed) -> str:
    return f"""
with {DAY}, sealed as (
  select {rows.key} as key, sha256(convert_to({rows.text()}, 'UTF8')) as digest
  from {rows.table.name} r {rows.joins} where {rows.where}
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
