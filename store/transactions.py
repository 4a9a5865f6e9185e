"""Transactions: one row for every transactionId the service ever heard of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from recon.values import Origin

_INSERT = text("""
insert into transactions (gateway, transaction_id, book, origin, registered_at, ask_at)
select :gateway, id, :book, :origin, :now, :now from unnest(cast(:ids as text[])) as id
order by id
on conflict (gateway, transaction_id) do nothing
""")
_FIND = text("""
select transaction_id, txn from transactions where gateway = :gateway and transaction_id = any(:ids)
""")


def ensure(
    connection: Connection, *, gateway: str, book: str, origin: Origin, ids: Sequence[str], now: datetime
) -> dict[str, int]:
    """The rows of these transactionIds, made if this is the first we hear of them; id to `txn`.

    A new one is due to be asked for at once. `now` is the domain's clock; rows are made in the order
    of ids, so that two who hear of the same ones never deadlock.
    """
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = _find(connection, gateway, wanted)
    if len(found) == len(wanted):
        return found
    new = [i for i in wanted if i not in found]
    named = {"gateway": gateway, "book": book, "origin": Origin(origin).value, "now": now, "ids": new}
    connection.execute(_INSERT, named)
    return found | _find(connection, gateway, new)


def _find(connection: Connection, gateway: str, ids: list[str]) -> dict[str, int]:
    rows = connection.execute(_FIND, {"gateway": gateway, "ids": ids})
    return {row.transaction_id: row.txn for row in rows}
