"""Settling holdings: claim an account, ask for it as itself, and write everything in one transaction.

No database connection is held while the Gateway is asked. Missing consent is a state of the account with a
next step: nothing stops for it.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from config.clock import since_start
from config.settings import Gateway
from gateway.client import GatewayError, GatewayNoTurn, Reply
from gateway.consent import NeedsConsent, read_reply
from gateway.fields import WireError
from gateway.holdings import read_holdings
from gateway.investments import read_investments
from gateway.rate import LEAST
from inbox import holdings as inbox
from inbox.claims import ClaimLostError
from inbox.holdings import FundsUnit, HoldingsClaim, HoldingsUnit, read_unit
from store import holding_links, holding_units
from tieout.alert import alert
from tieout.asking import NO_TURN
from tieout.funds import take_in
from tieout.holding_outcomes import Asked, Fetched, keep_failure, keep_fetched
from tieout.outcomes import Bug, Failed
from tieout.shop import Shop, is_passing, repeat
from tieout.turns import Turns

_LOG = structlog.get_logger("tieout.holdings")
WEBHOOK: Final = "webhook"
PERSON: Final = "person"
LEAST_TIME: Final = timedelta(seconds=1)  #: for a call that is worth making


def settle_holdings(shop: Shop, names: Sequence[str]) -> list[str]:
    """Settle the units a message names; those left for want of time are returned, to be announced again.

    Where there is no turn for a call, the gateway's accounts wait in the database; only one that is owed a turn
    stands for it.
    """
    begun, patience = time.monotonic(), shop.holdings_patience
    wanted, without_turn = list(dict.fromkeys(names)), dict[str, timedelta]()
    for done, name in enumerate(wanted):
        left = patience - timedelta(seconds=time.monotonic() - begun)
        if shop.stopping() or left < timedelta(0):
            return wanted[done:]
        match read_unit(name):
            case FundsUnit() as unit:
                _take_in(shop, unit)
            case HoldingsUnit() as unit if unit.gateway in without_turn:
                _put_off(shop, unit, without_turn[unit.gateway])
            case HoldingsUnit() as unit:
                if wait := _settle(shop, unit, left):
                    without_turn[unit.gateway] = wait
            case None:
                _LOG.warning("holdings.no-unit", name=name)
    return []


def _take_in(shop: Shop, unit: FundsUnit) -> None:
    try:
        repeat(shop.engine.begin, partial(take_in, shop=shop, unit=unit))
    except Exception:  # noqa: BLE001 a bug must not stop the other units: the sweep brings this one back
        _LOG.error("holdings.error", unit=str(unit), trace=traceback.format_exc(limit=-6))


def _settle(shop: Shop, unit: HoldingsUnit, left: timedelta) -> timedelta | None:
    """Ask for one account, standing for its turn as long as is left; how long to wait if there was none."""
    gateway = shop.gateways.get(unit.gateway)
    if gateway is None:
        repeat(shop.engine.begin, partial(_tell_no_gateway, unit=unit))
        return None
    if not repeat(shop.engine.begin, partial(_may_be_asked, unit=unit, gateway=gateway, now=shop.clock.now())):
        return None
    try:
        turns = Turns.take(shop, gateway, patience=left)
    except GatewayNoTurn as error:
        wait = error.retry_after or LEAST
        _put_off(shop, unit, wait)
        return wait
    try:
        if claim := repeat(shop.at_once.begin, partial(_claim, shop=shop, unit=unit)):
            _ask(shop, claim, turns)
    finally:
        turns.give_back()
    return None


def _put_off(shop: Shop, unit: HoldingsUnit, wait: timedelta) -> None:
    repeat(shop.engine.begin, partial(inbox.put_off, unit=unit, wait=wait, reason=NO_TURN))


def _tell_no_gateway(connection: Connection, *, unit: HoldingsUnit) -> None:
    alert(connection, "no-such-gateway", gateway=unit.gateway, detail="its units wait until it is set up")


def _may_be_asked(connection: Connection, *, unit: HoldingsUnit, gateway: Gateway, now: datetime) -> bool:
    """Whether the account is followed; its row is made if a webhook is the first to name it.

    The webhooks of one that was unlinked are done: nothing is asked as somebody who is nobody's any more.
    """
    names = {"gateway": unit.gateway, "book": gateway.book, "origin": WEBHOOK}
    holding_units.ensure(connection, **names, accounts=[unit.account], now=now, fetch_at=None)
    return not holding_links.end_if_left(connection, gateway=unit.gateway, account=unit.account)


def _claim(connection: Connection, *, shop: Shop, unit: HoldingsUnit) -> HoldingsClaim | None:
    return inbox.claim(connection, unit, now=shop.clock.now(), pace=shop.pace, worker=shop.worker)


def _ask(shop: Shop, claim: HoldingsClaim, turns: Turns) -> None:
    """Ask, and write what comes of it."""
    reply: Reply | None = None
    plan = shop.holdings
    try:
        client = shop.client(claim.unit.gateway)
        reply = client.ask_holdings(claim.unit.account, funds=plan.funds, deadline=plan.deadline, turn=turns.next())
        fetched = _read(reply)
        if fetched.holdings.says and plan.investments:
            fetched = replace(fetched, **_investments(shop, claim, turns))  # type: ignore[arg-type]
    except (GatewayError, WireError) as error:
        _fail(shop, claim, error, reply, str(error))
    except Exception:  # noqa: BLE001 a bug must not stop the other accounts: it is kept, tried again, parked
        _bug(shop, claim, reply)
    else:
        _keep(shop, claim, fetched)


def _read(reply: Reply) -> Fetched:
    """What the reply says; missing consent is an answer like another. Raises what says that it is none."""
    answered = since_start()
    try:
        says = read_reply(reply, read_holdings)
    except NeedsConsent as error:
        return Fetched(holdings=Asked(reply=reply, answered=answered, says=None), words=str(error))
    return Fetched(holdings=Asked(reply=reply, answered=answered, says=says), words="")


def _investments(shop: Shop, claim: HoldingsClaim, turns: Turns) -> dict[str, object]:
    """The investments beside the holdings, or a word on why there are none: they hold nothing up.

    They have what the holdings, and standing for their turn, left of the deadline.
    """
    until = claim.asked + shop.holdings.deadline
    if (left := until - since_start()) < LEAST_TIME:
        return {"words": "no investments: the holdings took all the time"}
    try:
        turn = turns.next(patience=left - LEAST_TIME)
        client, deadline = shop.client(claim.unit.gateway), max(LEAST_TIME, until - since_start())
        reply = client.ask_investments(claim.unit.account, deadline=deadline, turn=turn)
        says = read_reply(reply, read_investments)
    except (GatewayError, WireError) as error:
        return {"words": f"no investments: {error}"}
    return {"investments": Asked(reply=reply, answered=since_start(), says=says)}


def _keep(shop: Shop, claim: HoldingsClaim, fetched: Fetched) -> None:
    try:
        _write(shop, claim, partial(keep_fetched, shop=shop, claim=claim, fetched=fetched))
    except Exception as error:
        if isinstance(error, DBAPIError) and is_passing(error):
            raise
        _bug(shop, claim, fetched.holdings.reply)


def _bug(shop: Shop, claim: HoldingsClaim, reply: Reply | None) -> None:
    """Keep an error of our own, called while it is handled. Text only: frames hold secrets."""
    trace = traceback.format_exc(limit=-6)
    _LOG.error("holdings.error", unit=str(claim.unit), trace=trace)
    _fail(shop, claim, Bug(), reply, trace)


def _fail(shop: Shop, claim: HoldingsClaim, error: Failed, reply: Reply | None, words: str) -> None:
    _write(shop, claim, partial(keep_failure, shop=shop, claim=claim, error=error, reply=reply, words=words))


def _write(shop: Shop, claim: HoldingsClaim, write: Callable[[Connection], None]) -> None:
    try:
        repeat(shop.engine.begin, write)
    except ClaimLostError:
        _LOG.warning("holdings.claim-lost", unit=str(claim.unit), generation=claim.generation)


def fetch(engine: Engine, *, gateway: Gateway, accounts: Sequence[str], now: datetime) -> list[str]:
    """Have these accounts fetched now, whatever their state but unlinked; their units, to be announced."""
    with engine.begin() as connection:
        left = holding_links.left(connection, gateway=gateway.name, accounts=accounts)
        wanted = sorted(set(accounts).difference(left))
        holding_units.ensure(
            connection, gateway=gateway.name, book=gateway.book, origin=PERSON, accounts=wanted, now=now, fetch_at=now
        )
    return [str(HoldingsUnit(gateway.name, account)) for account in wanted]


def known_accounts(engine: Engine, gateway: str) -> list[str]:
    """Every account of that gateway that the service ever heard of, but those that were unlinked."""
    with engine.connect() as connection:
        return holding_units.known_accounts(connection, gateway=gateway)
