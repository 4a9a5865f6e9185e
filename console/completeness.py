"""Each gateway as it is set and stands, and how far completeness is proven for it."""

from __future__ import annotations

from flask import Blueprint, render_template

from console.desk import desk
from tieout.desk.gateways import gateways_now

pages = Blueprint("completeness", __name__)
SHOWN = 200  #: open transactions of one gateway; the command line lists them all


@pages.get("/completeness")
def show() -> str:
    """The watermark, the states and what is open, gateway by gateway."""
    found = desk()
    with found.engine.connect() as connection:
        rows = found.complete(connection)
    return render_template("completeness.html", found=rows, shown=SHOWN)


@pages.get("/gateways")
def gateways() -> str:
    """Each gateway's address, keys by fingerprint, limit and breaker."""
    found = desk()
    with found.engine.connect() as connection:
        rows = gateways_now(
            connection, found.limits, found.limiter, complete=found.complete(connection), now=found.now()
        )
    return render_template("gateways.html", rows=rows)
