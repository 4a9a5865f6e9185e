"""Broker accounts and whose they are; the private API's keys, without their secrets."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request

from console.desk import desk
from tieout.desk import accounts as desk_accounts
from tieout.desk import keys as desk_keys
from tieout.wanted import is_user

pages = Blueprint("accounts", __name__)


@pages.get("/accounts")
def listed() -> str:
    """One page of accounts; every filter is in the address."""
    user = request.args.get("user", "").strip() or None
    if user is not None and not is_user(user):
        abort(400, "user is your own id of a user: printable text of at most 256 characters.")
    page = desk_accounts.page(
        desk().engine,
        user_ref=user,
        unlinked=request.args.get("unlinked") == "1",
        after=request.args.get("after"),
    )
    return render_template(
        "accounts.html", page=page, user=user, refused=desk_accounts.refused(desk().engine, limit=20)
    )


@pages.get("/accounts/<account>")
def show(account: str) -> str:
    """One account with all that happened to it."""
    gateway = request.args.get("gateway")
    gateways = None if gateway is None or "\0" in gateway else [gateway]
    whole = desk_accounts.show(desk().engine, account, gateways=gateways)
    if whole is None:
        abort(404, "No such account is known here. One is known once a webhook, an answer or a link names it.")
    return render_template("account.html", whole=whole)


@pages.get("/keys")
def keys() -> str:
    """Every key of the private API, with its scopes and when it was used."""
    return render_template("keys.html", keys=desk_keys.listing(desk().engine))
