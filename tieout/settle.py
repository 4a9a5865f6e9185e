"""Settling a unit: claim it, ask the Gateway, and write everything that follows in one transaction.

No database connection is held while the Gateway is asked. What comes of a call is written under the
claim's fence: a worker that was given up for dead cannot write.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from gateway.client import GatewayBusy, GatewayError, Reply, answer_of
from gateway.fields import WireError
from gateway.wire import NoSuchTransaction, is_unclear
from inbox import units
from inbox.units import Claim, ClaimLostError, Unit
from recon.values import Origin
from store.transactions import ensure
from tieout.alert import alert
from tieout.outcomes import Bug, absent, answered, failed
from tieout.shop import Shop, repeat

_LOG = structlog.get_logger("tieout.settle")
MOST_WAIT: Final = timedelta(seconds=5)  #: for a place among the calls; longer, and the unit waits instead


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
    claim = repeat(shop.at_once.begin, partial(_claim, shop=shop, unit=unit))
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
    repeat(shop.at_once.begin, partial(_ensure, shop=shop, wanted=wanted))
    return [u for u in wanted if u.gateway in shop.gateways]


def _ensure(connection: Connection, *, shop: Shop, wanted: Sequence[Unit]) -> None:
    now = shop.clock.now()
    for name in sorted({u.gateway for u in wanted}):
        if (gateway := shop.gateways.get(name)) is None:
            alert(connection, "no-such-gateway", gateway=name, detail="its units wait until it is set up")
            continue
        ids = [u.transaction_id for u in wanted if u.gateway == name]
        ensure(connection, gateway=name, book=gateway.book, origin=Origin.WEBHOOK, ids=ids, now=now)


def _claim(connection: Connection, *, shop: Shop, unit: Unit) -> Claim | None:
    return units.claim(connection, unit, now=shop.clock.now(), pace=shop.pace, worker=shop.worker)


def _ask(shop: Shop, claim: Claim) -> None:
    """Ask, then write what follows; an error of our own is a failure like any other."""
    reply: Reply | None = None
    write = partial(repeat, shop.engine.begin)
    try:
        asked_on = _await_turn(shop, claim.unit.gateway)
        reply = shop.client(claim.unit.gateway).ask_details(claim.unit.transaction_id)
        mark = _mark(reply, claim.unit.transaction_id)
        write(partial(answered, shop=shop, claim=claim, reply=reply, mark=mark, asked_on=asked_on))
    except NoSuchTransaction as error:
        assert reply is not None  # only a reply can say so
        write(partial(absent, shop=shop, claim=claim, reply=reply, words=str(error)))
    except (GatewayError, WireError) as error:
        write(partial(failed, shop=shop, claim=claim, error=error, reply=reply, words=str(error)))
    except (ClaimLostError, DBAPIError):
        raise
    except Exception:  # noqa: BLE001 a bug must not stop the other units: it is kept, tried again, parked
        trace = traceback.format_exc(limit=-6)
        _LOG.error("settle.error", unit=str(claim.unit), trace=trace)
        write(partial(failed, shop=shop, claim=claim, error=Bug(), reply=reply, words=trace))


def _await_turn(shop: Shop, gateway: str) -> datetime:
    """Wait for a place among the calls to that gateway; the domain's instant of asking."""
    if rate := shop.gateways[gateway].rate_per_s:
        granted, wait = shop.limiter.reserve(gateway, rate_per_s=rate, most=MOST_WAIT)
        if not granted:
            raise GatewayBusy("our own rate is used up")
        if wait:
            time.sleep(wait.total_seconds())
    return shop.clock.now()


def _mark(reply: Reply, transaction_id: str) -> str:
    """What an answer brings, as far as it tells by itself. Raises what `answer_of` does."""
    return "unclear" if is_unclear(answer_of(reply, transaction_id)) else "news"
