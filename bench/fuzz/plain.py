"""Single values of a body, read by the fuzz's own means: fractions from the JSON's own text, words as they stand."""

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
    return an_object(found, "the body")


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key} stands there twice")
        found[key] = value
    return found


def _none(word: str) -> None:
    raise ValueError(word)


def an_object(value: object, what: str) -> dict[str, Any]:
    """The value as an object."""
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is no object")
    return value


def a_list(value: object) -> list[Any]:
    """A list; what is not there is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unreadable("no list")
    return value


def inner(place: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The object under that key; an empty one if there is none."""
    value = place.get(key)
    return value if isinstance(value, dict) else {}


def text(place: Mapping[str, Any], key: str) -> str | None:
    """The text under that key, spaces taken off; None if it is absent or empty."""
    value = place.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or isinstance(value, Token):
        raise Unreadable(f"{key} is no text")
    if len(value) > MOST_TEXT or "\0" in value or re.search("[\ud800-\udfff]", value):
        raise Unreadable(f"{key} cannot be kept")
    return value.strip() or None


def first(places: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> str | None:
    """The first text under one of the keys in one of the places."""
    return next((said for place in places for key in keys if (said := text(place, key))), None)


def identifier(place: Mapping[str, Any], key: str) -> str | None:
    """An id, as a text or as a whole number."""
    value = place.get(key)
    if isinstance(value, Token):
        exact = fraction(value)
        if exact is None or exact.denominator != 1:
            raise Unreadable(f"{key} is no whole number")
        return str(exact.numerator)
    return text(place, key)


def signed(place: Mapping[str, Any], key: str) -> int | None:
    """A number in millionths, rounded half to even; None if it is not there."""
    value = place.get(key)
    if value is None or value == "":
        return None
    exact = fraction(value.strip()) if isinstance(value, str) else None
    if exact is None:
        raise Unreadable(f"{key} is no number")
    micro = round(exact * MICRO)
    if abs(micro) >= LIMIT:
        raise Unreadable(f"{key} is too large")
    return micro


def count(place: Mapping[str, Any], key: str) -> int | None:
    """The same; no count, price or amount is below zero."""
    micro = signed(place, key)
    if micro is not None and micro < 0:
        raise Unreadable(f"{key} is below zero")
    return micro


def fraction(text: str) -> Fraction | None:
    """The exact number that a text is; None if it is none."""
    if not _NUMBER.fullmatch(text) or len(text) > 100:  # noqa: PLR2004 characters of one number
        return None
    _, _, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > _MOST_EXPONENT:
        return Fraction(0) if exponent.startswith("-") else None
    return Fraction(text)


def code(text: str | None) -> str | None:
    """An error's code, a number in its plain form however it was written."""
    exact = fraction(text) if text else None
    return text if exact is None else str(exact)


def failure(whole: Mapping[str, Any]) -> None:
    """Raise if the envelope reports a failure or holds nothing."""
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
