"""Reference data as people look it up: what counted on a day, and every version of it."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import Engine

from store.instruments import listed_instruments
from store.listings import listed_actions
from store.reference import TABLES, listed

KINDS: Final = ("instruments", *TABLES, "corporate-actions")
_READERS: Final = {"instruments": listed_instruments, "corporate-actions": listed_actions}
_HIDDEN: Final = frozenset({"code", "import_id"})


def facts(
    engine: Engine,
    kind: str,
    *,
    day: date | None = None,
    about: str | None = None,
    versions: bool = False,
    limit: int | None = None,
) -> list[dict[str, object]]:
    """The facts of a kind that count on that day, else all that count; `about` is a symbol, an ISIN or a component."""
    with engine.connect() as connection:
        if reader := _READERS.get(kind):
            rows = reader(connection, day=day, about=about, versions=versions, limit=limit)
        else:
            rows = listed(connection, kind, day=day, code=about, versions=versions, limit=limit)
        return [{name: said for name, said in row._mapping.items() if name not in _HIDDEN} for row in rows]
