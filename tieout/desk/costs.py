"""Why an average cost differs: what our own orders cost by each method, and whose figure that is."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import Connection

from recon.holdings.costs import Cost, cost_of
from recon.holdings.values import Trade
from store import holding_costs
from store.desk_breaks import StoredFinding
from store.holding_days import HeldLine
from tieout.desk.rupees import rupees

UNKNOWN = "Our orders do not lead to what is held, so it cannot be worked out from them."


def why(connection: Connection, finding: StoredFinding, held: HeldLine | None) -> str | None:
    """In a sentence; None where it is about something else."""
    if finding.name != "avg-cost" or held is None or held.internal is None or held.opening_as_of is None:
        return None
    rows = holding_costs.orders(
        connection, gateway=finding.gateway, account=held.account, isin=held.isin, until=held.opening_as_of
    )
    trades = (
        Trade(
            ref=row.order_id,
            isin=held.isin,
            quantity=row.quantity,
            trade_date=row.trade_date,
            settles_on=row.trade_date,
            price=row.average_price,
        )
        for row in rows
    )
    cost = cost_of(trades, held.internal)
    if cost is None:
        return UNKNOWN
    return _sentence(cost, len(rows), Decimal(finding.ours or 0), Decimal(finding.theirs or 0))


def _sentence(cost: Cost, orders: int, ours: Decimal, theirs: Decimal) -> str:
    counted = "Our one order comes" if orders == 1 else f"Our {orders} orders come"
    said = f"{rupees(cost.weighted)} weighted, {rupees(cost.first_in_first_out)} first in first out"
    whose = f"the books' figure is {_which(cost, ours)}, the broker's is {_which(cost, theirs)}"
    others = "" if cost.methods(theirs) else ": look for charges in it, or a corporate action not in it yet"
    return f"{counted} to {said}; {whose}{others}."


def _which(cost: Cost, stated: Decimal) -> str:
    methods = cost.methods(stated)
    return "either" if len(methods) > 1 else methods[0] if methods else "neither"
