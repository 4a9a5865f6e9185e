"""`python -m verify --database-url URL --date DATE`: yes, or the rows that differ.

Exit status: 0 the day is what was signed, 1 it is not, 2 wrong call, 3 the database cannot be reached.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

import psycopg

from verify.closes import Close, NotClosedError
from verify.database import reading
from verify.day import verify
from verify.report import SHOWN, Report


def main(arguments: Sequence[str]) -> int:
    """Verify one day and say what came of it."""
    asked = _parser().parse_args(arguments)
    try:
        with reading(asked.database_url) as reader:
            close, report = verify(
                reader, day=asked.date, gateway=asked.gateway, book=asked.book, version=asked.version,
                root=asked.root, tell=_tell,
            )  # fmt: skip
    except NotClosedError as error:
        print(error, file=sys.stderr)
        return 2
    except psycopg.OperationalError as error:
        print(f"the database cannot be read: {error}", file=sys.stderr)
        return 3
    print(json.dumps(as_json(close, report)) if asked.json else as_text(close, report))
    return 0 if report.holds else 1


def as_json(close: Close, report: Report) -> dict[str, object]:
    """What was found, for machines."""
    return {
        "gateway": close.gateway,
        "book": close.book,
        "trade_date": close.day.isoformat(),
        "version": close.version,
        "root": close.root,
        "digest": close.digest,
        "holds": report.holds,
        "differences": report.found,
        "first": [asdict(difference) for difference in report.differences],
        "checked": dict(report.counts),
    }


def as_text(close: Close, report: Report) -> str:
    """What was found, for people."""
    checked = [f"  {count:>10,} {what}" for what, count in sorted(report.counts.items())]
    signed = f"{close.name}, closed by {close.closed_by} at {close.closed_at.isoformat()}"
    if report.holds:
        return "\n".join([f"YES: {signed} is what was signed.", *checked, f"root {close.root}"])
    more = [f"  and {report.found - SHOWN:,} more"] if report.found > SHOWN else []
    return "\n".join([f"NO: {signed} differs.", *(f"  {d}" for d in report.differences), *more, *checked])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m verify", description=__doc__)
    parser.add_argument("--database-url", required=True, metavar="URL", help="postgresql://...; only read")
    parser.add_argument("--date", required=True, type=date.fromisoformat, help="the trade date, as 2026-11-20")
    parser.add_argument("--gateway", help="which gateway, if several closed that day")
    parser.add_argument("--book", choices=("live", "test"), help="which book, if both were closed")
    parser.add_argument("--version", type=int, help="which close, if the day was reopened; else the one that stands")
    parser.add_argument("--root", metavar="HEX", help="the root as it was written down when the day was closed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _tell(step: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{step}", end="\r", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
