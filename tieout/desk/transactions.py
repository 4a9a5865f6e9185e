"""Everything about one transaction: both sides, what was said, asked and found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from store import desk_breaks, desk_events, desk_queue, desk_transactions
from store.desk_breaks import StoredFinding
from store.desk_events import Attempt, Event, EventFilter, StoredAnswer
from store.desk_transactions import StoredBatch, StoredLine, StoredTransaction, StoredVerdict

LINES_MAX = 500
SHOWN_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One line of each side, or of one, and where it ended up."""

    ours: StoredLine | None
    theirs: StoredLine | None
    verdict: StoredVerdict | None
    findings: tuple[StoredFinding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTransaction:
    """One transaction whole."""

    transaction: StoredTransaction
    batches: tuple[StoredBatch, ...]
    pairs: tuple[Pair, ...]
    events: tuple[Event, ...]
    answers: tuple[StoredAnswer, ...]
    attempts: tuple[Attempt, ...]
    findings: tuple[StoredFinding, ...]

    @property
    def judged(self) -> bool:
        """Whether the verdicts count: nothing has changed since."""
        return self.transaction.judged


def show(engine: Engine, *, gateway: str, transaction_id: str) -> WholeTransaction | None:
    """One transaction whole, or None."""
    with engine.connect() as connection:
        found = desk_transactions.transaction(connection, gateway=gateway, transaction_id=transaction_id)
        return _whole(connection, found) if found else None


def _whole(connection: Connection, found: StoredTransaction) -> WholeTransaction:
    txn = found.txn
    findings = desk_breaks.findings_of(connection, txn=txn, limit=SHOWN_MAX * 5)
    wanted = EventFilter(gateway=found.gateway, transaction_id=found.transaction_id)
    return WholeTransaction(
        transaction=found,
        batches=tuple(desk_transactions.batches(connection, txn=txn)),
        pairs=pairs(
            desk_transactions.our_lines(connection, txn=txn, limit=LINES_MAX),
            desk_transactions.their_lines(connection, txn=txn, limit=LINES_MAX),
            desk_transactions.verdicts(connection, txn=txn, limit=LINES_MAX * 2),
            findings,
        ),
        events=tuple(desk_events.events(connection, wanted, limit=SHOWN_MAX)),
        answers=tuple(desk_events.snapshots(connection, txn=txn, limit=SHOWN_MAX)),
        attempts=tuple(desk_events.attempts(connection, txn=txn, limit=SHOWN_MAX)),
        findings=tuple(findings),
    )


def pairs(
    ours: Sequence[StoredLine],
    theirs: Sequence[StoredLine],
    verdicts: Sequence[StoredVerdict],
    findings: Sequence[StoredFinding],
) -> tuple[Pair, ...]:
    """Both sides' lines put beside each other as the verdicts pair them; each line appears once."""
    our, their = {line.line: line for line in ours}, {line.line: line for line in theirs}
    found: list[Pair] = []
    for verdict in verdicts:
        one = our.pop(verdict.ours, None) if verdict.ours else None
        other = their.pop(verdict.theirs, None) if verdict.theirs else None
        if one or other:
            found.append(_pair(one, other, verdict, findings))
    found += [_pair(line, None, None, findings) for line in our.values()]
    found += [_pair(None, line, None, findings) for line in their.values()]
    return tuple(found)


def _pair(
    ours: StoredLine | None,
    theirs: StoredLine | None,
    verdict: StoredVerdict | None,
    findings: Sequence[StoredFinding],
) -> Pair:
    mine = tuple(
        finding
        for finding in findings
        if finding.closed_at is None
        and ((ours and finding.ours_line == ours.line) or (theirs and finding.theirs_line == theirs.line))
    )
    return Pair(ours=ours, theirs=theirs, verdict=verdict, findings=mine)


def named(engine: Engine, typed: str) -> list[tuple[str, str]]:
    """Transactions, as (gateway, id), that this text names: as their id, or as an order of ours."""
    with engine.connect() as connection:
        gateways = [name for name, _ in desk_queue.known_gateways(connection)]
        return desk_transactions.named(connection, text_id=typed, gateways=gateways)
