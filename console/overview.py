"""The overview: the queue at a glance and today's tie-out in short."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.desk import desk
from tieout.desk import breaks as desk_breaks
from tieout.desk import transactions as desk_transactions
from tieout.desk.events import as_uuid
from tieout.desk.queue import queue_now
from tieout.desk.troubles import troubles

pages = Blueprint("overview", __name__)


@pages.get("/")
def show() -> str:
    """The queue as ops need it, and what is open for finance."""
    found = desk()
    queue = queue_now(found.engine, found.watch, now=found.now())
    return render_template(
        "overview.html",
        queue=queue,
        troubles=troubles(queue),
        names=desk_breaks.costliest_first(desk_breaks.by_name(found.engine)),
        live=request.args.get("live") == "1",
        over=found.looking_back,
    )


@pages.get("/find")
def find() -> Response:
    """Go to what an id names: an event, a break, a transaction, one of our orders, else search."""
    typed = request.args.get("q", "").strip()
    if (named := as_uuid(typed)) is not None:
        if desk_breaks.show(desk().engine, named, severity_of=desk().severity()):
            return redirect(url_for("breaks.show", id=named))
        return redirect(url_for("events.show", event=named))
    found = desk_transactions.named(desk().engine, typed) if typed else []
    if len(found) == 1:
        return redirect(url_for("transactions.show", gateway=found[0][0], transaction_id=found[0][1]))
    return redirect(url_for("events.listed", q=typed))
