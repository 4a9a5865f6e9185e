"""Cases: everything known about each of many transactions, loaded with a handful of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection

from gateway.wire import Nonsense, read_webhook
from recon.numbers import NotANumberError, exact
from recon.values import ZERO, Batch, Case, Claim, Evidence, Leg, Origin, OurLine, TheirLine
from store.beside import beside, siblings
from store.claims import claims, held_claims
from store.lines import our_lines
from store.notes import notes_since
from store.prices import prices_of
from store.states import snapshots, their_lines
from store.together import Record, rows_of, together
from tieout.answers import Reading, read_answers
from tieout.beside import with_the_rest
from tieout.noted import notes_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A case with the row it was loaded from: `txn`, `rev`, `book`, `quiet` and the rest."""

    row: Record
    case: Case
    prices: tuple[Record, ...] = ()  #: what is known of ticks, lows and highs of its lines


def load_cases(
    connection: Connection, rows: Sequence[Record], *, readings: Mapping[int, Reading] | None = None
) -> list[Loaded]:
    """The cases of these transactions' locked rows; `readings` are answers already read."""
    if not rows:
        return []
    read = {**(readings or {})}
    unread = [row for row in rows if row.txn not in read]
    txns = [row.txn for row in rows]
    found = together(
        connection,
        their_lines(txns),
        our_lines(txns),
        claims(txns),
        held_claims(txns),
        beside(txns),
        snapshots([row.txn for row in unread]),
        prices_of(txns),
        notes_since(txns),
    )
    theirs, ours, claimed, held, known, answers, prices, since = (_by_txn(part) for part in found)
    notes = notes_from(connection, since)
    read |= {row.txn: read_answers(answers[row.txn], row.transaction_id) for row in unread}
    chained = [txn for txn in txns if any(row.chained for row in known[txn])]
    chains = _by_txn(rows_of(connection, siblings(chained)) if chained else ())
    return [
        Loaded(
            row=row,
            case=with_the_rest(
                case_of(row, read[row.txn], theirs[row.txn], ours[row.txn], claimed[row.txn]),
                known[row.txn],
                chains[row.txn],
                read[row.txn].unreadable,
                notes.get(row.txn),
                held[row.txn],
            ),
            prices=tuple(prices[row.txn]),
        )
        for row in rows
    ]


def case_of(
    row: Record,
    reading: Reading,
    theirs: Iterable[Record],
    ours: Iterable[Record],
    claimed: Iterable[Record],
) -> Case:
    """One case out of stored rows."""
    return Case(
        gateway=row.gateway,
        transaction_id=row.transaction_id,
        origin=Origin(row.origin),
        state=reading.state,
        theirs=tuple(_their_line(line) for line in theirs),
        ours=tuple(_our_line(line) for line in ours),
        claims=claims_from(claimed, reading.last_asked_at),
        absent_at=reading.absent_at,
        registered_at=row.registered_at,
        expire_at=row.expire_at,
        requested=requested_from(row.requested),
        unreadable=unreadable_from(claimed),
    )


def claims_from(rows: Iterable[Record], last_asked_at: datetime | None) -> tuple[Claim, ...]:
    """What the webhooks claimed, in the order they came; one that names no batch, or cannot be read, claims nothing."""
    return tuple(
        claim
        for order, row in enumerate(rows)
        if (claim := _claim(row, order, asked_after=last_asked_at is not None and last_asked_at > row.stored_at))
    )


def unreadable_from(rows: Iterable[Record]) -> tuple[Evidence, ...]:
    """The verified webhooks that no version of the Gateway would send, in the order they came."""
    return tuple(
        Evidence(kind="event", ref=str(row.event_id), says=read)
        for row in rows
        if isinstance(read := _read_webhook(row), str)
    )


def _read_webhook(row: Record) -> tuple[str | None, str | None, Batch | None] | str:
    """What it says, or why that cannot be read."""
    return _read(bytes(row.body))


@lru_cache(maxsize=64)  # asked for twice in a row: what it claims, and whether it can be read
def _read(body: bytes) -> tuple[str | None, str | None, Batch | None] | str:
    try:
        return read_webhook(body)
    except Nonsense as error:
        return str(error)


def _claim(row: Record, order: int, *, asked_after: bool) -> Claim | None:
    read = _read_webhook(row)
    account, _, batch = (None, None, None) if isinstance(read, str) else read
    if batch is None:
        return None
    return Claim(
        event_id=str(row.event_id),
        received_at=row.received_at,
        asked_after=asked_after,
        account=account,
        batch=batch,
        order=order,
    )


def requested_from(stored: object) -> tuple[Leg, ...]:
    """The basket kept when the transaction was registered: a list of exchange, symbol, side, quantity."""
    legs = stored if isinstance(stored, list) else []
    return tuple(leg for entry in legs if isinstance(entry, dict) and (leg := _requested(entry)))


def _requested(entry: Mapping[str, object]) -> Leg | None:
    try:
        quantity = exact(str(entry["quantity"]))
        symbol, side = str(entry["symbol"]), str(entry["side"])
    except (KeyError, NotANumberError):
        return None
    return Leg(
        placed=False,
        exchange=str(entry.get("exchange") or "NSE").upper(),
        symbol=symbol.upper(),
        side=side.upper(),
        quantity=quantity,
        filled=ZERO,
        average_price=None,
        status="",
    )


def _their_line(row: Record) -> TheirLine:
    return TheirLine(
        line=row.line,
        batch_id=row.batch_id,
        leg=leg_of(row),
        instrument=row.instrument,
        trade_date=row.trade_date,
    )


def leg_of(row: Record) -> Leg:
    """The leg of a stored line."""
    return Leg(
        placed=row.placed,
        exchange=row.exchange,
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        filled=row.filled,
        average_price=row.average_price,
        status=row.status,
        exchange_order_id=row.exchange_order_id,
        order_type=row.order_type,
        product=row.product,
    )


def _our_line(row: Record) -> OurLine:
    return OurLine(
        line=row.line,
        order_id=row.order_id,
        account=row.account,
        trade_date=row.trade_date,
        exchange=row.exchange,
        symbol=row.symbol,
        instrument=row.instrument,
        side=row.side,
        quantity=row.quantity,
        filled=row.filled,
        average_price=row.average_price,
        status=row.status,
        batch_id=row.batch_id,
        exchange_order_id=row.exchange_order_id,
        broker=row.broker,
        executed_at=row.executed_at,
    )


def _by_txn(rows: Iterable[Record]) -> defaultdict[int, list[Record]]:
    found: defaultdict[int, list[Record]] = defaultdict(list)
    for row in rows:
        found[row.txn].append(row)
    return found
