"""JSON read strictly: one object, numbers kept as they were written, nothing a database would choke on.

The depth is measured before anything recurses, so a RecursionError cannot happen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

Number = msgspec.Raw  #: a number token exactly as it was written; it encodes to the same text

DEEPEST: Final = 200  #: whatever the setting says; far from the interpreter's own limit

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
_BAD_TEXT = re.compile("[\0\ud800-\udfff]")


class NotStrictError(ValueError):
    """The bytes are not the JSON that is taken here; `reason` is the refusal's word."""

    def __init__(self, reason: str) -> None:
        """Take the word: not-utf8, not-json, not-an-object, too-deep, duplicate-key, ..."""
        super().__init__(reason)
        self.reason = reason


class Reader:
    """Reads bodies under one set of caps; safe for several threads."""

    def __init__(self, *, max_depth: int = 32, max_digits: int = 40) -> None:
        """Take the deepest nesting and the most digits of a number."""
        self._max_depth = min(max_depth, DEEPEST)
        self._max_digits = max_digits
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_object,
            parse_int=self._number,
            parse_float=self._number,
            parse_constant=_refuse_constant,
        )

    def read(self, body: bytes) -> dict[str, object]:
        """The one object in the body; numbers are `Number`. Raises `NotStrictError`."""
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise NotStrictError("not-utf8") from None
        if body.count(b"{") + body.count(b"[") > self._max_depth:
            self._check_depth(body)
        try:
            value = self._decoder.decode(text)
        except json.JSONDecodeError:
            raise NotStrictError("not-json") from None
        if not isinstance(value, dict):
            raise NotStrictError("not-an-object")
        if b"\\u" in body:
            _check_text(value)
        return value

    def _check_depth(self, body: bytes) -> None:
        depth = 0
        for bracket in _STRING.sub(b"", body).translate(None, _NOT_BRACKETS):
            depth += 1 if bracket in b"[{" else -1
            if depth > self._max_depth:
                raise NotStrictError("too-deep")

    def _number(self, token: str) -> Number:
        if len(token) > self._max_digits and sum(map(str.isdigit, token)) > self._max_digits:
            raise NotStrictError("number-too-long")
        return Number(token)


def canonical(document: Mapping[str, object]) -> bytes:
    """The document with its keys sorted, without white space, numbers as they were written."""
    return msgspec.json.encode(document, order="sorted")


def text_of(number: Number) -> str:
    """The token of a number as it was written."""
    return bytes(number).decode()


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrictError("duplicate-key")
    return found


def _refuse_constant(_: str) -> object:
    raise NotStrictError("not-finite")


def _check_text(value: object) -> None:
    """Refuse NUL and lone surrogates, which JSON can escape and no database text can hold."""
    match value:
        case str():
            if _BAD_TEXT.search(value):
                raise NotStrictError("bad-text")
        case dict():
            _check_all(value)
            _check_all(value.values())
        case list():
            _check_all(value)


def _check_all(values: Iterable[object]) -> None:
    for value in values:
        _check_text(value)
