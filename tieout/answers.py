"""Stored answers, read and folded into what the Gateway says of one transaction (E)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Row

from gateway.wire import NoSuchTransaction, WireError, read_details, read_orders
from recon.history import fold
from recon.values import Answer, Snapshot, State

ABSENT = "absent"  #: the mark of an answer "no such transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All answers about one transaction, read."""

    state: State | None  #: None while no answer named it
    usable: tuple[tuple[Row, Snapshot], ...]  #: stored rows with what they say, oldest question first
    absent_at: tuple[datetime, ...]  #: when answers said "no such transaction", domain's clock

    @property
    def last_asked_at(self) -> datetime | None:
        """When the last question was asked whose details answer could be read, database's clock."""
        asked = [s.asked_at for row, s in self.usable if row.kind == "details"]
        return max(asked, default=None)


def read_answers(rows: Iterable[Row], transaction_id: str) -> Reading:
    """Read the stored answers of one transaction; what cannot be read concludes nothing."""
    usable: list[tuple[Row, Snapshot]] = []
    absent: list[datetime] = []
    for row in sorted(rows, key=lambda r: (r.asked_at, r.snapshot_id)):
        try:
            answer = _read(row, transaction_id, usable[-1][1].answer if usable else None)
        except NoSuchTransaction:
            absent.append(row.known_at)
            continue
        except WireError:
            continue
        if answer:
            usable.append((row, _snapshot(row, answer)))
    state = fold([snapshot for _, snapshot in usable]) if usable else None
    return Reading(state=state, usable=tuple(usable), absent_at=tuple(sorted(absent)))


def _read(row: Row, transaction_id: str, before: Answer | None) -> Answer | None:
    if row.mark == ABSENT:
        raise NoSuchTransaction(transaction_id)
    body = bytes(row.body)
    if row.kind == "details":
        return read_details(body, transaction_id)
    batches = read_orders(body).get(transaction_id)
    if batches is None:
        return None
    if before is None:  # order details are given only for what is COMPLETED
        return Answer(transaction_id=transaction_id, status="COMPLETED", batches=batches)
    return replace(before, batches=batches)


def _snapshot(row: Row, answer: Answer) -> Snapshot:
    ref = str(row.snapshot_id)
    return Snapshot(asked_at=row.asked_at, answered_at=row.answered_at, answer=answer, ref=ref)


def mark_of_newest(reading: Reading, rows: Sequence[Row]) -> tuple[Row, str] | None:
    """What the answer stored last brought, if that is not what its row says already.

    An answer that could not be read keeps the mark it was stored with.
    """
    newest = max(rows, key=lambda row: row.snapshot_id, default=None)
    for position, (row, snapshot) in enumerate(reading.usable):
        if row is newest:
            others = [s for _, s in reading.usable if s is not snapshot]
            before = reading.usable[position - 1][1] if position else None
            mark = _mark(snapshot, others, before)
            return (row, mark) if mark != row.mark else None
    return None


def _mark(snapshot: Snapshot, others: Iterable[Snapshot], before: Snapshot | None) -> str:
    if any(_overlap(snapshot, other) and other.answer != snapshot.answer for other in others):
        return "overlap"
    if any(other.asked_at > snapshot.asked_at for other in others):
        return "out-of-order"
    return "same" if before and before.answer == snapshot.answer else "news"


def _overlap(one: Snapshot, other: Snapshot) -> bool:
    return one.asked_at < other.answered_at and other.asked_at < one.answered_at
