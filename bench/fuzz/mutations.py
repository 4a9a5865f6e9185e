"""Ways in which an answer goes wrong, and what may then be booked.

`SAME`: it means what it meant. `NOTHING`: nothing may be booked from it. `AS_TOLD`: it may mean something
else now, and the oracle reads what.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Means(StrEnum):
    """What may be booked from a mutated answer."""

    SAME = "same"
    NOTHING = "nothing"
    AS_TOLD = "as-told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutated:
    """A mutated answer."""

    body: bytes
    means: Means
    how: str
    status: int = 200


Place = tuple[Any, Any]

ODD: Final[Sequence[object]] = (
    None, True, False, 0, -1, 1, 7, 0.1, 1e308, 10**120, 10**14, 99999999999999.9999999, "", " ", "NaN", "Infinity",
    "1e999999", "1_000", "١٢", "12", " 5 ", "0x10", "-0", "1,000", "null", "\0", "\ud800", "x" * 5000, [], {}, [[]],
    [None], {"a": None}, "COMPLETED", "COMPLETE", "SELL", "2024-13-45", "2024-01-15T10:30:00.000Z", 1705314600000,
)  # fmt: skip
_SMALL: Final[Sequence[object]] = (None, True, 0, 0.1, "", "x", [], {}, [None], {"a": {"b": [1]}})
_NO_AMOUNTS: Final = frozenset(
    {"code", "exchangeOrderId", "createdAt", "expireAt", "updatedAt", "completedDate", "lastUpdate", "snapshotDate"}
)
_DEEP: Final = 4000


def mutated(body: bytes, chance: random.Random) -> Mutated:
    """One mutation of that body by chance."""
    how = chance.choice(_ALL)
    return _MAKES[how](body, chance)


def places(document: object) -> list[Place]:
    """Every place of a document, as container and key."""
    if isinstance(document, dict):
        found: list[Place] = [(document, key) for key in document]
    elif isinstance(document, list):
        found = [(document, key) for key in range(len(document))]
    else:
        return []
    return found + [p for container, key in tuple(found) for p in places(container[key])]


def _told(how: str, body: bytes, means: Means, status: int = 200) -> Mutated:
    return Mutated(body=body, means=means, how=how, status=status)


def _dumped(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _load(body: bytes) -> Any:
    return json.loads(body.decode())


# ------------------------------------------------------------ the same, told otherwise


def _more_keys(body: bytes, chance: random.Random) -> Mutated:
    document = _load(body)
    objects = [document, *(c[k] for c, k in places(document) if isinstance(c[k], dict))]
    for each in chance.sample(objects, min(3, len(objects))):
        each[f"new{chance.randrange(1000)}"] = deepcopy(chance.choice(_SMALL))
    return _told("more-keys", _dumped(document), Means.SAME)


def _other_order(body: bytes, chance: random.Random) -> Mutated:
    return _told("other-order", _dumped(_shuffled(_load(body), chance)), Means.SAME)


def _shuffled(value: object, chance: random.Random) -> object:
    if isinstance(value, list):
        return [_shuffled(each, chance) for each in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    chance.shuffle(keys)
    return {key: _shuffled(value[key], chance) for key in keys}


def _spaced(body: bytes, chance: random.Random) -> Mutated:
    text = json.dumps(_load(body), indent=chance.randrange(1, 9)).encode()
    return _told("spaced", chance.choice([b"", b"\xef\xbb\xbf", b" \r\n"]) + text + b"\n", Means.SAME)


def _escaped(body: bytes, _: random.Random) -> Mutated:
    """Every letter of every text, and of every key, as an escape."""
    return _told("escaped", _escape(_load(body)).encode(), Means.SAME)


def _escape(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_escape(key)}:{_escape(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_escape, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(letter):04x}" for letter in value) + '"'
    return json.dumps(value)


def _numbers_as_text(body: bytes, chance: random.Random) -> Mutated:
    document = _load(body)
    for container, key in places(document):
        value = container[key]
        if type(value) in {int, float} and key not in _NO_AMOUNTS and chance.random() < 0.5:  # noqa: PLR2004
            container[key] = repr(value)
    return _told("numbers-as-text", _dumped(document), Means.SAME)


def _no_errors(body: bytes, chance: random.Random) -> Mutated:
    document = _load(body)
    if isinstance(document, dict) and "data" in document:
        document["errors"] = chance.choice([None, [], ""])
        if chance.random() < 0.5:  # noqa: PLR2004
            document.pop("errors")
    return _told("no-errors", _dumped(document), Means.SAME)


# ------------------------------------------------------------ what says nothing


def _half(body: bytes, chance: random.Random) -> Mutated:
    return _told("half", body.rstrip()[: chance.randrange(len(body.rstrip()))], Means.NOTHING)


def _page(_: bytes, chance: random.Random) -> Mutated:
    page = chance.choice(
        [b"<!doctype html><h1>Bad gateway</h1>", b"", b"OK", b"null", b"[]", b'"ok"', b"\xff\xfe", b"0"]
    )
    return _told("page", page, Means.NOTHING)


def _noise(_: bytes, chance: random.Random) -> Mutated:
    return _told("noise", chance.randbytes(chance.randrange(200)), Means.NOTHING)


def _twice(body: bytes, _: random.Random) -> Mutated:
    return _told("two-documents", body + body, Means.NOTHING)


def _deep(body: bytes, _: random.Random) -> Mutated:
    return _told("deep", b'{"data":' * _DEEP + body + b"}" * _DEEP, Means.NOTHING)


def _status(body: bytes, chance: random.Random) -> Mutated:
    """A good body under a status that says that it is none."""
    statuses = (204, 301, 302, 304, 400, 401, 403, 404, 408, 409, 410, 418, 422, 425, 429, 500, 502, 503, 504, 520, 599)
    return _told("status", body, Means.NOTHING, chance.choice(statuses))


def _failure(body: bytes, chance: random.Random) -> Mutated:
    document = _load(body)
    if "data" not in document:
        return _half(body, chance)
    if chance.random() < 0.5:  # noqa: PLR2004
        document["success"] = False
    document["errors"] = chance.choice(
        [["internal_error"], "internal_error", {"message": "timed_out"}, ["Invalid JWT"], ["not found"]]
    )
    return _told("failure", _dumped(document), Means.NOTHING)


def _empty(body: bytes, chance: random.Random) -> Mutated:
    document = _load(body)
    if "data" not in document:
        return _half(body, chance)
    document["data"] = chance.choice([None, {}, [], "", 0, False, "x", [[]], 7])
    return _told("empty-data", _dumped(document), Means.NOTHING)


def _said_twice(body: bytes, chance: random.Random) -> Mutated:
    """One key stands twice in an object, the second time with another value."""
    document = _load(body)
    keys = [(c, k) for c, k in places(document) if isinstance(c, dict)]
    container, key = chance.choice(keys)
    mark = f"@@{chance.randrange(10**9)}"
    value = container[key]
    others: list[object] = [None, 1, "x", [], 2.5]
    container[mark] = chance.choice([other for other in others if other != value])
    text = _dumped(document).decode("utf-8", "surrogatepass").replace(f'"{mark}"', json.dumps(key))
    return _told("said-twice", text.encode("utf-8", "surrogatepass"), Means.NOTHING)


def _no_number(body: bytes, chance: random.Random) -> Mutated:
    document = _load(body)
    container, key = chance.choice(places(document))
    container[key] = "@@"
    text = _dumped(document).replace(
        b'"@@"', chance.choice([b"NaN", b"Infinity", b"-Infinity", b"01", b"1.", b".5", b"+1"])
    )
    return _told("no-number", text, Means.NOTHING)


# ------------------------------------------------------------ anything else


def _value(body: bytes, chance: random.Random) -> Mutated:
    document = _load(body)
    for _ in range(chance.randrange(1, 4)):
        if found := places(document):
            container, key = chance.choice(found)
            container[key] = deepcopy(chance.choice(ODD))
    return _told("value", _dumped(document), Means.AS_TOLD)


def _gone(body: bytes, chance: random.Random) -> Mutated:
    document = _load(body)
    for _ in range(chance.randrange(1, 4)):
        if found := places(document):
            container, key = chance.choice(found)
            del container[key]
    return _told("gone", _dumped(document), Means.AS_TOLD)


def _swapped(body: bytes, chance: random.Random) -> Mutated:
    document = _load(body)
    (one, this), (other, that) = chance.choice(places(document)), chance.choice(places(document))
    moved = deepcopy(one[this]), deepcopy(other[that])
    other[that], one[this] = moved
    return _told("swapped", _dumped(document), Means.AS_TOLD)


def _doubled(body: bytes, chance: random.Random) -> Mutated:
    """A second list of batches, or of anything, stands at another place with other values."""
    document = _load(body)
    found = places(document)
    container, key = chance.choice([(c, k) for c, k in found if isinstance(c[k], list | dict)] or found)
    copy = deepcopy(container[key])
    if inner := places(copy):
        place, at = chance.choice(inner)
        place[at] = deepcopy(chance.choice(ODD))
    objects = [document, *(c[k] for c, k in found if isinstance(c[k], dict))]
    named = ("orderBatches", "batches", "transaction", "data", "orders", "holdings", str(key))
    chance.choice(objects)[chance.choice(named)] = copy
    return _told("doubled", _dumped(document), Means.AS_TOLD)


def _bytes(body: bytes, chance: random.Random) -> Mutated:
    raw = bytearray(body)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(raw))
        if chance.random() < 0.5:  # noqa: PLR2004
            raw[at] = chance.randrange(256)
        else:
            raw[at : at + chance.randrange(9)] = chance.randbytes(chance.randrange(4))
    return _told("bytes", bytes(raw), Means.AS_TOLD)


def _digits(body: bytes, chance: random.Random) -> Mutated:
    """A digit becomes another character: the likeliest way to a wrong sum."""
    at = [place for place, letter in enumerate(body) if 48 <= letter <= 57]  # noqa: PLR2004 digits
    raw = bytearray(body)
    for place in chance.sample(at, min(len(at), chance.randrange(1, 3))):
        raw[place] = chance.choice(b"0123456789.eE-+_ ")
    return _told("digits", bytes(raw), Means.AS_TOLD)


_MAKES: Final[Mapping[str, Callable[[bytes, random.Random], Mutated]]] = {
    make.__name__.lstrip("_"): make
    for make in (
        _more_keys, _other_order, _spaced, _escaped, _numbers_as_text, _no_errors,
        _half, _page, _noise, _twice, _deep, _status, _failure, _empty, _said_twice, _no_number,
        _value, _gone, _swapped, _doubled, _bytes, _digits,
    )
}  # fmt: skip
#: The likelier to be misread, the more often; deep nesting costs most and shows least.
_ALL: Final = [
    name
    for name in _MAKES
    for _ in range({"deep": 1, "twice": 2, "page": 2, "noise": 2, "value": 24, "gone": 24, "doubled": 16}.get(name, 6))
]
