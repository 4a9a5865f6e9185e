"""Whether and how fast calls to each gateway go out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection

from config.settings import Gateway
from gateway.rate import Limiter
from store import gateways as store

CHANGES = 10
COLUMNS = ("gateway", "book", "calls", "reason", "blocked_until", "rate_per_s", "at_once", "free", "failures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a breaker, by the database's clock."""

    at: datetime
    breaker: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayNow:
    """The limits of one gateway and how they stand."""

    gateway: str
    book: str
    calls: str  #: go out, held back, stopped, one is tried
    breaker: str
    reason: str | None
    blocked_until: datetime | None
    rate_per_s: int | None  #: None: not limited
    at_once: int
    free: int | None  #: calls that may go out at once; None: not limited
    strikes: int  #: transactions in a row without an answer
    failures: int  #: times in a row that the breaker opened
    changes: tuple[Change, ...]  #: newest first


def gateways_now(connection: Connection, configured: Iterable[Gateway], limiter: Limiter) -> list[GatewayNow]:
    """How each configured gateway stands."""
    states = {row.gateway: row for row in store.states(connection)}
    return [_now(connection, gateway, states.get(gateway.name), limiter) for gateway in configured]


def as_row(found: GatewayNow) -> dict[str, object]:
    """One gateway as an object."""
    return asdict(found)


def _now(connection: Connection, gateway: Gateway, state: object, limiter: Limiter) -> GatewayNow:
    bucket = limiter.look(gateway)
    breaker = getattr(state, "breaker", "closed")
    blocked = bool(getattr(state, "blocked", False)) or bool(bucket and bucket.blocked)
    return GatewayNow(
        gateway=gateway.name,
        book=gateway.book,
        calls=_words(breaker, blocked=blocked),
        breaker=breaker,
        reason=getattr(state, "reason", None),
        blocked_until=getattr(state, "blocked_until", None) if blocked else None,
        rate_per_s=gateway.rate_per_s if bucket else None,
        at_once=gateway.at_once,
        free=bucket.free if bucket else None,
        strikes=len(getattr(state, "striking", ())),
        failures=getattr(state, "failures", 0),
        changes=tuple(
            Change(at=row.at, breaker=row.breaker, reason=row.reason)
            for row in store.changes(connection, gateway=gateway.name, limit=CHANGES)
        ),
    )


def _words(breaker: str, *, blocked: bool) -> str:
    if breaker == "half-open":
        return "one is tried"
    if breaker == "open":
        return "stopped"
    return "held back" if blocked else "go out"
