"""The Gateway's side of a transaction (E): the answers it is folded from, and what they fold to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from store import schema
from store.recordset import as_parameter, records
from store.together import Asked, Query, Record

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
    "legs",
)
BATCH = tuple(c.name for c in schema.batches.c if c.name != "txn")
Values = Mapping[str, object]

LEG = tuple(c.name for c in schema.their_lines.c if c.name not in {"line", "txn", "book"})

_ROWS = f"""
select txn, gateway, transaction_id, origin, registered_at, requested, rev, quiet, {", ".join(STATED)},
  array(
    select complete_for from imports i
    where complete_for is not null and (i.gateway is null or i.gateway = transactions.gateway)
  ) as complete_days
from transactions where txn = any(:txns) order by txn"""
_LOCK = Query(f"{_ROWS} for no key update")
_READ = Query(_ROWS)
_SNAPSHOTS = Query("""
select txn, snapshot_id, kind, asked_at, answered_at, known_at, body, mark
from snapshots where txn = any(:txns) order by txn, asked_at, snapshot_id
""")
_THEIR_LINES = Query(f"""
select line, txn, {", ".join(LEG)} from their_lines where txn = any(:txns) order by txn, batch_id, placed desc, position
""")
_MARK = Query("""
update snapshots set mark = :mark where txn = :txn and snapshot_id = :snapshot_id and answered_at = :answered_at
""")


def locked(txns: Sequence[int]) -> Asked:
    """The transactions' rows, in order of txn, locked until the end of the database transaction."""
    return _LOCK.of(txns=list(txns))


def unlocked(txns: Sequence[int]) -> Asked:
    """As `locked`, for those who only look: within one snapshot of the database."""
    return _READ.of(txns=list(txns))


def snapshots(txns: Sequence[int]) -> Asked:
    """Every stored answer of these transactions, oldest question first within each."""
    return _SNAPSHOTS.of(txns=list(txns))


def their_lines(txns: Sequence[int]) -> Asked:
    """The stored legs of these transactions, in the order the Gateway lists them."""
    return _THEIR_LINES.of(txns=list(txns))


def mark(snapshot: Record, said: str) -> Asked:
    """Say of a stored answer what it brought."""
    place = {"snapshot_id": snapshot.snapshot_id, "answered_at": snapshot.answered_at}
    return _MARK.of(mark=said, txn=snapshot.txn, **place)


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
_STATE = Query(f"""
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


def stated(txn: int, said: Values, *, batches: Sequence[Values], lines: Sequence[Values]) -> Asked:
    """Store what the answers say of a transaction, and raise its rev if that changed anything.

    One row with the new rev; none when all of it was stored already. `batches` and `lines` are all there are.
    """
    return _STATE.of(
        txn=txn,
        stated=as_parameter([{**said, "txn": txn, "legs": len(lines)}]),
        batches=as_parameter([{**batch, "txn": txn} for batch in batches]),
        lines=as_parameter([{**line, "txn": txn, "book": said["book"]} for line in lines]),
    )
