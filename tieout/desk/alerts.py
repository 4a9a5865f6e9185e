"""Alerts for people: one page, a listing for machines, and how many there were of each name."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine

from store import desk_refusals
from store.desk_refusals import Alert
from tieout.desk.paging import BadCursorError, Page, cut, read, written
from tieout.desk.reasons import told_of

PAGE = 50
CHUNK = 500
COLUMNS = ("at", "name", "gateway", "subject", "detail", "means", "to_do")
#: What fits on a terminal; what to do is said below each.
SHORT_COLUMNS = ("at", "name", "subject", "detail")


def counts(engine: Engine) -> dict[str, int]:
    """How many alerts of each name were ever raised."""
    with engine.connect() as connection:
        return desk_refusals.alert_counts(connection)


def search(
    engine: Engine,
    *,
    name: str | None = None,
    gateway: str | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[Alert]:
    """One page of alerts, newest first. Raises `BadCursorError`."""
    parts = read(after, 1)
    try:
        before = int(parts[0]) if parts else None
    except ValueError:
        raise BadCursorError from None
    with engine.connect() as connection:
        found = desk_refusals.alerts(connection, limit=limit + 1, name=name, gateway=gateway, before=before)
    rows, last = cut(found, limit)
    return Page(rows=rows, after=written(last.alert_id) if last else None)


def listing(
    engine: Engine, *, name: str | None = None, gateway: str | None = None, limit: int | None
) -> Iterator[dict[str, object]]:
    """Newest first, all of them unless limited; each with what it means and what to do."""
    after: str | None = None
    left = limit
    while left is None or left > 0:
        size = CHUNK if left is None else min(CHUNK, left)
        page = search(engine, name=name, gateway=gateway, after=after, limit=size)
        yield from map(as_row, page.rows)
        if page.after is None:
            return
        after, left = page.after, None if left is None else left - len(page.rows)


def as_row(alert: Alert) -> dict[str, object]:
    """As listings print it."""
    told = told_of("alert", alert.name)
    more = {"means": told.means if told else None, "to_do": told.todo if told else None}
    return {**{name: getattr(alert, name) for name in COLUMNS if name not in more}, **more}
