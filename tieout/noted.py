"""What a case knows of contract notes and tradebooks, out of stored rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from recon.charges import COMPONENTS, Rate
from recon.noted import NoteLine, Notes, Traded
from store.notes import noted, rates, traded
from store.together import Record, together

_LEG = tuple(Traded.__slots__)
_RATE = tuple(Rate.__slots__)


def notes_from(connection: Connection, since: Mapping[int, Iterable[Record]]) -> dict[int, Notes]:
    """The notes of the transactions of whose account any ever came; `since` are the rows that say so, by txn."""
    txns = sorted(since)
    if not txns:
        return {}
    lines, legs, schedules = together(connection, noted(txns), traded(txns), rates())
    said, told = _by_txn(lines), _by_txn(legs)
    known = tuple(Rate(**{name: getattr(row, name) for name in _RATE}) for row in schedules)
    return {
        txn: Notes(
            lines=tuple(_line(row) for row in said[txn]),
            traded=tuple(Traded(**{name: getattr(row, name) for name in _LEG}) for row in told[txn]),
            since={row.broker: row.since for row in since[txn] if row.since is not None},
            rates=known,
        )
        for txn in txns
    }


def _line(row: Record) -> NoteLine:
    return NoteLine(
        kind=row.kind,
        note_id=row.note_id,
        broker=row.broker,
        trade_date=row.trade_date,
        exchange=row.exchange,
        symbol=row.symbol,
        instrument=row.instrument,
        side=row.side,
        quantity=row.quantity,
        price=row.price,
        exchange_order_id=row.exchange_order_id,
        charges={name: getattr(row, name) for name in COMPONENTS},
        net_amount=row.net_amount,
    )


def _by_txn(rows: Iterable[Record]) -> defaultdict[int, list[Record]]:
    found: defaultdict[int, list[Record]] = defaultdict(list)
    for row in rows:
        found[row.txn].append(row)
    return found
