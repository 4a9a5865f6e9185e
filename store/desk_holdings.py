"""Accounts and what they hold, for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from store.desk_events import Attempt

#: Time alone makes a fresh account stale: `closed` is the last close that holdings must not be older than.
_STATE = "case when a.state in ('ok', 'empty') and a.as_at < :closed then 'stale' else a.state end"
_ROWS = f"""
select a.gateway, a.account, a.book, a.broker, {_STATE} as state, a.state_since, a.as_at, a.known_at, a.next_fetch_at,
       a.waits_for, a.origin, coalesce(s.lines, 0) as lines, coalesce(s.refused, 0) as refused,
       coalesce(jsonb_array_length(s.not_understood), 0) as not_understood, j.agree, j.differ, j.pending
from holding_accounts a left join lateral (
  select lines, refused, not_understood from holding_snapshots s
  where s.gateway = a.gateway and s.account = a.account and s.kind = 'equity' and s.source = 'api'
    and s.lines_in is not null
  order by s.snapshot_id desc limit 1
) s on true
cross join lateral (
  select count(*) filter (where bucket = 'matched') as agree, count(*) filter (where bucket = 'pending') as pending,
    count(*) filter (where bucket not in ('matched', 'pending')) as differ
  from holding_verdicts v where v.gateway = a.gateway and v.account = a.account and v.trade_date = a.judged_for
) j
where (cast(:gateway as text) is null or a.gateway = :gateway)
  and (cast(:book as text) is null or a.book = :book)
  and (cast(:account as text) is null or a.account = :account)
  and (cast(:against as text) is null or (case :against
    when 'differ' then j.differ when 'pending' then j.pending else j.agree end) > 0)
  and (cast(:states as text[]) is null or {_STATE} = any(:states))
"""
_LIST = text(
    _ROWS
    + """
  and (cast(:after as text) is null or (a.gateway, a.account) > (:after_gateway, :after))
order by a.gateway, a.account limit :limit
"""
)
_COUNTS = text(f"""
select book, {_STATE} as state, count(*) as count from holding_accounts a
where (cast(:gateway as text) is null or a.gateway = :gateway) group by 1, 2 order by 1, 2
""")

_SNAPSHOTS = text("""
select snapshot_id, kind, source, event_id, transaction_id, asked_at, answered_at, known_at, http_status, version,
       state, updating, snapshot_date, last_update, broker, lines_in, lines, refused, not_understood,
       octet_length(body) as size
from holding_snapshots where gateway = :gateway and account = :account
  and (cast(:as_of as timestamptz) is null or known_at <= :as_of)
order by snapshot_id desc limit :limit
""")
_BODY = text("select body from holding_snapshots where snapshot_id = :snapshot")

_FUNDS = text("""
select entry, folio, fund, isin, quantity, average_price, last_price, dated, amount, pnl, xirr, words
from mf_lines where snapshot_id = :snapshot order by position limit :limit
""")
_TOLD_FUNDS = text("""
select s.known_at, s.gateway, s.book, s.account, s.transaction_id, s.event_id, s.snapshot_id,
       l.entry, l.folio, l.fund, l.isin, l.quantity, l.average_price, l.last_price, l.dated, l.amount, l.words
from holding_snapshots s left join mf_lines l on l.snapshot_id = s.lines_in
where s.kind = 'mf' and (cast(:gateway as text) is null or s.gateway = :gateway)
  and (cast(:account as text) is null or s.account = :account)
order by s.snapshot_id desc, l.position limit :limit
""")
_FUND_IMPORTS = text("""
select known_at, gateway, book, account, transaction_id, event_id, lines, refused,
       jsonb_array_length(not_understood) as not_understood
from holding_snapshots where kind = 'mf' and (cast(:gateway as text) is null or gateway = :gateway)
order by snapshot_id desc limit :limit
""")
_SMALLCASES = text("""
select access, scid, iscid, name, status, current_value, total_returns, constituents
from smallcase_lines where snapshot_id = :snapshot order by position limit :limit
""")
_ATTEMPTS = text("""
select attempt_id, generation, at, outcome, reason, detail, http_status, took_ms, worker from (
  select t.* from holding_attempts t join holding_accounts a using (holder)
  where a.gateway = :gateway and a.account = :account order by at desc, attempt_id desc limit :limit
) newest order by at, attempt_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsRow:
    """One account and how its holdings stand now."""

    gateway: str
    account: str
    book: str
    broker: str | None
    state: str
    state_since: datetime | None
    as_at: datetime | None  #: as of when the Gateway says they are
    known_at: datetime | None  #: when it last answered
    next_fetch_at: datetime | None
    waits_for: str | None  #: why the fetch that is due was put off
    origin: str
    lines: int
    refused: int  #: rows that could not be taken
    not_understood: int
    agree: int = 0  #: lines that agree with the books, as judged last
    differ: int = 0  #: lines that do not
    pending: int = 0  #: lines of which it is too early to say


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRow:
    """One answer, or one webhook that stands for one, without its body."""

    snapshot_id: int
    kind: str
    source: str
    event_id: UUID | None
    transaction_id: str | None
    asked_at: datetime
    answered_at: datetime
    known_at: datetime
    http_status: int | None
    version: str | None
    state: str
    updating: bool | None
    snapshot_date: datetime | None
    last_update: datetime | None
    broker: str | None
    lines_in: int | None
    lines: int
    refused: int
    not_understood: list[dict[str, Any]]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundRow:
    """One mutual fund held, or one transaction in it."""

    entry: str
    folio: str | None
    fund: str | None
    isin: str | None
    quantity: Decimal | None
    average_price: Decimal | None
    last_price: Decimal | None
    dated: date | None
    amount: Decimal | None
    pnl: Decimal | None
    xirr: Decimal | None
    words: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FundImport:
    """One mutual-fund webhook that was taken in as evidence."""

    known_at: datetime
    gateway: str
    book: str
    account: str | None
    transaction_id: str | None
    event_id: UUID
    lines: int
    refused: int
    not_understood: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallcaseRow:
    """One smallcase, or the statistics of all private ones."""

    access: str
    scid: str | None
    iscid: str | None
    name: str | None
    status: str | None
    current_value: Decimal | None
    total_returns: Decimal | None
    constituents: list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsFilter:
    """Which accounts are meant; None is any."""

    gateway: str | None = None
    book: str | None = None
    account: str | None = None
    states: Sequence[str] | None = None
    against: str | None = None  #: agree, differ, pending: accounts with such a line against the books


def listing(
    connection: Connection,
    wanted: HoldingsFilter,
    *,
    closed: datetime,
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> list[HoldingsRow]:
    """Accounts by gateway and account, their states as of the close; `after` is the last one seen."""
    after_gateway, after_account = after or (None, None)
    named: dict[str, object] = {"gateway": wanted.gateway, "book": wanted.book, "account": wanted.account}
    named |= {"closed": closed, "states": list(wanted.states) if wanted.states is not None else None, "limit": limit}
    named |= {"against": wanted.against}
    rows = connection.execute(_LIST, {**named, "after_gateway": after_gateway, "after": after_account})
    return [HoldingsRow(**row) for row in rows.mappings()]


def counts(connection: Connection, *, gateway: str | None, closed: datetime) -> list[tuple[str, str, int]]:
    """How many accounts of each book are in each state."""
    rows = connection.execute(_COUNTS, {"gateway": gateway, "closed": closed})
    return [(row.book, row.state, row.count) for row in rows]  # type: ignore[misc]


def snapshots(
    connection: Connection, *, gateway: str, account: str, as_of: datetime | None, limit: int
) -> list[SnapshotRow]:
    """The answers about an account known by then, newest first."""
    named = {"gateway": gateway, "account": account, "as_of": as_of, "limit": limit}
    return [SnapshotRow(**row) for row in connection.execute(_SNAPSHOTS, named).mappings()]


def body(connection: Connection, snapshot: int) -> bytes:
    """An answer as it came."""
    return bytes(connection.execute(_BODY, {"snapshot": snapshot}).scalar_one())


def funds(connection: Connection, snapshot: int, *, limit: int) -> list[FundRow]:
    """The mutual funds in an answer."""
    rows = connection.execute(_FUNDS, {"snapshot": snapshot, "limit": limit})
    return [FundRow(**row) for row in rows.mappings()]


def told_funds(
    connection: Connection, *, gateway: str | None, account: str | None, limit: int | None
) -> list[dict[str, Any]]:
    """Every row of every mutual-fund webhook, newest webhook first; one without rows is one row of nothing."""
    rows = connection.execute(_TOLD_FUNDS, {"gateway": gateway, "account": account, "limit": limit})
    return [dict(row) for row in rows.mappings()]


def fund_imports(connection: Connection, *, gateway: str | None, limit: int) -> list[FundImport]:
    """The mutual-fund webhooks that were taken in, newest first."""
    rows = connection.execute(_FUND_IMPORTS, {"gateway": gateway, "limit": limit})
    return [FundImport(**row) for row in rows.mappings()]


def smallcases(connection: Connection, snapshot: int, *, limit: int) -> list[SmallcaseRow]:
    """The smallcases in an answer."""
    rows = connection.execute(_SMALLCASES, {"snapshot": snapshot, "limit": limit})
    return [SmallcaseRow(**row) for row in rows.mappings()]


def attempts(connection: Connection, *, gateway: str, account: str, limit: int) -> list[Attempt]:
    """The newest attempts on an account, oldest first."""
    named = {"gateway": gateway, "account": account, "limit": limit}
    return [Attempt(**row) for row in connection.execute(_ATTEMPTS, named).mappings()]
