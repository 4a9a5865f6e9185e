"""Finance sees how many filled lines nobody could check for plausibility, and what to import."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.answered import tied_out
from tests.builders import DAY, EVENING, GATEWAY, a_leg, rules
from tieout.desk.day import day
from tieout.desk.unchecked import Missing, Unchecked, as_json
from tieout.imports import import_file

RULES = rules()
TICKS, PRICES = "exchange,symbol,isin,tick,from,to", "exchange,symbol,isin,date,low,high"


@pytest.fixture(name="traded")
def _traded(engine: Engine) -> Engine:
    """A day with two orders of one share, one of another, and one that was not filled."""
    with engine.begin() as connection:
        for number, symbol in enumerate(("TCS", "TCS", "INFY"), start=1):
            tied_out(connection, a_leg(symbol), name=f"TRX_{number}")
        tied_out(connection, a_leg("WIPRO", filledQuantity=0, status="CANCELLED"), name="TRX_4")
    return engine


def bring(engine: Engine, folder: Path, kind: str, *lines: str) -> None:
    """Import these lines, the first of which is the header."""
    file = folder / f"{kind}.csv"
    file.write_text("\n".join(lines) + "\n")
    report = import_file(
        engine, kind=kind, file=file, gateways=[], now=EVENING + timedelta(hours=len(lines)), rules=RULES
    )
    assert not report.problems


def seen(engine: Engine) -> Unchecked:
    """What the day says of it."""
    with engine.connect() as connection:
        return day(connection, gateway=GATEWAY, trade_date=DAY, as_of=EVENING, with_digest=False).unchecked


def test_filled_lines_of_which_nothing_is_known_are_counted_by_side_and_by_what_is_missing(traded: Engine) -> None:
    """Three orders on each side; what was not filled has no price to check."""
    shares = ("NSE:TCS", "NSE:INFY")
    assert seen(traded) == Unchecked(
        ours=3,
        theirs=3,
        missing=(
            Missing(what="tick", kind="ticks", lines=6, shares=2, named=shares),
            Missing(what="low and high of the day", kind="prices", lines=6, shares=2, named=shares),
        ),
    )


def test_what_is_imported_is_missing_no_more(traded: Engine, tmp_path: Path) -> None:
    """By symbol or by ISIN, for the day itself and on the exchange itself; with both facts nothing is left."""
    bring(traded, tmp_path, "ticks", TICKS, "NSE,TCS,,0.05,2025-04-15,", "NSE,INFY,,0.05,2025-04-15,2026-11-19")
    bring(traded, tmp_path, "prices", PRICES, f"NSE,TCS,,{DAY},1,9999", f"BSE,INFY,,{DAY},1,9999")
    left = seen(traded)
    assert (left.ours, left.theirs) == (1, 1)
    assert [(each.kind, each.named) for each in left.missing] == [("ticks", ("NSE:INFY",)), ("prices", ("NSE:INFY",))]

    bring(traded, tmp_path, "instruments", "exchange,symbol,isin,from", "NSE,INFY,INE009A01021,2026-01-01")
    bring(traded, tmp_path, "ticks", TICKS, "NSE,,INE009A01021,0.05,2026-01-01,")
    assert [each.kind for each in seen(traded).missing] == ["prices"]

    bring(traded, tmp_path, "prices", PRICES, f"NSE,,INE009A01021,{DAY},1,9999")
    assert not seen(traded)


def test_for_machines_it_is_numbers_and_what_to_import(traded: Engine, tmp_path: Path) -> None:
    """Each kind by the word that `tieout import` takes."""
    bring(traded, tmp_path, "prices", PRICES, f"NSE,TCS,,{DAY},1,9999", f"NSE,INFY,,{DAY},1,9999")

    assert json.loads(json.dumps(as_json(seen(traded)))) == {
        "ours": 3,
        "theirs": 3,
        "missing": [{"import": "ticks", "lines": 6, "shares": 2, "named": ["NSE:TCS", "NSE:INFY"]}],
    }
