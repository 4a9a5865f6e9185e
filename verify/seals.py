"""The seal: each row's digest made anew and held against the sealed one, and all of them against the root."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby

from psycopg import sql

from verify.closes import Close
from verify.database import Reader, columns
from verify.report import Report, Tell
from verify.tables import OF, present
from verify.texts import row_digest

PART = 4096  #: sealed rows that make one part of the root
EVERY = 50_000  #: rows between two words about progress
_SEALED = """
select table_name, key, encode(digest, 'hex') from sealed_rows where close_id = %(close_id)s order by place
"""


class _Root:
    """The root as it grows over the sealed rows."""

    def __init__(self, head: str) -> None:
        self._root = sha256(f"{head}\n".encode())
        self._part = sha256()
        self.rows = 0

    def add(self, table: str, key: str, digest: str) -> None:
        self._part.update(f"{table}\x1f{key}\x1f{digest}\n".encode())
        self.rows += 1
        if self.rows % PART == 0:
            self._end_part()

    def _end_part(self) -> None:
        self._root.update(f"{self._part.hexdigest()}\n".encode())
        self._part = sha256()

    def hexdigest(self) -> str:
        if self.rows % PART:
            self._end_part()
        return self._root.hexdigest()


@dataclass(frozen=True, slots=True)
class _Group:
    """All rows of a table that have one key; nearly always one."""

    table: str
    key: str
    digests: list[str]
    later: bool = False

    @property
    def place(self) -> tuple[str, str]:
        return (self.table, self.key)


def check_sealed(reader: Reader, close: Close, report: Report, tell: Tell) -> None:
    """Hold every present row against its seal, and all seals against the root."""
    root = _Root(close.head)
    sealed, present_rows = _sealed(reader, close, root), _all_present(reader, close, tell)
    was, now = next(sealed, None), next(present_rows, None)
    while was is not None or now is not None:
        if was is None or (now is not None and now.place < was.place):
            assert now is not None
            _unsealed(now, report)
            now = next(present_rows, None)
        elif now is None or was.place < now.place:
            report.differs("sealed", was.table, was.key, "was there when the day was closed, and is gone")
            was = next(sealed, None)
        else:
            _compare(was, now, report)
            was, now = next(sealed, None), next(present_rows, None)
    if close.root != root.hexdigest() or close.rows != root.rows:
        report.differs("close", "closed_days", close.name, "its root is not that of its text and its sealed rows")


def _compare(was: _Group, now: _Group, report: Report) -> None:
    report.counts["sealed rows"] += len(was.digests)
    if sorted(was.digests) != sorted(now.digests):
        report.differs("sealed", now.table, now.key, "is not what it was when the day was closed")


def _unsealed(now: _Group, report: Report) -> None:
    if now.later:
        report.counts[f"{now.table} known after the close"] += len(now.digests)
    else:
        report.differs("sealed", now.table, now.key, "was not there when the day was closed")


def _sealed(reader: Reader, close: Close, root: _Root) -> Iterator[_Group]:
    rows = reader.stream(_SEALED, close_id=close.close_id)
    for (table, key), found in groupby(rows, key=lambda row: row[:2]):
        digests = [str(row[2]) for row in found]
        for digest in digests:
            root.add(table, key, digest)
        yield _Group(table, key, digests)


def _all_present(reader: Reader, close: Close, tell: Tell) -> Iterator[_Group]:
    for table in sorted(close.layout):
        if table in OF:
            yield from _present(reader, close, table, tell)


def _present(reader: Reader, close: Close, table: str, tell: Tell) -> Iterator[_Group]:
    names = close.layout[table]
    before, after = (sql.SQL(part) for part in present(table))
    rows = reader.stream(before + columns("r", names, OF[table].written) + after, **close.scope)
    tell(f"sealed rows: {table}")
    for number, (key, found) in enumerate(groupby(rows, key=lambda row: row[0]), start=1):
        group = list(found)
        if number % EVERY == 0:
            tell(f"sealed rows: {table} {number:,}")
        yield _Group(table, key, [row_digest(names, row[2:]) for row in group], later=all(row[1] for row in group))
