"""Imports of the company's order lines: loaded by COPY, told apart and written by sets.

Everything here runs in one database transaction of the importer; the temporary tables end with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection, Row, text

_LOCK = 7_130_817  #: any number, the same for all: one import at a time
PATIENCE = "600s"  #: for another import, and for one statement over a large file

#: What the file says, in the order in which rows are loaded; each is a column of `our_lines`.
_SAID = (
    "account",
    "trade_date",
    "exchange",
    "symbol",
    "side",
    "quantity",
    "filled",
    "average_price",
    "status",
    "batch_id",
    "exchange_order_id",
    "isin",
    "broker",
    "executed_at",
)
_DERIVED = ("instrument", "key", "facts", "plain")
_STORED = (*_SAID, *_DERIVED, "book")
#: Those columns and the ones derived from them, as SQL.
LINE = ", ".join(_STORED)

_TABLES = """
create temp table incoming (row int, raw jsonb, gateway text, order_id text, transaction_id text,
  account text, trade_date date, exchange text, symbol text, side text, quantity numeric(20, 6),
  filled numeric(20, 6), average_price numeric(20, 6), status text, batch_id text, exchange_order_id text,
  isin text, broker text, executed_at timestamptz, instrument text, key bytea, facts bytea, plain boolean,
  book text, digest bytea) on commit drop;
create temp table unfit (row int, gateway text, order_id text, trade_date date, digest bytea, raw jsonb,
  problems jsonb) on commit drop
"""
_COPY_INCOMING = f"""
copy incoming (row, raw, gateway, order_id, transaction_id, {", ".join(_SAID)}, {", ".join(_DERIVED)}, book, digest)
from stdin
"""
_COPY_UNFIT = "copy unfit (row, gateway, order_id, trade_date, digest, raw, problems) from stdin"


class Counts(NamedTuple):
    """How the accepted rows of a file compare with what is stored."""

    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """The head of an import, as it is written down."""

    kind: str
    gateway: str | None
    file_name: str
    file_digest: bytes
    imported_at: datetime
    complete_for: date | None = None


def begin_import(connection: Connection) -> None:
    """Wait until no other import runs, and hold others off until this transaction ends."""
    connection.execute(text(f"set local lock_timeout = '{PATIENCE}'"))
    connection.execute(text(f"set local statement_timeout = '{PATIENCE}'"))
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def open_tables(connection: Connection) -> None:
    """Make the temporary tables that take the rows of the file."""
    for statement in _TABLES.split(";"):
        connection.execute(text(statement))


def load_orders(connection: Connection, rows: Iterable[Sequence[object]]) -> None:
    """COPY accepted rows: line, raw, gateway, order_id, transaction_id, said, derived, book, digest."""
    _copy(connection, _COPY_INCOMING, rows)


def load_refused(connection: Connection, rows: Iterable[Sequence[object]]) -> None:
    """COPY refused rows: line, gateway, order_id, trade_date, digest, raw, problems."""
    _copy(connection, _COPY_UNFIT, rows)


def _copy(connection: Connection, statement: str, rows: Iterable[Sequence[object]]) -> None:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("imports need psycopg")
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


# ---------------------------------------------------------------- within the file

_NAMED_TWICE = text("""
create temp table named_twice on commit drop as
select gateway, order_id, count(distinct digest) > 1 as conflict, array_agg(row order by row) as rows
from incoming group by gateway, order_id having count(*) > 1
""")
_CONFLICTS = text("""
with taken as (
  delete from incoming i using named_twice n
  where n.conflict and i.gateway = n.gateway and i.order_id = n.order_id
  returning i.row, i.gateway, i.order_id, i.trade_date, i.raw::text as raw, i.digest,
    array_remove(n.rows, i.row) as others
)
select * from taken order by row
""")
_REPEATS = text("""
delete from incoming i using named_twice n
where not n.conflict and i.gateway = n.gateway and i.order_id = n.order_id and i.row <> n.rows[1]
""")


def take_conflicts(connection: Connection) -> Sequence[Row[Any]]:
    """Take out and return rows whose order id other rows of the file give to something else."""
    connection.execute(text("analyze incoming"))
    connection.execute(_NAMED_TWICE)
    return connection.execute(_CONFLICTS).all()


def drop_repeats(connection: Connection) -> int:
    """Keep the first of rows that say the same; how many were dropped."""
    return connection.execute(_REPEATS).rowcount


# ---------------------------------------------------------------- against what is stored

_CHANGES = text("""
create temp table changes on commit drop as
select i.*, o.line, o.version, o.txn as old_txn, cast(null as bigint) as txn
from incoming i
left join our_lines o on o.gateway = i.gateway and o.order_id = i.order_id
left join line_versions v on v.line = o.line and v.version = o.version
where v.digest is distinct from i.digest
""")
_COUNTS = text("""
select count(*) filter (where line is null) as new, count(*) filter (where line is not null) as changed,
  (select count(*) from incoming) - count(*) as unchanged
from changes
""")
_NAMED = text("select distinct transaction_id from changes where gateway = :gateway and transaction_id is not null")
_RESOLVE = text("""
update changes c set txn = t.txn from transactions t
where t.gateway = c.gateway and t.transaction_id = c.transaction_id
""")
_TOUCHED = text("""
create temp table touched on commit drop as
select txn from changes where txn is not null union select old_txn from changes where old_txn is not null
union
select e.txn from their_lines e join transactions t on t.txn = e.txn
where e.trade_date = :completed and (cast(:gateway as text) is null or t.gateway = :gateway) and not exists (
  select from imports i where i.complete_for = :completed and i.import_id <> :import_id
    and (i.gateway is null or i.gateway = t.gateway))
""")
_LOCK_TOUCHED = text("""
select count(*) from (
  select from transactions where txn in (select txn from touched) order by txn for no key update
) locked
""")
_TOUCH = text("""
update transactions t set rev = t.rev + 1,
  ask_at = case when t.final then t.ask_at else coalesce(t.ask_at, :now) end
where t.txn in (select txn from touched)
""")
_UNJUDGE = text("""
delete from line_verdicts v using changes c
where v.ours = c.line and (c.old_txn is distinct from c.txn or c.txn is null)
""")
_INSERT = text(f"""
with added as (
  insert into our_lines (gateway, order_id, version, txn, {LINE})
  select gateway, order_id, 1, txn, {LINE} from changes where line is null order by row
  returning line, gateway, order_id
)
insert into line_versions (line, version, import_id, row, known_at, digest, raw)
select a.line, 1, :import_id, c.row, :now, c.digest, c.raw
from added a join changes c on c.gateway = a.gateway and c.order_id = a.order_id
""")
_UPDATE = text(f"""
update our_lines o set (version, txn, {LINE}) = (c.version + 1, c.txn, {", ".join(f"c.{n}" for n in _STORED)})
from changes c where c.line = o.line
""")
_VERSION = text("""
insert into line_versions (line, version, import_id, row, known_at, digest, raw)
select line, version + 1, :import_id, row, :now, digest, raw from changes where line is not null
""")
_OFF_PLATFORM = text("""
select o.line from our_lines o join changes c on c.gateway = o.gateway and c.order_id = o.order_id
where c.txn is null order by o.line
""")


def find_changes(connection: Connection) -> Counts:
    """Tell new and changed rows from those that are stored as they are."""
    connection.execute(_CHANGES)
    connection.execute(text("analyze changes"))
    row = connection.execute(_COUNTS).one()
    return Counts(row.new, row.changed, row.unchanged)


def transactions_named(connection: Connection, gateway: str) -> list[str]:
    """The transactionIds that new and changed rows of a gateway name."""
    return list(connection.execute(_NAMED, {"gateway": gateway}).scalars())


def touch(
    connection: Connection, *, import_id: int, gateway: str | None, completed: date | None, now: datetime
) -> None:
    """Raise the rev of every transaction that changed rows leave or join, locked in one order.

    A day declared complete for the first time touches the transactions that traded on it.
    """
    connection.execute(_RESOLVE)
    connection.execute(_TOUCHED, {"completed": completed, "gateway": gateway, "import_id": import_id})
    connection.execute(_LOCK_TOUCHED)
    connection.execute(_TOUCH, {"now": now})


def write_lines(connection: Connection, *, import_id: int, now: datetime) -> list[int]:
    """Store new lines and new versions; the lines among them that name no transaction.

    A changed line that moved, or names no transaction, loses the verdict it had.
    """
    connection.execute(_UNJUDGE)
    named = {"import_id": import_id, "now": now}
    connection.execute(_VERSION, named)
    connection.execute(_UPDATE)
    connection.execute(_INSERT, named)
    return list(connection.execute(_OFF_PLATFORM).scalars())


# ---------------------------------------------------------------- the import itself

_HEAD = text("""
insert into imports
  (kind, gateway, file_name, file_digest, imported_at, rows, new, changed, unchanged, refused, complete_for)
values (:kind, :gateway, :file_name, :file_digest, :imported_at, 0, 0, 0, 0, 0, :complete_for)
returning import_id
""")
_TALLY = text("""
update imports set rows = :rows, new = :new, changed = :changed, unchanged = :unchanged, refused = :refused
where import_id = :import_id
""")


def write_import(connection: Connection, head: ImportRow) -> int:
    """Write the head of an import; its id. Its counts follow with `tally`."""
    named = {
        "kind": head.kind,
        "gateway": head.gateway,
        "file_name": head.file_name,
        "file_digest": head.file_digest,
        "imported_at": head.imported_at,
        "complete_for": head.complete_for,
    }
    return int(connection.execute(_HEAD, named).scalar_one())


def tally(connection: Connection, *, import_id: int, rows: int, counts: Counts, refused: int) -> None:
    """Write down how many rows the import had and what became of them."""
    named = {"import_id": import_id, "rows": rows, "refused": refused, **counts._asdict()}
    connection.execute(_TALLY, named)
