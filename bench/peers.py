"""What others say of the same pairs of prices. They are tools of development: the service never needs them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bench.ticks import TICKS, Pair

DATACOMPY = "datacompy"
MISSING = "NOT INSTALLED: it is among the dev dependencies; make setup installs it"


def datacompy(told: Sequence[Pair]) -> dict[str, object]:
    """How many of these pairs datacompy gets wrong, with Polars, Decimal columns and one tick as `abs_tol`.

    Without datacompy a single key `error` says so.
    """
    try:
        found = version(DATACOMPY)
    except PackageNotFoundError:
        return {"error": MISSING}
    by_tick = {str(tick): _wrong([pair for pair in told if pair.tick == tick], tick) for tick in TICKS}
    return {"version": found, "pairs": len(told), "wrong": sum(by_tick.values()), "wrong_by_tick": by_tick}


def _wrong(told: Sequence[Pair], tick: Decimal) -> int:
    agreed = _agreed(told, tick)
    return sum(pair.agrees != (pair.number in agreed) for pair in told)


def _agreed(told: Sequence[Pair], tick: Decimal) -> set[int]:
    """The numbers of the pairs that datacompy calls equal."""
    import polars as pl  # noqa: PLC0415 -- only there for development
    from datacompy import PolarsCompare  # noqa: PLC0415 -- likewise

    def frame(prices: Sequence[Decimal]) -> Any:
        numbers = pl.Series("number", [pair.number for pair in told])
        return pl.DataFrame([numbers, pl.Series("price", prices, dtype=pl.Decimal(20, 6))])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # theirs, about how they call Polars
        compared = PolarsCompare(
            frame([pair.ours for pair in told]),
            frame([pair.theirs for pair in told]),
            join_columns=["number"],
            abs_tol=float(tick),
            rel_tol=0,
        )
    return set(compared.intersect_rows.filter(pl.col("price_match"))["number"].to_list())
