"""What differs, for people: listed with its severity, and one with everything behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine

from recon.lines import plain_text
from store import desk_breaks, desk_events, desk_transactions, holding_days
from store.desk_breaks import Change, Cursor, FindingFilter, NamedCount, Sort, StoredFinding, Total
from store.desk_events import StoredAnswer
from store.desk_transactions import LineVersion, StoredLine, StoredTransaction
from store.holding_days import HeldLine
from tieout.desk import costs
from tieout.desk.evidence import Proof, proofs
from tieout.desk.paging import BadCursorError, Page, read, written
from tieout.desk.rupees import rupees, told

PAGE = 50
CHUNK = 200
LOOKED_AT_MAX = 4000  #: findings read for one page when a severity is asked for
SHOWN_MAX = 100

STATES = ("break", "pending", "note", "closed")
SEVERITIES = ("critical", "high", "medium", "low", "info")
COLUMNS = (
    "break",
    "name",
    "severity",
    "state",
    "transaction_id",
    "line",
    "field",
    "ours",
    "theirs",
    "difference",
    "impact_inr",
    "rule",
    "opened_at",
)

#: What fits on a terminal; the rest is in --json and on the pages.
SHORT_COLUMNS = ("name", "severity", "symbol", "line", "ours", "theirs", "impact_inr")

Severity = Callable[[StoredFinding], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One finding with its severity as of now."""

    finding: StoredFinding
    severity: str

    @property
    def tolerance_used(self) -> Decimal | None:
        """The difference as percent of the tolerance; None where there is none."""
        return used(self.finding.difference, self.finding.tolerance)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeBreak:
    """One finding with both sides, its life and its proof."""

    row: Break
    transaction: StoredTransaction | None
    ours: StoredLine | None
    theirs: StoredLine | None
    versions: tuple[LineVersion, ...]
    changes: tuple[Change, ...]
    proofs: tuple[Proof, ...]
    answer: StoredAnswer | None  #: the newest answer about its transaction
    held: HeldLine | None = None  #: of holdings: the line as it was judged last
    cost: str | None = None  #: of an average cost: what our orders come to by each method


def used(difference: Decimal | None, tolerance: Decimal | None) -> Decimal | None:
    """How much of the tolerance the difference takes, in percent; None without a tolerance."""
    if difference is None or not tolerance:
        return None
    return (abs(difference) / tolerance * 100).quantize(Decimal(1))


def search(
    engine: Engine,
    wanted: FindingFilter,
    *,
    severity_of: Severity,
    severity: str | None = None,
    sort: Sort = "impact",
    after: str | None = None,
    limit: int = PAGE,
) -> Page[Break]:
    """One page of findings. Raises `BadCursorError`.

    Severity is told when read, so a page of one severity reads on until it is full, at most
    `LOOKED_AT_MAX` rows; it may be short and still have a next page.
    """
    cursor, looked_at = _cursor(after, sort), 0
    kept: list[Break] = []
    with engine.connect() as connection:
        while looked_at < LOOKED_AT_MAX:
            found = desk_breaks.findings(connection, wanted, limit=CHUNK, sort=sort, after=cursor)
            looked_at += len(found)
            for finding in found:
                cursor = _cursor_of(finding, sort)
                if severity is None or severity_of(finding) == severity:
                    kept.append(Break(finding=finding, severity=severity_of(finding)))
                if len(kept) > limit:
                    last = _cursor_of(kept[limit - 1].finding, sort)
                    return Page(rows=tuple(kept[:limit]), after=written(*last))
            if len(found) < CHUNK:
                return Page(rows=tuple(kept))
    return Page(rows=tuple(kept), after=written(*cursor) if cursor else None)


def _cursor_of(finding: StoredFinding, sort: Sort) -> Cursor:
    return (finding.impact_inr if sort == "impact" else finding.opened_at, finding.finding_id)


def _cursor(after: str | None, sort: Sort) -> Cursor | None:
    parts = read(after, 2)
    if parts is None:
        return None
    try:
        value = Decimal(parts[0]) if sort == "impact" else datetime.fromisoformat(parts[0])
        return value, UUID(parts[1])
    except (ValueError, InvalidOperation):
        raise BadCursorError from None


class Connects(Protocol):
    """An engine, or what lends one connection again and again."""

    def connect(self) -> AbstractContextManager[Connection]:
        """A connection to read on."""
        ...


def listing(
    engine: Connects,
    wanted: FindingFilter,
    *,
    severity_of: Severity,
    severity: str | None = None,
    sort: Sort = "impact",
    limit: int | None = None,
    for_people: bool = False,
) -> Iterator[dict[str, object]]:
    """Findings for machines, or as a terminal shows them; all of them unless limited; read in chunks."""
    cursor: Cursor | None = None
    shown = 0
    while limit is None or shown < limit:
        with engine.connect() as connection:
            found = desk_breaks.findings(connection, wanted, limit=CHUNK, sort=sort, after=cursor)
        for finding in found:
            found_so = Break(finding=finding, severity=severity_of(finding))
            row = as_short_row(found_so) if for_people else as_row(found_so)
            if (severity is None or row["severity"] == severity) and (limit is None or shown < limit):
                shown += 1
                yield row
        if len(found) < CHUNK:
            return
        cursor = _cursor_of(found[-1], sort)


def as_row(row: Break) -> dict[str, object]:
    """A finding as listings print it."""
    finding = row.finding
    shown: dict[str, object] = {
        "break": finding.finding_id,
        "name": finding.name,
        "severity": row.severity,
        "state": finding.state,
    }
    return {**shown, **{name: _exactly(getattr(finding, name)) for name in COLUMNS[4:]}}


def as_short_row(row: Break) -> dict[str, object]:
    """A finding as a terminal shows it: numbers as people in India read them."""
    finding = row.finding
    values = {side: told(finding.field, getattr(finding, side)) for side in ("ours", "theirs")}
    line, impact = finding.line or finding.account or finding.transaction_id, rupees(finding.impact_inr)
    named = {"name": finding.name, "severity": row.severity, "state": finding.state, "symbol": finding.symbol}
    return {**named, "line": line, **values, "impact_inr": impact}


def _exactly(value: object) -> object:
    return plain_text(value) if isinstance(value, Decimal) else value


def show(engine: Engine, finding_id: UUID, *, severity_of: Severity) -> WholeBreak | None:
    """One finding whole, or None."""
    with engine.connect() as connection:
        finding = desk_breaks.finding(connection, finding_id=finding_id)
        return _whole(connection, finding, severity_of(finding)) if finding else None


def _whole(connection: Connection, finding: StoredFinding, severity: str) -> WholeBreak:
    answers = desk_events.snapshots(connection, txn=finding.txn, limit=1) if finding.txn is not None else []
    line, held = finding.ours_line, _held(connection, finding)
    return WholeBreak(
        row=Break(finding=finding, severity=severity),
        transaction=_transaction(connection, finding),
        ours=desk_transactions.our_line(connection, line=line) if line else None,
        theirs=desk_transactions.their_line(connection, line=finding.theirs_line) if finding.theirs_line else None,
        versions=tuple(desk_transactions.versions(connection, line=line, limit=SHOWN_MAX)) if line else (),
        changes=tuple(desk_breaks.changes(connection, finding_id=finding.finding_id, limit=SHOWN_MAX)),
        proofs=tuple(proofs(connection, finding)),
        answer=answers[-1] if answers else None,
        held=held,
        cost=costs.why(connection, finding, held),
    )


def _held(connection: Connection, finding: StoredFinding) -> HeldLine | None:
    if finding.account is None:
        return None
    named = {"gateway": finding.gateway, "account": finding.account, "isin": finding.isin}
    return next(iter(holding_days.lines(connection, **named)), None)  # type: ignore[arg-type]


def _transaction(connection: Connection, finding: StoredFinding) -> StoredTransaction | None:
    if (named := finding.transaction_id) is None:
        return None
    return desk_transactions.transaction(connection, gateway=finding.gateway, transaction_id=named)


def total(engine: Connects, wanted: FindingFilter) -> Total:
    """How many findings these filters leave in all, and what they may cost; of whatever severity."""
    with engine.connect() as connection:
        return desk_breaks.total(connection, wanted)


def by_name(engine: Engine, *, gateway: str | None = None, trade_date: date | None = None) -> list[NamedCount]:
    """Open findings by name, of one day or of all."""
    with engine.connect() as connection:
        return desk_breaks.counts_by_name(connection, gateway=gateway, trade_date=trade_date)


def costliest_first(names: Sequence[NamedCount]) -> list[NamedCount]:
    """Breaks before what is pending before notes, each by what they may cost."""
    return sorted(names, key=lambda n: (STATES.index(n.finding_class), -n.impact_inr, -n.count, n.name))
