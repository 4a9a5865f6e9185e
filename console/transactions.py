"""Everything about one transaction."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from console.desk import desk
from tieout.desk import transactions as desk_transactions

pages = Blueprint("transactions", __name__)


@pages.get("/transactions/<gateway>/<transaction_id>")
def show(gateway: str, transaction_id: str) -> str:
    """Both sides with verdicts, batches, answers, webhooks, attempts and findings."""
    if "\0" in gateway + transaction_id:
        abort(404)
    whole = desk_transactions.show(desk().engine, gateway=gateway, transaction_id=transaction_id)
    if whole is None:
        abort(404, "No such transaction is known here. Import it with `tieout import transactions FILE`.")
    return render_template("transaction.html", whole=whole)
