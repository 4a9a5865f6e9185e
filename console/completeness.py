"""How far completeness is proven for each gateway, and whether calls to it go out."""

from __future__ import annotations

from flask import Blueprint, render_template

from console.desk import desk
from tieout.desk.completeness import completeness
from tieout.desk.gateways import gateways_now

pages = Blueprint("completeness", __name__)
SHOWN = 200  #: open transactions of one gateway; the command line lists them all


@pages.get("/completeness")
def show() -> str:
    """The watermark, the states and what is open, gateway by gateway."""
    found = desk()
    with found.engine.connect() as connection:
        rows = completeness(
            connection,
            [name for name, _ in found.gateways],
            now=found.now(),
            calendar=found.rules.calendar,
            silence=found.silence,
        )
        limits = gateways_now(connection, found.limits, found.limiter)
    return render_template("completeness.html", found=rows, limits=limits, shown=SHOWN)
