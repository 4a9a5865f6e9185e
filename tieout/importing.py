"""What all imports do alike: read rows, send them in batches, write the import down, report what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import file_digest, sha256
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection

from books.tables import Row, Table
from store import books
from tieout.import_report import BATCH, Findings, Job, Report

_Read = TypeVar("_Read")


def rows_of(table: Table, job: Job, found: Findings) -> Iterator[Row]:
    """The rows of the file, counted; now and then the caller of the import is told how far it is."""
    found.notes.extend(table.notes)
    for row in table.rows:
        found.rows += 1
        yield row
        if found.rows % BATCH == 0:
            job.show(table)


def batches(rows: Iterable[_Read]) -> Iterator[list[_Read]]:
    """As many at a time as are sent to the database at once."""
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


def begin(connection: Connection, job: Job, kind: str, *, of_gateway: bool = True) -> int:
    """Write the import down, without its counts; its id."""
    with job.file.open("rb") as content:
        digest = file_digest(content, sha256).digest()
    head = books.ImportRow(
        kind=kind,
        gateway=job.only_gateway if of_gateway else None,
        file_name=job.file.name,
        file_digest=digest,
        imported_at=job.now,
        complete_for=job.complete_for,
    )
    return books.write_import(connection, head)


def finish(
    connection: Connection,
    import_id: int,
    job: Job,
    kind: str,
    found: Findings,
    counts: books.Counts,
    *,
    repeated: int = 0,
    off_platform: int = 0,
) -> Report:
    """Write down what became of the rows, and report it; a repeated row counts in the report alone."""
    books.tally(connection, import_id=import_id, rows=found.rows - repeated, counts=counts, refused=found.refused)
    return Report(
        kind=kind,
        file=job.file.name,
        dry_run=False,
        rows=found.rows,
        **counts._asdict(),
        refused=found.refused,
        repeated=repeated,
        off_platform=off_platform,
        problems=found.in_order(),
        notes=tuple(found.notes),
        complete_for=job.complete_for,
    )
