"""One order told as several lines: legs of one batch for an order of ours, or the fills of it in the books.

The parts make up the whole only if what was ordered and what was filled add up exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from recon.ends import filled_of, is_unplaced
from recon.scene import price_of
from recon.values import ZERO, Batch, Leg, OurLine, TheirLine
from recon.words import LEG_ENDS, PARTIAL, leg_word


def ours_as_one(lines: Sequence[OurLine]) -> OurLine | None:
    """Lines of the books as the one order they are parts of, in the name of the first; None if they cannot be one."""
    if len({_our_order(line) for line in lines}) != 1:
        return None
    quantity, filled = sum((line.quantity for line in lines), ZERO), sum(map(filled_of, lines), ZERO)
    status = _status([line.status for line in lines], quantity, filled)
    if status is _UNCLEAR or any(line.quantity <= 0 for line in lines):
        return None
    return replace(
        lines[0],
        quantity=quantity,
        filled=filled,
        average_price=average([(filled_of(line), line.average_price) for line in lines]),
        status=status,
        executed_at=lines[0].executed_at if len({line.executed_at for line in lines}) == 1 else None,
    )


def theirs_as_one(lines: Sequence[TheirLine], batches: dict[str, Batch]) -> TheirLine | None:
    """Placed legs of one batch as the one order they are parts of; None if they cannot be one."""
    if len({_their_order(line) for line in lines}) != 1:
        return None
    legs, batch = [line.leg for line in lines], batches.get(lines[0].batch_id)
    if batch is None or any(is_unplaced(leg, batch) or leg.quantity <= 0 for leg in legs):
        return None
    quantity, filled = sum((leg.quantity for leg in legs), ZERO), sum((leg.filled for leg in legs), ZERO)
    status = _status([leg.status for leg in legs], quantity, filled)
    if status is _UNCLEAR or status is None:
        return None
    price = average([(leg.filled, leg.average_price) for leg in legs])
    whole: Leg = replace(legs[0], quantity=quantity, filled=filled, average_price=price, status=status)
    return replace(lines[0], leg=whole)


def make_up(ours: OurLine | None, theirs: TheirLine | None) -> bool:
    """Whether both order and both fill exactly the same."""
    if ours is None or theirs is None:
        return False
    return ours.quantity == theirs.leg.quantity and filled_of(ours) == theirs.leg.filled


def average(fills: Sequence[tuple[Decimal, Decimal | None]]) -> Decimal | None:
    """The volume-weighted average price, to the context's precision; None if a fill has no price or nothing filled."""
    filled = sum((quantity for quantity, _ in fills), ZERO)
    if not filled or any(quantity and not price for quantity, price in fills):
        return None
    return sum((quantity * price_of(price) for quantity, price in fills), ZERO) / filled


_UNCLEAR = "?"


def _status(words: Sequence[str | None], quantity: Decimal, filled: Decimal) -> str | None:
    """The word of the whole: that of all parts, or PARTIAL where ends differ and some but not all is filled."""
    if len(set(words)) == 1:
        return words[0]
    ends = all(word is not None and leg_word(word) in LEG_ENDS | {PARTIAL} for word in words)
    return PARTIAL if ends and ZERO < filled < quantity else _UNCLEAR


def _our_order(line: OurLine) -> tuple[object, ...]:
    """What the parts of one order share."""
    return (line.account, line.broker, line.trade_date, line.exchange, line.symbol, line.instrument, line.side)


def _their_order(line: TheirLine) -> tuple[object, ...]:
    return (line.batch_id, line.leg.exchange, line.leg.symbol, line.instrument, line.leg.side, line.trade_date)
