"""Single values of the Gateway's JSON: exact, of the right type, fit for a database, or `Nonsense`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NoReturn

from recon.numbers import NotANumberError, exact

MAX_TEXT: Final = 4096
MAX_DIGITS: Final = 40  #: of an id sent as a number
MAX_NUMBER: Final = 100  #: characters of one number


class WireError(Exception):
    """A body that is no answer. `kind` is what `inbox.decide` goes by; the text is safe to show."""

    kind = "nonsense"
    retry_after: timedelta | None = None


class Nonsense(WireError):  # noqa: N818 its name is its meaning
    """The body is not what any version of the Gateway sends: HTML, wrong types, another transaction."""


def read_object(body: bytes) -> Mapping[str, object]:
    """The JSON object of a body, numbers as `Decimal` from their text. Raises `Nonsense`."""
    try:
        document = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_once,
            parse_float=_decimal,
            parse_int=_decimal,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError):
        raise Nonsense("the answer is no JSON") from None
    return as_object(document, "the answer")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The object. One key twice says two things: neither is taken."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _decimal(token: str) -> Decimal:
    if len(token) > MAX_NUMBER:
        raise ValueError("a number too long")
    return Decimal(token)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def as_object(value: object, what: str) -> Mapping[str, object]:
    """The value as an object. Raises `Nonsense`, which names it by `what`."""
    if not isinstance(value, dict):
        raise Nonsense(f"{what} is no object")
    return value


def as_list(value: object, what: str) -> list[object]:
    """The value as a list. Raises `Nonsense`, which names it by `what`."""
    if not isinstance(value, list):
        raise Nonsense(f"{what} is no list")
    return value


def text(place: Mapping[str, object], key: str) -> str | None:
    """The text under that key; null and the empty text count as absent."""
    value = place.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Nonsense(f"{key} is no text")
    return checked(value, key) or None


def identifier(place: Mapping[str, object], key: str) -> str | None:
    """An id: text, or a whole number, whose digits are all in the token."""
    value = place.get(key)
    if isinstance(value, Decimal) and value == value.to_integral_value() and value.adjusted() < MAX_DIGITS:
        return format(value, "f").split(".")[0]
    return text(place, key)


def checked(text: str, key: str) -> str:
    """Text that a database can hold."""
    if len(text) > MAX_TEXT or "\0" in text or not (text.isascii() or all(not "\ud800" <= c <= "\udfff" for c in text)):
        raise Nonsense(f"{key} is no text that can be kept")
    return text.strip()


def first_text(places: Iterable[Mapping[str, object]], keys: tuple[str, ...]) -> str | None:
    """The first text under one of those keys in one of those places. Raises `Nonsense`."""
    return next((t for place in places for key in keys if (t := text(place, key))), None)


def number(place: Mapping[str, object], key: str) -> Decimal | None:
    """The exact number under that key, sent as number or text; absent is None. Raises `Nonsense`."""
    value = place.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, Decimal)):
        raise Nonsense(f"{key} is no number")
    if isinstance(value, str) and not (value.isascii() and "_" not in value):  # which Python would read
        raise Nonsense(f"{key} is no number")
    try:
        return exact(value.strip() if isinstance(value, str) else value)
    except NotANumberError:
        raise Nonsense(f"{key} is no number") from None


def count(place: Mapping[str, object], key: str) -> Decimal | None:
    """A number that is not below zero: of shares, of rupees. Raises `Nonsense`."""
    found = number(place, key)
    if found is not None and found < 0:
        raise Nonsense(f"{key} is below zero")
    return found


def instant(place: Mapping[str, object], key: str) -> datetime | None:
    """An instant: ISO 8601 with zone, or epoch seconds or milliseconds."""
    value = place.get(key)
    if value is None or value == "":
        return None
    try:
        if isinstance(value, Decimal):
            return _from_epoch(value)
        if isinstance(value, str):
            return _from_iso(value)
    except (ValueError, OverflowError, OSError):
        pass
    raise Nonsense(f"{key} is no instant")


def _from_epoch(value: Decimal) -> datetime:
    if not 0 <= value < Decimal(10) ** 14:
        raise ValueError
    microseconds = int(value * (1_000 if value > Decimal(10) ** 11 else 1_000_000))
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def _from_iso(value: str) -> datetime:
    moment = datetime.fromisoformat(value.strip())
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)
