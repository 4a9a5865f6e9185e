"""Importing reference data: ticks, prices, charges; what a fact changes is judged anew."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from books.facts import Fact, FactKind
from books.reference import REFERENCE, as_fact
from store import books, notes, reference
from tieout.fact_import import once, read_facts
from tieout.import_report import Findings, Job, Report
from tieout.importing import begin, finish


def import_reference(connection: Connection, job: Job, *, kind: FactKind) -> Report:
    """Import the file within the caller's database transaction. Raises `UnreadableFileError`."""
    books.begin_import(connection)
    found = Findings()
    kept = once(read_facts(job, kind, found), kind, found, named=partial(_named, kind=kind))
    repeated = found.rows - found.refused - len(kept)
    import_id = begin(connection, job, kind.name, of_gateway=False)
    rows = [as_fact(kind, fact.values) for fact in kept]
    counts = reference.tell(connection, kind.name, rows, import_id=import_id, now=job.now)
    if counts.new or counts.changed:
        _touch(connection, kind)
    return finish(connection, import_id, job, kind.name, found, counts, repeated=repeated)


IMPORTS = {name: partial(import_reference, kind=kind) for name, kind in REFERENCE.items()}


def _touch(connection: Connection, kind: FactKind) -> None:
    """What is judged by these facts is judged anew: charges by notes alone, the rest by every line."""
    if kind.name == "charges":
        notes.touch_charged(connection)
    else:
        reference.touch(connection, kind.name)


def _named(fact: Fact, kind: FactKind) -> tuple[object, ...]:
    stored = as_fact(kind, fact.values)
    return tuple(stored[name] for name in reference.KEY)
