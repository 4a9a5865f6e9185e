"""Everything stored about each transaction of a day, one transaction after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from verify.answers import Answer, Leg, Stored, together
from verify.closes import Close
from verify.database import Reader
from verify.tables import VERDICTS, about

Record = Any  #: a row as a named tuple

_TRANSACTIONS = """
select txn, transaction_id from transactions where txn in (select txn from about) order by txn
"""
_ANSWERS = """
select txn, kind, asked_at, answered_at, body, mark from snapshots where txn in (select txn from about)
order by txn, asked_at, snapshot_id
"""
_THEIRS = """
select txn, line, batch_id, placed, position, exchange, symbol, instrument, side, quantity, filled,
  average_price, status, exchange_order_id, trade_date
from their_lines where txn in (select txn from about) order by txn, line
"""
_OURS = """
select coalesce(o.txn, 0) as txn, o.line, o.order_id, o.account, o.trade_date, o.exchange, o.symbol, o.instrument,
  o.side, o.quantity, o.filled, o.average_price, o.status, o.batch_id, o.exchange_order_id, o.broker, v.raw
from our_lines o left join line_versions v on v.line = o.line and v.version = o.version
where o.line in (select line from booked) order by 1, 2
"""
_VERDICTS = f"""
select coalesce(txn, 0) as txn, ours, theirs, bucket, trade_date, rung, members from {VERDICTS} v
order by 1, ours, theirs
"""
_FINDINGS = """
select txn, finding_id::text as key, name, class as kind, level, field, ours, theirs, difference,
  ours_line, theirs_line
from findings where txn in (select txn from about) and closed_at is null order by txn, finding_id
"""


@dataclass(slots=True)
class Told:
    """One transaction; or, without an id, the lines of the books that name none."""

    transaction_id: str | None
    ours: dict[int, Record] = field(default_factory=dict)
    theirs: dict[int, Record] = field(default_factory=dict)
    verdicts: list[Record] = field(default_factory=list)
    findings: list[Record] = field(default_factory=list)
    answer: Answer | None = None  #: None where the answers together are not plain
    legs: dict[tuple[str, bool, int], Leg] = field(default_factory=dict)

    def leg(self, line: int) -> Leg:
        """That line of theirs as its answer states it; as it is stored where the answers are not plain."""
        row = self.theirs[line]
        return self.legs.get(place(row)) or stored_leg(row)


def place(row: Record) -> tuple[str, bool, int]:
    """Where a stored leg stands in its answer."""
    return (row.batch_id, row.placed, row.position)


def stored_leg(row: Record) -> Leg:
    """A leg as it is stored."""
    return Leg(
        place=place(row),
        exchange=row.exchange,
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        filled=row.filled,
        price=row.average_price,
        status=row.status,
        exchange_id=row.exchange_order_id,
        reached=row.placed,
    )


def every(reader: Reader, close: Close) -> Iterator[Told]:
    """All of the day, the lines that name no transaction first."""
    asked = {
        name: _Beside(reader.records(about() + query, **close.scope))
        for name, query in (
            ("answers", _ANSWERS), ("theirs", _THEIRS), ("ours", _OURS), ("verdicts", _VERDICTS),
            ("findings", _FINDINGS),
        )
    }  # fmt: skip
    yield _told(None, 0, asked)
    for row in reader.records(about() + _TRANSACTIONS, **close.scope):
        yield _told(row.transaction_id, row.txn, asked)


def _told(transaction_id: str | None, txn: int, asked: dict[str, _Beside]) -> Told:
    stored = [Stored(r.kind, r.asked_at, r.answered_at, bytes(r.body), r.mark) for r in asked["answers"].take(txn)]
    answer = together(stored, transaction_id) if transaction_id else None
    return Told(
        transaction_id=transaction_id,
        ours={row.line: row for row in asked["ours"].take(txn)},
        theirs={row.line: row for row in asked["theirs"].take(txn)},
        verdicts=asked["verdicts"].take(txn),
        findings=asked["findings"].take(txn),
        answer=answer,
        legs={leg.place: leg for leg in answer.legs} if answer else {},
    )


class _Beside:
    """A stream of rows in order of `txn`, taken transaction by transaction."""

    def __init__(self, rows: Iterator[Record]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def take(self, txn: int) -> list[Record]:
        """The rows of that transaction; those of earlier ones are passed over."""
        found = []
        while self._next is not None and self._next.txn <= txn:
            if self._next.txn == txn:
                found.append(self._next)
            self._next = next(self._rows, None)
        return found
