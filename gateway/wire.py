"""What the Gateway's bodies say, read into values. Bytes in, values out, no I/O.

The public record leaves the nesting open, so each known shape is taken. What is absent stays None;
what is there and is not what it must be raises, it is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from gateway.batches import inner_data, read_batch, read_batches
from gateway.fields import (
    Nonsense,
    WireError,
    as_list,
    as_object,
    checked,
    count,
    first_text,
    instant,
    read_object,
    text,
)
from recon.values import ZERO, Answer, Batch, Leg

__all__ = ["EmptyAnswer", "KeysRefused", "NoSuchTransaction", "Nonsense", "WireError"]
__all__ += [
    "error_words",
    "is_unclear",
    "read_details",
    "read_orders",
    "read_webhook",
    "says_absent",
    "says_ours",
]

_ABSENT = re.compile(
    r"not[\s_-]*found|no[\s_-]*such|does[\s_-]*not[\s_-]*exist|unknown[\s_-]*transaction"
    r"|invalid[\s_-]*(trx|transaction)|transactionid[\s_-]*(is[\s_-]*)?invalid",
    re.IGNORECASE,
)
_OURS = re.compile(
    r"invalid[\s_-]*(jwt|gateway|secret|token|signature)|jwt[\s_-]*expired|unauthori[sz]ed|forbidden",
    re.IGNORECASE,
)
#: Errors after which an order may exist all the same.
_UNCLEAR_WORDS = frozenset({"timed_out", "order_in_queue", "order_pending", "transaction_in_process", "internal_error"})


class NoSuchTransaction(WireError):  # noqa: N818
    """The API, scoped to our gateway, does not know the transactionId."""

    kind = "unknown"


class EmptyAnswer(WireError):  # noqa: N818
    """The API answered and said nothing: conclude nothing, ask again."""

    kind = "unclear"


class KeysRefused(WireError):  # noqa: N818
    """The API says that our keys, token or gateway name are wrong."""

    kind = "ours"


def read_details(body: bytes, transaction_id: str) -> Answer:
    """What a transaction-details answer says about that transaction.

    Raises `Nonsense`, `NoSuchTransaction`, `EmptyAnswer` or `KeysRefused`, nothing else.
    """
    data = _data(body)
    found = next((v for k in ("transactionDetails", "transaction") if (v := data.get(k)) is not None), data)
    details = as_object(found, "the transaction")
    if not details or (text(details, "status") is None and not _said_error(details)):
        raise EmptyAnswer("the answer names no status")
    if any(named != transaction_id for place in (details, data) if (named := text(place, "transactionId"))):
        raise Nonsense("the answer is about another transaction")
    return _answer(details, data, transaction_id)


def read_orders(body: bytes) -> dict[str, tuple[Batch, ...]]:
    """What an order-details answer says: the batches of each transactionId it names.

    An id that is not in it was silently dropped: that proves nothing.
    Raises `Nonsense`, `NoSuchTransaction`, `EmptyAnswer` or `KeysRefused`, nothing else.
    """
    document = read_object(body)
    _raise_what_it_says(document)
    found: dict[str, tuple[Batch, ...]] = {}
    for entry in _order_entries(document.get("data")):
        transaction_id = text(entry, "transactionId")
        if not transaction_id:
            raise Nonsense("an entry of the order details has no transactionId")
        found[transaction_id] = found.get(transaction_id, ()) + _entry_batches(entry)
    return found


def read_webhook(body: bytes) -> tuple[str | None, str | None, Batch | None]:
    """What an orders webhook says: account, transactionId, and its batch if it names one. Evidence only.

    Raises `Nonsense`, nothing else.
    """
    event = read_object(body)
    batch = read_batch(event) if text(event, "batchId") else None
    return text(event, "smallcaseAuthId"), text(event, "transactionId"), batch


def is_unclear(answer: Answer) -> bool:
    """Whether the answer ends in an error after which an order may exist all the same."""
    message = (answer.error_message or "").lower()
    return answer.status == "ERRORED" and not answer.batches and message in _UNCLEAR_WORDS


def says_absent(words: str) -> bool:
    """Whether an error text of the Gateway says that it does not know the transaction."""
    return _ABSENT.search(words) is not None


def says_ours(words: str) -> bool:
    """Whether an error text of the Gateway blames our keys, token or gateway name."""
    return _OURS.search(words) is not None


def error_words(body: bytes) -> str:
    """The error texts of an answer, joined and cut; empty if there are none or it is no JSON object."""
    try:
        document = read_object(body)
    except Nonsense:
        return ""
    return " ".join(_words(document.get("errors")) + _words(document.get("message")))[:300]


# ---------------------------------------------------------------- the envelope


def _data(body: bytes) -> Mapping[str, object]:
    document = read_object(body)
    _raise_what_it_says(document)
    return as_object(document.get("data"), "data")


def _raise_what_it_says(document: Mapping[str, object]) -> None:
    """Raise if the envelope reports an error or holds nothing."""
    words = " ".join(_words(document.get("errors")) + _words(document.get("message")))
    failed = document.get("success") is False or bool(_words(document.get("errors")))
    if failed and says_absent(words):
        raise NoSuchTransaction("the API does not know this transactionId")
    if failed and says_ours(words):
        raise KeysRefused("the API refuses our keys or our gateway's name")
    if failed or document.get("data") in (None, {}, [], ""):
        raise EmptyAnswer("the answer is empty" if not failed else "the answer reports an error and no data")


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, list):
        return [word for item in value for word in _words(item)]
    if isinstance(value, dict):
        return [word for key in ("message", "error", "type", "code") for word in _words(value.get(key))]
    return []


def _order_entries(data: object) -> Iterable[Mapping[str, object]]:
    """Entries that each name a transaction: a list, a list under one of several keys, or one alone."""
    if isinstance(data, Mapping):
        for key in ("transactions", "orderDetails", "orders", "orderBatches", "batches"):
            if isinstance(data.get(key), list) and (key != "orderBatches" or "transactionId" not in data):
                data = data[key]
                break
        else:
            data = [data]
    return [as_object(entry, "an entry of the order details") for entry in as_list(data, "the order details")]


def _entry_batches(entry: Mapping[str, object]) -> tuple[Batch, ...]:
    return (read_batch(entry),) if text(entry, "batchId") else read_batches(entry)


# ---------------------------------------------------------------- the transaction


def _answer(details: Mapping[str, object], data: Mapping[str, object], transaction_id: str) -> Answer:
    success = details["success"] if isinstance(details.get("success"), Mapping) else {}
    success = as_object(success, "success")
    code, message = _error(details.get("error"))
    config = details.get("orderConfig")
    asked = (config,) if isinstance(config, Mapping) else ()
    return Answer(
        transaction_id=transaction_id,
        status=(text(details, "status") or "").upper() or "ERRORED",
        intent=text(details, "intent"),
        account=first_text((details, data, success), ("smallcaseAuthId", "authId")),
        broker=first_text((details, success, inner_data(success), data), ("broker",)),
        created_at=instant(details, "createdAt"),
        expire_at=instant(details, "expireAt"),
        error_code=code,
        error_message=message,
        batches=read_batches(details, *([] if data is details else [data])),
        requested=_requested(details.get("orderConfig")),
        purpose=first_text(asked, ("type",)),
        iscid=first_text((*asked, details, success, inner_data(success)), ("iscid",)),
    )


def _error(value: object) -> tuple[str | None, str | None]:
    if isinstance(value, str):
        return None, checked(value, "error") or None
    if not isinstance(value, Mapping) or value.get("value") is False:
        return None, None
    code = value.get("code")
    return (str(code) if isinstance(code, Decimal) else text(value, "code")), text(value, "message")


def _said_error(details: Mapping[str, object]) -> bool:
    return _error(details.get("error")) != (None, None)


def _requested(config: object) -> tuple[Leg, ...]:
    """The basket asked for; a leg without quantity or type asked for nothing definite."""
    if not isinstance(config, Mapping):
        return ()
    legs = [
        leg for key in ("securities", "orders") for leg in as_list([] if config.get(key) is None else config[key], key)
    ]
    return tuple(asked for leg in legs if (asked := _asked(as_object(leg, "a requested leg"))))


def _asked(leg: Mapping[str, object]) -> Leg | None:
    symbol = first_text((leg,), ("ticker", "tradingsymbol"))
    side = first_text((leg,), ("type", "transactionType"))
    quantity = count(leg, "quantity")
    if not symbol or not side or quantity is None:
        return None
    return Leg(
        placed=False,
        exchange=(text(leg, "exchange") or "NSE").upper(),
        symbol=symbol.upper(),
        side=side.upper(),
        quantity=quantity,
        filled=ZERO,
        average_price=None,
        status="",
    )
