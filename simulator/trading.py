"""Orders that a person places: what is sent, what is filled when, and how each moment looks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from simulator.act import Act
from simulator.exchange import Exchange
from simulator.orders import Batch, Leg, Picture
from simulator.shares import Share, tick

AMO_BROKERS = frozenset({"kite", "groww", "upstox", "hdfc", "angelbroking", "fivepaisa"})
USED_AFTER, PLACED_AFTER = timedelta(seconds=8), timedelta(seconds=35)
ENDED = frozenset({"COMPLETE", "REJECTED", "CANCELLED", "CANCELLED AMO", "PARTIAL", "ERROR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to become of a batch: its legs in their final state, and by what it is bound."""

    batch_id: str
    legs: Sequence[Leg]
    invested: str = ""  #: iscid, of a smallcase
    label: str = ""


class ExchangeIds:
    """Exchange order ids of acted orders: apart from those of a drawn day, never twice."""

    def __init__(self) -> None:
        """Begin."""
        self._last = 1_900_000_000_000_000

    def next(self) -> str:
        """A new one."""
        self._last += 1
        return str(self._last)


def leg_of(share: Share, side: str, quantity: int, act: Act, *, chance: random.Random, ids: ExchangeIds) -> Leg:
    """The leg as it will end, edits of the review screen made."""
    quantity = act.edits.get(share.symbol, quantity)
    side = {"BUY": "SELL", "SELL": "BUY"}[side] if share.symbol in act.turns else side
    placed = share.symbol not in act.unplaced
    refused = share.symbol in act.rejects or not placed
    filled = 0 if refused else min(quantity, act.fills.get(share.symbol, quantity))
    step = tick(share.price)
    return Leg(
        share=share,
        side=side,
        quantity=quantity,
        filled=filled,
        price=share.price + step * chance.randint(-20, 20),
        status=_end(filled, quantity, act, placed=placed, refused=refused),
        exchange_id=ids.next() if placed else None,
        placed=placed,
        order_type="LIMIT" if act.limit else "MARKET",
    )


def _end(filled: int, quantity: int, act: Act, *, placed: bool, refused: bool) -> str:
    if refused:
        return "REJECTED" if placed else "ERROR"
    if filled == quantity:
        return "COMPLETE"
    return "CANCELLED" if act.limit or not filled else "PARTIAL"


def pictures_of(order: Order, act: Act, at: datetime, exchange: Exchange) -> list[Picture]:
    """How the transaction looks from the login on: USED, PROCESSING while open, COMPLETED at its end."""
    open_now = exchange.is_open(at)
    variety = "regular" if open_now else "amo"
    placed_at = at + PLACED_AFTER
    traded_at = (placed_at if open_now else exchange.opening_after(at)) + timedelta(seconds=act.after_s)
    rests = any(leg.placed and leg.filled < leg.quantity and leg.status == "CANCELLED" for leg in order.legs)
    ended_at = exchange.closing_after(traded_at) if rests else traded_at
    sent = replace_legs(order, [_sent(leg) for leg in order.legs], variety, None)
    pictures = [Picture(since=at + USED_AFTER, status="USED")]
    if any(leg.placed for leg in order.legs):
        pictures.append(Picture(since=placed_at, status="PROCESSING", batch=sent))
    if rests and any(leg.filled for leg in order.legs):
        partly = replace_legs(order, [_traded(leg) for leg in order.legs], variety, None)
        pictures.append(Picture(since=traded_at, status="PROCESSING", batch=partly))
    ended = replace_legs(order, order.legs, variety, ended_at)
    return [*pictures, Picture(since=ended_at, status="COMPLETED", batch=ended)]


def replace_legs(order: Order, legs: Sequence[Leg], variety: str, completed_at: datetime | None) -> Batch:
    """The batch with these legs, its status told by them."""
    return Batch(
        batch_id=order.batch_id,
        status=word_of(legs),
        variety=variety,
        legs=list(legs),
        completed_at=completed_at,
        invested=order.invested,
        label=order.label,
    )


def word_of(legs: Sequence[Leg]) -> str:
    """The batch's status by its legs."""
    placed = [leg for leg in legs if leg.placed]
    if not placed:
        return "UNPLACED"
    if any(leg.status not in ENDED for leg in placed):
        return "PLACED"
    if len(placed) < len(legs):
        return "PARTIALLYPLACED"
    if all(leg.filled == leg.quantity for leg in placed):
        return "COMPLETED"
    if any(leg.filled for leg in placed):
        return "PARTIALLYFILLED"
    return "CANCELLED" if all(leg.status.startswith("CANCELLED") for leg in placed) else "UNFILLED"


def cancelled(batch: Batch, symbol: str, now: Batch) -> Batch:
    """The batch with that leg cancelled as far as it was filled in `now`."""
    stood = {leg.share.symbol: leg for leg in now.legs}
    word = "CANCELLED AMO" if batch.variety == "amo" else "CANCELLED"
    legs = [
        replace(leg, status=word, filled=stood[symbol].filled if symbol in stood else 0)
        if leg.share.symbol == symbol
        else leg
        for leg in batch.legs
    ]
    return replace(batch, legs=legs, status=word_of(legs))


def residual(batch: Batch) -> list[tuple[Share, str, int]]:
    """What of a batch was not filled: share, side, quantity."""
    return [(leg.share, leg.side, leg.quantity - leg.filled) for leg in batch.legs if leg.quantity > leg.filled]


def _sent(leg: Leg) -> Leg:
    return replace(leg, status="PLACED", filled=0) if leg.placed else leg


def _traded(leg: Leg) -> Leg:
    rests = leg.placed and leg.filled < leg.quantity and leg.status == "CANCELLED"
    return replace(leg, status="PLACED") if rests else leg
