"""Each gateway of this service: where it is, its keys, its limits, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy import Connection

from config.environments import environment_of
from config.keys import Key
from config.settings import Gateway
from gateway.rate import Limiter
from store import gateways as store
from tieout.completeness import Completeness

CHANGES = 10
COLUMNS = (
    *("gateway", "book", "environment", "host", "calls", "reason", "blocked_until", "rate_per_s", "at_once", "free"),
    *("failures", "webhook_path", "webhook_url", "state", "watermark", "webhook_at", "answered_at"),
)
KEY_COLUMNS = ("gateway", "kind", "key_id", "fingerprint", "valid", "signs", "not_before", "not_after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a breaker, by the database's clock."""

    at: datetime
    breaker: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNow:
    """One secret, by its fingerprint."""

    kind: Literal["JWT", "API"]
    key_id: str
    fingerprint: str
    not_before: datetime | None
    not_after: datetime | None
    valid: bool  #: it verifies what comes
    signs: bool  #: it signs what we send: the first valid one


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayNow:
    """One gateway as it is set and as it stands."""

    gateway: str
    book: str
    environment: str | None  #: production, staging; None for a host that nobody published
    host: str
    url: str
    webhook_path: str
    webhook_url: str | None  #: where the Gateway posts, if the public address is set
    keys: tuple[KeyNow, ...]
    calls: str  #: go out, held back, stopped, one is tried
    breaker: str
    reason: str | None
    blocked_until: datetime | None
    rate_per_s: int | None  #: None: not limited
    at_once: int
    free: int | None  #: calls that may go out at once; None: not limited
    strikes: int  #: transactions in a row without an answer
    failures: int  #: times in a row that the breaker opened
    watermark: datetime | None  #: complete until then
    state: str  #: of its feed, the most pressing
    webhook_at: datetime | None
    answered_at: datetime | None  #: database's clock; the API's newest answer of the last day about a transaction
    changes: tuple[Change, ...]  #: newest first


def gateways_now(
    connection: Connection,
    configured: Iterable[Gateway],
    limiter: Limiter,
    *,
    complete: Iterable[Completeness],
    now: datetime,
    answered: bool = True,
) -> list[GatewayNow]:
    """How each configured gateway stands; `complete` has one entry for each, `now` is the domain's instant.

    Without `answered` the search for the newest answer, the only slow one, is left out.
    """
    states = {row.gateway: row for row in store.states(connection)}
    found = {each.gateway: each for each in complete}
    rows = [
        _now(connection, gateway, states.get(gateway.name), limiter, found[gateway.name], now) for gateway in configured
    ]
    if not answered:
        return rows
    return [replace(row, answered_at=store.answered_at(connection, gateway=row.gateway)) for row in rows]


def as_row(found: GatewayNow) -> dict[str, object]:
    """One gateway as an object."""
    return asdict(found)


def key_rows(found: GatewayNow) -> list[dict[str, object]]:
    """The keys of one gateway, as rows for people."""
    return [{"gateway": found.gateway, **asdict(key)} for key in found.keys]


def _now(
    connection: Connection,
    gateway: Gateway,
    state: object,
    limiter: Limiter,
    complete: Completeness,
    now: datetime,
) -> GatewayNow:
    bucket = limiter.look(gateway)
    breaker = getattr(state, "breaker", "closed")
    blocked = bool(getattr(state, "blocked", False)) or bool(bucket and bucket.blocked)
    return GatewayNow(
        gateway=gateway.name,
        book=gateway.book,
        environment=environment_of(gateway.url),
        host=urlsplit(gateway.url).netloc,
        url=gateway.url,
        webhook_path=gateway.webhook_path,
        webhook_url=f"{gateway.public_url}{gateway.webhook_path}" if gateway.public_url else None,
        keys=(*_keys("JWT", gateway.secrets, now), *_keys("API", gateway.api_secrets, now)),
        calls=_words(breaker, blocked=blocked),
        breaker=breaker,
        reason=getattr(state, "reason", None),
        blocked_until=getattr(state, "blocked_until", None) if blocked else None,
        rate_per_s=gateway.rate_per_s if bucket else None,
        at_once=gateway.at_once,
        free=bucket.free if bucket else None,
        strikes=len(getattr(state, "striking", ())),
        failures=getattr(state, "failures", 0),
        watermark=complete.watermark,
        state=complete.states[0].state,
        webhook_at=complete.feed.webhook_at,
        answered_at=None,
        changes=_changes(connection, gateway.name),
    )


def _keys(kind: Literal["JWT", "API"], keys: Iterable[Key], now: datetime) -> list[KeyNow]:
    rows, signing = [], True
    for key in keys:
        valid = key.valid_at(now)
        rows.append(
            KeyNow(
                kind=kind,
                key_id=key.key_id,
                fingerprint=key.fingerprint,
                not_before=key.not_before,
                not_after=key.not_after,
                valid=valid,
                signs=valid and signing,
            )
        )
        signing = signing and not valid
    return rows


def _changes(connection: Connection, gateway: str) -> tuple[Change, ...]:
    rows = store.changes(connection, gateway=gateway, limit=CHANGES)
    return tuple(Change(at=row.at, breaker=row.breaker, reason=row.reason) for row in rows)


def _words(breaker: str, *, blocked: bool) -> str:
    if breaker == "half-open":
        return "one is tried"
    if breaker == "open":
        return "stopped"
    return "held back" if blocked else "go out"
