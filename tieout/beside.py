"""What a case knows beside its two sides: a person's decisions, its chain, what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec.structs import replace

from recon.chained import ChainBatch
from recon.chains import chain_legs
from recon.decided import Decision, Ruling
from recon.ends import batch_is_final
from recon.noted import Notes
from recon.values import Batch, Case, Evidence, Leg, TheirLine
from store.together import Record
from tieout.held_claims import held_claims_from


def with_the_rest(
    case: Case,
    known: Iterable[Record],
    siblings: Sequence[Record],
    unreadable: Sequence[Evidence],
    notes: Notes | None = None,
    held: Iterable[Record] = (),
) -> Case:
    """The case with what stored rows, and answers that could not be read, add to it."""
    row = next(iter(known), None)
    parked = row and row.unreadable
    told = (Evidence(kind="snapshot", ref=f"attempt {parked['ref']}", says=parked["says"]),) if parked else ()
    return replace(
        case,
        chain=chain_from(siblings),
        notes=notes,
        held=held_claims_from(held),
        decisions=decisions_from(row.decisions if row else None),
        unreadable=(*case.unreadable, *unreadable, *told),
    )


def decisions_from(stored: object) -> tuple[Decision, ...]:
    """The decisions that count, oldest first."""
    said = stored if isinstance(stored, list) else []
    return tuple(
        Decision(
            ruling=Ruling(each["ruling"]), ours=each["ours"], theirs=each["theirs"], who=each["who"], why=each["why"],
            ref=str(each["ref"]),
        )
        for each in said
    )  # fmt: skip


def chain_from(rows: Sequence[Record]) -> tuple[ChainBatch, ...]:
    """The batches of other transactions of a chain, out of their legs' rows in order."""
    return tuple(_sibling(list(legs)) for _, legs in groupby(rows, key=lambda row: (row.sibling, row.batch_id)))


def _sibling(rows: Sequence[Record]) -> ChainBatch:
    row = rows[0]
    lines = [_line(each) for each in rows if each.line is not None]
    legs = tuple(line.leg for line in lines)
    batch = Batch(batch_id=row.batch_id, status=row.batch_status, legs=legs)
    return ChainBatch(
        transaction_id=row.transaction_id,
        batch_id=row.batch_id,
        status=row.batch_status,
        repair=row.repair,
        final=batch_is_final(batch, row.transaction_status or ""),
        iscid=row.iscid,
        at=row.created_at or row.completed_at,
        completed_at=row.completed_at,
        settled=row.settled,
        legs=chain_legs(batch, lines),
    )


def _line(row: Record) -> TheirLine:
    leg = Leg(
        placed=row.placed, exchange=row.exchange, symbol=row.symbol, side=row.side, quantity=row.quantity,
        filled=row.filled, average_price=row.average_price, status=row.status,
        exchange_order_id=row.exchange_order_id, order_type=row.order_type, product=row.product,
    )  # fmt: skip
    return TheirLine(
        line=row.line, batch_id=row.batch_id, leg=leg, instrument=row.instrument, trade_date=row.trade_date
    )
