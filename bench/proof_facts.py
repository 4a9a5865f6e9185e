"""Facts beside the orders of the corpus's largest day: a contract note, charges, and what accounts hold.

So that a day is proven which rests on rows of every sealed table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, text

from bench.corpus.stored import GATEWAYS, RULES, bring, write
from books.cells import IST
from gateway.holdings import read_holdings
from store.holding_verdicts import mark_all
from store.holdings import KeptHoldings, keep
from tieout.holdings_recon import reconcile_holdings

ONE, OTHER = "INE467B01029", "INE002A01018"
ACCOUNTS: Final = tuple(f"{number:024x}" for number in range(0xF00, 0xF06))
SILENT: Final = ACCOUNTS[-1]  #: of it no answer came
CHARGES: Final = (("stt", "turnover", "0.1"), ("sebi_fee", "turnover", "0.0001"), ("gst", "services", "18"))
NOTE: Final = (
    *("gateway", "note_id", "trade_date", "account", "broker", "exchange", "symbol", "side", "quantity", "price"),
    "exchange_order_id",
)
#: The day with the most lines of ours among the gateway's whose books come late, and the account with most of them.
_LARGEST = text("""
select gateway, trade_date from our_lines where gateway = :gateway and txn is not null
group by gateway, trade_date order by count(*) desc, trade_date limit 1
""")
_NOTED = text("""
select account, broker, exchange, symbol, side, filled, average_price, exchange_order_id from our_lines
where gateway = :gateway and trade_date = :trade_date and filled > 0 and average_price > 0
  and broker is not null and exchange_order_id is not null and side in ('BUY', 'SELL')
order by count(*) over (partition by account, broker) desc, account, broker, order_id limit 20
""")


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose day it is, where its files are written, and when all is told: that evening."""

    engine: Engine
    folder: Path
    gateway: str
    day: date

    @property
    def now(self) -> datetime:
        """Before midnight: holdings are judged for the day that it is."""
        return datetime.combine(self.day, time(21), IST)

    def bring(self, kind: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Import these rows."""
        bring(self.engine, kind, write(self.folder / f"proof-{kind}.csv", head, rows), self.now)


def tell_beside(engine: Engine, folder: Path) -> tuple[str, date]:
    """Tell them; the gateway and the day that rest on them."""
    with engine.connect() as connection:
        largest = connection.execute(_LARGEST, {"gateway": GATEWAYS[0].name}).one()
        noted = connection.execute(_NOTED, largest._asdict()).all()
    place = _Place(engine, folder, *largest)
    _tell_notes(place, noted)
    _tell_holdings(place)
    return place.gateway, place.day


def _tell_notes(place: _Place, noted: Sequence[Row[Any]]) -> None:
    """Two notes of the account that traded most: what they say is what the books say."""
    place.bring("charges", ("component", "basis", "rate", "from"), [(*each, "2020-01-01") for each in CHARGES])
    rows = [
        [
            *(place.gateway, f"CN-{row.account}-{row.broker}-{number % 2}", place.day, row.account, row.broker),
            *(row.exchange, row.symbol, row.side, row.filled, row.average_price, row.exchange_order_id),
        ]
        for number, row in enumerate(noted)
    ]
    place.bring("contract-notes", NOTE, rows)


def _tell_holdings(place: _Place) -> None:
    """Positions, actions, transfers and answers: one account holds more than is booked, of one no answer came."""
    before = place.day - timedelta(days=1)
    head = ("gateway", "account", "broker", "as_of", "isin", "quantity", "average_price")
    held = [(ACCOUNTS[0], ONE, 20), *((account, OTHER, 11) for account in ACCOUNTS)]
    place.bring("positions", head, [(place.gateway, account, "kite", before, *said, 400) for account, *said in held])
    actions = ("kind", "isin", "ex_date", "new_isin", "ratio_from", "ratio_to")
    told = [("split", "INE009A01021", "2020-06-01", "INE009A01039", 1, 2)]
    place.bring("corporate-actions", actions, [*told, ("bonus", "INE009A01039", "2021-06-01", "", 1, 1)])
    transfers = ("gateway", "reference", "account", "date", "isin", "direction", "quantity")
    moved = [(place.gateway, f"PROOF-{n}", ACCOUNTS[0], place.day, ONE, way, 5) for n, way in enumerate(("in", "out"))]
    place.bring("transfers", transfers, moved)
    with place.engine.begin() as connection:
        for account in ACCOUNTS:
            if account != SILENT:
                _answer(connection, place, account, *(((ONE, 28),) if account == ACCOUNTS[0] else ()), (OTHER, 11))
        mark_all(connection, gateway=place.gateway)
    reconcile_holdings(place.engine, now=place.now, rules=RULES, limit=10**6, gateway=place.gateway)


def _answer(connection: Connection, place: _Place, account: str, *held: tuple[str, int]) -> None:
    at = f"{place.day}T11:00:00Z"
    data = {
        "broker": "kite", "smallcaseAuthId": account, "updating": False, "snapshotDate": at, "lastUpdate": at,
        "securities": [_security(isin, count) for isin, count in held],
        "smallcases": {"public": [], "private": []},
    }  # fmt: skip
    body = json.dumps({"success": True, "data": data}).encode()
    said = read_holdings(body)
    kept = KeptHoldings(
        gateway=place.gateway, account=account, book="test", kind="equity", state="ok", known_at=place.now, body=body,
        version=said.version, snapshot_date=said.snapshot_date, broker=said.broker,
        rows=(said.lines, said.funds, said.smallcases),
    )  # fmt: skip
    keep(connection, kept)


def _security(isin: str, count: int) -> dict[str, object]:
    quiet = {"quantity": 0, "averagePrice": 0}
    return {
        "name": "X", "isin": isin, "nseTicker": "X", "bseTicker": "X",
        "holdings": {"quantity": count, "averagePrice": 400}, "positions": {"nse": quiet, "bse": quiet},
        "transactableQuantity": count, "smallcaseQuantity": 0, "collateralQuantity": 0,
    }  # fmt: skip
