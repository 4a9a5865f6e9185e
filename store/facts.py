"""Dated facts of the company's: positions, corporate actions, transfers; a new saying is a new version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Table, text

from store.recordset import as_parameter, records
from store.schema import corporate_actions, positions, transfers

TABLES: Mapping[str, Table] = {"positions": positions, "corporate-actions": corporate_actions, "transfers": transfers}
_OWN = frozenset({"fact", "version", "import_id", "row", "known_at"})

_STALE_ACCOUNTS = text("""
update holding_accounts set rev = rev + 1 where (gateway, account) in (
  select * from unnest(cast(:gateways as text[]), cast(:accounts as text[])))
""")
_STALE_ALL = text("update holding_accounts set rev = rev + 1")


class Written(NamedTuple):
    """How many facts were new, and how many were said otherwise than before."""

    new: int
    changed: int


def write(
    connection: Connection,
    kind: str,
    rows: Sequence[Mapping[str, object]],
    *,
    key: Sequence[str],
    import_id: int,
    now: datetime,
) -> Written:
    """Store a version of each fact that is said otherwise than in its newest one; each fact once in `rows`."""
    table = TABLES[kind]
    said = [column.name for column in table.c if column.name not in _OWN]
    names, theirs, stored = (", ".join(f"{alias}{name}" for name in said) for alias in ("", "r.", "o."))
    same = " and ".join(f"o.{name} = r.{name}" for name in key)
    found = connection.execute(
        text(f"""
        insert into {table.name} ({names}, version, import_id, row, known_at)
        select {theirs}, coalesce(o.version, 0) + 1, :import_id, r.row, :now
        from {records(table, *said, "row")}
        left join lateral (select * from {table.name} o where {same} order by version desc limit 1) o on true
        where o.version is null or ({stored}) is distinct from ({theirs})
        returning version
        """),
        {"rows": as_parameter(rows), "import_id": import_id, "now": now},
    )
    versions = list(found.scalars())
    new = versions.count(1)
    return Written(new, len(versions) - new)


def mark_accounts(connection: Connection, accounts: Sequence[tuple[str, str]]) -> None:
    """Have the holdings of these (gateway, account) reconciled again."""
    pairs = sorted(set(accounts))
    named = {"gateways": [pair[0] for pair in pairs], "accounts": [pair[1] for pair in pairs]}
    connection.execute(_STALE_ACCOUNTS, named)


def mark_all(connection: Connection) -> None:
    """Have the holdings of every account reconciled again."""
    connection.execute(_STALE_ALL)
