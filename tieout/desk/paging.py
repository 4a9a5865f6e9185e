"""Pages that continue where the last one ended, without counting or skipping rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")
_SEPARATOR = "~"


class BadCursorError(ValueError):
    """The `after` of a page is none that a page gave out; start again without it."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("this page's `after` cannot be read: open the list again without it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows, and where the next page starts; None when there is no next page."""

    rows: tuple[Row, ...]
    after: str | None = None


def cut(rows: Sequence[Row], limit: int) -> tuple[tuple[Row, ...], Row | None]:
    """The first `limit` of `limit + 1` rows asked for, and the last of them if more follow."""
    kept = tuple(rows[:limit])
    return kept, kept[-1] if len(rows) > limit else None


def written(*parts: object) -> str:
    """A cursor as text for an address."""
    return _SEPARATOR.join(str(part) for part in parts)


def read(cursor: str | None, count: int) -> list[str] | None:
    """The parts of a cursor; None for none. Raises `BadCursorError`."""
    if not cursor:
        return None
    parts = cursor.split(_SEPARATOR)
    if len(parts) != count:
        raise BadCursorError
    return parts
