"""The company's own record of what is held: the ledger, as it would import it."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from simulator.exchange import date_in_india
from simulator.world import World

COLUMNS = ("account", "broker", "as_of", "isin", "symbol", "quantity", "average_price")


def positions_csv(world: World, now: datetime) -> bytes:
    """Everybody's holdings, unsettled ones included, pledged ones too, under the ISIN that holds now."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    as_of = date_in_india(now).isoformat()
    for person in world.people:
        for standing in world.holdings.standings(person, now):
            quantity = standing.total + (standing.lot.collateral if standing.lot else 0)
            price = f"{float(standing.cost / 100):.4f}" if standing.cost else ""
            row = (person.account.auth_id, person.broker, as_of, standing.isin, standing.share.symbol)
            writer.writerow((*row, str(quantity), price))
    return text.getvalue().encode()
