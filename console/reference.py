"""The dated facts that verdicts rest on, and the exchange's days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask import Blueprint, abort, render_template, request

from console.asked import text_of
from console.desk import desk
from recon.lines import plain_text
from tieout.desk.reference import KINDS, facts
from tieout.desk.sessions import sessions as sessions_of

pages = Blueprint("reference", __name__)

SHOWN = 200  #: rows on the page; what is beyond them is narrowed down by the filters
YEARS = range(2001, 2101)


@pages.get("/reference")
def listed() -> str:
    """The facts of one kind that count on a day, or every version of what was said of one share."""
    kind, asked, about = text_of("kind") or KINDS[0], text_of("date"), text_of("q")
    if kind not in KINDS:
        abort(404, f"There is no reference data called {kind[:40]!r}: one of {', '.join(KINDS)}.")
    versions = bool(text_of("versions"))
    day = _date(asked) if asked else None
    rows = facts(desk().engine, kind, day=day, about=about, versions=versions, limit=SHOWN + 1)
    return render_template(
        "reference.html",
        kind=kind,
        kinds=KINDS,
        day=day,
        about=about,
        versions=versions,
        rows=[{name: _said(value) for name, value in row.items()} for row in rows[:SHOWN]],
        more=len(rows) > SHOWN,
    )


@pages.get("/sessions")
def sessions() -> str:
    """A year's days that are not as the others, each with what is doubtful about it."""
    year = request.args.get("year", desk().today().year, type=int)
    if year not in YEARS:
        abort(404, f"The list of holidays has the years {YEARS[0]} to {YEARS[-1]}.")
    return render_template("sessions.html", year=year, rows=sessions_of(desk().engine, year))


def _said(value: object) -> object:
    return plain_text(value) if isinstance(value, Decimal) else value


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(404, f"{text[:20]!r} is no date: write it as 2026-11-20.")
