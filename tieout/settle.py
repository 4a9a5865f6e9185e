"""Settling units: claim each, ask the Gateway, and write everything that follows in one transaction.

No database connection is held while the Gateway is asked. What comes of a call is written under the
claim's fence: a worker that was given up for dead cannot write.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from config.clock import since_start
from gateway.client import GatewayError, GatewayNoTurn, Reply, answer_of
from gateway.fields import WireError
from gateway.rate import Turn
from gateway.wire import NoSuchTransaction, is_unclear
from inbox import units
from inbox.claims import ClaimLostError
from inbox.units import Claim, Unit
from recon.values import Origin
from store.transactions import ensure
from tieout.alert import alert
from tieout.asking import NO_TURN, turn_for, with_orders
from tieout.outcomes import Answered, Bug, absent, failed, write_answers
from tieout.shop import Shop, is_passing, repeat

_LOG = structlog.get_logger("tieout.settle")
ROUND: Final = 10  #: answers written by one commit
ROUND_S: Final = 1.0  #: no answer waits longer to be written, but for the call under way


def settle(shop: Shop, names: Sequence[str]) -> list[str]:
    """Settle the units a message names; those left for want of time are returned, to be announced again."""
    begun, round_, refused = time.monotonic(), _Round(shop), _Refused(shop)
    wanted = _known(shop, list(dict.fromkeys(names)))
    left: list[str] = []
    for done, unit in enumerate(wanted):
        if shop.stopping() or time.monotonic() - begun > shop.patience.total_seconds():
            left = [str(u) for u in wanted[done:]]
            break
        if refused.has(unit):
            continue
        try:
            turn = turn_for(shop, unit.gateway)
        except GatewayNoTurn as error:
            refused.add(unit, error)
            continue
        if claim := repeat(shop.at_once.begin, partial(_claim, shop=shop, unit=unit)):
            round_.take(claim, turn)
        else:
            shop.limiter.give_back(turn, used=False)
    round_.write()
    refused.put_off()
    return left


class _Refused:
    """Units for which there was no turn: they wait in the database, nobody waits for them here.

    Once a gateway has no turn, its later units of the message wait with the first.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._units: dict[str, list[Unit]] = {}
        self._waits: dict[str, timedelta] = {}

    def has(self, unit: Unit) -> bool:
        """Whether its gateway has no turn; the unit waits then."""
        if unit.gateway not in self._units:
            return False
        self._units[unit.gateway].append(unit)
        return True

    def add(self, unit: Unit, error: GatewayNoTurn) -> None:
        """There was no turn for this one."""
        self._units[unit.gateway] = [unit]
        self._waits[unit.gateway] = error.retry_after or timedelta(0)

    def put_off(self) -> None:
        """Let them wait."""
        for gateway, units_ in self._units.items():
            wait = self._waits[gateway]
            repeat(self._shop.engine.begin, partial(units.put_off, wanted=units_, wait=wait, reason=NO_TURN))


class _Round:
    """Answers written together: a few, given within a second, so that one commit serves them all.

    Each unit is still written whole or not at all. What killed a worker before is written alone.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._answers: list[Answered] = []
        self._begun = 0.0

    def take(self, claim: Claim, turn: Turn | None) -> None:
        """Ask for a claimed unit in that turn; its answer is written with others, a failure at once."""
        alone = claim.deaths > 0 or claim.probe
        if alone:
            self.write()
        if not self._answers:
            self._begun = time.monotonic()
        if answer := _ask(self._shop, claim, turn):
            self._answers.append(answer)
        if alone or len(self._answers) >= ROUND or time.monotonic() - self._begun > ROUND_S:
            self.write()

    def write(self) -> None:
        """Write what was answered so far."""
        answers, self._answers = self._answers, []
        if answers:
            _write(self._shop, with_orders(self._shop, answers))


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


def _ask(shop: Shop, claim: Claim, turn: Turn | None) -> Answered | None:
    """Ask; an answer is returned to be written, what gave none is written here."""
    reply: Reply | None = None
    try:
        asked_on = shop.clock.now()
        reply = shop.client(claim.unit.gateway).ask_details(claim.unit.transaction_id, turn=turn)
        answered = since_start()
        answer = answer_of(reply, claim.unit.transaction_id)
    except NoSuchTransaction as error:
        assert reply is not None  # only a reply can say so
        _end(shop, claim, partial(absent, shop=shop, claim=claim, reply=reply, words=str(error)))
        return None
    except (GatewayError, WireError) as error:
        _end(shop, claim, partial(failed, shop=shop, claim=claim, error=error, reply=reply, words=str(error)))
        return None
    except Exception:  # noqa: BLE001 a bug must not stop the other units: it is kept, tried again, parked
        _bug(shop, claim, reply)
        return None
    return Answered(
        claim=claim,
        reply=reply,
        mark="unclear" if is_unclear(answer) else "news",
        asked_on=asked_on,
        answered=answered,
        lacks_orders=answer.status == "COMPLETED" and not answer.batches,
    )


def _write(shop: Shop, answers: Sequence[Answered]) -> None:
    """Write these answers together; if one of them cannot be, each by itself."""
    try:
        lost = repeat(shop.engine.begin, partial(write_answers, shop=shop, answers=answers))
    except Exception as error:
        if isinstance(error, DBAPIError) and is_passing(error):
            raise
        if len(answers) == 1:
            _bug(shop, answers[0].claim, answers[0].reply)
        else:
            for answer in answers:
                _write(shop, [answer])
    else:
        for claim in lost:
            _LOG.warning("settle.claim-lost", unit=str(claim.unit), generation=claim.generation)


def _bug(shop: Shop, claim: Claim, reply: Reply | None) -> None:
    """Keep an error of our own, called while it is handled. Text only: frames hold secrets."""
    trace = traceback.format_exc(limit=-6)
    _LOG.error("settle.error", unit=str(claim.unit), trace=trace)
    _end(shop, claim, partial(failed, shop=shop, claim=claim, error=Bug(), reply=reply, words=trace))


def _end(shop: Shop, claim: Claim, write: Callable[[Connection], None]) -> None:
    """Write the end of a claim that brought no answer."""
    try:
        repeat(shop.engine.begin, write)
    except ClaimLostError:
        _LOG.warning("settle.claim-lost", unit=str(claim.unit), generation=claim.generation)
