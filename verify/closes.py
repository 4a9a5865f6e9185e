"""The close that is verified, and its place in the chain of closes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from psycopg import sql

from verify.database import Reader, columns
from verify.report import Report
from verify.texts import canonical

#: What the root covers, in this order.
HEAD = (
    *("close_id", "gateway", "book", "trade_date", "version", "closed_at", "closed_by", "why", "despite"),
    *("pending", "rules", "totals", "digest", "layout", "rows", "previous"),
)
_WANTED = """
select close_id, gateway, reopened_at is null from closed_days
where trade_date = %(day)s and (%(gateway)s::text is null or gateway = %(gateway)s)
  and (%(book)s::text is null or book = %(book)s) and (%(version)s::int is null or version = %(version)s)
order by reopened_at is null desc, book = 'live' desc, close_id desc
"""
_WHOLE = """
select close_id, gateway, book, trade_date, version, closed_at, closed_by, rules, totals, encode(digest, 'hex'),
  layout, rows, encode(previous, 'hex'), encode(root, 'hex')
from closed_days where close_id = %(close_id)s
"""
_BEFORE = """
select encode(root, 'hex') from closed_days
where gateway = %(gateway)s and book = %(book)s and close_id < %(close_id)s order by close_id desc limit 1
"""
_REOPENED = """
select reopened_at::text, reopened_by, reopened_why, encode(reopened_seal, 'hex')
from closed_days where close_id = %(close_id)s
"""


class NotClosedError(Exception):
    """There is no such close; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Close:
    """One close as it is stored."""

    close_id: int
    gateway: str
    book: str
    day: date
    version: int
    closed_at: datetime
    closed_by: str
    rules: dict[str, Any]
    totals: dict[str, Any]
    digest: str
    layout: dict[str, list[str]]
    rows: int
    previous: str | None
    root: str
    head: str  #: the canonical text of what the root covers

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.gateway} {self.day} version {self.version}"

    @property
    def scope(self) -> dict[str, object]:
        """Which day of which gateway in which book, and when it was closed, as parameters."""
        return {"gateway": self.gateway, "book": self.book, "day": self.day, "closed_at": self.closed_at}


def find_close(
    reader: Reader, *, day: date, gateway: str | None = None, book: str | None = None, version: int | None = None
) -> Close:
    """The close that stands, else the newest; of that version if one is named. Raises `NotClosedError`."""
    found = reader.all(_WANTED, day=day, gateway=gateway, book=book, version=version)
    if not found:
        raise NotClosedError(f"there is no such close of {day}: close it with `tieout close {day} --by NAME`")
    if len({row[1] for row in found}) > 1:
        raise NotClosedError(f"{day} is closed for several gateways: name one with --gateway")
    close_id = found[0][0]
    values: Any = reader.one(_WHOLE, close_id=close_id)
    return Close(*values, head=_head(reader, close_id))  # type: ignore[misc] # the last of its fields


def _head(reader: Reader, close_id: int) -> str:
    query = sql.SQL("select ") + columns("c", [*HEAD]) + sql.SQL(" from closed_days c where close_id = %(close_id)s")
    row = reader.one(query, close_id=close_id)
    assert row is not None
    return canonical(HEAD, row)


def check_chain(reader: Reader, close: Close, report: Report, *, expected: str | None = None) -> None:
    """Hold the close against the one before it, its reopening, and a root that somebody wrote down."""
    before = reader.one(_BEFORE, gateway=close.gateway, book=close.book, close_id=close.close_id)
    if (before[0] if before else None) != close.previous:
        report.differs("close", "closed_days", close.name, "does not follow from the close before it")
    if expected is not None and expected.lower() != close.root:
        report.differs("close", "closed_days", close.name, f"its root is {close.root}, not the one written down")
    row = reader.one(_REOPENED, close_id=close.close_id)
    assert row is not None
    said = "\n".join([close.root, *(part or "" for part in row[:3])])
    if any(part is not None for part in row) and row[3] != sha256(said.encode()).hexdigest():
        report.differs("close", "closed_days", close.name, "its reopening is not what was sealed")
