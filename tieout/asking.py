"""Asking the Gateway at the rate it is asked at, and for the orders that an answer left out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.client import GatewayBusy, GatewayError, Reply, orders_of
from gateway.fields import WireError
from inbox.units import since_start
from tieout.outcomes import Answered, Orders
from tieout.shop import Shop

_LOG = structlog.get_logger("tieout.settle")
MOST_WAIT: Final = timedelta(seconds=5)  #: for a place among the calls; longer, and the unit waits instead


def await_turn(shop: Shop, gateway: str) -> datetime:
    """Wait for a place among the calls to that gateway; the domain's instant of asking.

    Raises `GatewayBusy` if that would take too long.
    """
    if rate := shop.gateways[gateway].rate_per_s:
        granted, wait = shop.limiter.reserve(gateway, rate_per_s=rate, most=MOST_WAIT)
        if not granted:
            raise GatewayBusy("our own rate is used up")
        if wait:
            time.sleep(wait.total_seconds())
    return shop.clock.now()


def with_orders(shop: Shop, answers: Sequence[Answered]) -> list[Answered]:
    """The answers, each that ended without naming a batch with what the order details say of it.

    One call for all of a gateway. What that call does not tell is asked for again with the transaction.
    """
    lacking: dict[str, list[Answered]] = {}
    for answer in answers:
        name = answer.claim.unit.gateway
        if answer.lacks_orders and shop.gateways[name].orders_path:
            lacking.setdefault(name, []).append(answer)
    said = {txn: orders for name, some in lacking.items() for txn, orders in _ask_orders(shop, name, some).items()}
    return [replace(answer, orders=said.get(answer.claim.txn)) for answer in answers]


def _ask_orders(shop: Shop, gateway: str, answers: Sequence[Answered]) -> dict[int, Orders]:
    ids = {answer.claim.unit.transaction_id: answer.claim.txn for answer in answers}
    try:
        await_turn(shop, gateway)
        asked = since_start()
        reply: Reply = shop.client(gateway).ask_orders(list(ids))
        found = orders_of(reply)
    except (GatewayError, WireError) as error:
        _LOG.warning("settle.orders-not-told", gateway=gateway, count=len(ids), why=str(error))
        return {}
    orders = Orders(reply=reply, asked=asked, answered=since_start())
    return {txn: orders for transaction_id, txn in ids.items() if transaction_id in found}
