"""Which family a webhook is of, told by its shape, and the ids it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.strict import NotStrictError, Number, text_of


class Family(StrEnum):
    """The families of webhooks; there is no event type in them."""

    ORDERS = "orders"
    HOLDINGS = "holdings"
    MF_HOLDINGS = "mf-holdings"
    UNKNOWN = "unknown"


ACCOUNT: Final = "smallcaseAuthId"
TRANSACTION: Final = "transactionId"
BATCH: Final = "batchId"
UNSIGNED: Final = ("timestamp", "checksum")  #: top-level keys that are no part of a webhook's identity

_HEX_24 = re.compile(r"[0-9a-fA-F]{24}")
_PATTERNS: Final = {
    TRANSACTION: re.compile(r"TRX_[0-9a-fA-F]{32}"),
    ACCOUNT: _HEX_24,
    BATCH: _HEX_24,
}


class Shape(NamedTuple):
    """What a webhook's outer form says; an id that it does not name is None."""

    family: Family
    transaction_id: str | None
    account: str | None
    batch_id: str | None
    timestamp: str | None  #: a string's value, or a number's token as it was sent
    checksum: str | None


def family_of(document: Mapping[str, object]) -> Family:
    """The one family whose keys the document has; none or two of them are unknown."""
    orders = BATCH in document or "orders" in document
    holdings = "securities" in document or "smallcases" in document
    funds = _of_funds(document)
    if orders + holdings + funds != 1:
        return Family.UNKNOWN
    return Family.ORDERS if orders else Family.HOLDINGS if holdings else Family.MF_HOLDINGS


def shape_of(document: Mapping[str, object]) -> Shape:
    """The outer form of a webhook. Raises `NotStrictError("bad-id")`."""
    family = family_of(document)
    return Shape(
        family=family,
        transaction_id=_id(document, TRANSACTION, family) or _enveloped_id(document, family),
        account=_id(document, ACCOUNT, family),
        batch_id=_id(document, BATCH, family),
        timestamp=_timestamp(document.get("timestamp")),
        checksum=found if isinstance(found := document.get("checksum"), str) and found else None,
    )


def _of_funds(document: Mapping[str, object]) -> bool:
    named = "summary" in document or "transactions" in document or "dtSummary" in document
    return named or ("gateway" in document and "data" in document)


def _id(document: Mapping[str, object], name: str, family: Family) -> str | None:
    match document.get(name):
        case None:
            return None
        case str() as found if _PATTERNS[name].fullmatch(found):
            return found
        case str():
            raise NotStrictError("bad-id")
        case _ if family is Family.UNKNOWN:
            return None  # its formula is chosen by which id is a string
        case _:
            raise NotStrictError("bad-id")


def _enveloped_id(document: Mapping[str, object], family: Family) -> str | None:
    """The transaction's id inside the envelope that one kind of fund webhook comes in."""
    inner = document.get("data")
    if family is not Family.MF_HOLDINGS or "gateway" not in document or not isinstance(inner, dict):
        return None
    return _id(inner, TRANSACTION, family)


def _timestamp(value: object) -> str | None:
    if isinstance(value, Number):
        return text_of(value)
    return value if isinstance(value, str) and value else None
