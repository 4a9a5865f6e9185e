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
Values = Mapping[str, object]

LEG = tuple(c.name for c in schema.their_lines.c if c.name not in {"line", "txn", "book"})

_LOCK = text(f"""
select txn, gateway, transaction_id, origin, registered_at, requested, rev, judged_rev, quiet, {", ".join(STATED)},
  array(
    select complete_for from imports i
    where complete_for is not null and (i.gateway is null or i.gateway = transactions.gateway)
  ) as complete_days
from transactions where txn = any(:txns) order by txn for no key update
""")
_SNAPSHOTS = text("""
select txn, snapshot_id, kind, asked_at, answered_at, known_at, body, mark
from snapshots where txn = any(:txns) order by txn, asked_at, snapshot_id
""")
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


def their_lines_of(connection: Connection, txns: Sequence[int]) -> Sequence[Row[Any]]:
    """The stored legs of these transactions, in the order the Gateway lists them."""
    return connection.execute(_THEIR_LINES, {"txns": list(txns)}).all()


def mark_snapshot(connection: Connection, snapshot: Row[Any], mark: str) -> None:
    """Say of a stored answer what it brought."""
    named = {"mark": mark, "txn": snapshot.txn, "snapshot_id": snapshot.snapshot_id}
    connection.execute(_MARK, {**named, "answered_at": snapshot.answered_at})


def _changed(names: Sequence[str]) -> str:
    """Whether the record `r` differs from what is stored as `w`, or nothing is."""
    stored, said = ", ".join(f"w.{c}" for c in names), ", ".join(f"r.{c}" for c in names)
    return f"(w.txn is null or ({stored}) is distinct from ({said}))"


def _kept(table: str, key: Sequence[str], names: Sequence[str], source: str) -> str:
    """SQL that stores those of the records that changed over those of the same key."""
    columns = ", ".join(names)
    same = " and ".join(f"w.{c} = r.{c}" for c in key)
    return f"""
  insert into {table} ({columns}) select {", ".join(f"r.{c}" for c in names)} from {source}
  left join {table} w on {same} where {_changed(names)}
  on conflict ({", ".join(key)}) do update set ({columns}) = ({", ".join(f"excluded.{c}" for c in names)})
  returning txn"""


_PLACE = ("txn", "batch_id", "placed", "position")
_LINES = records(schema.their_lines, "txn", "book", *LEG, parameter="lines")
_BATCHES = records(schema.batches, "txn", *BATCH, parameter="batches")

#: Nothing is written where nothing changed; a line that goes on keeps its `line`.
_STATE = text(f"""
with kept_batches as ({_kept("batches", ("txn", "batch_id"), ("txn", *BATCH), _BATCHES)}
), kept_lines as ({_kept("their_lines", _PLACE, ("txn", "book", *LEG), _LINES)}
), gone as (
  delete from their_lines w where w.txn = :txn and (w.batch_id, w.placed, w.position) not in (
    select r.batch_id, r.placed, r.position from {_LINES}
  ) returning txn
)
update transactions w set ({", ".join(STATED)}) = ({", ".join(f"r.{c}" for c in STATED)}), quiet = false, rev = rev + 1
from {records(schema.transactions, "txn", *STATED, parameter="stated")}
where w.txn = r.txn and (
  {_changed(STATED)} or exists (select from kept_batches) or exists (select from kept_lines)
  or exists (select from gone)
)
returning rev
""")


def write_state(
    connection: Connection, *, txn: int, stated: Values, batches: Sequence[Values], lines: Sequence[Values]
) -> int | None:
    """Store what the answers say of a transaction, and raise its rev if that changed anything.

    The new rev; None when all of it was stored already. `batches` and `lines` are all there are now.
    """
    named = {
        "txn": txn,
        "stated": as_parameter([{**stated, "txn": txn}]),
        "batches": as_parameter([{**batch, "txn": txn} for batch in batches]),
        "lines": as_parameter([{**line, "txn": txn, "book": stated["book"]} for line in lines]),
    }
    return connection.execute(_STATE, named).scalar()
