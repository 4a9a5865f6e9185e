"""Registering a transaction that the company created itself: from then on it is followed to its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection

from recon.values import Origin
from store.desk_created import created
from store.registrations import FACTS, fill, known_ids
from store.transactions import ensure
from tieout.accounts import learn
from tieout.office import Office
from tieout.refusal import Refusal
from tieout.shop import repeat
from tieout.wanted import Registration

LIFESPAN: Final = timedelta(minutes=5)
_NAMES: Final = {"account": "account", "user_ref": "user", "created_at": "createdAt", "expire_at": "expireAt"}


def register(office: Office, registration: Registration) -> bool:
    """Keep the transaction, or fill what was not known of it; whether it is new.

    Raises `Refusal`: known-otherwise, when something else is known of it, which stays.
    """
    return repeat(office.engine.begin, partial(_register, registration=registration, now=office.clock.now()))


def _register(connection: Connection, *, registration: Registration, now: datetime) -> bool:
    name, ids = registration.gateway.name, [registration.transaction_id]
    new = not known_ids(connection, gateway=name, ids=ids)
    origin = Origin.REGISTRATION
    txns = ensure(connection, gateway=name, book=registration.gateway.book, origin=origin, ids=ids, now=now)
    facts = _facts(registration, now if new else None)
    _, differing = fill(
        connection, [{"gateway": name, "transaction_id": registration.transaction_id, **facts}], now=now
    )
    if differing:
        raise _known_otherwise(connection, name, registration, facts)
    learn(connection, txns=list(txns.values()), now=now)  # its answer may have come before
    return new


def _facts(registration: Registration, now: datetime | None) -> dict[str, object]:
    """What the registration says; a new one that names no expiry lives for five minutes."""
    facts: dict[str, object] = {name: getattr(registration, name) for name in FACTS if name != "requested"}
    since = registration.created_at or now
    facts["expire_at"] = registration.expire_at or (since + LIFESPAN if since and now else None)
    return {**facts, "requested": list(registration.requested) if registration.requested is not None else None}


def _known_otherwise(
    connection: Connection, gateway: str, registration: Registration, facts: dict[str, object]
) -> Refusal:
    row = created(connection, transaction_id=registration.transaction_id, gateways=[gateway])
    names = [
        _NAMES.get(name, name)
        for name, said in facts.items()
        if row is not None and name != "requested" and said is not None and getattr(row, name) not in (None, said)
    ]
    why = f"it is known with another {', '.join(names) or 'content'}"
    fix = "what is known stays; look at it with GET /api/v1/transactions/<id>, and register without these fields"
    return Refusal("known-otherwise", what="the registration", why=why, fix=fix)
