"""On which day, and in which zone's time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from recon.scene import Item, Scene
from recon.values import Finding
from recon.words import is_amo

ZONE = timedelta(hours=5, minutes=30)  #: India is that far ahead of UTC
SECOND = timedelta(seconds=1)


def trade_date(item: Item, scene: Scene) -> Iterator[Finding]:
    """The trade dates differ; an after-market order may be booked the day before its session."""
    if item.pair is None or item.batch is None or scene.answer is None or _shifted(item):
        return
    ours, theirs = item.pair
    stated = item.batch.completed_at or item.batch.created_at or scene.answer.created_at
    if stated is None or ours.trade_date == theirs.trade_date:
        return
    sessions = (scene.calendar.session_on_or_after(ours.trade_date), scene.calendar.session_after(ours.trade_date))
    if not (is_amo(item.batch.variety) and theirs.trade_date in sessions):
        yield item.finding("trade-date", "trade_date", ours=ours.trade_date, theirs=theirs.trade_date)


def zone_shift(item: Item, _scene: Scene) -> Iterator[Finding]:
    """The instants lie exactly one zone apart: one of them was read in the wrong one."""
    if _shifted(item):
        assert item.ours is not None
        assert item.batch is not None
        yield item.finding(
            "zone-shift", "executed_at", ours=_text(item.ours.executed_at), theirs=_text(item.batch.completed_at)
        )


def _shifted(item: Item) -> bool:
    if item.pair is None or item.batch is None:
        return False
    mine, other = item.pair[0].executed_at, item.batch.completed_at
    return mine is not None and other is not None and abs(abs(mine - other) - ZONE) < SECOND


def _text(at: datetime | None) -> str:
    return "" if at is None else at.isoformat().replace("+00:00", "Z")
