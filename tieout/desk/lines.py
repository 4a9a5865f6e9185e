"""The lines behind a day's figures, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from sqlalchemy import Connection

from recon.names import CLASS_OF, EXCLUDED, IN_TOLERANCE, MATCHED, PENDING
from store import day_lines
from store.day_lines import DayLine, RefusedRow
from store.days import Scope
from tieout.desk.equation import exactly
from tieout.desk.paging import BadCursorError, Page, cut, read, written
from tieout.desk.rupees import price, shares

BUCKETS = (MATCHED, IN_TOLERANCE, PENDING, EXCLUDED, *CLASS_OF)
PAGE = 100
CHUNK = 2000
REFUSED_SHOWN = 200
COLUMNS = (
    "bucket", "transaction_id", "order_id", "exchange_order_id", "account", "broker", "trade_date", "exchange",
    "symbol", "side", "our_quantity", "our_filled", "our_price", "our_amount", "our_status",
    "their_quantity", "their_filled", "their_price", "their_amount", "their_status",
)  # fmt: skip
#: What fits on a terminal.
SHORT_COLUMNS = ("line", "symbol", "side", "our_filled", "our_price", "their_filled", "their_price")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """One page of a bucket, and the rows that could not be read if it is `excluded`."""

    page: Page[DayLine]
    refused: tuple[RefusedRow, ...] = ()


def page(connection: Connection, scope: Scope, *, bucket: str | None, after: str | None) -> Lines:
    """One page of a bucket, or of all lines. Raises `BadCursorError`."""
    found = day_lines.lines(connection, scope, bucket=bucket, after=_cursor(after), limit=PAGE + 1)
    rows, last = cut(found, PAGE)
    unread = bucket == "excluded" and not after
    return Lines(
        page=Page(rows=rows, after=written(last.ours, last.theirs) if last else None),
        refused=tuple(day_lines.refused(connection, scope, limit=REFUSED_SHOWN)) if unread else (),
    )


def every(connection: Connection, scope: Scope, *, bucket: str | None = None) -> Iterator[DayLine]:
    """Every line of the day, or of one bucket, read in chunks."""
    after = (0, 0)
    while found := day_lines.lines(connection, scope, bucket=bucket, after=after, limit=CHUNK):
        yield from found
        after = (found[-1].ours, found[-1].theirs)


def as_row(line: DayLine) -> dict[str, object]:
    """A line as listings print it: decimals as exact text."""
    values = ((name, getattr(line, name)) for name in COLUMNS)
    return {name: exactly(value) if isinstance(value, Decimal) else value for name, value in values}


def as_short_row(line: DayLine) -> dict[str, object]:
    """A line as a terminal shows it, by the order id of whichever side has one."""
    return {
        **{name: getattr(line, name) for name in ("bucket", "symbol", "side")},
        "line": line.order_id or line.exchange_order_id,
        "our_filled": shares(line.our_filled),
        "our_price": price(line.our_price),
        "their_filled": shares(line.their_filled),
        "their_price": price(line.their_price),
    }


def _cursor(after: str | None) -> tuple[int, int]:
    parts = read(after, 2)
    if parts is None:
        return (0, 0)
    if not all(part.isdecimal() and len(part) < 19 for part in parts):  # noqa: PLR2004 digits of a bigint
        raise BadCursorError
    return cast("tuple[int, int]", tuple(int(part) for part in parts))
