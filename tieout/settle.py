"""Settling a unit: claim it, ask the Gateway, and write everything that follows in one transaction.

No database connection is held while the Gateway is asked. What comes of a call is written under the
claim's fence: a worker that was given up for dead cannot write.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from config.clock import Clock
from config.settings import Gateway
from gateway.client import GatewayBusy, GatewayClient, GatewayError, Reply, answer_of
from gateway.fields import WireError
from gateway.rate import Limiter
from gateway.wire import NoSuchTransaction, is_unclear
from inbox import units
from inbox.decide import BUSY_PAUSE, OURS_PAUSE, GiveUp, RetryIn
from inbox.units import Call, Claim, ClaimLostError, Pace, Unit
from recon.values import Origin
from store import gateways
from store.snapshots import keep_snapshot
from store.transactions import ensure
from tieout.alert import alert
from tieout.follow import next_ask, standing_of
from tieout.reconcile import reconcile
from tieout.rules import Rules
from tieout.state import refresh

_LOG = structlog.get_logger("tieout.settle")
MOST_WAIT: Final = timedelta(seconds=5)  #: for a place among the calls; longer, and the unit waits instead
WRITE_TRIES: Final = 4
EXCERPT: Final = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What settling needs: made once per process."""

    engine: Engine
    gateways: Mapping[str, Gateway]
    client: Callable[[str], GatewayClient]
    limiter: Limiter
    clock: Clock
    rules: Rules
    pace: Pace
    patience: timedelta  #: no new unit is begun later in a message
    worker: str


@dataclass(frozen=True, slots=True)
class _Bug:
    """An error of our own: the unit is tried again a few times, then parked."""

    kind: str = "error"
    retry_after: timedelta | None = None


Failed = GatewayError | WireError | _Bug


def settle(shop: Shop, names: Sequence[str]) -> list[str]:
    """Settle the units a message names; those left for want of time are returned, to be announced again."""
    begun = time.monotonic()
    wanted = _known(shop, list(dict.fromkeys(names)))
    for done, unit in enumerate(wanted):
        if time.monotonic() - begun > shop.patience.total_seconds():
            return [str(u) for u in wanted[done:]]
        settle_one(shop, unit)
    return []


def settle_one(shop: Shop, unit: Unit) -> bool:
    """Settle one unit; False if it was not ours to settle now."""
    with _each_by_itself(shop.engine) as connection:
        claim = units.claim(connection, unit, now=shop.clock.now(), pace=shop.pace, worker=shop.worker)
    if claim is None:
        return False
    try:
        _ask(shop, claim)
    except ClaimLostError:
        _LOG.warning("settle.claim-lost", unit=str(unit), generation=claim.generation)
        return False
    return True


def _known(shop: Shop, names: list[str]) -> list[Unit]:
    """The units with a row each, made for those first heard of in a webhook."""
    wanted = [Unit.read(name) for name in names]
    with _each_by_itself(shop.engine) as connection:
        for name in sorted({u.gateway for u in wanted}):
            if (gateway := shop.gateways.get(name)) is None:
                alert(connection, "no-such-gateway", gateway=name, detail="its units wait until it is set up")
                continue
            ids = [u.transaction_id for u in wanted if u.gateway == name]
            ensure(
                connection,
                gateway=name,
                book=gateway.book,
                origin=Origin.WEBHOOK,
                ids=ids,
                now=shop.clock.now(),
            )
    return [u for u in wanted if u.gateway in shop.gateways]


def _ask(shop: Shop, claim: Claim) -> None:
    """Ask, then write what follows; an error of ours is a failure like any other."""
    reply: Reply | None = None
    try:
        asked_on = _await_turn(shop, claim.unit.gateway)
        reply = shop.client(claim.unit.gateway).ask_details(claim.unit.transaction_id)
        mark = _mark(reply, claim.unit.transaction_id)
        _write(shop, lambda connection: _effect(connection, shop, claim, reply, mark, asked_on))
    except NoSuchTransaction as error:
        assert reply is not None  # only a reply can say so
        found, words = reply, str(error)
        _write(shop, lambda connection: _absent(connection, shop, claim, found, words))
    except (GatewayError, WireError) as error:
        failed, came = error, reply
        _write(shop, lambda connection: _failed(connection, shop, claim, failed, came, str(failed)))
    except (ClaimLostError, DBAPIError):
        raise
    except Exception:  # noqa: BLE001 a bug must not stop the other units: it is kept, tried again, parked
        came, trace = reply, traceback.format_exc(limit=-6)
        _LOG.exception("settle.error", unit=str(claim.unit))
        _write(shop, lambda connection: _failed(connection, shop, claim, _Bug(), came, trace))


def _await_turn(shop: Shop, gateway: str) -> datetime:
    """Wait for a place among the calls to that gateway; the domain's instant of asking."""
    if rate := shop.gateways[gateway].rate_per_s:
        granted, wait = shop.limiter.reserve(gateway, rate_per_s=rate, most=MOST_WAIT)
        if not granted:
            raise GatewayBusy("our own rate is used up", retry_after=None)
        if wait:
            time.sleep(wait.total_seconds())
    return shop.clock.now()


def _mark(reply: Reply, transaction_id: str) -> str:
    """What an answer brings, as far as it tells by itself. Raises what `answer_of` does."""
    return "unclear" if is_unclear(answer_of(reply, transaction_id)) else "news"


def _effect(connection: Connection, shop: Shop, claim: Claim, reply: Reply, mark: str, asked_on: datetime) -> None:
    """An answer, everything that follows from it, and the end of its events."""
    units.hold(connection, claim)
    now = shop.clock.now()
    _keep(connection, claim, reply, mark, now)
    refreshed = refresh(connection, txn=claim.txn, now=now, rules=shop.rules)
    reconcile(connection, txns=[claim.txn], now=now, rules=shop.rules, readings={claim.txn: refreshed.reading})
    ask_at = _ask_at(connection, shop, claim, asked_on)
    units.finish(connection, claim, call=_call(reply), pace=shop.pace, ask_at=ask_at)
    _answers(connection, claim)


def _absent(connection: Connection, shop: Shop, claim: Claim, reply: Reply, words: str) -> None:
    """The API does not know it: kept, parked, told; no line is made."""
    units.hold(connection, claim)
    now = shop.clock.now()
    _keep(connection, claim, reply, "absent", now)
    refreshed = refresh(connection, txn=claim.txn, now=now, rules=shop.rules)
    reconcile(connection, txns=[claim.txn], now=now, rules=shop.rules, readings={claim.txn: refreshed.reading})
    ask_at = _ask_at(connection, shop, claim, now)
    reason = "unknown-transaction"
    units.park(connection, claim, reason, call=_call(reply), detail=words, ask_at=ask_at)
    alert(connection, reason, gateway=claim.unit.gateway, subject=claim.unit.transaction_id, detail=words)
    _answers(connection, claim)


def _failed(connection: Connection, shop: Shop, claim: Claim, error: Failed, reply: Reply | None, words: str) -> None:
    """No answer: wait or park, as `decide` says; some failures stop the whole gateway for a while."""
    decision = units.after(connection, claim, error)
    detail = _detail(words, reply)
    if isinstance(decision, GiveUp):
        units.hold(connection, claim)
        _give_up(connection, shop, claim, decision, reply, detail)
    else:
        pause = _stop_gateway(connection, claim, error, words) or decision.pause
        units.wait(connection, claim, RetryIn(pause, decision.reason), call=_call(reply), detail=detail)


def _give_up(
    connection: Connection, shop: Shop, claim: Claim, decision: GiveUp, reply: Reply | None, detail: str
) -> None:
    ask_at = shop.clock.now() + timedelta(days=1)
    units.park(connection, claim, decision.reason, call=_call(reply), detail=detail, ask_at=ask_at)
    unit = claim.unit
    alert(connection, decision.reason, gateway=unit.gateway, subject=unit.transaction_id, detail=detail)
    _answers(connection, claim)


def _stop_gateway(connection: Connection, claim: Claim, error: Failed, words: str) -> timedelta | None:
    """Open the breaker if the fault is ours, leave the gateway alone if it asked for that."""
    name = claim.unit.gateway
    if error.kind == "ours":
        state = gateways.open_breaker(connection, gateway=name, first=OURS_PAUSE, most=BUSY_PAUSE, reason="ours")
        subject = f"since {state.changed_at:%Y-%m-%dT%H:%M:%SZ}"
        alert(connection, "breaker-open", gateway=name, subject=subject, detail=words)
        return min(BUSY_PAUSE, OURS_PAUSE * (1 << min(int(state.failures) - 1, 10)))
    if error.retry_after:
        gateways.block(connection, gateway=name, pause=error.retry_after, reason="gateway-busy")
    if claim.probe:
        _probe_again(connection, name, words)
    return None


def _probe_again(connection: Connection, gateway: str, words: str) -> None:
    """A probe that proved nothing keeps the breaker open."""
    gateways.open_breaker(connection, gateway=gateway, first=OURS_PAUSE, most=BUSY_PAUSE, reason="ours")
    _LOG.warning("settle.probe-failed", gateway=gateway, detail=words)


def _answers(connection: Connection, claim: Claim) -> None:
    """The gateway answers us: if this was the probe, the others may ask again."""
    if claim.probe and gateways.close_breaker(connection, gateway=claim.unit.gateway):
        _LOG.info("settle.breaker-closed", gateway=claim.unit.gateway)


def _keep(connection: Connection, claim: Claim, reply: Reply, mark: str, now: datetime) -> None:
    keep_snapshot(
        connection,
        txn=claim.txn,
        kind="details",
        asked_at=claim.asked_at,
        known_at=now,
        http_status=reply.http_status,
        body=reply.body,
        mark=mark,
    )


def _ask_at(connection: Connection, shop: Shop, claim: Claim, asked_on: datetime) -> datetime | None:
    grace = shop.rules.policy.webhook_grace
    return next_ask(standing_of(connection, claim.txn), asked_on=asked_on, grace=grace)


def _call(reply: Reply | None) -> Call:
    return Call(http_status=reply.http_status, took_ms=reply.took_ms) if reply else Call()


def _detail(words: str, reply: Reply | None) -> str:
    came = reply.body[:EXCERPT].decode("utf-8", "replace") if reply else ""
    return f"{words}\n{came}" if came else words


def _each_by_itself(engine: Engine) -> Connection:
    """A connection that commits each statement by itself."""
    return engine.execution_options(isolation_level="AUTOCOMMIT").connect()


def _write(shop: Shop, write: Callable[[Connection], None]) -> None:
    """Write in one transaction; again if the database went away, for the fence tells whether it was done."""
    for left in reversed(range(WRITE_TRIES)):
        try:
            with shop.engine.begin() as connection:
                write(connection)
        except DBAPIError as error:
            if not left or not _is_passing(error):
                raise
            time.sleep(1.0)
        else:
            return


def _is_passing(error: DBAPIError) -> bool:
    """A lost connection, a deadlock, a lock that was not given: the same may succeed a moment later."""
    return error.connection_invalidated or getattr(error.orig, "sqlstate", "") in {"40P01", "40001", "55P03"}
