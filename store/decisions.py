"""What people decided about two lines: append-only; undoing one is written beside it, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

_LINES = text("""
select o.gateway, o.order_id, o.txn, t.transaction_id from our_lines o left join transactions t on t.txn = o.txn
where o.order_id = :order_id and (cast(:gateway as text) is null or o.gateway = :gateway)
order by o.gateway
""")
_HOLD = text("select rev from transactions where txn = :txn for no key update")
_COUNTING = text("""
select decision_id, kind, ours, theirs, who from decisions
where txn = :txn and undone_at is null and (ours = :ours or theirs = :theirs) order by decision_id
""")
_INSERT = text("""
insert into decisions (gateway, txn, kind, ours, theirs, who, why, at)
values (:gateway, :txn, :kind, :ours, :theirs, :who, :why, :now)
returning decision_id
""")
_RAISE = text("update transactions set rev = rev + 1, quiet = false where txn = :txn")
_ONE = text("select decision_id, txn, kind, ours, theirs, undone_at, undone_by from decisions where decision_id = :id")
_UNDO = text("""
update decisions set undone_at = :now, undone_by = :who, undone_why = :why
where decision_id = :id and undone_at is null
""")
_LIST = text("""
select d.decision_id, d.gateway, t.transaction_id, d.kind, d.ours, d.theirs, d.who, d.why, d.at,
  d.undone_at, d.undone_by, d.undone_why
from decisions d join transactions t on t.txn = d.txn
where (cast(:gateway as text) is null or d.gateway = :gateway)
  and (cast(:transaction_id as text) is null or t.transaction_id = :transaction_id)
  and (:everything or d.undone_at is null)
order by d.decision_id
""")


def lines_named(connection: Connection, *, order_id: str, gateway: str | None) -> Sequence[Row[Any]]:
    """The lines of ours with that order id: gateway, order_id, txn, transaction_id."""
    return connection.execute(_LINES, {"order_id": order_id, "gateway": gateway}).all()


def hold(connection: Connection, *, txn: int) -> None:
    """Lock the transaction until the database transaction ends."""
    connection.execute(_HOLD, {"txn": txn}).scalar_one()


def counting(connection: Connection, *, txn: int, ours: str, theirs: str) -> Sequence[Row[Any]]:
    """The decisions about either line that are not undone."""
    return connection.execute(_COUNTING, {"txn": txn, "ours": ours, "theirs": theirs}).all()


def write(
    connection: Connection,
    *,
    gateway: str,
    txn: int,
    kind: str,
    ours: str,
    theirs: str,
    who: str,
    why: str,
    now: datetime,
) -> int:
    """Write a decision down and make the transaction's judgement stale; its number."""
    named = {"gateway": gateway, "txn": txn, "kind": kind, "ours": ours, "theirs": theirs, "who": who, "why": why}
    number = connection.execute(_INSERT, {**named, "now": now}).scalar_one()
    connection.execute(_RAISE, {"txn": txn})
    return int(number)


def one(connection: Connection, *, decision_id: int) -> Row[Any] | None:
    """One decision, or None."""
    return connection.execute(_ONE, {"id": decision_id}).one_or_none()


def undo(connection: Connection, *, decision_id: int, txn: int, who: str, why: str, now: datetime) -> bool:
    """Write down that it counts no more, and make the judgement stale; False if it was undone before."""
    undone = connection.execute(_UNDO, {"id": decision_id, "who": who, "why": why, "now": now}).rowcount == 1
    if undone:
        connection.execute(_RAISE, {"txn": txn})
    return undone


def listing(
    connection: Connection, *, gateway: str | None, transaction_id: str | None, everything: bool
) -> Sequence[Row[Any]]:
    """Decisions, oldest first; undone ones too if `everything`."""
    named = {"gateway": gateway, "transaction_id": transaction_id, "everything": everything}
    return connection.execute(_LIST, named).all()
