"""E: what the Gateway's answers say of one transaction, derived anew from all of them and stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from recon.chains import is_repair, iscid_of
from recon.ends import answer_is_final, excludes_an_order, has_expired
from recon.judge import plain_theirs
from recon.lines import broker_of, facts_of_theirs, key_of, trade_date_of
from recon.moves import may_follow
from recon.values import Answer, Batch, Case, Leg, Origin, State, TheirLine
from store.beside import raise_siblings
from store.lines import isins_of, read_isins
from store.notes import any_note, raise_noted
from store.prices import Facts, prices_on, read_prices
from store.states import BATCH, STATED, locked, mark, snapshots, stated
from store.together import Record, together
from tieout.alert import alert
from tieout.answers import Reading, read_answers
from tieout.follow import CLOCKS_DIFFER, LIFESPAN
from tieout.market import Listing, Looked
from tieout.rules import Rules

LEPRECHAUN = "-leprechaun"  #: how a virtual broker's name ends: never in the money ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh read, so that reconciling need not read it again, and whether it changed anything."""

    reading: Reading
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Legs:
    """The batches and legs of a state as rows to store."""

    batches: tuple[dict[str, object], ...] = ()
    lines: tuple[dict[str, object], ...] = ()


def refresh(connection: Connection, *, txn: int, now: datetime, rules: Rules) -> Refreshed:  # noqa: ARG001 see below
    """Derive E of this transaction from all its answers and store it; raise its rev if anything changed.

    Call it in the database transaction that stored the newest answer. `now`, the domain's instant, decides
    nothing: what the answers say does not depend on when they are read.
    """
    (row,), answers = together(connection, locked([txn]), snapshots([txn]))
    reading = read_answers(answers, row.transaction_id)
    legs = _legs(connection, row, reading.state, rules) if reading.state else _Legs()
    writing = stated(txn, _stated(row, reading), batches=legs.batches, lines=legs.lines)
    marks = (mark(stored, said) for stored, said in reading.new_marks())
    rev, noted, *_ = together(connection, writing, any_note(txn), *marks)
    _tell_of_a_move_back(connection, row, reading)
    if rev and any(batch["iscid"] for batch in legs.batches):
        raise_siblings(connection, txn=txn)
    if rev and noted:
        raise_noted(connection, txn=txn)
    return Refreshed(reading=reading, changed=bool(rev))


def _tell_of_a_move_back(connection: Connection, row: Record, reading: Reading) -> None:
    """A status that may not follow the one before is kept as it is said; people hear of it."""
    now = reading.state.answer.status if reading.state else None
    if not may_follow(row.status, now):
        detail = f"it was {row.status}, the Gateway now says {now}"
        alert(connection, "status-moved-back", gateway=row.gateway, subject=row.transaction_id, detail=detail)


def _stated(row: Record, reading: Reading) -> dict[str, object]:
    """The columns of the transaction; what an answer leaves out stays as it was known."""
    absent_at = sorted({*row.absent_at, *reading.absent_at})
    if reading.state is None:
        kept = {name: getattr(row, name) for name in STATED}
        return {**kept, "known": False if absent_at else row.known, "absent_at": absent_at}
    answer = reading.state.answer
    return {
        "book": "test" if _is_test(answer) else row.book,
        "account": answer.account or row.account,
        "broker": answer.broker or row.broker,
        "intent": answer.intent or row.intent,
        "status": answer.status,
        "created_at": answer.created_at or row.created_at,
        "expire_at": answer.expire_at or row.expire_at,
        "error_code": answer.error_code,
        "error_message": answer.error_message,
        "known": True,
        "absent_at": absent_at,
        "final": _at_its_end(row, reading, reading.state),
        "settled": reading.state.settled,
    }


def _is_test(answer: Answer) -> bool:
    brokers = [answer.broker, *(batch.broker for batch in answer.batches)]
    leprechaun = any(broker and broker.lower().endswith(LEPRECHAUN) for broker in brokers)
    return leprechaun or any(batch.dummy for batch in answer.batches)


def _at_its_end(row: Record, reading: Reading, state: State) -> bool:
    """Whether there is nothing more to ask: the last word was said, or it was never begun and cannot be."""
    if not state.settled:
        return False
    answer = state.answer
    if answer_is_final(answer):
        return True
    if answer.batches:
        return False
    known_at = max(stored.known_at for stored, _ in reading.usable) - CLOCKS_DIFFER
    begun = answer.created_at or row.created_at or row.registered_at
    expire_at = answer.expire_at or row.expire_at or begun + LIFESPAN
    return excludes_an_order(answer) or has_expired(answer, expire_at, known_at)


def _legs(connection: Connection, row: Record, state: State, rules: Rules) -> _Legs:
    answer = state.answer
    days = {b.batch_id: trade_date_of(b, answer, rules.calendar, known_at=row.registered_at) for b in answer.batches}
    placed = [(batch, position, leg) for batch in answer.batches for position, leg in _positions(batch)]
    named = {(leg.exchange, leg.symbol, days[b.batch_id]) for b, _, leg in placed}
    isins, prices = _known(connection, named)
    lines = [_their_line(i, b, leg, days[b.batch_id], isins) for i, (b, _, leg) in enumerate(placed)]
    market = Looked(rules.market, {listing: isin is not None for listing, isin in isins.items()}, *prices)
    plain = _plain_lines(row, state, lines, replace(rules, market=market))
    return _Legs(
        batches=tuple(_batch_row(batch, answer, days[batch.batch_id]) for batch in answer.batches),
        lines=tuple(
            _line_row(row, answer, batch, position, line, plain=plain[line.line])
            for (batch, position, _), line in zip(placed, lines, strict=True)
        ),
    )


def _known(connection: Connection, named: set[Listing]) -> tuple[dict[Listing, str | None], Facts]:
    """What the tables say of these listings and their prices, in one trip."""
    if not named:
        return {}, Facts({}, {})
    isins, prices = together(connection, isins_of(named), prices_on(named))
    return read_isins(isins), read_prices(prices)


def _positions(batch: Batch) -> Iterable[tuple[int, Leg]]:
    """Each leg with its place among the placed, or the unplaced, of its batch."""
    for placed in (True, False):
        yield from enumerate(leg for leg in batch.legs if leg.placed is placed)


def _their_line(
    line: int, batch: Batch, leg: Leg, day: date, isins: Mapping[tuple[str, str, date], str | None]
) -> TheirLine:
    instrument = isins.get((leg.exchange, leg.symbol, day)) or f"{leg.exchange}:{leg.symbol}"
    return TheirLine(line=line, batch_id=batch.batch_id, leg=leg, instrument=instrument, trade_date=day)


def _plain_lines(row: Record, state: State, lines: Sequence[TheirLine], rules: Rules) -> dict[int, bool]:
    """Whether each line and its batch raise nothing by the answers alone.

    What webhooks say, or do not say, is left to `transactions.quiet`.
    """
    case = Case(
        gateway=row.gateway,
        transaction_id=row.transaction_id,
        origin=Origin(row.origin),
        state=state,
        theirs=tuple(lines),
    )
    return plain_theirs(case, policy=rules.policy, calendar=rules.calendar, market=rules.market)


def _batch_row(batch: Batch, answer: Answer, day: date) -> dict[str, object]:
    derived = {"trade_date": day, "iscid": iscid_of(batch, answer), "repair": is_repair(batch, answer)}
    return {**{name: getattr(batch, name) for name in BATCH if name not in derived}, **derived}


def _line_row(
    row: Record, answer: Answer, batch: Batch, position: int, line: TheirLine, *, plain: bool
) -> dict[str, object]:
    leg = line.leg
    return {
        "batch_id": batch.batch_id,
        "placed": leg.placed,
        "position": position,
        "exchange": leg.exchange,
        "symbol": leg.symbol,
        "instrument": line.instrument,
        "side": leg.side,
        "quantity": leg.quantity,
        "filled": leg.filled,
        "average_price": leg.average_price,
        "status": leg.status,
        "exchange_order_id": leg.exchange_order_id,
        "order_type": leg.order_type,
        "product": leg.product,
        "trade_date": line.trade_date,
        "completed_at": batch.completed_at,
        "key": key_of(row.gateway, row.transaction_id, leg.exchange, leg.exchange_order_id),
        "facts": facts_of_theirs(line, answer.account or row.account, broker_of(batch, answer)),
        "plain": plain,
    }
