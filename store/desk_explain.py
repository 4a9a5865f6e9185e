"""What explaining a line needs: the transactions an id names, and both sides as they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

_NAMED = text("""
select distinct t.txn, t.gateway, t.transaction_id from (
  select txn from our_lines where (order_id = :id or exchange_order_id = :id)
    and (cast(:gateway as text) is null or gateway = :gateway)
  union
  select txn from their_lines where exchange_order_id = :id
  union
  select txn from transactions where transaction_id = :id
) found join transactions t on t.txn = found.txn
where cast(:gateway as text) is null or t.gateway = :gateway
order by t.gateway, t.transaction_id limit :limit
""")
_CELLS = text("""
select o.line, v.raw from our_lines o join line_versions v on v.line = o.line and v.version = o.version
where o.txn = :txn
""")
_BODIES = text("""
select body from snapshots where txn = :txn and mark not in ('absent', 'unclear') order by asked_at desc limit 20
""")


def transactions_named(connection: Connection, *, text_id: str, gateway: str | None, limit: int) -> Sequence[Row[Any]]:
    """The transactions (txn, gateway, transaction_id) that hold an order of either side by that id, or bear it."""
    return connection.execute(_NAMED, {"id": text_id, "gateway": gateway, "limit": limit}).all()


def cells(connection: Connection, *, txn: int) -> dict[int, Any]:
    """The cells of the newest version of each line of ours, as they stood, by line."""
    return {row.line: row.raw for row in connection.execute(_CELLS, {"txn": txn})}


def bodies(connection: Connection, *, txn: int) -> list[bytes]:
    """The newest answers about the transaction, newest first."""
    return [bytes(row.body) for row in connection.execute(_BODIES, {"txn": txn})]
