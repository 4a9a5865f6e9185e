"""`tieout asof`: what we knew of a day at an instant, what is true now, and why the two differ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime

import click

from cli.context import clock, database, settings, the_gateway
from cli.day import EVERYTHING, TradeDate, print_day
from cli.instants import Instant, looking_back
from cli.show import output_options, show_rows, stderr, stdout
from config.calendar import IST
from tieout.desk.day import day as day_of
from tieout.desk.rupees import grouped
from tieout.desk.since import Changed, as_row, changed
from tieout.review import review_due
from tieout.rules import rules_from

EPILOG = """
\b
Examples:
  tieout asof 2026-11-20 --at 2026-11-20T21:00         21:00 IST, in words
  tieout asof 2026-11-20 --at 2026-11-20T15:30Z --json one JSON object a change
Nothing is stored, and nothing real is locked or written. A day of many lines takes as long as judging it.
"""
COLUMNS = ("side", "line", "transaction_id", "then", "now", "findings_then", "findings_now", "why")
WAYS = ("lines", "then", "now", "because")
LINES = ("side", "line", "then", "now", "because")
WAYS_SHOWN = 20
NAMED = re.compile(r"^[^ ]+: (?=it came with|version )")  #: which line it was: of no matter where many are counted
SHORT = 50
EMPTY = "Nothing is said otherwise now."


@click.command(epilog=EPILOG)
@click.argument("trade_date", metavar="DATE", type=TradeDate())
@click.option("--at", "instant", required=True, type=Instant(), metavar="INSTANT", help="IST unless it names a zone.")
@click.option("--gateway", help="Which gateway, if you have several.")
@output_options
def asof(*, trade_date: date, instant: datetime, gateway: str | None, as_json: bool, as_csv: bool) -> None:
    """Show what we knew of a trade date at an instant, and every line of which something else is said now."""
    name, now = the_gateway(gateway).name, clock().now()
    with database() as engine:
        review_due(engine, now=now, rules=rules_from(settings()), limit=EVERYTHING, gateway=name)
        with (
            looking_back(engine, gateway=name, trade_date=trade_date, instant=instant) as then,
            engine.connect() as connection,
        ):
            found = changed(
                then.connection, connection, then.scope, since=instant, until=now, rules_changed=then.rules_changed
            )
            if as_json or as_csv:
                rows = map(_flat if as_csv else as_row, found)
                show_rows(rows, columns=COLUMNS, as_json=as_json, as_csv=as_csv, empty=EMPTY)
                return
            book = then.scope["book"]
            print_day(day_of(then.connection, gateway=name, trade_date=trade_date, as_of=instant, book=book))
            _show(found)


def _show(found: Iterator[Changed]) -> None:
    """How many lines changed in the same way for the same reasons, then the first of them one by one."""
    alike: Counter[tuple[str, ...]] = Counter()
    first: list[tuple[str, ...]] = []
    for row in found:
        said = _said(row)
        alike[*said, "; ".join(NAMED.sub("", because) for because in _because(row))] += 1
        if len(first) < SHORT:
            first.append((row.side, row.line or "", *said, "; ".join(_because(row))))
    count = alike.total()
    stdout().print("\nWhat is said otherwise now:" if count else f"\n{EMPTY}")
    if count:
        ways = [(grouped(times), *said) for said, times in alike.most_common(WAYS_SHOWN)]
        show_rows([dict(zip(WAYS, way, strict=True)) for way in ways], columns=WAYS)
        stdout().print("\nLine by line:")
        show_rows([dict(zip(LINES, line, strict=True)) for line in first], columns=LINES)
    if count > SHORT:
        stderr().print(f"The first {SHORT} of {grouped(count)}; all of them with --json or --csv.")


def _flat(row: Changed) -> dict[str, object]:
    """A change in cells, each one text."""
    lists = {"findings_then": row.findings_then, "findings_now": row.findings_now, "why": _because(row)}
    return as_row(row) | {name: "; ".join(texts) for name, texts in lists.items()}


def _said(row: Changed) -> tuple[str, str]:
    def words(bucket: str | None, findings: tuple[str, ...]) -> str:
        others = [name for name in findings if name != bucket]
        return ", ".join([*([bucket] if bucket else []), *others]) or "not known"

    return words(row.then, row.findings_then), words(row.now, row.findings_now)


def _because(row: Changed) -> Iterator[str]:
    for because in row.why:
        when = "" if because.at is None else f" ({because.at.astimezone(IST):%d %b %H:%M} IST)"
        yield f"{because.says}{when}"
