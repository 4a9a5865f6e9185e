"""How far completeness is proven, gateway by gateway, for people and machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from recon.values import Calendar
from store import completeness as store
from store import gateways
from tieout.completeness import Calls, Completeness, assess
from tieout.desk.queue import ist_day

COLUMNS = ("gateway", "watermark", "state", "says", "todo", "known", "open_count", "holding", "given_up")
SHORT_COLUMNS = ("transaction_id", "state", "why", "created_at", "next_ask_at")
OPEN_COLUMNS = ("gateway", "transaction_id", "created_at", "status", "state", "why", "next_ask_at", "asks", "value")


def completeness(
    connection: Connection,
    names: Iterable[str],
    *,
    now: datetime,
    calendar: Calendar,
    silence: timedelta,
) -> list[Completeness]:
    """Look at each of these gateways; `now` is the domain's instant."""
    states = {row.gateway: row for row in gateways.states(connection)}
    return [
        assess(
            name,
            store.feed(connection, gateway=name, today=ist_day(now)[0]),
            tuple(store.followed(connection, gateway=name)),
            calls=_calls(states.get(name)),
            now=now,
            calendar=calendar,
            silence=silence,
        )
        for name in names
    ]


def _calls(state: Row[Any] | None) -> Calls:
    if state is None:
        return Calls()
    return Calls(breaker=state.breaker, blocked_until=state.blocked_until, reason=state.reason)


def as_json(found: Completeness, *, limit: int | None = None) -> dict[str, object]:
    """One gateway's completeness as one object; at most `limit` of what is open."""
    return {
        **as_row(found),
        "as_of": found.as_of,
        "told_at": found.feed.told_at,
        "webhook_at": found.feed.webhook_at,
        "found_by": {"webhook": found.feed.found_by_webhook, "following": found.feed.found_by_following},
        "states": [asdict(state) for state in found.states],
        "open": [asdict(each) for each in found.open[:limit]],
    }


def as_row(found: Completeness) -> dict[str, object]:
    """One gateway's completeness as a row for people."""
    first = found.states[0]
    return {
        "gateway": found.gateway,
        "watermark": found.watermark,
        "state": first.state,
        "says": first.says,
        "todo": first.todo,
        "known": found.feed.known,
        "open_count": len(found.open),
        "holding": found.holding,
        "given_up": found.given_up,
    }


def open_rows(found: Completeness) -> list[dict[str, object]]:
    """What is open of one gateway, as rows for people."""
    return [{"gateway": found.gateway, **asdict(each)} for each in found.open]
