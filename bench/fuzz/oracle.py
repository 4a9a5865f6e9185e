"""What a body plainly says, read a second time by other means than the service's own readers.

It shares no code with `gateway/`: numbers are fractions from the JSON's own text, words are looked up
where the protocol says that they stand. `Unreadable` is raised where the body lacks or contradicts
something without which nothing may be booked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

MICRO: Final = 10**6
LIMIT: Final = 10**14 * MICRO
MOST_TEXT: Final = 4096
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_MOST_EXPONENT: Final = 400
#: Words of a leg after which a missing filled quantity can only mean that nothing is known to be filled.
_MAY_BE_UNFILLED: Final = frozenset({"PLACED", "OPEN", "PENDING", "REJECTED", "ERROR", "CANCELLED AMO", "UNPLACED", ""})

Facts = dict[str, Any]


class Unreadable(Exception):  # noqa: N818 it is what the body is
    """Nothing may be booked from this body; the text says why."""


class Token(str):
    """A number as it stands in the JSON."""

    __slots__ = ()


def document(body: bytes) -> dict[str, Any]:
    """The one JSON object that a body is."""
    try:
        found = json.loads(
            body.decode("utf-8-sig"), object_pairs_hook=_once, parse_float=Token, parse_int=Token, parse_constant=_none
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no JSON: {type(error).__name__}") from None
    return _object(found, "the body")


def details(body: bytes, transaction_id: str) -> Facts:
    """What a transaction-details answer says of that transaction."""
    whole = document(body)
    _refuse_failure(whole)
    data = _object(whole.get("data"), "data")
    named = [data[key] for key in ("transactionDetails", "transaction") if data.get(key) is not None]
    told = _object(named[0], "the transaction") if named else data
    for place in (told, data):
        if (said := _text(place, "transactionId")) and said != transaction_id:
            raise Unreadable("it is about another transaction")
    error = _error(told.get("error"))
    status = _text(told, "status")
    if status is None and error == (None, None):
        raise Unreadable("it names no status")
    return {
        "status": (status or "ERRORED").upper(),
        "intent": _text(told, "intent"),
        "account": _first((told, data, _inner(told, "success")), ("smallcaseAuthId", "authId")),
        "broker": _first((told, _inner(told, "success"), _inner(_inner(told, "success"), "data"), data), ("broker",)),
        "error": error,
        "batches": batches_of(told, data),
        "requested": requested(told.get("orderConfig")),
    }


def orders(body: bytes) -> dict[str, list[Facts]]:
    """The batches of each transaction that an order-details answer names."""
    whole = document(body)
    _refuse_failure(whole)
    found: dict[str, list[Facts]] = {}
    for entry in _entries(whole.get("data")):
        name = _text(entry, "transactionId")
        if name is None:
            raise Unreadable("an entry without a transactionId")
        own = [batch(entry)] if _text(entry, "batchId") else batches_of(entry, entry)
        found[name] = found.get(name, []) + own
    return found


def webhook(body: bytes) -> Facts:
    """What an orders webhook says: evidence, never booked."""
    told = document(body)
    own = batch(told) if _text(told, "batchId") else None
    return {"account": _text(told, "smallcaseAuthId"), "transaction": _text(told, "transactionId"), "batch": own}


def batches_of(told: Mapping[str, Any], data: Mapping[str, Any]) -> list[Facts]:
    """The batches under the first place that holds any; every place that holds some must agree with it."""
    success = _inner(_inner(told, "success"), "data")
    places = [told.get("orderBatches"), success.get("batches"), success.get("orderBatches"), told.get("batches")]
    if data is not told:
        success = _inner(_inner(data, "success"), "data")
        places += [data.get("orderBatches"), success.get("batches"), success.get("orderBatches"), data.get("batches")]
    read = [[batch(_object(each, "a batch")) for each in _list(place)] for place in places if place]
    for other in read[1:]:
        if not _agree(read[0], other):
            raise Unreadable("two places tell different batches")
    return read[0] if read else []


def batch(told: Mapping[str, Any]) -> Facts:
    """One batch with its legs."""
    batch_id, status = _text(told, "batchId"), _text(told, "status")
    if batch_id is None or status is None:
        raise Unreadable("a batch without batchId or status")
    if told.get("dummy") not in (None, True, False):
        raise Unreadable("dummy is neither true nor false")
    return {
        "batch_id": batch_id,
        "status": status.upper(),
        "variety": _text(told, "variety"),
        "quantity": _count(told, "quantity"),
        "filled": _count(told, "filled"),
        "buy_amount": _count(told, "buyAmount"),
        "sell_amount": _count(told, "sellAmount"),
        "broker": _text(told, "broker"),
        "dummy": told.get("dummy") is True,
        "legs": [leg(_object(e, "a leg"), placed=True) for e in _list(told.get("orders"))]
        + [leg(_object(e, "a leg"), placed=False) for e in _list(told.get("unplaced"))],
    }


def leg(told: Mapping[str, Any], *, placed: bool) -> Facts:
    """One leg; without symbol, side or quantity there is none."""
    symbol, side, quantity = _first((told,), ("tradingsymbol", "ticker")), _text(told, "transactionType"), None
    quantity = _count(told, "quantity")
    if symbol is None or side is None or quantity is None:
        raise Unreadable("a leg without symbol, side or quantity")
    status = (_text(told, "status") or ("" if placed else "UNPLACED")).upper()
    filled = _count(told, "filledQuantity")
    if filled is None and placed and status not in _MAY_BE_UNFILLED:
        raise Unreadable(f"a leg that is {status} and does not say how much was filled")
    return {
        "placed": placed,
        "exchange": (_text(told, "exchange") or "NSE").upper(),
        "symbol": symbol.upper(),
        "side": side.upper(),
        "quantity": quantity,
        "filled": filled or 0,
        "average_price": _count(told, "averagePrice"),
        "status": status,
        "exchange_order_id": _identifier(told, "exchangeOrderId"),
    }


def requested(config: object) -> list[tuple[str, str, int]]:
    """The basket asked for: symbol, side, quantity of what asks for something definite."""
    if not isinstance(config, dict):
        return []
    legs = [_object(e, "a requested leg") for key in ("securities", "orders") for e in _list(config.get(key))]
    read = [
        (_first((e,), ("ticker", "tradingsymbol")), _first((e,), ("type", "transactionType")), _count(e, "quantity"))
        for e in legs
    ]
    return [
        (symbol.upper(), side.upper(), count) for symbol, side, count in read if symbol and side and count is not None
    ]


# ------------------------------------------------------------ holdings


def holdings(body: bytes) -> Facts:
    """Whose holdings, and each row's facts; a row that cannot be taken is None."""
    whole = document(body)
    _refuse_failure(whole)
    data = _object(whole["data"], "data") if {"data", "success"} & set(whole) else whole
    rows = data.get("securities")
    if isinstance(rows, dict):
        rows = next((rows[key] for key in ("holdings", "securities") if rows.get(key) is not None), None)
        old = isinstance(rows, list) and any(isinstance(row, dict) and "shares" in row for row in rows)
    else:
        old = False
    if not isinstance(rows, list):
        raise Unreadable("no list of securities")
    return {"account": _lenient_text(data, "smallcaseAuthId"), "rows": [_row(row, old=old) for row in rows]}


def _row(row: object, *, old: bool) -> Facts | None:
    """The quantities and names of a row."""
    if not isinstance(row, dict):
        return None
    try:
        facts = _old_row(row) if old else _new_row(row)
    except Unreadable:
        return None
    named = facts["isin"] or facts["tickers"]
    return facts if named and any(facts[key] is not None for key in _QUANTITIES) else None


_QUANTITIES: Final = ("held", "t1", "nse", "bse", "transactable", "smallcase", "collateral")


def _old_row(row: Mapping[str, Any]) -> Facts:
    held = _present(row, "shares", "quantity")
    return {
        "isin": _upper(row, "isin", "ISIN"),
        "tickers": bool(_upper(row, "ticker")),
        "held": _signed(row, held),
        "t1": _signed(row, "t1Quantity"),
        "nse": None,
        "bse": None,
        "transactable": _signed(row, "transactableQuantity"),
        "smallcase": _signed(row, "smallcaseQuantity"),
        "collateral": _signed(row, "collateralQuantity"),
    }


def _new_row(row: Mapping[str, Any]) -> Facts:
    held, positions = _inner(row, "holdings"), _inner(row, "positions")
    nse = _inner(positions, _present(positions, "nse", "NSE"))
    bse = _inner(positions, _present(positions, "bse", "BSE"))
    outer = _signed(row, _present(row, "t1Quantity", "T1Quantity", "t1"))
    inner = _signed(held, _present(held, "t1Quantity", "T1Quantity", "t1"))
    return {
        "isin": _upper(row, "isin", "ISIN"),
        "tickers": bool(_upper(row, "nseTicker", "ticker") or _upper(row, "bseTicker")),
        "held": _signed(held, "quantity"),
        "t1": inner if outer is None else outer,
        "nse": _signed(nse, "quantity"),
        "bse": _signed(bse, "quantity"),
        "transactable": _signed(row, "transactableQuantity"),
        "smallcase": _signed(row, "smallcaseQuantity"),
        "collateral": _signed(row, "collateralQuantity"),
    }


def _present(place: Mapping[str, Any], *keys: str) -> str:
    return next((key for key in keys if place.get(key) is not None), keys[0])


def _lenient_text(place: Mapping[str, Any], key: str) -> str | None:
    try:
        return _text(place, key)
    except Unreadable:
        return None


def _upper(place: Mapping[str, Any], *keys: str) -> str | None:
    said = _lenient_text(place, _present(place, *keys))
    return said.upper() if said else None


# ------------------------------------------------------------ single values


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key} stands there twice")
        found[key] = value
    return found


def _none(word: str) -> None:
    raise ValueError(word)


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is no object")
    return value


def _list(value: object) -> list[Any]:
    """A list; what is not there is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unreadable("no list")
    return value


def _inner(place: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = place.get(key)
    return value if isinstance(value, dict) else {}


def _text(place: Mapping[str, Any], key: str) -> str | None:
    value = place.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or isinstance(value, Token):
        raise Unreadable(f"{key} is no text")
    if len(value) > MOST_TEXT or "\0" in value or re.search("[\ud800-\udfff]", value):
        raise Unreadable(f"{key} cannot be kept")
    return value.strip() or None


def _first(places: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> str | None:
    return next((said for place in places for key in keys if (said := _text(place, key))), None)


def _identifier(place: Mapping[str, Any], key: str) -> str | None:
    value = place.get(key)
    if isinstance(value, Token):
        exact = _fraction(value)
        if exact is None or exact.denominator != 1:
            raise Unreadable(f"{key} is no whole number")
        return str(exact.numerator)
    return _text(place, key)


def _signed(place: Mapping[str, Any], key: str) -> int | None:
    """A number in millionths, rounded half to even; None if it is not there."""
    value = place.get(key)
    if value is None or value == "":
        return None
    exact = _fraction(value.strip()) if isinstance(value, str) else None
    if exact is None:
        raise Unreadable(f"{key} is no number")
    micro = round(exact * MICRO)
    if abs(micro) >= LIMIT:
        raise Unreadable(f"{key} is too large")
    return micro


def _count(place: Mapping[str, Any], key: str) -> int | None:
    """The same; no count, price or amount is below zero."""
    micro = _signed(place, key)
    if micro is not None and micro < 0:
        raise Unreadable(f"{key} is below zero")
    return micro


def _fraction(text: str) -> Fraction | None:
    if not _NUMBER.fullmatch(text) or len(text) > 100:  # noqa: PLR2004 characters of one number
        return None
    _, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > _MOST_EXPONENT:
        return Fraction(0) if exponent.startswith("-") else None
    return Fraction(text)


def code(text: str | None) -> str | None:
    """An error's code, a number in its plain form however it was written."""
    exact = _fraction(text) if text else None
    return text if exact is None else str(exact)


def _error(value: object) -> tuple[str | None, str | None]:
    if isinstance(value, str) and not isinstance(value, Token):
        return None, _text({"error": value}, "error")
    if not isinstance(value, dict) or value.get("value") is False:
        return None, None
    said = value.get("code")
    return code(str(said) if isinstance(said, Token) else _text(value, "code")), _text(value, "message")


def _refuse_failure(whole: Mapping[str, Any]) -> None:
    if whole.get("success") is False or _words(whole.get("errors")):
        raise Unreadable("it reports a failure")
    if "data" in whole and whole["data"] in (None, {}, [], ""):
        raise Unreadable("it is empty")


def _words(value: object) -> bool:
    if isinstance(value, Token):
        return False
    if isinstance(value, str):
        return bool(value)
    if isinstance(value, list):
        return any(_words(each) for each in value)
    if isinstance(value, dict):
        return any(_words(value.get(key)) for key in ("message", "error", "type", "code"))
    return False


def _entries(data: object) -> list[dict[str, Any]]:
    if isinstance(data, dict):
        for key in ("transactions", "orderDetails", "orders", "orderBatches", "batches"):
            if isinstance(data.get(key), list) and (key != "orderBatches" or "transactionId" not in data):
                return [_object(each, "an entry") for each in data[key]]
        return [data]
    return [_object(each, "an entry") for each in _list(data)]


def _agree(one: list[Facts], other: list[Facts]) -> bool:
    """Whether two lists of batches can be told of the same: the same ids, and no fact that both state differs."""
    if [each["batch_id"] for each in one] != [each["batch_id"] for each in other]:
        return False
    return all(
        x[key] == y[key] or x[key] in (None, [], False) or y[key] in (None, [], False)
        for x, y in zip(one, other, strict=True)
        for key in x
    )
