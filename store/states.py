"""The Gateway's side of a transaction (E): the answers it is folded from, and what they fold to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from store import schema
from store.recordset import as_parameter, records

#: The columns of `transactions` that answers fill.
STATED = (
    "book",
    "account",
    "broker",
    "intent",
    "status",
    "created_at",
    "expire_at",
    "error_code",
    "error_message",
    "known",
    "absent_at",
    "final",
    "settled",
)
BATCH = tuple(c.name for c in schema.batches.c if c.name != "txn")
LEG = tuple(c.name for c in schema.their_lines.c if c.name not in {"line", "txn", "book"})

_LOCK = text(f"""
select txn, gateway, transaction_id, origin, registered_at, requested, rev, judged_rev, quiet, {", ".join(STATED)}
from transactions where txn = any(:txns) order by txn for no key update
""")
_SNAPSHOTS = text("""
select txn, snapshot_id, kind, asked_at, answered_at, known_at, body, mark
from snapshots where txn = any(:txns) order by txn, asked_at, snapshot_id
""")
_BATCHES = text(f"select txn, {', '.join(BATCH)} from batches where txn = any(:txns)")
_THEIR_LINES = text(f"""
select line, txn, {", ".join(LEG)} from their_lines where txn = any(:txns) order by txn, batch_id, placed desc, position
""")
_MARK = text("""
update snapshots set mark = :mark where txn = :txn and snapshot_id = :snapshot_id and answered_at = :answered_at
""")


def lock_transactions(connection: Connection, txns: Sequence[int]) -> Sequence[Row[Any]]:
    """The transactions' rows, in order of txn, locked until the end of the database transaction."""
    return connection.execute(_LOCK, {"txns": list(txns)}).all()


def snapshots_of(connection: Connection, txns: Sequence[int]) -> Sequence[Row[Any]]:
    """Every stored answer of these transactions, oldest question first within each."""
    return connection.execute(_SNAPSHOTS, {"txns": list(txns)}).all()


def batches_of(connection: Connection, txns: Sequence[int]) -> Sequence[Row[Any]]:
    """The stored batches of these transactions."""
    return connection.execute(_BATCHES, {"txns": list(txns)}).all()


def their_lines_of(connection: Connection, txns: Sequence[int]) -> Sequence[Row[Any]]:
    """The stored legs of these transactions, in the order the Gateway lists them."""
    return connection.execute(_THEIR_LINES, {"txns": list(txns)}).all()


def mark_snapshot(connection: Connection, snapshot: Row[Any], mark: str) -> None:
    """Say of a stored answer what it brought."""
    named = {"mark": mark, "txn": snapshot.txn, "snapshot_id": snapshot.snapshot_id}
    connection.execute(_MARK, {**named, "answered_at": snapshot.answered_at})


_STATE = text(f"""
update transactions t set ({", ".join(STATED)}) = ({", ".join(f"r.{c}" for c in STATED)}), quiet = false, rev = rev + 1
from {records(schema.transactions, "txn", *STATED)} where t.txn = r.txn returning t.rev
""")


def _upsert(table: str, keys: Sequence[str], names: Sequence[str], source: str) -> str:
    columns = ", ".join(names)
    excluded = ", ".join(f"excluded.{c}" for c in names)
    return f"""
insert into {table} as was ({columns}) select {columns} from {source}
on conflict ({", ".join(keys)}) do update set ({columns}) = ({excluded})
where ({", ".join(f"was.{c}" for c in names)}) is distinct from ({excluded})
"""


_WRITE_BATCHES = text(_upsert("batches", ("txn", "batch_id"), ("txn", *BATCH), records(schema.batches, "txn", *BATCH)))
_WRITE_LINES = text(
    _upsert(
        "their_lines",
        ("txn", "batch_id", "placed", "position"),
        ("txn", "book", *LEG),
        records(schema.their_lines, "txn", "book", *LEG),
    )
)
_DROP_LINES = text("delete from their_lines where line = any(:lines)")


def write_state(connection: Connection, *, txn: int, stated: Mapping[str, object]) -> int:
    """Write what the answers say of the transaction, and raise its rev; the new rev."""
    row = {**stated, "txn": txn}
    return int(connection.execute(_STATE, {"rows": as_parameter([row])}).scalar_one())


def write_batches(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write these batches over those of the same id."""
    connection.execute(_WRITE_BATCHES, {"rows": as_parameter(rows)})


def write_their_lines(
    connection: Connection, rows: Sequence[Mapping[str, object]], *, gone: Sequence[int] = ()
) -> None:
    """Write these legs over those at the same place, which keep their line; drop the lines `gone`."""
    if gone:
        connection.execute(_DROP_LINES, {"lines": list(gone)})
    if rows:
        connection.execute(_WRITE_LINES, {"rows": as_parameter(rows)})
