"""When calls to a whole gateway stop, and when they go out again. The state lies in PostgreSQL, for all workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection

from gateway.client import Reply, pause_asked_for
from inbox.decide import BUSY_PAUSE, OURS_PAUSE, Failure
from store import gateways
from tieout.alert import alert

_LOG = structlog.get_logger("tieout.breaker")
STRIKES: Final = 5  #: transactions in a row without an answer: the far side is down, not one of them odd
DOWN_FIRST: Final = timedelta(seconds=5)
DOWN_MOST: Final = timedelta(minutes=1)
_UNANSWERED: Final = frozenset({"busy", "nonsense"})


class _Unit(Protocol):
    @property
    def gateway(self) -> str: ...


class Asking(Protocol):
    """The right to ask for something of a gateway: a claim."""

    @property
    def unit(self) -> _Unit:
        """What is asked for."""
        ...

    @property
    def probe(self) -> bool:
        """Whether it tries a gateway whose calls are stopped."""
        ...


def stop_gateway(
    connection: Connection,
    claim: Asking,
    error: Failure,
    words: str,
    *,
    reply: Reply | None = None,
    txn: int | None = None,
) -> timedelta | None:
    """Open the breaker if the fault is ours or nothing is answered; leave the gateway alone if it asked for that.

    How long all calls are stopped; None: they go on. Failures of one `txn` alone never open it.
    """
    name = claim.unit.gateway
    if error.kind == "ours":
        return _open(connection, name, words, ours=True)
    if error.kind == "no-turn":
        return None
    if claim.probe:  # one that proved nothing keeps the breaker open
        return _open(connection, name, words, ours=False)
    pause = pause_asked_for(reply) if reply else error.retry_after
    if pause:
        gateways.block(connection, gateway=name, pause=pause, reason="gateway-busy")
    elif txn and error.kind in _UNANSWERED and gateways.strike(connection, gateway=name, txn=txn) >= STRIKES:
        return _open(connection, name, words, ours=False)
    return None


def gateway_answers(connection: Connection, *claims: Asking) -> None:
    """Their gateways answer us: if one was a probe, all that waits may be asked for again."""
    gateways.forgive(connection, gateways=[claim.unit.gateway for claim in claims])
    for name in sorted({claim.unit.gateway for claim in claims if claim.probe}):
        if gateways.close_breaker(connection, gateway=name):
            gateways.wake(connection, gateway=name)
            _LOG.info("settle.breaker-closed", gateway=name)


def _open(connection: Connection, gateway: str, words: str, *, ours: bool) -> timedelta:
    """Let all calls wait; how long. A fault of ours needs people, so it is tried again less often."""
    first, most = (OURS_PAUSE, BUSY_PAUSE) if ours else (DOWN_FIRST, DOWN_MOST)
    reason = "ours" if ours else "gateway-down"
    state = gateways.open_breaker(connection, gateway=gateway, first=first, most=most, reason=reason)
    if ours or state.failures == 1:
        subject = f"since {state.changed_at:%Y-%m-%dT%H:%M:%SZ}"
        alert(connection, "breaker-open", gateway=gateway, subject=subject, detail=words)
    return min(most, first * (1 << min(int(state.failures) - 1, 10)))
