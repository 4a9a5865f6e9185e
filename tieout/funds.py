"""Mutual-fund webhooks: the payload is the only source there is, so it is kept whole and read leniently."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.fields import Nonsense
from gateway.funds import read_funds
from inbox.holdings import FundsUnit
from recon.values import Origin
from store import accounts, holding_events
from store.holdings import KeptHoldings, keep
from store.transactions import ensure
from tieout.alert import alert
from tieout.holding_outcomes import book_of, noted
from tieout.shop import Shop

FROM_WEBHOOK = "from-webhook"  #: the state of what no API confirms
UNREADABLE = "unreadable"


def take_in(connection: Connection, *, shop: Shop, unit: FundsUnit) -> bool:
    """Keep one mutual-fund webhook as evidence, its rows beside it; False if there was nothing to do.

    The event's row is locked for it, so however many workers are told, one does it.
    """
    event = holding_events.take(connection, unit.event_id)
    if event is None or event.gateway not in shop.gateways:
        return False
    body = bytes(event.body or b"")
    try:
        funds = read_funds(body)
    except Nonsense as error:
        holding_events.park(connection, unit.event_id, reason=UNREADABLE)
        alert(connection, UNREADABLE, gateway=event.gateway, subject=str(unit.event_id), detail=str(error))
        return True
    now = shop.clock.now()
    account = event.account
    if event.transaction_id:
        ids = [event.transaction_id]
        ensure(connection, gateway=event.gateway, book=event.book, origin=Origin.WEBHOOK, ids=ids, now=now)
        account = account or holding_events.owner(
            connection, gateway=event.gateway, transaction_id=event.transaction_id
        )
    if account:
        accounts.ensure(connection, gateway=event.gateway, book=event.book, accounts=[account], now=now)
    kept = KeptHoldings(
        gateway=event.gateway,
        account=account,
        book=book_of(None, event.book),
        kind="mf",
        state=FROM_WEBHOOK,
        known_at=now,
        body=body,
        source="webhook",
        event_id=event.event_id,
        transaction_id=event.transaction_id,
        asked_at=event.stored_at,
        answered_at=event.stored_at,
        refused=funds.refused,
        not_understood=noted(funds.not_understood),
        rows=((), funds.lines, ()),
    )
    keep(connection, kept)
    holding_events.done(connection, unit.event_id)
    return True
