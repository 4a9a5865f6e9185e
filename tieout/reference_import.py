"""Importing reference data: ticks, prices, charges; what a fact changes is judged anew."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

from sqlalchemy import Connection

from books.facts import Fact, FactKind, conflicting
from books.reference import REFERENCE, as_fact
from books.tables import open_table
from store import books, notes, reference
from tieout.import_report import BATCH, Findings, Job, Report
from tieout.order_import import digest_of


def import_reference(connection: Connection, job: Job, *, kind: FactKind) -> Report:
    """Import the file within the caller's database transaction. Raises `UnreadableFileError`."""
    books.begin_import(connection)
    found = Findings()
    kept = _once(_read(job, kind, found), kind, found)
    repeated = found.rows - found.refused - len(kept)
    head = books.ImportRow(
        kind=kind.name,
        gateway=None,
        file_name=job.file.name,
        file_digest=digest_of(job.file),
        imported_at=job.now,
    )
    import_id = books.write_import(connection, head)
    rows = [as_fact(kind, fact.values) for fact in kept]
    counts = reference.tell(connection, kind.name, rows, import_id=import_id, now=job.now)
    if counts.new or counts.changed:
        _touch(connection, kind)
    books.tally(connection, import_id=import_id, rows=found.rows - repeated, counts=counts, refused=found.refused)
    return Report(
        kind=kind.name,
        file=job.file.name,
        dry_run=False,
        rows=found.rows,
        **counts._asdict(),
        refused=found.refused,
        repeated=repeated,
        problems=found.in_order(),
        notes=tuple(found.notes),
    )


IMPORTS = {name: partial(import_reference, kind=kind) for name, kind in REFERENCE.items()}


def _touch(connection: Connection, kind: FactKind) -> None:
    """What is judged by these facts is judged anew: charges by notes alone, the rest by every line."""
    if kind.name == "charges":
        notes.touch_charged(connection)
    else:
        reference.touch(connection, kind.name)


def _read(job: Job, kind: FactKind, found: Findings) -> list[Fact]:
    read = []
    with open_table(job.file, kind.layout) as table:
        found.notes.extend(table.notes)
        for row in table.rows:
            found.rows += 1
            if isinstance(fact := kind.read(row, ()), Fact):
                read.append(fact)
            else:
                found.refuse(fact)
            if found.rows % BATCH == 0:
                job.show(table)
    return read


def _once(read: list[Fact], kind: FactKind, found: Findings) -> list[Fact]:
    """Each fact once; rows that contradict each other are refused, all of them."""
    by_key: defaultdict[tuple[object, ...], list[Fact]] = defaultdict(list)
    for fact in read:
        stored = as_fact(kind, fact.values)
        by_key[tuple(stored[name] for name in reference.KEY)].append(fact)
    kept = []
    for same in by_key.values():
        if all(fact.values == same[0].values for fact in same):
            kept.append(same[0])
            continue
        for fact in same:
            found.refuse([conflicting(fact, kind.key, [o.line for o in same if o is not fact])])
    return kept
