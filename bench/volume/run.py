"""`python -m bench.volume.run WORKERS`: one full run and the count of its lines, in a process of its own.

Shares and rupees are added up afterwards and timed apart. The database's address comes in on standard input.
Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, text

from bench.volume.made import RULES, evening
from bench.volume.statements import BUCKETS, COUNTS, LINES, SOURCES
from store.engine import connect
from store.scopes import Scope
from tieout.full import judge_scope

FIGURES = tuple(f"{side}_{figure}" for side in ("ours", "theirs") for figure in ("count", "quantity", "amount"))


def main(workers: int) -> None:
    """Judge everything, count both sides, say what came of it and how long it took."""
    engine, now = connect(sys.stdin.readline().strip(), application="tieout-bench-run"), evening()
    began = perf_counter()
    points: list[tuple[str, float]] = []
    done = judge_scope(
        engine, scope=Scope(), now=now, rules=RULES, workers=workers,
        tell=lambda point: points.append((point, perf_counter() - began)),
    )  # fmt: skip
    judged_s = perf_counter() - began
    said = _counts(engine) if done.judged else {}
    took_s = perf_counter() - began
    if done.judged:
        began = perf_counter()
        said |= {"unaccounted": _unaccounted(engine), "added_up_s": perf_counter() - began}
    opened_s = next(at for point, at in points if point == "opened")
    print(json.dumps({"s": took_s, "judged_s": judged_s, "judged": done.judged, "by_statement": done.by_statement,
                      "opened_s": opened_s, **said}))  # fmt: skip


def _counts(engine: Engine) -> dict[str, Any]:
    """Lines by bucket, and the lines of both sides that are in none."""
    with engine.connect() as connection:
        buckets = connection.execute(text(COUNTS)).all()
        lines = connection.execute(text(LINES)).one()
    lost = (lines.ours - sum(row.ours for row in buckets), lines.theirs - sum(row.theirs for row in buckets))
    return {
        "buckets": {row.bucket: max(row.ours, row.theirs) for row in buckets},
        "ours": lines.ours,
        "theirs": lines.theirs,
        "lost": lost,
    }


def _unaccounted(engine: Engine) -> str:
    """How far the buckets are from the lines themselves: in lines, shares and rupees, all added up."""
    with engine.connect() as connection:
        connection.execute(text("set local statement_timeout = 0"))
        buckets = connection.execute(text(BUCKETS)).mappings().all()
        sources = connection.execute(text(SOURCES)).mappings().one()
    apart = [abs(Decimal(sources[name]) - sum(Decimal(row[name]) for row in buckets)) for name in FIGURES]
    return format(sum(apart, Decimal(0)).normalize(), "f")


if __name__ == "__main__":
    main(int(sys.argv[1]))
