"""What accounts hold, as people look at it: states with the next step, rows, and what was not understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine

from store import desk_holdings, holding_days
from store.desk_events import Attempt, Event, EventFilter, events
from store.desk_holdings import FundImport, FundRow, HoldingsFilter, HoldingsRow, SmallcaseRow, SnapshotRow
from store.holding_days import HeldLine
from store.holdings import StoredHolding, latest_lines
from tieout.desk.paging import Page, cut, read, written
from tieout.holding_states import NEXT_STEPS, STATES

__all__ = ["COLUMNS", "LINE_COLUMNS", "STATES", "HoldingsFilter", "HoldingsRow", "WholeAccount", "listing", "show"]

COLUMNS: Final = (
    *("account", "gateway", "book", "broker", "state", "as_at", "known_at", "next_fetch_at", "waits_for"),
    *("lines", "refused", "not_understood", "next_step"),
)
SHORT_COLUMNS: Final = ("account", "state", "as_at", "lines", "refused")
LINE_COLUMNS: Final = (
    *("isin", "nse_ticker", "bse_ticker", "name", "held", "held_average", "t1", "nse_quantity", "nse_average"),
    *("bse_quantity", "bse_average", "transactable", "smallcase", "collateral", "suspended_nse", "suspended_bse"),
)
FUND_COLUMNS: Final = (
    *("known_at", "gateway", "book", "account", "transaction_id", "event_id", "entry", "folio", "fund", "isin"),
    *("quantity", "average_price", "last_price", "dated", "amount", "words"),
)
SHORT_FUND_COLUMNS: Final = ("transaction_id", "entry", "fund", "quantity", "dated")
PAGE: Final = 100
SHOWN: Final = 100
ROWS: Final = 2000  #: of one account's securities, funds and smallcases each


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeAccount:
    """One account whole: how it stands, what it holds, how we know."""

    row: HoldingsRow
    next_step: str
    lines: tuple[StoredHolding, ...]
    funds: tuple[FundRow, ...]  #: of the newest readable answer
    told_funds: tuple[FundRow, ...]  #: of the newest mutual-fund webhook: evidence that no API confirms
    smallcases: tuple[SmallcaseRow, ...]
    investments: tuple[SmallcaseRow, ...]
    snapshots: tuple[SnapshotRow, ...]  #: newest first
    body: bytes | None  #: the newest answer about the holdings, as it came
    events: tuple[Event, ...]
    attempts: tuple[Attempt, ...]
    judged: tuple[HeldLine, ...] = ()  #: against the books, as of now only; what does not agree first

    @property
    def newest(self) -> SnapshotRow | None:
        """The newest answer about the holdings whose rows could be read."""
        return newest(self.snapshots, "equity")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many accounts of a book are in a state, and what that means."""

    book: str
    state: str
    count: int
    next_step: str


def listing(
    engine: Engine, wanted: HoldingsFilter, *, closed: datetime, limit: int | None
) -> Iterator[dict[str, object]]:
    """Accounts as rows, all of them unless narrowed; `closed` is the close that holdings must not be older than."""
    with engine.connect() as connection:
        yield from map(as_row, desk_holdings.listing(connection, wanted, closed=closed, limit=limit))


def page(engine: Engine, wanted: HoldingsFilter, *, closed: datetime, after: str | None) -> Page[HoldingsRow]:
    """One page of accounts. Raises `BadCursorError`."""
    last = read(after, 2)
    seen = (last[0], last[1]) if last else None
    with engine.connect() as connection:
        rows = desk_holdings.listing(connection, wanted, closed=closed, after=seen, limit=PAGE + 1)
    kept, more = cut(rows, PAGE)
    return Page(rows=kept, after=written(more.gateway, more.account) if more else None)


def counts(engine: Engine, *, gateway: str | None, closed: datetime) -> list[StateCount]:
    """How many accounts are in each state, in the order in which states are told."""
    with engine.connect() as connection:
        found = desk_holdings.counts(connection, gateway=gateway, closed=closed)
    known = [each for each in found if each[1] in STATES]
    return [
        StateCount(book=book, state=state, count=count, next_step=next_step(state))
        for book, state, count in sorted(known, key=lambda each: (each[0], STATES.index(each[1])))
    ]


def show(
    engine: Engine, account: str, *, gateway: str | None, closed: datetime, as_of: datetime | None = None
) -> WholeAccount | None:
    """One account whole, its rows as known at `as_of`; None if nobody named it yet."""
    wanted = HoldingsFilter(gateway=gateway, account=account)
    with engine.connect() as connection:
        found = desk_holdings.listing(connection, wanted, closed=closed, limit=1)
        return _whole(connection, found[0], as_of) if found else None


def told_funds(
    engine: Engine, *, gateway: str | None, account: str | None, limit: int | None
) -> Iterator[dict[str, object]]:
    """Every row that a mutual-fund webhook told, newest webhook first: evidence that no API confirms."""
    with engine.connect() as connection:
        yield from desk_holdings.told_funds(connection, gateway=gateway, account=account, limit=limit)


def fund_imports(engine: Engine, *, gateway: str | None) -> list[FundImport]:
    """The newest mutual-fund webhooks that were taken in."""
    with engine.connect() as connection:
        return desk_holdings.fund_imports(connection, gateway=gateway, limit=SHOWN)


def next_step(state: str) -> str:
    """What a person can do about a state, in words."""
    return NEXT_STEPS.get(state, "")


def as_row(row: HoldingsRow) -> dict[str, object]:
    """An account as listings show it."""
    return {name: next_step(row.state) if name == "next_step" else getattr(row, name) for name in COLUMNS}


def as_line(line: StoredHolding) -> dict[str, object]:
    """A security as listings show it."""
    return {name: getattr(line, name) for name in LINE_COLUMNS}


def as_judged(line: HeldLine) -> dict[str, object]:
    """How a line of descent stands against the books; the parts add up to the difference."""
    named = {name: getattr(line, name) for name in ("isin", "trade_date", "bucket", "internal", "shown", "difference")}
    return {**named, "parts": [asdict(part) for part in line.parts]}


def as_object(whole: WholeAccount) -> dict[str, object]:
    """An account whole, as one object for machines."""
    return {
        **as_row(whole.row),
        "securities": [as_line(line) for line in whole.lines],
        "reconciled": [as_judged(line) for line in whole.judged],
        "mutual_funds": [asdict(fund) for fund in whole.funds],
        "mutual_funds_told": [asdict(fund) for fund in whole.told_funds],
        "smallcases": [asdict(smallcase) for smallcase in whole.smallcases],
        "investments": [asdict(smallcase) for smallcase in whole.investments],
        "not_understood_keys": [each for s in (whole.newest,) if s for each in s.not_understood],
        "answers": [
            {name: getattr(s, name) for name in ("kind", "source", "state", "known_at", "http_status", "lines")}
            for s in whole.snapshots
        ],
    }


def newest(snapshots: Sequence[SnapshotRow], kind: str) -> SnapshotRow | None:
    """The newest of that kind whose rows could be read."""
    return next((each for each in snapshots if each.kind == kind and each.lines_in is not None), None)


def _whole(connection: Connection, row: HoldingsRow, as_of: datetime | None) -> WholeAccount:
    named = {"gateway": row.gateway, "account": row.account}
    snapshots = desk_holdings.snapshots(connection, **named, as_of=as_of, limit=SHOWN)
    equity, told, invested = (newest(snapshots, kind) for kind in ("equity", "mf", "investments"))
    last = next((each for each in snapshots if each.kind == "equity"), None)
    told_by = EventFilter(gateway=row.gateway, account=row.account)
    return WholeAccount(
        row=row,
        next_step=next_step(row.state),
        lines=tuple(latest_lines(connection, gateway=row.gateway, accounts=[row.account], as_of=as_of)),
        funds=_funds(connection, equity),
        told_funds=_funds(connection, told),
        smallcases=_smallcases(connection, equity),
        investments=_smallcases(connection, invested),
        snapshots=tuple(snapshots),
        body=desk_holdings.body(connection, last.snapshot_id) if last else None,
        events=tuple(e for e in events(connection, told_by, limit=SHOWN) if e.family.endswith("holdings")),
        attempts=tuple(desk_holdings.attempts(connection, **named, limit=SHOWN)),
        judged=tuple(holding_days.lines(connection, gateway=row.gateway, account=row.account)) if as_of is None else (),
    )


def _funds(connection: Connection, snapshot: SnapshotRow | None) -> tuple[FundRow, ...]:
    if snapshot is None or snapshot.lines_in is None:
        return ()
    return tuple(desk_holdings.funds(connection, snapshot.lines_in, limit=ROWS))


def _smallcases(connection: Connection, snapshot: SnapshotRow | None) -> tuple[SmallcaseRow, ...]:
    if snapshot is None or snapshot.lines_in is None:
        return ()
    return tuple(desk_holdings.smallcases(connection, snapshot.lines_in, limit=ROWS))
