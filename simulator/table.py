"""Reading a table of a scenario or of a request: each key by its kind, clear words for what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time

from simulator.day import IST

_MISSING = object()
NO_LIMIT = 1e12


class BadTableError(ValueError):
    """What is wrong, where, and what may stand there."""


class Table:
    """One table; `where` names it in messages. Every key that is read counts as known."""

    def __init__(self, value: object, where: str) -> None:
        """Take the table. Raises `BadTableError` if it is none."""
        if not isinstance(value, Mapping):
            raise BadTableError(f"{where} is no table: {value!r}")
        self._value, self.where = value, where
        self._known: list[str] = []

    def text(self, key: str, otherwise: str | None = None, *, among: Sequence[str] = ()) -> str:
        """A text, one of those if there are any."""
        value = self._take(key, otherwise)
        if not isinstance(value, str):
            raise self.wrong(key, value, "a text")
        if among and value not in among:
            raise self.wrong(key, value, f"one of {', '.join(among)}")
        return value

    def whole(self, key: str, otherwise: int | None = None, *, least: int = 0) -> int:
        """A whole number."""
        value = self._take(key, otherwise)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, value, f"a whole number from {least}")
        return value

    def number(self, key: str, otherwise: float | None = None, *, most: float = NO_LIMIT) -> float:
        """A number from 0."""
        value = self._take(key, otherwise)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
            raise self.wrong(key, value, f"a number from 0 to {most:g}" if most < NO_LIMIT else "a number from 0")
        return float(value)

    def flag(self, key: str, otherwise: bool) -> bool:  # noqa: FBT001 a default like the others
        """True or false."""
        value = self._take(key, otherwise)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false")
        return value

    def day(self, key: str, otherwise: date | None = None) -> date:
        """A date."""
        value = self._take(key, otherwise)
        if isinstance(value, str):
            value = _read(date.fromisoformat, value)
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.wrong(key, self._value.get(key), "a date, as 2026-11-18")
        return value

    def instant(self, key: str, on: date, otherwise: datetime | None = None) -> datetime:
        """An Indian time: of that day as "10:30" or "10:30:05", or of another as "2026-11-19 10:30"."""
        value = self._take(key, otherwise)
        if isinstance(value, str):
            value = _read(datetime.fromisoformat, value if "-" in value else f"{on.isoformat()} {value}")
        if isinstance(value, time):
            value = datetime.combine(on, value)
        if not isinstance(value, datetime):
            raise self.wrong(key, self._value.get(key), 'a time, as "10:30" or "2026-11-19 10:30"')
        return (value if value.tzinfo else value.replace(tzinfo=IST)).astimezone(UTC)

    def texts(self, key: str) -> list[str]:
        """A list of texts; empty if absent."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, value, "a list of texts")
        return value

    def counts(self, key: str) -> dict[str, int]:
        """Whole numbers by name, as `{INFY = 10}`; empty if absent."""
        value = self._take(key, {})
        whole = isinstance(value, Mapping) and all(type(each) is int and each >= 0 for each in value.values())
        if not isinstance(value, Mapping) or not whole:
            raise self.wrong(key, value, "whole numbers by symbol, as {INFY = 10}")
        return dict(value)

    def content(self, key: str) -> dict[str, object]:
        """A table of anything."""
        value = self._take(key, None)
        if not isinstance(value, dict):
            raise self.wrong(key, value, "a table")
        return value

    def table(self, key: str) -> Table | None:
        """A table within this one."""
        value = self._take(key, None, required=False)
        return None if value is None else Table(value, f"{self.where} [{key}]" if self.where else f"[{key}]")

    def tables(self, key: str) -> list[Table]:
        """A list of tables, counted from 1 in messages; empty if absent."""
        value = self._take(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, value, f"a list of tables, each begun by [[{key}]]")
        return [Table(each, f"{key} {place}") for place, each in enumerate(value, start=1)]

    def has(self, key: str) -> bool:
        """Whether that key is there."""
        return key in self._value

    def end(self) -> None:
        """Refuse every key that nobody read."""
        for key in self._value:
            if key not in self._known:
                near = difflib.get_close_matches(str(key), self._known, 1)
                hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(self._known))}"
                raise BadTableError(f"{self._at()}nobody knows `{key}`: {hint}")

    def wrong(self, key: str, value: object, wanted: str) -> BadTableError:
        """The error that says what should be there."""
        return BadTableError(f"{self._at()}`{key}` is {wanted}, not {value!r}")

    def _take(self, key: str, otherwise: object, *, required: bool = True) -> object:
        self._known.append(key)
        value = self._value.get(key, _MISSING)
        if value is not _MISSING:
            return value
        if otherwise is None and required:
            raise BadTableError(f"{self._at()}`{key}` is missing")
        return otherwise

    def _at(self) -> str:
        return f"{self.where}: " if self.where else ""


def _read(read: Callable[[str], date], text: str) -> date | None:
    try:
        return read(text)
    except ValueError:
        return None
