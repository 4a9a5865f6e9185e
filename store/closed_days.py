"""Days that are closed: who signed what, when, why, and the seal over it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, text

from store import schema
from store.days import Scope
from store.seals import WRITTEN, canonical, layout, parts, reopening_of, root_of

PATIENCE = "1800s"  #: for sealing a large day
_AFTERWARDS = frozenset({"root", "reopened_at", "reopened_by", "reopened_why", "reopened_seal"})
HEAD = [column.name for column in schema.closed_days.c if column.name not in _AFTERWARDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """One closing of a day. `reopened_at` is None while it stands."""

    close_id: int
    gateway: str
    book: str
    trade_date: date
    version: int
    closed_at: datetime
    closed_by: str
    why: str | None
    despite: str | None
    rules: Mapping[str, object]  #: the rule set with every value, as text
    digest: bytes
    rows: int
    root: bytes
    reopened_at: datetime | None
    reopened_by: str | None
    reopened_why: str | None


_COLUMNS = ", ".join(Close.__slots__)
_OF_DAY = "gateway = :gateway and book = :book and trade_date = :trade_date"
_STANDING = text(f"select {_COLUMNS} from closed_days where {_OF_DAY} and reopened_at is null")
_ALL = text(f"select {_COLUMNS} from closed_days where {_OF_DAY} order by version")
_BEGIN = text(f"""
insert into closed_days (gateway, book, trade_date, version, closed_at, closed_by, why, despite, pending, rules,
  totals, digest, layout, rows, previous, root)
values (:gateway, :book, :trade_date,
  (select coalesce(max(version), 0) + 1 from closed_days where {_OF_DAY}),
  :closed_at, :closed_by, :why, :despite, cast(:pending as jsonb), cast(:rules as jsonb), cast(:totals as jsonb),
  :digest, cast(:layout as jsonb), 0,
  (select root from closed_days where gateway = :gateway and book = :book order by close_id desc limit 1), '')
returning close_id
""")
_COUNTED = text("update closed_days set rows = :rows where close_id = :close_id")
_ROOTED = text(f"update closed_days set root = :root where close_id = :close_id returning {_COLUMNS}")
_TEXT = text(f"select {canonical('c', HEAD)} from closed_days c where close_id = :close_id")
_REOPEN = text("""
update closed_days set reopened_at = :now, reopened_by = :by, reopened_why = :why where close_id = :close_id
returning reopened_at::text, reopened_by, reopened_why
""")
_RESEALED = text(f"update closed_days set reopened_seal = :seal where close_id = :close_id returning {_COLUMNS}")


def hold_closing(connection: Connection) -> None:
    """Let nobody else close or reopen a day until this transaction ends; must be its first statement."""
    connection.execute(text(f"set local lock_timeout = '{PATIENCE}'"))
    connection.execute(text("lock table closed_days in share row exclusive mode"))
    for statement in (*WRITTEN.split(";"), f"set local statement_timeout = '{PATIENCE}'"):
        connection.execute(text(statement))


def standing(connection: Connection, scope: Scope) -> Close | None:
    """The close that stands, None while the day is open."""
    row = connection.execute(_STANDING, dict(scope)).one_or_none()
    return None if row is None else _close(row)


def closes(connection: Connection, scope: Scope) -> list[Close]:
    """Every close of the day, the first first."""
    return [_close(row) for row in connection.execute(_ALL, dict(scope))]


def begin_close(connection: Connection, scope: Scope, **said: object) -> int:
    """Write the close down, not yet sealed; its id.

    Takes `closed_at`, `closed_by`, `why`, `despite`, `pending`, `rules`, `totals` and `digest` (bytes).
    """
    named = {name: _as_text(value) for name, value in said.items()}
    return int(connection.execute(_BEGIN, {**scope, **named, "layout": json.dumps(layout())}).scalar_one())


def finish_close(connection: Connection, close_id: int, *, rows: int) -> Close:
    """Put the root over the close and its sealed rows."""
    connection.execute(_COUNTED, {"close_id": close_id, "rows": rows})
    head = connection.execute(_TEXT, {"close_id": close_id}).scalar_one()
    root = root_of(head, parts(connection, close_id))
    return _close(connection.execute(_ROOTED, {"close_id": close_id, "root": root}).one())


def reopen(connection: Connection, close: Close, *, by: str, why: str, now: datetime) -> Close:
    """Write down that the close no longer stands."""
    named = {"close_id": close.close_id, "now": now, "by": by, "why": why}
    said = connection.execute(_REOPEN, named).one()
    seal = reopening_of(close.root, [str(part) for part in said])
    return _close(connection.execute(_RESEALED, {"close_id": close.close_id, "seal": seal}).one())


def _close(row: Row[Any]) -> Close:
    return Close(**{**row._mapping, "digest": bytes(row.digest), "root": bytes(row.root)})


def _as_text(value: object) -> object:
    return json.dumps(value, default=_plain) if isinstance(value, Mapping | Sequence) and _is_json(value) else value


def _is_json(value: object) -> bool:
    return not isinstance(value, str | bytes)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
