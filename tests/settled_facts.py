"""Facts beside the orders of `settled_day`: instruments, ticks, prices, charges, a contract note, and holdings."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from gateway.holdings import read_holdings
from store.holding_verdicts import mark_all
from store.holdings import KeptHoldings, keep
from tests.builders import ACCOUNT, BROKER, DAY, EVENING, GATEWAY
from tests.settled_day import LIVE, RULES
from tieout.holdings_recon import reconcile_holdings
from tieout.imports import import_file

_LISTED = ("NSE,AXISBANK,INE238A01034,2020-01-01,", "NSE,INFY,INE009A01021,2020-01-01,")
_LEGS = [("AXISBANK", number) for number in range(1000, 1009)] + [("INFY", 2008)]
OTHER = "5f0321b5f3743c31d95abd36"
#: Account, ISIN and shares of the books' positions.
HELD = ((ACCOUNT, "INE467B01029", 20), (ACCOUNT, "INE002A01018", 7), (OTHER, "INE002A01018", 4))
FILES = {
    "instruments": ("exchange,symbol,isin,from,to", *_LISTED),
    "ticks": ("exchange,symbol,isin,tick,from,to", "NSE,AXISBANK,,0.05,2025-04-15,"),
    "prices": ("exchange,symbol,date,low,high,close", f"NSE,AXISBANK,{DAY},400,440,421"),
    "charges": ("component,broker,side,basis,rate,from", "stt,,,turnover,0.1,2026-01-01"),
    "contract-notes": (
        "note_id,trade_date,account,broker,exchange,symbol,side,quantity,price,exchange_order_id",
        *(f"CN1,{DAY},{ACCOUNT},{BROKER},NSE,{symbol},BUY,10,420.10,{number}" for symbol, number in _LEGS),
    ),
}


def tell_facts(engine: Engine, folder: Path) -> None:
    """Import all of it."""
    for kind, lines in FILES.items():
        tell_file(engine, folder, kind, *lines)


def tell_holdings(engine: Engine, folder: Path) -> None:
    """What two accounts hold, and what the books come to: one more than booked, one that no answer came of."""
    tell_file(engine, folder, "positions", "account,broker,as_of,isin,symbol,quantity,average_price",
              *(f"{account},{BROKER},2026-11-19,{isin},,{count},400" for account, isin, count in HELD))  # fmt: skip
    tell_file(engine, folder, "corporate-actions", "kind,isin,ex_date,new_isin,ratio_from,ratio_to",
              "split,INE009A01021,2020-06-01,INE009A01039,1,2")  # fmt: skip
    tell_file(engine, folder, "transfers", "reference,account,date,isin,direction,quantity",
              f"T-1,{ACCOUNT},{DAY},INE467B01029,in,5")  # fmt: skip
    body = json.dumps({"success": True, "data": _answer()}).encode()
    said = read_holdings(body)
    with engine.begin() as connection:
        kept = KeptHoldings(
            gateway=GATEWAY, account=ACCOUNT, book="live", kind="equity", state="ok", known_at=EVENING, body=body,
            version=said.version, snapshot_date=said.snapshot_date, broker=said.broker,
            rows=(said.lines, said.funds, said.smallcases),
        )  # fmt: skip
        keep(connection, kept)
        mark_all(connection, gateway=GATEWAY)
    assert reconcile_holdings(engine, now=EVENING, rules=RULES, limit=100) == 2


def _answer() -> dict[str, object]:
    at = "2026-11-20T11:00:00Z"
    return {
        "broker": BROKER, "smallcaseAuthId": ACCOUNT, "updating": False, "snapshotDate": at, "lastUpdate": at,
        "securities": [_security(isin, count) for isin, count in (("INE467B01029", 28), ("INE002A01018", 7))],
        "smallcases": {"public": [], "private": []},
    }  # fmt: skip


def _security(isin: str, count: int) -> dict[str, object]:
    day = {"quantity": 0, "averagePrice": 0}
    return {
        "name": "X", "isin": isin, "nseTicker": "X", "bseTicker": "X",
        "holdings": {"quantity": count, "averagePrice": 401.5}, "positions": {"nse": day, "bse": day},
        "transactableQuantity": count, "smallcaseQuantity": 0, "collateralQuantity": 0,
        "isSuspendedOrDelistedOnNSE": False, "isSuspendedOrDelistedOnBSE": False,
    }  # fmt: skip


def tell_file(engine: Engine, folder: Path, kind: str, *lines: str, now: datetime = EVENING) -> None:
    """Import one file with these lines, the first of which is the header."""
    file = folder / f"{kind}.csv"
    file.write_text("\n".join(lines) + "\n")
    report = import_file(engine, kind=kind, file=file, gateways=(LIVE,), now=now, rules=RULES)
    assert not report.problems, report.problems
