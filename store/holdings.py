"""What accounts hold: answers kept whole, their rows, and the newest of them as of an instant.

Rows that an answer repeats unchanged are stored once: `lines_in` names the answer that holds them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Table, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from store.recordset import as_parameter, records
from store.schema import holding_lines, mf_lines, smallcase_lines

LINE = tuple(c.name for c in holding_lines.c)[2:]
FUND = tuple(c.name for c in mf_lines.c)[2:]
SMALLCASE = tuple(c.name for c in smallcase_lines.c)[2:]

_KEEP = text("""
insert into holding_snapshots (
  gateway, account, book, kind, source, event_id, transaction_id, asked_at, answered_at, known_at, http_status,
  version, state, updating, snapshot_date, last_update, broker, body, digest, content, lines_in, lines, refused,
  not_understood)
select :gateway, :account, :book, :kind, :source, :event_id, :transaction_id,
  coalesce(:asked_at, clock_timestamp()), coalesce(:answered_at, clock_timestamp()), :known_at, :http_status,
  :version, :state, :updating, :snapshot_date, :last_update, :broker, :body, :digest, cast(:content as bytea),
  (select case when s.content = cast(:content as bytea) then s.lines_in end from holding_snapshots s
   where s.gateway = :gateway and s.account = :account and s.kind = :kind and s.source = :source
     and s.lines_in is not null
   order by s.snapshot_id desc limit 1),
  :lines, :refused, :not_understood
on conflict (event_id) where event_id is not null do nothing
returning snapshot_id, lines_in
""").bindparams(bindparam("not_understood", type_=JSONB))

_HOLDS_THEM = text("update holding_snapshots set lines_in = snapshot_id where snapshot_id = :snapshot")


def _insert(table: Table, names: tuple[str, ...]) -> Any:
    columns = ", ".join(("position", *names))
    return text(
        f"insert into {table.name} (snapshot_id, {columns})"
        f" select :snapshot, {columns} from {records(table, 'position', *names)}"
    )


_INSERT = ((_insert(holding_lines, LINE)), (_insert(mf_lines, FUND)), (_insert(smallcase_lines, SMALLCASE)))

#: Of each account the newest answer known by then, and the newest whose rows could be read: one look at the index each.
_NEWEST = """
select s.account, s.book, s.broker, s.version, s.state, s.snapshot_id, s.snapshot_date, s.last_update, s.known_at,
       s.lines_in, s.lines, s.refused
from holding_snapshots s
where s.gateway = :gateway and s.account = a.account and s.kind = 'equity' and s.source = 'api'
  and (cast(:as_of as timestamptz) is null or s.known_at <= :as_of) {readable}
order by s.snapshot_id desc limit 1"""
_AS_OF = f"""
from holding_accounts a
cross join lateral ({_NEWEST.format(readable="")}) k
{{join}} join lateral ({_NEWEST.format(readable="and s.lines_in is not null")}) r on true
{{lines}}
where a.gateway = :gateway and (cast(:accounts as text[]) is null or a.account = any(:accounts))
  and (cast(:book as text) is null or k.book = :book)
order by a.account
"""

_LATEST_LINES = text(f"""
select r.account, r.book, r.broker, r.version, k.state, r.snapshot_id, r.snapshot_date, r.last_update, r.known_at,
       l.position, {", ".join(f"l.{name}" for name in LINE)}
{_AS_OF.format(join="inner", lines="join holding_lines l on l.snapshot_id = r.lines_in")}, l.position
""")

_LATEST = text(f"""
select k.account, k.book, k.state, k.known_at as told_at, coalesce(r.broker, k.broker) as broker, r.version,
       r.snapshot_id, r.snapshot_date, r.last_update, r.known_at, coalesce(r.lines, 0) as lines,
       coalesce(r.refused, 0) as refused
{_AS_OF.format(join="left", lines="")}
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHoldings:
    """One answer, or one webhook that stands for one, with its rows; instants None are now."""

    gateway: str
    account: str | None
    book: str
    kind: str  #: equity, mf or investments
    state: str
    known_at: datetime
    body: bytes
    source: str = "api"
    event_id: UUID | None = None
    transaction_id: str | None = None
    asked_at: datetime | None = None
    answered_at: datetime | None = None
    http_status: int | None = None
    version: str | None = None
    updating: bool | None = None
    snapshot_date: datetime | None = None
    last_update: datetime | None = None
    broker: str | None = None
    refused: int = 0
    not_understood: Sequence[Mapping[str, object]] = ()
    rows: tuple[Sequence[object], Sequence[object], Sequence[object]] | None = None  #: lines, funds, smallcases


class StoredHolding(NamedTuple):
    """One security of one account as its newest readable answer says; None where nothing was said."""

    account: str
    book: str
    broker: str | None
    version: str | None  #: in v1 the quantities leave out what belongs to smallcases
    state: str  #: of the account's newest answer, which may be another than the one with these rows
    snapshot_id: int
    snapshot_date: datetime | None
    last_update: datetime | None
    known_at: datetime  #: when we knew these rows
    position: int
    isin: str | None
    nse_ticker: str | None
    bse_ticker: str | None
    name: str | None
    held: Decimal | None
    held_average: Decimal | None
    t1: Decimal | None
    nse_quantity: Decimal | None
    nse_average: Decimal | None
    bse_quantity: Decimal | None
    bse_average: Decimal | None
    transactable: Decimal | None
    smallcase: Decimal | None
    collateral: Decimal | None
    suspended_nse: bool | None
    suspended_bse: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHoldings:
    """How one account stands as of an instant: its newest answer, and the newest with rows (None: there is none)."""

    account: str
    book: str
    state: str
    told_at: datetime  #: of the newest answer
    broker: str | None
    version: str | None
    snapshot_id: int | None
    snapshot_date: datetime | None
    last_update: datetime | None
    known_at: datetime | None
    lines: int
    refused: int


def keep(connection: Connection, kept: KeptHoldings) -> int | None:
    """Keep an answer with its rows; its id, or None if that webhook was kept before."""
    rows = [_numbered(some) for some in kept.rows] if kept.rows is not None else None
    given = {name: getattr(kept, name) for name in KeptHoldings.__slots__ if name != "rows"}
    given |= {"digest": hashlib.sha256(kept.body).digest(), "content": _content(kept, rows)}
    given |= {"lines": sum(map(len, kept.rows or ())), "not_understood": list(kept.not_understood)}
    found = connection.execute(_KEEP, given).one_or_none()
    if found is None:
        return None
    if rows is not None and found.lines_in is None:
        _keep_rows(connection, found.snapshot_id, rows)
    snapshot: int = found.snapshot_id
    return snapshot


def latest_lines(
    connection: Connection,
    *,
    gateway: str,
    accounts: Sequence[str] | None = None,
    as_of: datetime | None = None,
    book: str | None = None,
) -> list[StoredHolding]:
    """Every security of these accounts, or of all, by what was known at `as_of` (domain's clock; None: now).

    An account that never had a readable answer has no rows: ask `latest` for how it stands.
    """
    named = _named(gateway, accounts, as_of, book)
    return list(map(StoredHolding._make, connection.execute(_LATEST_LINES, named)))  # a tuple: there may be millions


def latest(
    connection: Connection,
    *,
    gateway: str,
    accounts: Sequence[str] | None = None,
    as_of: datetime | None = None,
    book: str | None = None,
) -> list[AccountHoldings]:
    """How each of these accounts stood at `as_of`; one that had no answer by then is left out."""
    named = _named(gateway, accounts, as_of, book)
    return [AccountHoldings(**row) for row in connection.execute(_LATEST, named).mappings()]


def _named(gateway: str, accounts: Sequence[str] | None, as_of: datetime | None, book: str | None) -> dict[str, object]:
    wanted = None if accounts is None else sorted(set(accounts))
    return {"gateway": gateway, "accounts": wanted, "as_of": as_of, "book": book}


def _numbered(rows: Iterable[object]) -> str:
    return as_parameter({"position": n, **asdict(row)} for n, row in enumerate(rows))  # type: ignore[call-overload]


def _content(kept: KeptHoldings, rows: list[str] | None) -> bytes | None:
    if rows is None:
        return None
    return hashlib.sha256("\n".join([kept.version or "", *rows]).encode()).digest()[:16]


def _keep_rows(connection: Connection, snapshot: int, rows: list[str]) -> None:
    connection.execute(_HOLDS_THEM, {"snapshot": snapshot})
    for statement, some in zip(_INSERT, rows, strict=True):
        if some != "[]":
            connection.execute(statement, {"snapshot": snapshot, "rows": some})
