"""Order batches and their legs, read exactly: what is absent stays None, what contradicts itself raises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from gateway.fields import Nonsense, as_list, as_object, count, identifier, instant, text
from recon.values import ZERO, Batch, Leg

#: Words of a leg that need not say how much was filled: it is open, or it never was at the exchange.
_MAY_BE_UNFILLED = frozenset({"", "PLACED", "OPEN", "PENDING", "REJECTED", "ERROR", "CANCELLED AMO", "UNPLACED"})


def read_batches(*places: Mapping[str, object]) -> tuple[Batch, ...]:
    """The batches under `orderBatches`, `success.data.batches` or `batches`, the first that holds any.

    Raises `Nonsense` if another of them tells something else: neither is more true.
    """
    lists = [(place[key], key) for outer in places for place, key in _lists(outer) if _is_there(place.get(key))]
    read = [tuple(read_batch(as_object(b, "a batch")) for b in as_list(value, key)) for value, key in lists]
    if any(not _agree(read[0], other) for other in read[1:]):
        raise Nonsense("the answer tells different batches in two places")
    return read[0] if read else ()


def _is_there(value: object) -> bool:
    """Whether something is told there: null, false and what is empty tell nothing, a number is nonsense."""
    return bool(value) or isinstance(value, Decimal)


def _lists(details: Mapping[str, object]) -> Iterable[tuple[Mapping[str, object], str]]:
    inner = inner_data(details.get("success"))
    return (details, "orderBatches"), (inner, "batches"), (inner, "orderBatches"), (details, "batches")


def _agree(one: tuple[Batch, ...], other: tuple[Batch, ...]) -> bool:
    """Whether both can be true: the same batches, and nothing that both state is told in two ways."""
    if [batch.batch_id for batch in one] != [batch.batch_id for batch in other]:
        return False
    names = Batch.__struct_fields__
    pairs = ((getattr(a, name), getattr(b, name)) for a, b in zip(one, other, strict=True) for name in names)
    return all(mine == theirs or _is_unsaid(mine) or _is_unsaid(theirs) for mine, theirs in pairs)


def _is_unsaid(value: object) -> bool:
    """What a batch leaves open; nought is said."""
    return value is None or value == () or value is False


def inner_data(success: object) -> Mapping[str, object]:
    """The object under `data` of what a flow gave; an empty one if there is none."""
    data = success.get("data") if isinstance(success, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def read_batch(batch: Mapping[str, object]) -> Batch:
    """One batch with its legs, placed and unplaced. Raises `Nonsense`."""
    batch_id, status = text(batch, "batchId"), text(batch, "status")
    if not batch_id or not status:
        raise Nonsense("a batch has no batchId or no status")
    return Batch(
        batch_id=batch_id,
        status=status.upper(),
        variety=text(batch, "variety"),
        quantity=count(batch, "quantity"),
        filled=count(batch, "filled"),
        buy_amount=count(batch, "buyAmount"),
        sell_amount=count(batch, "sellAmount"),
        created_at=instant(batch, "createdAt"),
        completed_at=instant(batch, "completedDate"),
        broker=text(batch, "broker"),
        dummy=_dummy(batch.get("dummy")),
        iscid=identifier(batch, "iscid"),
        label=text(batch, "label"),
        legs=_legs(batch, "orders", placed=True) + _legs(batch, "unplaced", placed=False),
    )


def _dummy(value: object) -> bool:
    if value not in (None, True, False):
        raise Nonsense("dummy is neither true nor false")
    return value is True


def _legs(batch: Mapping[str, object], key: str, *, placed: bool) -> tuple[Leg, ...]:
    legs = as_list([] if batch.get(key) is None else batch[key], key)
    return tuple(_leg(as_object(leg, "a leg"), placed=placed) for leg in legs)


def _leg(leg: Mapping[str, object], *, placed: bool) -> Leg:
    symbol, side = text(leg, "tradingsymbol") or text(leg, "ticker"), _side(leg)
    quantity = count(leg, "quantity")
    if not symbol or not side or quantity is None:
        raise Nonsense("a leg has no tradingsymbol, no transactionType or no quantity")
    status = (text(leg, "status") or ("" if placed else "UNPLACED")).upper()
    return Leg(
        placed=placed,
        exchange=(text(leg, "exchange") or "NSE").upper(),
        symbol=symbol.upper(),
        side=side,
        quantity=quantity,
        filled=_filled(leg, status, placed=placed),
        average_price=count(leg, "averagePrice"),
        status=status,
        exchange_order_id=identifier(leg, "exchangeOrderId"),
        order_type=text(leg, "orderType"),
        product=text(leg, "product"),
    )


def _filled(leg: Mapping[str, object], status: str, *, placed: bool) -> Decimal:
    """How much was filled; nothing said is zero only where nothing need have been filled. Raises `Nonsense`."""
    filled = count(leg, "filledQuantity")
    if filled is None and placed and status not in _MAY_BE_UNFILLED:
        raise Nonsense("a leg that may be filled has no filledQuantity")
    return filled or ZERO


def _side(leg: Mapping[str, object]) -> str | None:
    side = text(leg, "transactionType")
    return side.upper() if side else None
