"""How one trade date ties out."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.desk import desk
from tieout.desk.day import day as day_of
from tieout.desk.days import gateways as named_gateways
from tieout.desk.days import neighbours

pages = Blueprint("days", __name__)


@pages.get("/day")
def today() -> Response:
    """Today's page, or that of the date in the address."""
    asked = request.args.get("date", "")
    gateway = request.args.get("gateway") or None
    return redirect(url_for("days.show", day=_date(asked) if asked else desk().today(), gateway=gateway))


@pages.get("/day/<day>")
def show(day: str) -> str:
    """Both sides' buckets, what is unaccounted, and findings by name."""
    trade_date, found = _date(day), desk()
    gateways = named_gateways(found.engine, found.gateways)
    gateway = _chosen(gateways)
    with found.engine.connect() as connection:
        whole = day_of(connection, gateway=gateway, trade_date=trade_date, as_of=found.now())
    before, after = neighbours(found.engine, trade_date)
    return render_template(
        "day.html",
        whole=whole,
        trade_date=trade_date,
        gateway=gateway,
        gateways=gateways,
        before=before,
        after=after,
        session=found.rules.calendar.is_session(trade_date),
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(404, f"{text[:20]!r} is no date: write it as 2026-11-20.")


def _chosen(gateways: list[tuple[str, str]]) -> str:
    names = [name for name, _ in gateways]
    if (asked := request.args.get("gateway", "")) and asked not in names:
        abort(404, f"No gateway is named {asked[:64]!r}.")
    return asked or next(iter(names), "")
