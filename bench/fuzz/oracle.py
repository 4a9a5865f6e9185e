"""What a body plainly says, read a second time by other means than the service's own readers.

It shares no code with `gateway/`: numbers are fractions from the JSON's own text, words are looked up
where the protocol says that they stand. `Unreadable` is raised where the body lacks or contradicts
something without which nothing may be booked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.fuzz.plain import (
    Facts,
    Token,
    Unreadable,
    a_list,
    an_object,
    code,
    count,
    document,
    failure,
    first,
    identifier,
    inner,
    text,
)

#: Words of a leg after which a missing filled quantity can only mean that nothing is known to be filled.
_MAY_BE_UNFILLED: Final = frozenset({"PLACED", "OPEN", "PENDING", "REJECTED", "ERROR", "CANCELLED AMO", "UNPLACED", ""})


def details(body: bytes, transaction_id: str) -> Facts:
    """What a transaction-details answer says of that transaction."""
    whole = document(body)
    failure(whole)
    data = an_object(whole.get("data"), "data")
    named = [data[key] for key in ("transactionDetails", "transaction") if data.get(key) is not None]
    told = an_object(named[0], "the transaction") if named else data
    for place in (told, data):
        if (said := text(place, "transactionId")) and said != transaction_id:
            raise Unreadable("it is about another transaction")
    error = _error(told.get("error"))
    status = text(told, "status")
    if status is None and error == (None, None):
        raise Unreadable("it names no status")
    return {
        "status": (status or "ERRORED").upper(),
        "intent": text(told, "intent"),
        "account": first((told, data, inner(told, "success")), ("smallcaseAuthId", "authId")),
        "broker": first((told, inner(told, "success"), inner(inner(told, "success"), "data"), data), ("broker",)),
        "error": error,
        "batches": batches_of(told, data),
        "requested": requested(told.get("orderConfig")),
    }


def orders(body: bytes) -> dict[str, list[Facts]]:
    """The batches of each transaction that an order-details answer names."""
    whole = document(body)
    failure(whole)
    found: dict[str, list[Facts]] = {}
    for entry in _entries(whole.get("data")):
        name = text(entry, "transactionId")
        if name is None:
            raise Unreadable("an entry without a transactionId")
        own = [batch(entry)] if text(entry, "batchId") else batches_of(entry, entry)
        found[name] = found.get(name, []) + own
    return found


def webhook(body: bytes) -> Facts:
    """What an orders webhook says: evidence, never booked."""
    told = document(body)
    own = batch(told) if text(told, "batchId") else None
    return {"account": text(told, "smallcaseAuthId"), "transaction": text(told, "transactionId"), "batch": own}


def batches_of(told: Mapping[str, Any], data: Mapping[str, Any]) -> list[Facts]:
    """The batches under the first place that holds any; every place that holds some must agree with it."""
    success = inner(inner(told, "success"), "data")
    places = [told.get("orderBatches"), success.get("batches"), success.get("orderBatches"), told.get("batches")]
    if data is not told:
        success = inner(inner(data, "success"), "data")
        places += [data.get("orderBatches"), success.get("batches"), success.get("orderBatches"), data.get("batches")]
    read = [[batch(an_object(each, "a batch")) for each in a_list(place)] for place in places if place]
    for other in read[1:]:
        if not _agree(read[0], other):
            raise Unreadable("two places tell different batches")
    return read[0] if read else []


def batch(told: Mapping[str, Any]) -> Facts:
    """One batch with its legs."""
    batch_id, status = text(told, "batchId"), text(told, "status")
    if batch_id is None or status is None:
        raise Unreadable("a batch without batchId or status")
    if told.get("dummy") not in (None, True, False):
        raise Unreadable("dummy is neither true nor false")
    return {
        "batch_id": batch_id,
        "status": status.upper(),
        "variety": text(told, "variety"),
        "quantity": count(told, "quantity"),
        "filled": count(told, "filled"),
        "buy_amount": count(told, "buyAmount"),
        "sell_amount": count(told, "sellAmount"),
        "broker": text(told, "broker"),
        "dummy": told.get("dummy") is True,
        "legs": [leg(an_object(e, "a leg"), placed=True) for e in a_list(told.get("orders"))]
        + [leg(an_object(e, "a leg"), placed=False) for e in a_list(told.get("unplaced"))],
    }


def leg(told: Mapping[str, Any], *, placed: bool) -> Facts:
    """One leg; without symbol, side or quantity there is none."""
    symbol, side = first((told,), ("tradingsymbol", "ticker")), text(told, "transactionType")
    quantity = count(told, "quantity")
    if symbol is None or side is None or quantity is None:
        raise Unreadable("a leg without symbol, side or quantity")
    status = (text(told, "status") or ("" if placed else "UNPLACED")).upper()
    filled = count(told, "filledQuantity")
    if filled is None and placed and status not in _MAY_BE_UNFILLED:
        raise Unreadable(f"a leg that is {status} and does not say how much was filled")
    return {
        "placed": placed,
        "exchange": (text(told, "exchange") or "NSE").upper(),
        "symbol": symbol.upper(),
        "side": side.upper(),
        "quantity": quantity,
        "filled": filled or 0,
        "average_price": count(told, "averagePrice"),
        "status": status,
        "exchange_order_id": identifier(told, "exchangeOrderId"),
    }


def requested(config: object) -> list[tuple[str, str, int]]:
    """The basket asked for: symbol, side, quantity of what asks for something definite."""
    if not isinstance(config, dict):
        return []
    legs = [an_object(e, "a requested leg") for key in ("securities", "orders") for e in a_list(config.get(key))]
    read = [
        (first((e,), ("ticker", "tradingsymbol")), first((e,), ("type", "transactionType")), count(e, "quantity"))
        for e in legs
    ]
    return [
        (symbol.upper(), side.upper(), count) for symbol, side, count in read if symbol and side and count is not None
    ]


def _error(value: object) -> tuple[str | None, str | None]:
    if isinstance(value, str) and not isinstance(value, Token):
        return None, text({"error": value}, "error")
    if not isinstance(value, dict) or value.get("value") is False:
        return None, None
    said = value.get("code")
    return code(str(said) if isinstance(said, Token) else text(value, "code")), text(value, "message")


def _entries(data: object) -> list[dict[str, Any]]:
    if isinstance(data, dict):
        for key in ("transactions", "orderDetails", "orders", "orderBatches", "batches"):
            if isinstance(data.get(key), list) and (key != "orderBatches" or "transactionId" not in data):
                return [an_object(each, "an entry") for each in data[key]]
        return [data]
    return [an_object(each, "an entry") for each in a_list(data)]


def _agree(one: list[Facts], other: list[Facts]) -> bool:
    """Whether two lists of batches can be told of the same: the same ids, and no fact that both state differs."""
    if [each["batch_id"] for each in one] != [each["batch_id"] for each in other]:
        return False
    return all(x[key] == y[key] or _open(x[key]) or _open(y[key]) for x, y in zip(one, other, strict=True) for key in x)


def _open(value: object) -> bool:
    """Whether a batch leaves that open; nought is no such thing."""
    return value is None or value is False or value == []
