"""Importing contract notes and tradebooks: each note whole, each saying of it a version."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

from sqlalchemy import Connection

from books.facts import Fact, FactKind
from books.notes import NOTES, head_of, incomplete, line_of, note_of, roughly_of
from books.tables import open_table
from store import books, notes
from tieout.fact_import import as_accounts
from tieout.import_report import Findings, Job, Report
from tieout.importing import begin, finish, rows_of

Note = list[Fact]


def import_notes(connection: Connection, job: Job, *, kind: FactKind) -> Report:
    """Import the file within the caller's database transaction. Raises `UnreadableFileError`."""
    books.begin_import(connection)
    found = Findings()
    kept = _whole(job, kind, found)
    as_accounts(connection, kept, kind)
    import_id = begin(connection, job, kind.name)
    counts = _write(connection, job, kind, kept, import_id)
    return finish(connection, import_id, job, kind.name, found, counts)


IMPORTS = {name: partial(import_notes, kind=kind) for name, kind in NOTES.items()}


def _whole(job: Job, kind: FactKind, found: Findings) -> Note:
    """The rows of those notes of which every row could be read."""
    read: list[tuple[tuple[str, str], Fact]] = []
    broken, gateways = set(), [gateway.name for gateway in job.gateways]
    with open_table(job.file, kind.layout) as table:
        for row in rows_of(table, job, found):
            if isinstance(fact := kind.read(row, gateways), Fact):
                read.append((roughly_of(kind, row), fact))
            else:
                found.refuse(fact)
                broken.add(roughly_of(kind, row))
    for rough, fact in read:
        if rough in broken:
            found.refuse([incomplete(fact)])
    return [fact for rough, fact in read if rough not in broken]


def _write(connection: Connection, job: Job, kind: FactKind, kept: Note, import_id: int) -> books.Counts:
    """Store the notes; how many rows stand in new, in changed and in known ones."""
    by_note: defaultdict[tuple[object, ...], Note] = defaultdict(list)
    for fact in kept:
        by_note[note_of(fact)].append(fact)
    heads = [head_of(kind, rows) for rows in by_note.values()]
    lines = [line_of(kind, fact) for fact in kept]
    stored = notes.tell(connection, heads, lines, import_id=import_id, now=job.now)
    of_rows = [stored.get(tuple(head[name] for name in notes.KEY)) for head in heads]
    sizes = [len(rows) for rows in by_note.values()]
    new = sum(size for size, known in zip(sizes, of_rows, strict=True) if known is False)
    changed = sum(size for size, known in zip(sizes, of_rows, strict=True) if known is True)
    return books.Counts(new=new, changed=changed, unchanged=len(kept) - new - changed)
