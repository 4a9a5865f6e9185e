"""Reading objects whose keys are only partly known: what is not understood is listed, never dropped.

A `Place` is one object of an answer. It remembers which keys were asked for; the others are listed by
`leave`. Paths name a place in the answer with the numbers of rows left out, so that the same unknown key
in a thousand rows is one entry with a count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, TypeVar

from config.calendar import IST
from gateway.fields import Nonsense, checked, instant, number, text

UNKNOWN_KEY: Final = "unknown-key"  #: nobody knows what it means
UNREADABLE: Final = "unreadable"  #: its meaning is known, its value is not of that kind
REFUSED: Final = "refused-row"  #: a row that cannot be taken
REMARK: Final = "remark"  #: it was taken, in a way that somebody should know of
MOST: Final = 200  #: entries of one answer; what goes beyond is counted in one more
EXAMPLE: Final = 80  #: characters
DEPTH: Final = 32  #: of what is kept of a row

T = TypeVar("T")


class BadRow(Nonsense):
    """A row that cannot be taken; the others can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUnderstood:
    """Something in an answer that was not understood, or only in part."""

    path: str  #: as `securities[].positions.mcx`
    what: str
    why: str
    count: int
    example: str  #: the first such value, cut


class Notes:
    """What one answer held that was not understood."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._found: dict[tuple[str, str, str], tuple[int, str]] = {}
        self._beyond = 0

    def add(self, what: str, path: str, why: str, value: object = None) -> None:
        """Note one thing; the same at the same path again is counted."""
        key = (what, path, why)
        count, example = self._found.get(key, (0, ""))
        if count or len(self._found) < MOST:
            self._found[key] = count + 1, example or shown(value)
        else:
            self._beyond += 1

    def all(self) -> tuple[NotUnderstood, ...]:
        """Everything noted, in the order in which it was met."""
        found = [
            NotUnderstood(path=path, what=what, why=why, count=count, example=example)
            for (what, path, why), (count, example) in self._found.items()
        ]
        if self._beyond:
            why = "more than can be listed: read the body"
            found.append(NotUnderstood(path="", what=REMARK, why=why, count=self._beyond, example=""))
        return tuple(found)

    @property
    def refused(self) -> int:
        """How many rows could not be taken."""
        return sum(count for (what, _, _), (count, _) in self._found.items() if what == REFUSED)


class Place:
    """One object of an answer, read key by key."""

    def __init__(self, value: Mapping[str, object], path: str, notes: Notes) -> None:
        """Take the object, where it lies, and where to note what is not understood."""
        self.value, self.path, self.notes = value, path, notes
        self._read: set[str] = set()

    def take(self, *keys: str) -> tuple[str, object]:
        """The first of those keys that is there and not null, with its value; all of them count as read."""
        self._read.update(keys)
        return next(((key, v) for key in keys if (v := self.value.get(key)) is not None), (keys[0], None))

    def pass_over(self, *keys: str) -> None:
        """Count those keys as read: they are known, and of no use here."""
        self._read.update(keys)

    def text(self, *keys: str) -> str | None:
        """The text under the first of those keys; what is none is noted."""
        return self._lenient(text, keys)

    def number(self, *keys: str) -> Decimal | None:
        """The exact number under the first of those keys; what is none is noted."""
        return self._lenient(number, keys)

    def quantity(self, *keys: str) -> Decimal | None:
        """A number without which the row means nothing. Raises `BadRow` if it is none."""
        key, _ = self.take(*keys)
        try:
            return number(self.value, key)
        except Nonsense as error:
            raise BadRow(str(error)) from None

    def flag(self, *keys: str) -> bool | None:
        """Whether it says yes; what is neither yes nor no is noted."""
        return self._lenient(_flag, keys)

    def instant(self, *keys: str) -> datetime | None:
        """An instant. One without a zone is read as IST, a date alone as the end of that day: noted as such."""
        key, value = self.take(*keys)
        if isinstance(value, str) and (found := _without_zone(value)):
            self.notes.add(REMARK, self.at(key), "no time zone: read as IST", value)
            return found
        return self._lenient(instant, keys)

    def day(self, *keys: str) -> date | None:
        """A date, in one of the forms that leave no doubt; what is none is noted."""
        return self._lenient(_day, keys)

    def inner(self, *keys: str) -> Place:
        """The object under the first of those keys; an empty one if there is none."""
        key, value = self.take(*keys)
        if value is not None and not isinstance(value, Mapping):
            self.notes.add(UNREADABLE, self.at(key), "no object", value)
        return Place(value if isinstance(value, Mapping) else {}, self.at(key), self.notes)

    def rows(self, value: object, path: str, read: Callable[[Place], T]) -> Iterator[T]:
        """Each object of a list, read; a row that cannot be taken is noted with its reason."""
        if not isinstance(value, list):
            if value is not None:
                self.notes.add(UNREADABLE, path, "no list", value)
            return
        for row in value:
            try:
                if not isinstance(row, Mapping):
                    raise BadRow("no object")
                place = Place(row, f"{path}[]", self.notes)
                found = read(place)
            except Nonsense as error:
                self.notes.add(REFUSED, f"{path}[]", str(error), row)
                continue
            place.leave()
            yield found

    def at(self, key: str) -> str:
        """The path of a key of this place."""
        return f"{self.path}.{shown(key)}" if self.path else shown(key)

    def leave(self) -> None:
        """Note every key that nobody asked for."""
        for key, value in self.value.items():
            if key not in self._read:
                self.notes.add(UNKNOWN_KEY, self.at(key), "nobody knows what it means", value)

    def _lenient(self, read: Callable[[Mapping[str, object], str], T], keys: tuple[str, ...]) -> T | None:
        key, value = self.take(*keys)
        try:
            return read(self.value, key)
        except Nonsense as error:
            self.notes.add(UNREADABLE, self.at(key), str(error).removeprefix(f"{key} is "), value)
            return None


def shown(value: object) -> str:
    """A value as it stood, cut; numbers as they were written."""
    if value is None:
        return ""
    try:
        written = str(value) if isinstance(value, str | Decimal) else json.dumps(value, default=str, ensure_ascii=False)
    except RecursionError:
        return "nested too deep to be shown"
    return written.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:EXAMPLE]


def plain(value: object, *, depth: int = DEPTH) -> object:
    """JSON that a database can hold: numbers as their text, text without what it refuses."""
    match value:
        case Mapping() | list() if not depth:
            return "nested too deep: read the body"
        case Mapping():
            return {str(plain(key)): plain(inner, depth=depth - 1) for key, inner in value.items()}
        case list():
            return [plain(inner, depth=depth - 1) for inner in value]
        case Decimal():
            return str(value)
        case str():
            return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
        case _:
            return value


def _flag(place: Mapping[str, object], key: str) -> bool | None:
    match place.get(key):
        case None | "":
            return None
        case bool() as said:
            return said
        case "true" | "True":
            return True
        case "false" | "False":
            return False
        case _:
            raise Nonsense(f"{key} is neither yes nor no")


def _without_zone(value: str) -> datetime | None:
    """An instant that names no zone; None for any other text."""
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if found.tzinfo is not None:
        return None
    whole_day = len(value.strip()) <= len("2024-01-15")
    local = datetime.combine(found.date(), time(), IST) + timedelta(days=1) if whole_day else found.replace(tzinfo=IST)
    return local.astimezone(UTC)


def _day(place: Mapping[str, object], key: str) -> date | None:
    value = place.get(key)
    if isinstance(value, str) and value.strip():
        written = checked(value, key)
        for form in ("%Y-%m-%d", "%d-%b-%Y", "%d-%B-%Y", "%d %b %Y"):
            try:
                return datetime.strptime(written[:20], form).replace(tzinfo=IST).date()
            except ValueError:
                continue
    found = instant(place, key)
    return found.astimezone(IST).date() if found else None
