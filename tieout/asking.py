"""Asking the Gateway at the rate it is asked at, and for the orders that an answer left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from config.clock import since_start
from gateway.client import GatewayError, GatewayNoTurn, Reply, orders_of, take_turn
from gateway.fields import WireError
from gateway.rate import HOLD, Turn
from tieout.outcomes import Answered, Orders
from tieout.shop import Shop

_LOG = structlog.get_logger("tieout.settle")
NO_TURN: Final = "no-turn"  #: why a unit waits for which no call could be made just now


def turn_for(shop: Shop, gateway: str) -> Turn | None:
    """A turn among the calls to that gateway, None if they are not limited. Raises `GatewayNoTurn`."""
    return take_turn(shop.limiter, shop.gateways[gateway], hold=HOLD)


def with_orders(shop: Shop, answers: Sequence[Answered]) -> list[Answered]:
    """The answers, each that ended without naming a batch with what the order details say of it.

    One call for all of a gateway. What that call does not tell is asked for again with the transaction;
    at once, if there was no turn for it.
    """
    lacking: dict[str, list[Answered]] = {}
    for answer in answers:
        name = answer.claim.unit.gateway
        if answer.lacks_orders and shop.gateways[name].orders_path:
            lacking.setdefault(name, []).append(answer)
    said: dict[int, Orders] = {}
    unasked: set[int] = set()
    for name, some in lacking.items():
        try:
            said |= _ask_orders(shop, name, some)
        except GatewayNoTurn:
            unasked |= {answer.claim.txn for answer in some}
    return [replace(a, orders=said.get(a.claim.txn), unasked=a.claim.txn in unasked) for a in answers]


def _ask_orders(shop: Shop, gateway: str, answers: Sequence[Answered]) -> dict[int, Orders]:
    """What the order details say, by txn. Raises `GatewayNoTurn`; any other failure tells nothing."""
    ids = {answer.claim.unit.transaction_id: answer.claim.txn for answer in answers}
    try:
        asked = since_start()
        reply: Reply = shop.client(gateway).ask_orders(list(ids))
        found = orders_of(reply)
    except GatewayNoTurn:
        raise
    except (GatewayError, WireError) as error:
        _LOG.warning("settle.orders-not-told", gateway=gateway, count=len(ids), why=str(error))
        return {}
    orders = Orders(reply=reply, asked=asked, answered=since_start())
    return {txn: orders for transaction_id, txn in ids.items() if transaction_id in found}
