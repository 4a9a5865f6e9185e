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

_LISTED = (
    "NSE,AXISBANK,EQ,INE238A01034,,2020-01-01,",
    "NSE,INFY,,INE009A01021,,2020-01-01,",
    "NSE,HDFCBANK,EQ,INE040A01026,INE040A01034,2015-01-01,2019-09-18",
)
_LEGS = [("AXISBANK", number) for number in range(1000, 1009)] + [("INFY", 2008)]
OTHER = "5f0321b5f3743c31d95abd36"
MATCHED = tuple(f"5f0321b5f3743c31d95abd4{number}" for number in range(4))  #: accounts that hold what is booked
#: Account, ISIN and shares of the books' positions.
HELD = (
    *((ACCOUNT, "INE467B01029", 20), (ACCOUNT, "INE002A01018", 7), (OTHER, "INE002A01018", 4)),
    *((account, "INE002A01018", 11) for account in MATCHED),
    (ACCOUNT, "INE040A01026", 3),  # under an ISIN that another came after, in a ratio that nobody told
)
MOVED = ("INE467B01029,in,5", "INE002A01018,in,2", "INE002A01018,out,2")
FILES = {
    "instruments": ("exchange,symbol,series,isin,successor,from,to", *_LISTED),
    "ticks": ("exchange,symbol,isin,tick,from,to", "NSE,AXISBANK,,0.05,2025-04-15,", "NSE,INFY,,0.10,2025-04-15,"),
    "prices": (
        "exchange,symbol,date,low,high,close",
        *(f"NSE,{symbol},{DAY},400,{high},421" for symbol, high in (("AXISBANK", 440), ("INFY", 450))),
    ),
    "charges": (
        "component,broker,side,basis,rate,from",
        *("stt,,,turnover,0.1,2026-01-01", "sebi_fee,,,turnover,0.0001,2026-01-01", "gst,,,services,18,2026-01-01"),
    ),
    "contract-notes": (
        "note_id,trade_date,account,broker,exchange,symbol,side,quantity,price,exchange_order_id",
        *(
            f"CN{number % 2 + 1},{DAY},{ACCOUNT},{BROKER},NSE,{symbol},BUY,10,420.10,{number}"
            for symbol, number in _LEGS
        ),
    ),
}


def tell_facts(engine: Engine, folder: Path) -> None:
    """Import all of it."""
    for kind, lines in FILES.items():
        tell_file(engine, folder, kind, *lines)


def tell_holdings(engine: Engine, folder: Path) -> None:
    """What accounts hold beside the books: one holds more, of one no answer came, the others hold what is booked."""
    tell_file(engine, folder, "positions", "account,broker,as_of,isin,symbol,quantity,average_price",
              *(f"{account},{BROKER},2026-11-19,{isin},,{count},400" for account, isin, count in HELD))  # fmt: skip
    tell_file(engine, folder, "corporate-actions", "kind,isin,ex_date,new_isin,ratio_from,ratio_to",
              "split,INE009A01021,2020-06-01,INE009A01039,1,2", "bonus,INE009A01039,2021-06-01,,1,1")  # fmt: skip
    tell_file(engine, folder, "transfers", "reference,account,date,isin,direction,quantity",
              *(f"T-{number},{ACCOUNT},{DAY},{moved}" for number, moved in enumerate(MOVED)))  # fmt: skip
    with engine.begin() as connection:
        keep(connection, _answer(ACCOUNT, ("INE467B01029", 28), ("INE002A01018", 7), ("INE040A01034", 3)))
        for account in MATCHED:
            keep(connection, _answer(account, ("INE002A01018", 11)))
        mark_all(connection, gateway=GATEWAY)
    assert reconcile_holdings(engine, now=EVENING, rules=RULES, limit=100) == 2 + len(MATCHED)


def _answer(account: str, *held: tuple[str, int]) -> KeptHoldings:
    at = "2026-11-20T11:00:00Z"
    data = {
        "broker": BROKER, "smallcaseAuthId": account, "updating": False, "snapshotDate": at, "lastUpdate": at,
        "securities": [_security(isin, count) for isin, count in held],
        "smallcases": {"public": [], "private": []},
    }  # fmt: skip
    body = json.dumps({"success": True, "data": data}).encode()
    said = read_holdings(body)
    return KeptHoldings(
        gateway=GATEWAY, account=account, book="live", kind="equity", state="ok", known_at=EVENING, body=body,
        version=said.version, snapshot_date=said.snapshot_date, broker=said.broker,
        rows=(said.lines, said.funds, said.smallcases),
    )  # fmt: skip


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
