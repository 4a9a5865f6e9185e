"""Facts beside the orders of `settled_day`, told as files: instruments, ticks, prices, charges, a contract note."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from tests.builders import ACCOUNT, BROKER, DAY, EVENING
from tests.settled_day import LIVE, RULES
from tieout.imports import import_file

_LISTED = ("NSE,AXISBANK,INE238A01034,2020-01-01,", "NSE,INFY,INE009A01021,2020-01-01,")
_LEGS = [("AXISBANK", number) for number in range(1000, 1009)] + [("INFY", 2008)]
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


def tell_file(engine: Engine, folder: Path, kind: str, *lines: str, now: datetime = EVENING) -> None:
    """Import one file with these lines, the first of which is the header."""
    file = folder / f"{kind}.csv"
    file.write_text("\n".join(lines) + "\n")
    report = import_file(engine, kind=kind, file=file, gateways=(LIVE,), now=now, rules=RULES)
    assert not report.problems, report.problems
