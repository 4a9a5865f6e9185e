"""Webhook events, refusals and alerts."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from flask import Blueprint, abort, render_template, request

from config.calendar import IST
from console.asked import text_of
from console.desk import desk
from store.desk_events import EventFilter
from tieout.desk import alerts as desk_alerts
from tieout.desk import events as desk_events
from tieout.desk.reasons import reasons

pages = Blueprint("events", __name__)


@pages.get("/events")
def listed() -> str:
    """One page of events; every filter is in the address."""
    typed = text_of("q") or ""
    wanted = desk_events.narrowed(_wanted(), typed)
    page = desk_events.search(desk().engine, wanted, after=request.args.get("after"))
    return render_template(
        "events.html",
        page=page,
        typed=typed,
        families=desk_events.FAMILIES,
        states=desk_events.STATES,
        known=reasons("parked") | reasons("waiting"),
        gateways=[name for name, _ in desk().gateways],
    )


@pages.get("/events/<uuid:event>")
def show(event: UUID) -> str:
    """One event with its deliveries, attempts, answers and findings."""
    whole = desk_events.show(desk().engine, event)
    if whole is None:
        abort(404, "No event has this id. Search by its transaction, or look among the refusals.")
    return render_template("event.html", whole=whole)


@pages.get("/refusals")
def refused() -> str:
    """Requests that were refused, with samples."""
    page = desk_events.refusals(desk().engine, wanted=_wanted(), after=request.args.get("after"))
    return render_template("refusals.html", page=page, known=reasons("refused"))


@pages.get("/alerts")
def alerted() -> str:
    """What a person should know of."""
    page = desk_alerts.search(desk().engine, name=text_of("name"), after=request.args.get("after"))
    return render_template("alerts.html", page=page)


def _wanted() -> EventFilter:
    since, until = _day("from"), _day("to")
    return EventFilter(
        gateway=text_of("gateway"),
        transaction_id=text_of("transaction"),
        batch_id=text_of("batch"),
        account=text_of("account"),
        family=text_of("family"),
        state=text_of("state"),
        reason=text_of("reason"),
        since=since,
        until=until + timedelta(days=1) if until else None,
    )


def _day(name: str) -> datetime | None:
    asked = text_of(name)
    try:
        return datetime.combine(date.fromisoformat(asked), time(), IST).astimezone(UTC) if asked else None
    except ValueError:
        abort(400, f"{asked!r} is no date: write it as 2026-11-20.")
