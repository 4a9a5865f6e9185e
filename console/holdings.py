"""What accounts hold: the list with states and next steps, and one account whole."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, render_template, request

from console.asked import text_of
from console.desk import desk
from tieout.desk import holdings as desk_holdings
from tieout.desk.holdings import HoldingsFilter
from tieout.holding_states import closed_before

pages = Blueprint("holdings", __name__)
AGAINST = ("differ", "pending", "agree")


@pages.get("/holdings")
def listed() -> str:
    """One page of accounts; every filter is in the address."""
    state, against = text_of("state"), text_of("against")
    if against and against not in AGAINST:
        abort(400, f"against is one of: {', '.join(AGAINST)}.")
    wanted = HoldingsFilter(
        gateway=text_of("gateway"),
        book=text_of("book"),
        account=text_of("q"),
        states=(state,) if state else None,
        against=against,
    )
    page = desk_holdings.page(desk().engine, wanted, closed=_closed(), after=request.args.get("after"))
    return render_template(
        "holdings.html",
        page=page,
        wanted=wanted,
        state=state,
        states=desk_holdings.STATES,
        against=AGAINST,
        counts=desk_holdings.counts(desk().engine, gateway=wanted.gateway, closed=_closed()),
        next_step=desk_holdings.next_step,
        imports=desk_holdings.fund_imports(desk().engine, gateway=wanted.gateway),
    )


@pages.get("/holdings/<account>")
def show(account: str) -> str:
    """One account: how it stands, what it holds, how that is known."""
    if "\0" in account:
        abort(404)
    whole = desk_holdings.show(desk().engine, account, gateway=text_of("gateway"), closed=_closed())
    if whole is None:
        abort(404, "No account of this id has been fetched. Fetch it with `tieout holdings fetch ACCOUNT`.")
    return render_template("holding.html", whole=whole)


def _closed() -> datetime:
    """The last close that holdings must not be older than."""
    found = desk()
    return closed_before(found.rules.calendar, found.now(), found.holdings)
