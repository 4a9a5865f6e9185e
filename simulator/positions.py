"""The company's own record of what is held, and of what happened to shares: as it would import them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from simulator.exchange import date_in_india, midnight
from simulator.ledger import Action, Split
from simulator.people import Kept, Person
from simulator.shares import SHARES
from simulator.world import World

COLUMNS = ("account", "broker", "as_of", "isin", "symbol", "quantity", "average_price")
_MOMENT = timedelta(microseconds=1)
ACTIONS = ("kind", "isin", "ex_date", "ratio_from", "ratio_to", "new_isin", "temporary_isin", "credited_by")


def positions_csv(world: World, now: datetime) -> bytes:
    """What is held by everybody of whom the books say it: unsettled shares and pledged ones, too."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for person in world.people:
        if person.kept:
            writer.writerows(_rows(world, person, person.kept, now))
    return text.getvalue().encode()


def _rows(world: World, person: Person, kept: Kept, now: datetime) -> Iterator[Sequence[str]]:
    """One row a security, under the ISIN that holds then, right but for what `kept` says of the first lot's."""
    today = date_in_india(now)
    day = world.exchange.session_before(today) if kept.yesterday else today
    wrong = person.lots[0].share if person.lots else None
    for standing in world.holdings.standings(person, midnight(today) - _MOMENT if kept.yesterday else now):
        is_wrong = standing.share is wrong
        quantity = standing.total + (standing.lot.collateral if standing.lot else 0) + (kept.more if is_wrong else 0)
        cost = standing.cost + (kept.dearer if is_wrong else 0)
        price = f"{float(cost / 100):.4f}" if cost else ""
        if quantity or not is_wrong:
            named = (person.account.auth_id, person.broker, day.isoformat(), standing.isin, standing.share.symbol)
            yield (*named, str(quantity), price)


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
