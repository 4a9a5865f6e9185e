"""Accounts and tokens: linked by what the SDK returned, read, and used for connected tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from flask import Response, jsonify, request

from console.api.door import api, caller, document, needs, nothing_asked, office, readable
from gateway.intents import Flaw
from gateway.tokens import REASONS
from tieout.accounts import TAKEN, Linked, link_by_token
from tieout.desk import accounts as desk_accounts
from tieout.mint import Minted, connected, guest
from tieout.refusal import Refusal
from tieout.shop import repeat
from tieout.wanted import account_flaws, check_fields, gateway_flaws, gateway_of, is_user, user_flaws

LIMIT = 500
_LINK = ("gateway", "user", "smallcaseAuthToken")
_MINT = ("gateway", "kind", "user", "account")


@api.post("/accounts/link")
@needs("accounts:link")
def link_account() -> Response:
    """Link the account that the SDK's token proves to a user."""
    nothing_asked()
    asked = document()
    token = asked.get("smallcaseAuthToken")
    found = [*gateway_flaws(asked, office().gateways), *user_flaws(asked, needed=True)]
    if not isinstance(token, str):
        fix = "the smallcaseAuthToken that the SDK returned"
        found.append(Flaw(field="smallcaseAuthToken", problem="is no text", fix=fix))
    check_fields("the link", asked, _LINK, found)
    gateway = gateway_of(asked, office().gateways)
    caller().require_gateway(gateway.name)
    change = partial(
        link_by_token,
        token=str(token),
        gateway=gateway,
        others=tuple(office().gateways.values()),
        user_ref=str(asked["user"]),
        by=caller().key_id,
        now=office().clock.now(),
        wall=office().wall.now(),
    )
    return _told(repeat(office().engine.begin, change), gateway.name)


def _told(done: Linked, gateway: str) -> Response:
    if done.change == "refused":
        raise _link_refused(done.reason or "")
    said = "linked" if done.change == "linked" else "already-linked"
    response = jsonify({"status": said, "gateway": gateway, "account": done.account, "user": done.user_ref})
    response.status_code = 201 if done.change == "linked" else 200
    return response


def _link_refused(reason: str) -> Refusal:
    if reason in REASONS:
        why = REASONS[reason].partition(": ")
        fix = why[2] or "have the SDK return a new token"
        return Refusal(reason, what="the smallcaseAuthToken", why=why[0], fix=fix)
    if reason == TAKEN:
        fix = "a person must look: `tieout accounts show ACCOUNT`, and unlink it there if the other link is wrong"
        return Refusal(reason, what="the link", why="the account is linked to another user", fix=fix)
    fix = "send your own id of the user"
    return Refusal(reason, what="the link", why="what you name as user is an account of the gateway", fix=fix)


@api.get("/accounts")
@needs("accounts:read")
def list_accounts() -> Response:
    """Accounts, of one user if the address says so."""
    nothing_asked("gateway", "user")
    user = request.args.get("user")
    rows = []
    if user is None or is_user(user):
        rows = desk_accounts.listing(office().engine, gateways=_gateways(), user_ref=user, limit=LIMIT)
    return jsonify({"status": "found", "accounts": [_plain(row) for row in rows]})


@api.get("/accounts/<account>")
@needs("accounts:read")
def show_account(account: str) -> Response:
    """One account and what happened to it."""
    nothing_asked("gateway")
    whole = desk_accounts.show(office().engine, account, gateways=_gateways())
    if whole is None:
        fix = "an account is known once a webhook, an answer or a link names it"
        raise Refusal("not-found", what="the account", why="no such account is known here", fix=fix)
    history = [
        {
            "at": _text(change.at),
            "change": change.change,
            "user": change.user_ref,
            "source": change.source,
            "reason": change.reason,
        }
        for change in whole.history
    ]
    return jsonify({"status": "found", "account": _plain(whole.row), "history": history})


@api.post("/tokens")
@needs("tokens:mint")
def mint_token() -> Response:
    """A guest's token, or a connected one for a user's own account."""
    nothing_asked()
    asked = document()
    kind = asked.get("kind")
    found = [*gateway_flaws(asked, office().gateways), *account_flaws(asked)]
    found += user_flaws(asked, needed=kind == "connected")
    if kind not in ("guest", "connected"):
        found.append(Flaw(field="kind", problem="is no kind of token", fix="guest or connected"))
    elif kind == "guest" and asked.get("account") is not None:
        found.append(Flaw(field="account", problem="belongs to a connected token", fix="take it out"))
    check_fields("the token", asked, _MINT, found)
    gateway = gateway_of(asked, office().gateways)
    caller().require_gateway(gateway.name)
    if kind == "guest":
        return _given(guest(office(), gateway), gateway.name)
    named = asked.get("account")
    account = str(named) if named is not None else None
    token = connected(office(), gateway, user_ref=str(asked["user"]), account=account, by=caller().key_id)
    return _given(token, gateway.name)


def _given(token: Minted, gateway: str) -> Response:
    row = {"status": "minted", "kind": token.kind, "gateway": gateway, "token": token.token}
    response = jsonify({**row, "account": token.account, "expiresAt": _text(token.expires_at)})
    response.status_code = 201
    return response


def _gateways() -> list[str]:
    return readable(request.args.get("gateway"))


def _plain(row: desk_accounts.AccountRow) -> dict[str, object]:
    return {
        "account": row.account,
        "gateway": row.gateway,
        "user": row.user_ref,
        "broker": row.broker,
        "book": row.book,
        "firstSeenAt": _text(row.first_seen_at),
        "linkedAt": _text(row.linked_at),
    }


def _text(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
