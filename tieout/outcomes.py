"""What a call leads to, each written in one database transaction under the claim's fence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection

from gateway.client import GatewayError, Reply
from gateway.fields import WireError
from inbox import units
from inbox.decide import BUSY_PAUSE, OURS_PAUSE, GiveUp, RetryIn
from inbox.units import Call, Claim
from store import gateways
from store.snapshots import keep_snapshot
from tieout.alert import alert
from tieout.follow import Standing, next_ask, standing_of
from tieout.reconcile import reconcile
from tieout.shop import Shop
from tieout.state import refresh

_LOG = structlog.get_logger("tieout.settle")
EXCERPT: Final = 1500
UNKNOWN: Final = "unknown-transaction"
AFTER_PARKING: Final = timedelta(days=1)  #: domain's clock: what was given up is asked for once a day


@dataclass(frozen=True, slots=True)
class Bug:
    """An error of our own: the unit is tried again a few times, then parked."""

    kind: str = "error"
    retry_after: timedelta | None = None


Failed = GatewayError | WireError | Bug


def answered(connection: Connection, *, shop: Shop, claim: Claim, reply: Reply, mark: str, asked_on: datetime) -> None:
    """An answer, everything that follows from it, and the end of its events. Raises `ClaimLostError`."""
    units.hold(connection, claim)
    standing = _take_in(connection, shop, claim, reply, mark)
    _finish(connection, shop, claim, reply, standing, asked_on)
    _answers(connection, claim)


def absent(connection: Connection, *, shop: Shop, claim: Claim, reply: Reply, words: str) -> None:
    """The API does not know it: kept, parked, told; no line is made. Raises `ClaimLostError`.

    Once it was known, absence proves nothing: the answer is kept, and it is asked for again later.
    """
    units.hold(connection, claim)
    now = shop.clock.now()
    standing = _take_in(connection, shop, claim, reply, "absent")
    if standing.known:
        _finish(connection, shop, claim, reply, standing, now)
    else:
        ask_at = _ask_at(shop, standing, now)
        units.park(connection, claim, UNKNOWN, call=_call(reply), detail=words, ask_at=ask_at)
        alert(connection, UNKNOWN, gateway=claim.unit.gateway, subject=claim.unit.transaction_id, detail=words)
    _answers(connection, claim)


def failed(connection: Connection, *, shop: Shop, claim: Claim, error: Failed, reply: Reply | None, words: str) -> None:
    """No answer: wait or park, as `decide` says; some failures stop the whole gateway for a while.

    Raises `ClaimLostError`.
    """
    decision = units.after(connection, claim, error)
    detail = _detail(words, reply)
    if isinstance(decision, RetryIn):
        pause = _stop_gateway(connection, claim, error, words) or decision.pause
        units.wait(connection, claim, RetryIn(pause, decision.reason), call=_call(reply), detail=detail)
    else:
        units.hold(connection, claim)
        _give_up(connection, shop, claim, decision, reply, detail)


def _take_in(connection: Connection, shop: Shop, claim: Claim, reply: Reply, mark: str) -> Standing:
    """Keep the answer and derive what follows; the very same answer again changes no state."""
    now = shop.clock.now()
    same = _keep(connection, claim, reply, mark, now) == "same"
    if same and (standing := standing_of(connection, claim.txn)).settled:
        if claim.events:  # what a webhook said is compared with the state even if that stands still
            reconcile(connection, txns=[claim.txn], now=now, rules=shop.rules)
        return standing
    refreshed = refresh(connection, txn=claim.txn, now=now, rules=shop.rules)
    readings = {claim.txn: refreshed.reading}
    reconcile(connection, txns=[claim.txn], now=now, rules=shop.rules, readings=readings)
    return standing_of(connection, claim.txn)


def _keep(connection: Connection, claim: Claim, reply: Reply, mark: str, now: datetime) -> str:
    kept = keep_snapshot(
        connection,
        txn=claim.txn,
        kind="details",
        asked_at=claim.asked_at,
        known_at=now,
        http_status=reply.http_status,
        body=reply.body,
        mark=mark,
    )
    return str(kept.mark)


def _finish(
    connection: Connection, shop: Shop, claim: Claim, reply: Reply, standing: Standing, asked_on: datetime
) -> None:
    ask_at = _ask_at(shop, standing, asked_on)
    units.finish(connection, claim, call=_call(reply), pace=shop.pace, ask_at=ask_at)


def _give_up(
    connection: Connection, shop: Shop, claim: Claim, decision: GiveUp, reply: Reply | None, detail: str
) -> None:
    ask_at = shop.clock.now() + AFTER_PARKING
    units.park(connection, claim, decision.reason, call=_call(reply), detail=detail, ask_at=ask_at)
    unit = claim.unit
    alert(connection, decision.reason, gateway=unit.gateway, subject=unit.transaction_id, detail=detail)
    _answers(connection, claim)


def _stop_gateway(connection: Connection, claim: Claim, error: Failed, words: str) -> timedelta | None:
    """Open the breaker if the fault is ours, leave the gateway alone if it asked for that."""
    name = claim.unit.gateway
    if error.kind == "ours" or claim.probe:  # a probe that proved nothing keeps the breaker open
        return _open_breaker(connection, name, words, tell=error.kind == "ours")
    if error.retry_after:
        gateways.block(connection, gateway=name, pause=error.retry_after, reason="gateway-busy")
    return None


def _open_breaker(connection: Connection, gateway: str, words: str, *, tell: bool) -> timedelta:
    state = gateways.open_breaker(connection, gateway=gateway, first=OURS_PAUSE, most=BUSY_PAUSE, reason="ours")
    if tell:
        subject = f"since {state.changed_at:%Y-%m-%dT%H:%M:%SZ}"
        alert(connection, "breaker-open", gateway=gateway, subject=subject, detail=words)
    return min(BUSY_PAUSE, OURS_PAUSE * (1 << min(int(state.failures) - 1, 10)))


def _answers(connection: Connection, claim: Claim) -> None:
    """The gateway answers us: if this was the probe, the others may ask again."""
    if claim.probe and gateways.close_breaker(connection, gateway=claim.unit.gateway):
        _LOG.info("settle.breaker-closed", gateway=claim.unit.gateway)


def _ask_at(shop: Shop, standing: Standing, asked_on: datetime) -> datetime | None:
    return next_ask(standing, asked_on=asked_on, grace=shop.rules.policy.webhook_grace)


def _call(reply: Reply | None) -> Call:
    return Call(http_status=reply.http_status, took_ms=reply.took_ms) if reply else Call()


def _detail(words: str, reply: Reply | None) -> str:
    came = reply.body[:EXCERPT].decode("utf-8", "replace") if reply else ""
    return f"{words}\n{came}" if came else words
