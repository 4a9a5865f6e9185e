"""Tokens for the company's backend: a guest's, or a connected one only for a user whose account it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection

from config.keys import Key
from config.settings import Gateway
from gateway.client import GatewayOurs, first_valid
from gateway.tokens import connected_token, guest_token
from tieout.accounts import TOKEN_REQUEST, Link, account_for, keep_refusal
from tieout.office import Office
from tieout.refusal import Refusal
from tieout.shop import repeat

_LOG = structlog.get_logger("tieout.mint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A token, whose it is, and when it ends by the machine's clock."""

    kind: str
    token: str = field(repr=False)
    account: str | None
    key_id: str
    expires_at: datetime


def guest(office: Office, gateway: Gateway) -> Minted:
    """A guest's token. Raises `Refusal`: no-valid-key."""
    now = office.wall.now()
    key = _key(gateway, now)
    token = guest_token(key, now=now, lifetime=office.token_lifetime)
    ends = now + office.token_lifetime
    return Minted(kind="guest", token=token, account=None, key_id=key.key_id, expires_at=ends)


def connected(office: Office, gateway: Gateway, *, user_ref: str, account: str | None, by: str) -> Minted:
    """A token for the account of that user; `account` says which, if there are several.

    Raises `Refusal`: account-of-another-user, account-not-linked, no-linked-account, several-accounts, no-valid-key.
    A refusal about a named account is kept in its history.
    """
    try:
        with office.engine.begin() as connection:
            theirs = account_for(connection, gateway=gateway.name, user_ref=user_ref, account=account, needed=True)
    except Refusal as refusal:
        if account is not None:
            link = Link(
                gateway=gateway.name,
                book=gateway.book,
                account=account,
                user_ref=user_ref,
                source=TOKEN_REQUEST,
                by=by,
            )
            repeat(office.engine.begin, partial(_keep, office=office, link=link, reason=refusal.reason))
        _LOG.warning("mint.refused", gateway=gateway.name, reason=refusal.reason, by=by)
        raise
    assert theirs is not None  # it was needed
    now = office.wall.now()
    key = _key(gateway, now)
    token = connected_token(key, theirs, now=now, lifetime=office.token_lifetime)
    ends = now + office.token_lifetime
    return Minted(kind="connected", token=token, account=theirs, key_id=key.key_id, expires_at=ends)


def _keep(connection: Connection, *, office: Office, link: Link, reason: str) -> None:
    keep_refusal(connection, link, reason, now=office.clock.now())


def _key(gateway: Gateway, now: datetime) -> Key:
    try:
        return first_valid(gateway.secrets, now, "TIEOUT_GATEWAY_SECRETS")
    except GatewayOurs as error:
        fix = "add a key that is valid now to TIEOUT_GATEWAY_SECRETS"
        raise Refusal("no-valid-key", what="a token", why=str(error), fix=fix) from None
