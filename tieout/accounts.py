"""Whose account is whose: one account never with two users. Refusals are kept beside what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection

from config.settings import Gateway
from gateway.tokens import BadTokenError, read_token
from store import accounts, holding_links
from store.accounts import Change
from tieout.alert import alert
from tieout.line_accounts import resolve_made, resolve_user
from tieout.refusal import Refusal

_LOG = structlog.get_logger("tieout.accounts")
SDK_TOKEN, TRANSACTION, TOKEN_REQUEST, BY_HAND = "sdk-token", "transaction", "token-request", "by-hand"
TAKEN: Final = "account-of-another-user"
NOT_LINKED: Final = "account-not-linked"
USER_IS_ACCOUNT: Final = "user-is-an-account"


class NotLinkedError(Exception):
    """The account is linked to nobody, or unknown; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Which account is to be whose, who says so and by what."""

    gateway: str
    book: str
    account: str
    user_ref: str
    source: str
    by: str
    transaction_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """What became of it: linked, already, or refused with its reason."""

    change: str
    account: str
    user_ref: str
    reason: str | None = None


def link(connection: Connection, wanted: Link, *, now: datetime) -> Linked:
    """Link the account to the user unless it is another's, and follow its holdings; the refusal is kept, too."""
    accounts.ensure(connection, gateway=wanted.gateway, book=wanted.book, accounts=[wanted.account], now=now)
    row = accounts.lock(connection, gateway=wanted.gateway, account=wanted.account)
    assert row is not None  # it was made just now
    if row.user_ref == wanted.user_ref:
        return Linked(change="already", account=wanted.account, user_ref=wanted.user_ref)
    if row.user_ref is not None:
        return _refused(connection, wanted, TAKEN, held_by=row.user_ref, now=now)
    if accounts.is_account(connection, gateway=wanted.gateway, named=wanted.user_ref):
        return _refused(connection, wanted, USER_IS_ACCOUNT, held_by=None, now=now)
    accounts.give(connection, gateway=wanted.gateway, account=wanted.account, user_ref=wanted.user_ref, now=now)
    accounts.note(connection, _change(wanted, "linked", now))
    holding_links.follow(connection, gateway=wanted.gateway, account=wanted.account, book=wanted.book, now=now)
    resolve_user(connection, gateway=wanted.gateway, user_ref=wanted.user_ref)
    _LOG.info("account.linked", gateway=wanted.gateway, account=wanted.account, source=wanted.source)
    return Linked(change="linked", account=wanted.account, user_ref=wanted.user_ref)


def link_by_token(
    connection: Connection,
    token: str,
    *,
    gateway: Gateway,
    others: Sequence[Gateway],
    user_ref: str,
    by: str,
    now: datetime,
    wall: datetime,
) -> Linked:
    """Link the account that the SDK's `smallcaseAuthToken` proves to that user.

    `now` is the domain's instant, `wall` the machine's, by which the token's expiry is judged. A token that
    proves nothing is refused with its reason (`gateway.tokens.REASONS`), which is kept.
    """
    elsewhere = [key for other in others if other.name != gateway.name for key in other.secrets]
    try:
        proven = read_token(token, gateway.secrets, now=wall, api_keys=gateway.api_secrets, elsewhere=elsewhere)
    except BadTokenError as error:
        refused = Change(
            at=now,
            gateway=gateway.name,
            change="refused",
            source=SDK_TOKEN,
            by=by,
            user_ref=user_ref,
            reason=error.reason,
        )
        accounts.note(connection, refused)
        _LOG.warning("account.token-refused", gateway=gateway.name, reason=error.reason, by=by)
        return Linked(change="refused", account="", user_ref=user_ref, reason=error.reason)
    wanted = Link(
        gateway=gateway.name, book=gateway.book, account=proven.account, user_ref=user_ref, source=SDK_TOKEN, by=by
    )
    return link(connection, wanted, now=now)


def unlink(connection: Connection, *, gateway: str, account: str, reason: str, by: str, now: datetime) -> str:
    """Take the account from its user; whose it was. Lines of the books that meant it stay the account's.

    Its holdings are asked for no more.

    Raises `NotLinkedError`.
    """
    row = accounts.lock(connection, gateway=gateway, account=account)
    if row is None or row.user_ref is None:
        said = "is linked to nobody" if row else "is unknown here"
        raise NotLinkedError(f"the account {account} of {gateway} {said}: see `tieout accounts list`")
    user_ref = str(row.user_ref)
    accounts.give(connection, gateway=gateway, account=account, user_ref=None, now=now)
    change = Change(
        at=now,
        gateway=gateway,
        change="unlinked",
        source=BY_HAND,
        by=by,
        account=account,
        user_ref=user_ref,
        reason=reason,
    )
    accounts.note(connection, change)
    holding_links.leave(
        connection, gateway=gateway, account=account, book=row.book, now=now, why=f"unlinked by {by}: {reason}"
    )
    _LOG.info("account.unlinked", gateway=gateway, account=account, by=by)
    return user_ref


def learn(connection: Connection, *, txns: Sequence[int], now: datetime) -> None:
    """Keep the accounts that these transactions' answers and webhooks name, and link what was registered for a user.

    Only the API's answer links: it is authenticated, while a webhook's checksum does not cover the transactionId,
    so that a captured one could name anybody's account beside a transaction of the attacker's.
    """
    accounts.ensure_of(connection, txns=txns, now=now)
    for row in accounts.claimed(connection, txns=txns):
        wanted = Link(
            gateway=row.gateway,
            book=row.book,
            account=row.account,
            user_ref=row.user_ref,
            source=TRANSACTION,
            by="the Gateway's answer",
            transaction_id=row.transaction_id,
        )
        link(connection, wanted, now=now)
    resolve_made(connection, txns=txns)


def account_for(
    connection: Connection, *, gateway: str, user_ref: str, account: str | None, needed: bool
) -> str | None:
    """The account whose connected token that user may have; None for a guest, if no account is needed.

    Raises `Refusal`: account-of-another-user, account-not-linked, no-linked-account, several-accounts.
    """
    own = [row.account for row in accounts.of_user(connection, gateway=gateway, user_ref=user_ref)]
    if account is not None:
        if account in own:
            return account
        row = accounts.lock(connection, gateway=gateway, account=account)
        raise _not_theirs(taken=row is not None and row.user_ref is not None)
    if len(own) == 1:
        return str(own[0])
    if not needed:
        return None
    if own:
        fix = f"name one of them in `account`: {', '.join(own)}"
        raise Refusal("several-accounts", what="a connected token", why="the user has several accounts", fix=fix)
    fix = "have the user connect a broker, then POST the SDK's token to /api/v1/accounts/link"
    raise Refusal("no-linked-account", what="a connected token", why="no account is linked to the user", fix=fix)


def keep_refusal(connection: Connection, refused: Link, reason: str, *, now: datetime) -> None:
    """Keep that a connected token was refused."""
    row = accounts.lock(connection, gateway=refused.gateway, account=refused.account)
    held_by = row.user_ref if row else None
    accounts.note(connection, replace(_change(refused, "refused", now), reason=reason, held_by=held_by))


def _not_theirs(*, taken: bool) -> Refusal:
    if taken:
        fix = "ask for the token of an account that is linked to this user"
        return Refusal(TAKEN, what="a connected token", why="the account is linked to another user", fix=fix)
    fix = "link it first: POST the SDK's token to /api/v1/accounts/link"
    return Refusal(NOT_LINKED, what="a connected token", why="the account is linked to nobody", fix=fix)


def _refused(connection: Connection, wanted: Link, reason: str, *, held_by: str | None, now: datetime) -> Linked:
    accounts.note(connection, replace(_change(wanted, "refused", now), reason=reason, held_by=held_by))
    detail = f"{wanted.source} would give it to {wanted.user_ref!r}; it is {held_by!r}'s" if held_by else reason
    alert(connection, "account-conflict", gateway=wanted.gateway, subject=wanted.account, detail=detail)
    return Linked(change="refused", account=wanted.account, user_ref=wanted.user_ref, reason=reason)


def _change(wanted: Link, change: str, now: datetime) -> Change:
    return Change(
        at=now,
        gateway=wanted.gateway,
        change=change,
        source=wanted.source,
        by=wanted.by,
        account=wanted.account,
        user_ref=wanted.user_ref,
        transaction_id=wanted.transaction_id,
    )
