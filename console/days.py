"""How one trade date ties out."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.desk import desk
from tieout.desk import lines as desk_lines
from tieout.desk.day import day as day_of
from tieout.desk.day import orders_of, scope_of
from tieout.desk.days import gateways as named_gateways
from tieout.desk.days import neighbours
from tieout.desk.lines import BUCKETS

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


@pages.get("/day/<day>/lines")
def lines(day: str) -> str:
    """The lines of one bucket of a trade date, or all of them, both sides beside each other."""
    trade_date, found = _date(day), desk()
    gateway = _chosen(named_gateways(found.engine, found.gateways))
    bucket = _bucket()
    with found.engine.connect() as connection:
        scope = scope_of(connection, gateway=gateway, trade_date=trade_date)
        listed = desk_lines.page(connection, scope, bucket=bucket, after=request.args.get("after"))
        orders = orders_of(connection, scope)
    return render_template(
        "lines.html", listed=listed, orders=orders, bucket=bucket, trade_date=trade_date, gateway=gateway
    )


def _bucket() -> str | None:
    if (asked := request.args.get("bucket")) and asked not in BUCKETS:
        abort(400, f"bucket is one of: {', '.join(BUCKETS)}.")
    return asked or None


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
