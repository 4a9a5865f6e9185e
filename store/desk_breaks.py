"""Findings for people: listed by impact or by age, and one with everything behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Select, and_, func, or_, select, tuple_

from store.schema import finding_changes as _changes
from store.schema import findings as _findings
from store.schema import instruments as _instruments
from store.schema import our_lines as _ours
from store.schema import their_lines as _theirs
from store.schema import unjudged as _unjudged

Sort = Literal["impact", "age"]
Cursor = tuple[Decimal | datetime, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFilter:
    """What to look for; None means any. `states` are break, pending, note, closed."""

    states: tuple[str, ...] = ("break",)
    gateway: str | None = None
    trade_date: date | None = None
    name: str | None = None
    transaction_id: str | None = None
    search: str | None = None  #: part of a line, subject, batch, transaction or of either value; a whole symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """One finding as it stands."""

    finding_id: UUID
    txn: int | None  #: None: about what an account holds
    gateway: str
    book: str
    transaction_id: str | None
    account: str | None  #: of holdings: whose
    isin: str | None  #: of holdings: of which line of descent
    root: UUID | None  #: the finding that is the cause of this one
    name: str
    finding_class: str
    level: str
    subject: str
    line: str | None
    batch_id: str | None
    field: str
    ours: str | None
    theirs: str | None
    difference: Decimal | None
    tolerance: Decimal | None
    impact_inr: Decimal
    slack_inr: Decimal  #: rupees of the rule set's slack that the match used, beyond rounding
    critical: bool
    rule: str
    rule_set: str
    cause: str | None
    evidence: Any
    ours_line: int | None
    theirs_line: int | None
    trade_date: date
    rev: int
    opened_at: datetime
    closed_at: datetime | None
    reopened: int
    current: bool  #: nothing of its transaction changed since it was judged
    stands_since: datetime  #: when it was opened, or opened again, last
    symbol: str | None = None  #: of its line on either side, else of its ISIN

    @property
    def state(self) -> str:
        """`break`, `pending` or `note` while open, else `closed`."""
        return "closed" if self.closed_at else self.finding_class


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step in the life of a finding."""

    at: datetime
    change: str
    rev: int
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCount:
    """How many open findings of a day have one name, and what they may cost."""

    name: str
    finding_class: str
    count: int
    impact_inr: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many findings a filter leaves, and the sum of their impact."""

    count: int
    impact_inr: Decimal


def findings(
    connection: Connection,
    wanted: FindingFilter,
    *,
    limit: int,
    sort: Sort = "impact",
    after: Cursor | None = None,
) -> list[StoredFinding]:
    """Findings, largest impact or greatest age first; `after` is that value and id of the last seen."""
    table = _findings.c
    query = _narrowed(_selected(), wanted).limit(limit)
    if sort == "impact":
        query = query.order_by(table.impact_inr.desc(), table.finding_id.desc())
        order: Any = tuple_(table.impact_inr, table.finding_id)
        query = query.where(order < after) if after else query
    else:
        query = query.order_by(table.opened_at, table.finding_id)
        order = tuple_(table.opened_at, table.finding_id)
        query = query.where(order > after) if after else query
    return [StoredFinding(**row) for row in connection.execute(query).mappings()]


def findings_of(connection: Connection, *, txn: int, limit: int) -> list[StoredFinding]:
    """All findings of one transaction, open ones first."""
    query = _selected().where(_findings.c.txn == txn)
    query = query.order_by(_findings.c.closed_at.desc().nulls_first(), _findings.c.name, _findings.c.finding_id)
    return [StoredFinding(**row) for row in connection.execute(query.limit(limit)).mappings()]


def finding(connection: Connection, *, finding_id: UUID) -> StoredFinding | None:
    """One finding, or None."""
    query = _selected().where(_findings.c.finding_id == finding_id)
    row = connection.execute(query).mappings().one_or_none()
    return StoredFinding(**row) if row else None


def _selected() -> Select[Any]:
    columns = [column for column in _findings.c if column.name != "class"]
    current = ~select(_unjudged.c.txn).where(_unjudged.c.txn == _findings.c.txn).exists()
    again = select(func.max(_changes.c.at)).where(
        _changes.c.finding_id == _findings.c.finding_id, _changes.c.change == "reopened", _findings.c.reopened > 0
    )
    since = func.coalesce(again.scalar_subquery(), _findings.c.opened_at).label("stands_since")
    kind, known = _findings.c["class"].label("finding_class"), current.label("current")
    return select(*columns, kind, known, since, _symbol().label("symbol"))


def _symbol() -> Any:
    """What the line of a finding is called: by our books, else by the Gateway, else its ISIN by its newest listing."""
    ours = select(_ours.c.symbol).where(_ours.c.line == _findings.c.ours_line)
    theirs = select(_theirs.c.symbol).where(_theirs.c.line == _findings.c.theirs_line)
    listed = select(_instruments.c.symbol).where(_instruments.c.isin == _findings.c.isin)
    newest = listed.order_by(_instruments.c.valid_from.desc()).limit(1)
    return func.coalesce(*(query.scalar_subquery() for query in (ours, theirs, newest)))


def _narrowed(query: Select[Any], wanted: FindingFilter) -> Select[Any]:
    table = _findings.c
    for name in ("gateway", "trade_date", "name", "transaction_id"):
        if (value := getattr(wanted, name)) is not None:
            query = query.where(table[name] == value)
    classes = [state for state in wanted.states if state != "closed"]
    by_state: list[Any] = [and_(table["class"].in_(classes), table.closed_at.is_(None))] if classes else []
    if "closed" in wanted.states:
        by_state.append(table.closed_at.is_not(None))
    query = query.where(or_(*by_state))
    return query.where(_holds(wanted.search)) if wanted.search else query


def _holds(search: str) -> Any:
    names = ("line", "subject", "batch_id", "transaction_id", "account", "isin", "ours", "theirs", "cause")
    told = or_(*(_findings.c[name].icontains(search, autoescape=True) for name in names))
    return or_(told, _symbol() == search.upper())


def total(connection: Connection, wanted: FindingFilter) -> Total:
    """How many findings there are to look at, and what all of them may cost."""
    query = select(func.count().label("count"), func.coalesce(func.sum(_findings.c.impact_inr), 0).label("impact_inr"))
    row = connection.execute(_narrowed(query.select_from(_findings), wanted)).one()
    return Total(count=row._mapping["count"], impact_inr=row.impact_inr)


def changes(connection: Connection, *, finding_id: UUID, limit: int) -> list[Change]:
    """The life of one finding, first step first."""
    columns = [_changes.c[name] for name in Change.__slots__]
    query = select(*columns).where(_changes.c.finding_id == finding_id).order_by(_changes.c.change_id)
    return [Change(**row) for row in connection.execute(query.limit(limit)).mappings()]


def counts_by_name(
    connection: Connection, *, gateway: str | None = None, trade_date: date | None = None
) -> list[NamedCount]:
    """Open findings by name, of one day or of all, with the sum of their impact."""
    table = _findings.c
    query = select(
        table.name,
        table["class"].label("finding_class"),
        func.count().label("count"),
        func.sum(table.impact_inr).label("impact_inr"),
    ).where(table.closed_at.is_(None))
    if gateway:
        query = query.where(table.gateway == gateway)
    if trade_date:
        query = query.where(table.trade_date == trade_date)
    rows = connection.execute(query.group_by(table.name, table["class"]).order_by(table["class"], table.name))
    return [NamedCount(**row._asdict()) for row in rows]
