"""What a transaction may be created with: every intent, its body, and what is wrong with one, before it is sent.

Pure. A request is a JSON object as `gateway.strict` reads it: numbers are tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from gateway.strict import Number, text_of

NOTES_MOST: Final = 256
LEGS_MOST: Final = 500
_SHORTEST: Final = 6  #: shorter texts say nothing about a person, and would blot out words
_NAME_MOST: Final = 64  #: of a field as it is shown again
_TICKER = re.compile(r"[A-Z0-9][A-Z0-9&_.-]{0,31}", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_PAN = re.compile(r"[A-Z]{5}[0-9]{4}[A-Z]", re.ASCII)
_PHONE = re.compile(r"[0-9]{10}", re.ASCII)
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}\.[^@\s\x00-\x1f]{1,63}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_QUANTITY = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9 _-]{1,64}", re.ASCII)


class Token(StrEnum):
    """With which token a transaction may be created."""

    EITHER = "either"
    GUEST = "guest"
    CONNECTED = "connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing wrong with a request: where, what, and what to write instead. Values are never repeated."""

    field: str
    problem: str
    fix: str


Fields = Mapping[str, object]
_Check = Callable[[object, str], Iterator[Flaw]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What one intent takes: its token, the fields it may have, those it must have."""

    token: Token
    fields: Mapping[str, _Check]
    needed: frozenset[str] = frozenset()


def flaws(intent: str, body: Fields) -> list[Flaw]:
    """All that is wrong with the body of that intent, unknown fields by name; empty when it may be sent."""
    if (known := INTENTS.get(intent)) is None:
        return [Flaw(field="intent", problem="is no intent of the Gateway", fix=f"one of {', '.join(INTENTS)}")]
    return list(_fields(body, "", known.fields, known.needed))


def requested(body: Fields) -> list[dict[str, str]]:
    """The basket asked for, as it is kept: none unless every leg says how much and which way."""
    config = body.get("orderConfig")
    legs = config.get("securities") if isinstance(config, Mapping) else None
    if not isinstance(legs, list) or not all(
        isinstance(leg, Mapping) and {"quantity", "type"} <= leg.keys() for leg in legs
    ):
        return []
    return [
        {
            "exchange": "NSE",
            "symbol": str(leg["ticker"]),
            "side": str(leg["type"]),
            "quantity": _token(leg["quantity"]),
        }
        for leg in legs
    ]


def without_personal(words: str, body: Fields) -> str:
    """What the Gateway says, without anything that it repeats of a person's PAN, phone, email or notes."""
    config = body.get("assetConfig")
    values = [*(config.values() if isinstance(config, Mapping) else ()), body.get("notes")]
    for value in values:
        if isinstance(value, str) and len(value) >= _SHORTEST:
            words = words.replace(value, "[not kept]")
    return words


# ---------------------------------------------------------------- one field


def _fields(body: Fields, place: str, known: Mapping[str, _Check], needed: frozenset[str]) -> Iterator[Flaw]:
    for name, value in body.items():
        if (check := known.get(name)) is None:
            fix = f"take it out; there may be {', '.join(known)}" if known else "take it out: there may be none here"
            yield Flaw(field=_at(place, name), problem="is no field that is known here", fix=fix)
        else:
            yield from check(value, _at(place, name))
    for name in sorted(needed - body.keys()):
        yield Flaw(field=_at(place, name), problem="is missing", fix="add it")


def _at(place: str, name: str) -> str:
    name = name if name.isprintable() and len(name) <= _NAME_MOST else "?"
    return f"{place}.{name}" if place else name


def _text(pattern: re.Pattern[str], problem: str, fix: str) -> _Check:
    def check(value: object, place: str) -> Iterator[Flaw]:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            yield Flaw(field=place, problem=problem, fix=fix)

    return check


def _one_of(*words: str) -> _Check:
    def check(value: object, place: str) -> Iterator[Flaw]:
        if value not in words or not isinstance(value, str):
            yield Flaw(field=place, problem="is none of the words known", fix=f"one of {', '.join(words)}")

    return check


def _boolean(value: object, place: str) -> Iterator[Flaw]:
    if not isinstance(value, bool):
        yield Flaw(field=place, problem="is neither true nor false", fix="true or false, without quotation marks")


def _true_or_its_name(value: object, place: str) -> Iterator[Flaw]:
    if not isinstance(value, bool) and value not in ("true", "false"):
        yield Flaw(field=place, problem="is neither true nor false", fix='true or "true", false or "false"')


def _notes(value: object, place: str) -> Iterator[Flaw]:
    if not isinstance(value, str) or len(value) > NOTES_MOST:
        yield Flaw(field=place, problem="is no text of that length", fix=f"at most {NOTES_MOST} characters")


def _quantity(value: object, place: str) -> Iterator[Flaw]:
    if not _QUANTITY.fullmatch(_token(value)):
        yield Flaw(
            field=place, problem="is no whole number of shares above zero", fix="such as 10, without point or sign"
        )


def _token(value: object) -> str:
    """A number as it is written; a caller in Python may give an int."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_of(value) if isinstance(value, Number) else ""


def _calendar_day(value: object, place: str) -> Iterator[Flaw]:
    try:
        good = isinstance(value, str) and _DAY.fullmatch(value) is not None and date.fromisoformat(value) is not None
    except ValueError:
        good = False
    if not good:
        yield Flaw(field=place, problem="is no day of the calendar", fix="write it as 2026-11-23")


def _object(known: Mapping[str, _Check], *needed: str) -> _Check:
    def check(value: object, place: str) -> Iterator[Flaw]:
        if not isinstance(value, Mapping):
            yield Flaw(field=place, problem="is no object", fix=f"an object with {', '.join(known)}")
        else:
            yield from _fields(value, place, known, frozenset(needed))

    return check


def _anything(value: object, place: str) -> Iterator[Flaw]:
    """What the public record does not describe passes as it is, if it is an object."""
    if not isinstance(value, Mapping):
        yield Flaw(field=place, problem="is no object", fix="an object, as your Gateway contract describes it")


# ---------------------------------------------------------------- baskets and smallcases

_LEG: Final[Mapping[str, _Check]] = {
    "ticker": _text(_TICKER, "is no NSE symbol", "such as INFY or M&M, in capitals"),
    "quantity": _quantity,
    "type": _one_of("BUY", "SELL"),
}
_leg = _object(_LEG, "ticker")


def _securities(value: object, place: str) -> Iterator[Flaw]:
    if not isinstance(value, list) or not 0 < len(value) <= LEGS_MOST:
        yield Flaw(
            field=place,
            problem="is no list of orders",
            fix=f"a list of 1 to {LEGS_MOST} objects with {', '.join(_LEG)}",
        )
        return
    for position, leg in enumerate(value):
        yield from _leg(leg, f"{place}[{position}]")
    legs = [leg for leg in value if isinstance(leg, Mapping)]
    for name in ("quantity", "type"):
        if 0 < sum(name in leg for leg in legs) < len(legs):
            problem = f"names {name} for some orders and not for others"
            yield Flaw(field=place, problem=problem, fix=f"give {name} for all orders or for none")


_BASKET: Final[Mapping[str, _Check]] = {"type": _one_of("SECURITIES"), "securities": _securities}
_SMALLCASE_ID: Final = _text(_IDENTIFIER, "is no id of a smallcase", "letters, digits, - and _, at most 64")
_KINDS = ("BUY", "INVESTMORE", "FIX", "REBALANCE", "SIP", "MANAGE", "EXIT")
_SMALLCASE: Final[Mapping[str, _Check]] = {"type": _one_of(*_KINDS), "scid": _SMALLCASE_ID, "iscid": _SMALLCASE_ID}
_TYPES = ("SECURITIES", *_KINDS, "RECONCILIATION")


def _order_config(value: object, place: str) -> Iterator[Flaw]:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or kind not in _TYPES:
        yield Flaw(field=_at(place, "type"), problem="is no kind of order", fix=f"one of {', '.join(_TYPES)}")
    elif kind == "SECURITIES":
        yield from _fields(value, place, _BASKET, frozenset({"securities"}))
    elif kind == "RECONCILIATION":
        yield from _fields(value, place, {"type": _one_of("RECONCILIATION")}, frozenset())
    else:
        yield from _fields(value, place, _SMALLCASE, frozenset())
        if not value.keys() & {"scid", "iscid"}:
            yield Flaw(field=place, problem="names no smallcase", fix="add scid, or iscid for one the user holds")


_CANCEL: Final[Mapping[str, _Check]] = {
    "batchId": _text(_IDENTIFIER, "is no batchId", "as the Gateway gave it: letters and digits"),
    "ticker": _LEG["ticker"],
}
_HOLDINGS: Final[Mapping[str, _Check]] = {
    "version": _one_of("v1", "v2"),
    "assetConfig": _object({"mfHoldings": _true_or_its_name}),
    "notes": _notes,
}
_MF_HOLDINGS: Final[Mapping[str, _Check]] = {
    "assetConfig": _object(
        {
            "pan": _text(_PAN, "is no PAN", "five capitals, four digits, one capital"),
            "phone": _text(_PHONE, "is no phone number", "ten digits as text, without +91, 0 or spaces"),
            "email": _text(_EMAIL, "is no email address", "such as name@example.com"),
            "fromDate": _calendar_day,
            "flow": _text(_WORD, "is no word", "letters and digits, at most 64"),
        }
    ),
    "responseConfig": _object({"casDetail": _boolean, "casSummary": _boolean}),
    "notes": _notes,
}
_UNDESCRIBED: Final[Mapping[str, _Check]] = {"orderConfig": _anything, "assetConfig": _anything}
_cancel = Intent(
    token=Token.CONNECTED,
    fields={"orderConfig": _object(_CANCEL, "batchId", "ticker")},
    needed=frozenset({"orderConfig"}),
)

#: Every intent of the public record. The last five are known by name alone.
INTENTS: Final[Mapping[str, Intent]] = {
    "CONNECT": Intent(token=Token.EITHER, fields={}),
    "TRANSACTION": Intent(token=Token.EITHER, fields={"orderConfig": _order_config}, needed=frozenset({"orderConfig"})),
    "HOLDINGS_IMPORT": Intent(token=Token.EITHER, fields=_HOLDINGS),
    "MF_HOLDINGS_IMPORT": Intent(token=Token.GUEST, fields=_MF_HOLDINGS),
    "FETCH_FUNDS": Intent(token=Token.CONNECTED, fields={}),
    "CANCEL_ORDER": _cancel,
    "CANCEL_AMO": _cancel,
    "SIP_SETUP": Intent(token=Token.EITHER, fields=_UNDESCRIBED),
    "AUTHORISE_HOLDINGS": Intent(token=Token.EITHER, fields=_UNDESCRIBED),
    "SUBSCRIPTION": Intent(token=Token.EITHER, fields=_UNDESCRIBED),
    "ONBOARDING": Intent(token=Token.EITHER, fields=_UNDESCRIBED),
    "IMR_SETUP": Intent(token=Token.EITHER, fields=_UNDESCRIBED),
}
