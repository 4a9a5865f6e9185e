"""Whether one statement about a batch says more or less than another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recon.lines import plain_text
from recon.values import Batch, Leg
from recon.words import BATCH_RANK, LEG_RANK, batch_word, leg_word


@dataclass(frozen=True, slots=True)
class Fall:
    """What a later statement took back; `leg` is the leg as it was said before, None for the batch."""

    field: str
    before: str
    after: str
    leg: Leg | None = None


def falls(before: Batch, after: Batch | None) -> list[Fall]:
    """What the later statement takes back: of legs, or of the batch when no leg fell."""
    if after is None:
        return [Fall("present", "present", "absent")]
    of_legs = [fall for old, new in paired(before, after) if (fall := _leg_fall(old, new))]
    return of_legs or [*_batch_falls(before, after)]


def rises(before: Batch, after: Batch) -> bool:
    """Whether the later statement tells progress."""
    pairs = paired(before, after)
    grown = len(after.legs) > len(before.legs) or _higher(
        BATCH_RANK.get(batch_word(before.status) or ""), BATCH_RANK.get(batch_word(after.status) or "")
    )
    return grown or any(new is not None and (new.filled > old.filled or _rank_rises(old, new)) for old, new in pairs)


def paired(before: Batch, after: Batch) -> list[tuple[Leg, Leg | None]]:
    """Each earlier leg with the later statement about it, None when it is gone.

    The exchange order id names a leg once both state it; before that exchange, symbol,
    side and quantity do, in the order given.
    """
    left = list(after.legs)
    found: dict[int, Leg] = {}
    for same in (_same_id, _same_order, _same_stock):
        for place, old in enumerate(before.legs):
            new = None if place in found else next((leg for leg in left if same(old, leg)), None)
            if new is not None:
                found[place] = new
                left = [leg for leg in left if leg is not new]
    return [(old, found.get(place)) for place, old in enumerate(before.legs)]


def legs_carried(before: Batch, after: Batch) -> dict[Leg, Leg]:
    """From each earlier leg to the later statement about it, where there is one."""
    return {old: new for old, new in paired(before, after) if new is not None}


def _same_id(old: Leg, new: Leg) -> bool:
    named = bool(old.exchange_order_id) and old.exchange_order_id == new.exchange_order_id
    return named and old.exchange == new.exchange


def _same_order(old: Leg, new: Leg) -> bool:
    return _same_stock(old, new) and (old.side, old.quantity) == (new.side, new.quantity)


def _same_stock(old: Leg, new: Leg) -> bool:
    ids_differ = old.exchange_order_id and new.exchange_order_id and old.exchange_order_id != new.exchange_order_id
    return not ids_differ and (old.exchange, old.symbol, old.side) == (new.exchange, new.symbol, new.side)


def _leg_fall(old: Leg, new: Leg | None) -> Fall | None:
    if new is None:
        return Fall("present", "present", "absent", old)
    if new.filled < old.filled:
        return Fall("filled", plain_text(old.filled), plain_text(new.filled), old)
    if _higher(_rank(new), _rank(old)):
        return Fall("status", old.status, new.status, old)
    return None


def _batch_falls(before: Batch, after: Batch) -> Iterator[Fall]:
    ranks = (BATCH_RANK.get(batch_word(batch.status) or "") for batch in (after, before))
    if _higher(*ranks):
        yield Fall("status", before.status, after.status)
    if before.filled is not None and after.filled is not None and after.filled < before.filled:
        yield Fall("filled", plain_text(before.filled), plain_text(after.filled))


def _rank(leg: Leg) -> int | None:
    """How far the leg got; one that never reached the broker has got nowhere."""
    return LEG_RANK.get(leg_word(leg.status) or "") if leg.placed else 0


def _rank_rises(old: Leg, new: Leg) -> bool:
    return _higher(_rank(old), _rank(new))


def _higher(low: int | None, high: int | None) -> bool:
    """Whether the second rank lies above the first; an unknown word has no rank."""
    return low is not None and high is not None and high > low
