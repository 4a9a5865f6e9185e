"""The company's own record of what is held, and of what happened to shares: as it would import them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from simulator.exchange import date_in_india
from simulator.ledger import Action, Split
from simulator.shares import SHARES
from simulator.world import World

COLUMNS = ("account", "broker", "as_of", "isin", "symbol", "quantity", "average_price")
ACTIONS = ("kind", "isin", "ex_date", "ratio_from", "ratio_to", "new_isin", "temporary_isin", "credited_by")


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


def actions_csv(actions: Sequence[Action]) -> bytes:
    """The splits and bonuses that the exchange announced."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(ACTIONS)
    isins = {share.symbol: share.isin for share in SHARES}
    for each in actions:
        named = (isins[each.symbol], each.ex_date.isoformat())
        if isinstance(each, Split):
            writer.writerow(("split", *named, "1", str(each.into), each.new_isin, "", ""))
        else:
            due = each.credited_on.isoformat()
            writer.writerow(("bonus", *named, str(each.per), str(each.give), "", each.temporary_isin, due))
    return text.getvalue().encode()
