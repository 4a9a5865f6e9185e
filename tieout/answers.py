"""Stored answers, read and folded into what the Gateway says of one transaction (E)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from gateway.wire import Nonsense, NoSuchTransaction, WireError, read_details, read_orders
from recon.history import trace
from recon.values import Answer, Evidence, Snapshot, State
from store.together import Record

ABSENT = "absent"  #: the mark of an answer "no such transaction"
UNCLEAR = "unclear"  #: of one after which an order may exist all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All answers about one transaction, read."""

    state: State | None  #: None while no answer named it
    usable: tuple[tuple[Record, Snapshot], ...]  #: stored rows with what they say, oldest question first
    marks: tuple[str, ...]  #: what each of those brought
    absent_at: tuple[datetime, ...]  #: when answers said "no such transaction", domain's clock
    unreadable: tuple[Evidence, ...] = ()  #: kept answers that no version of the Gateway would give

    @property
    def last_asked_at(self) -> datetime | None:
        """When the last question was asked whose details answer could be read, database's clock."""
        asked = [s.asked_at for row, s in self.usable if row.kind == "details"]
        return max(asked, default=None)

    def new_marks(self) -> list[tuple[Record, str]]:
        """The stored rows that should bear another mark than they do; what is unclear stays so."""
        marked = zip(self.usable, self.marks, strict=True)
        return [(row, mark) for (row, _), mark in marked if row.mark not in {mark, UNCLEAR}]


def read_answers(rows: Iterable[Record], transaction_id: str) -> Reading:
    """Read the stored answers of one transaction; what cannot be read concludes nothing."""
    usable: list[tuple[Record, Snapshot]] = []
    absent: list[datetime] = []
    unreadable: list[Evidence] = []
    for row in sorted(rows, key=lambda r: (r.asked_at, r.snapshot_id)):
        try:
            answer = _read(row, transaction_id, usable[-1][1].answer if usable else None)
        except NoSuchTransaction:
            absent.append(row.known_at)
            continue
        except Nonsense as error:
            unreadable.append(Evidence(kind="snapshot", ref=str(row.snapshot_id), says=str(error)))
            continue
        except WireError:
            continue
        if answer:
            usable.append((row, _snapshot(row, answer)))
    history = trace([snapshot for _, snapshot in usable]) if usable else None
    return Reading(
        state=history.state if history else None,
        usable=tuple(usable),
        marks=tuple(mark.value for mark in history.marks) if history else (),
        absent_at=tuple(sorted(absent)),
        unreadable=tuple(unreadable),
    )


def _read(row: Record, transaction_id: str, before: Answer | None) -> Answer | None:
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


def _snapshot(row: Record, answer: Answer) -> Snapshot:
    ref = str(row.snapshot_id)
    return Snapshot(asked_at=row.asked_at, answered_at=row.answered_at, answer=answer, ref=ref)
