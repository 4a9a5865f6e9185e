"""The bodies of the Gateway's answers, read anew, and what they say together where that is plain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from verify.texts import exact
from verify.words import ENDS, UNPLACED, word

Json = Mapping[str, Any]
Sums = tuple[int, int, Decimal]


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg as an answer states it; `place` is batch, placed, position."""

    place: tuple[str, bool, int]
    exchange: str
    symbol: str
    side: str
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    status: str
    exchange_id: str | None
    reached: bool  #: it reached the broker


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer about one transaction."""

    status: str
    account: str | None
    broker: str | None
    brokers: Mapping[str, str]  #: by batch, where it names one
    words: Mapping[str, str]  #: by batch
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored answer."""

    kind: str
    asked_at: datetime
    answered_at: datetime
    body: bytes
    mark: str


class UnreadableError(Exception):
    """The body is none that this reader knows."""


def together(stored: Sequence[Stored], transaction_id: str) -> Answer | None:
    """What all answers say, oldest question first; None when that is not plain.

    Plain is: the calls did not overlap, each could be read, and no later one says less.
    """
    said: Answer | None = None
    until: datetime | None = None
    for each in stored:
        if each.mark in ("absent", "unclear"):
            continue
        try:
            answer = read(each, transaction_id, said)
        except UnreadableError:
            return None
        if until is not None and each.asked_at < until:
            return None
        until = each.answered_at
        if said is not None and _less(said, answer):
            return None
        said = answer
    return said


def _less(before: Answer, after: Answer) -> bool:
    """Whether the later answer takes something back, or only may."""
    was, now = _sums(before), _sums(after)
    fewer = any(batch not in now or _fell(now[batch], sums) for batch, sums in was.items())
    changed = any(after.words.get(batch) != said and word(said) != "PLACED" for batch, said in before.words.items())
    return fewer or changed or (word(before.status) == "COMPLETED" != word(after.status))


def _fell(now: Sums, was: Sums) -> bool:
    return now[0] < was[0] or now[1] < was[1] or now[2] < was[2]


def _sums(answer: Answer) -> dict[str, Sums]:
    """Legs, legs at their end and filled shares of each batch."""
    sums = dict.fromkeys(answer.words, (0, 0, Decimal(0)))
    for leg in answer.legs:
        count, ended, filled = sums[leg.place[0]]
        sums[leg.place[0]] = (count + 1, ended + (word(leg.status) in ENDS), filled + leg.filled)
    return sums


# ---------------------------------------------------------------- one body


def read(stored: Stored, transaction_id: str, before: Answer | None) -> Answer:
    """What one body says about the transaction. Raises `UnreadableError`."""
    try:
        document = json.loads(stored.body.decode("utf-8-sig"), parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        raise UnreadableError from None
    data = document.get("data") if isinstance(document, dict) else None
    if stored.kind != "details":
        return _orders(data, transaction_id, before)
    if not isinstance(data, dict):
        raise UnreadableError
    details = data.get("transactionDetails") or data.get("transaction") or data
    if not isinstance(details, dict) or not isinstance(details.get("status"), str):
        raise UnreadableError
    return _answer(details, data)


def _answer(details: Json, data: Json) -> Answer:
    success = _object(details.get("success"))
    inner = _object(success.get("data"))
    batches: Any = []
    for place, key in ((details, "orderBatches"), (inner, "batches"), (inner, "orderBatches"), (details, "batches"),
                       (data, "orderBatches"), (data, "batches")):  # fmt: skip
        batches = batches or place.get(key) or []
    return _of(
        batches,
        status=details["status"],
        account=_first((details, data, success), "smallcaseAuthId", "authId"),
        broker=_first((details, success, inner, data), "broker"),
    )


def _orders(data: Any, transaction_id: str, before: Answer | None) -> Answer:
    """Order details replace the batches of what was said before."""
    entries = data
    if isinstance(data, dict):
        keys = ("transactions", "orderDetails", "orders", "batches")
        entries = next((data[key] for key in keys if isinstance(data.get(key), list)), [data])
    found: list[Any] = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("transactionId") != transaction_id:
            continue
        found += [entry] if entry.get("batchId") else entry.get("orderBatches") or entry.get("batches") or []
    if not found:
        raise UnreadableError
    said = before or Answer("COMPLETED", None, None, {}, {}, ())
    return _of(found, status=said.status, account=said.account, broker=said.broker)


def _of(batches: Any, *, status: str, account: str | None, broker: str | None) -> Answer:
    if not isinstance(batches, list) or not all(isinstance(batch, dict) and batch.get("batchId") for batch in batches):
        raise UnreadableError
    return Answer(
        status=status,
        account=account,
        broker=broker,
        brokers={_text(b, "batchId"): _text(b, "broker") for b in batches if b.get("broker")},
        words={_text(b, "batchId"): _text(b, "status").upper() for b in batches},
        legs=tuple(leg for batch in batches for leg in _legs(batch)),
    )


def _legs(batch: Json) -> Iterable[Leg]:
    for key, placed in (("orders", True), ("unplaced", False)):
        for position, leg in enumerate(batch.get(key) or []):
            yield _leg(batch, leg, placed=placed, position=position)


def _leg(batch: Json, leg: Any, *, placed: bool, position: int) -> Leg:
    if not isinstance(leg, dict):
        raise UnreadableError
    quantity, filled, price = (exact(leg.get(name)) for name in ("quantity", "filledQuantity", "averagePrice"))
    symbol = _text(leg, "tradingsymbol") or _text(leg, "ticker")
    if quantity is None or not symbol or any(figure is not None and figure < 0 for figure in (quantity, filled, price)):
        raise UnreadableError
    return Leg(
        place=(_text(batch, "batchId"), placed, position),
        exchange=(_text(leg, "exchange") or "NSE").upper(),
        symbol=symbol.upper(),
        side=_text(leg, "transactionType").upper(),
        quantity=quantity,
        filled=filled or Decimal(0),
        price=price,
        status=(_text(leg, "status") or ("" if placed else UNPLACED)).upper(),
        exchange_id=_id(leg.get("exchangeOrderId")),
        reached=placed and word(_text(batch, "status")) != UNPLACED,
    )


def _id(value: Any) -> str | None:
    return str(int(value)) if isinstance(value, Decimal) else (value or "").strip() or None


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _text(place: Json, key: str) -> str:
    value = place.get(key)
    if value is not None and not isinstance(value, str):
        raise UnreadableError
    return (value or "").strip()


def _first(places: Iterable[Json], *keys: str) -> str | None:
    return next((text for place in places for key in keys if (text := _text(place, key))), None)
