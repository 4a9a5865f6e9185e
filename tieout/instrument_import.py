"""Importing instruments: periods that do not overlap, and every line they rename."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row

from books.instruments import LAYOUT, Period, carried_over, read_period, without_overlaps
from books.tables import open_table
from recon.lines import facts_of_ours
from recon.values import OurLine
from store import books, facts
from store.instruments import find_renamed, periods_of, rename, renamed_lines, write_periods
from tieout.import_report import BATCH, Findings, Job, Report
from tieout.importing import begin, finish, rows_of
from tieout.succession import succeeding


def import_instruments(connection: Connection, job: Job) -> Report:
    """Import the file within the caller's database transaction. Raises `UnreadableFileError`."""
    books.begin_import(connection)
    found = Findings()
    read, columns = _read(job, found)
    kept = list({period.said: period for period in reversed(read)}.values())
    stored = _stored(periods_of(connection, [(p.exchange, p.symbol) for p in kept]))
    good, overlaps = without_overlaps(carried_over(kept, stored, columns), stored)
    for problem in overlaps:
        found.refuse([problem])
    good = succeeding(connection, good, found)
    counts, changes = _compare(good, stored)
    repeated = len(read) - len(kept)
    import_id = begin(connection, job, "instruments", of_gateway=False)
    _write(connection, changes, import_id=import_id)
    return finish(connection, import_id, job, "instruments", found, counts, repeated=repeated)


def _read(job: Job, found: Findings) -> tuple[list[Period], frozenset[str]]:
    """The periods of the file, and which columns it has."""
    periods = []
    with open_table(job.file, LAYOUT) as table:
        for row in rows_of(table, job, found):
            if isinstance(read := read_period(row), Period):
                periods.append(read)
            else:
                found.refuse(read)
    return periods, table.columns


def _stored(rows: Iterable[Row[Any]]) -> list[Period]:
    return [Period(line=0, **row._mapping) for row in rows]


def _compare(good: list[Period], stored: list[Period]) -> tuple[books.Counts, list[Period]]:
    """How the periods compare with the stored ones, and those that are new or changed."""
    said = {period.said for period in stored}
    begun = {period[1:4] for period in stored}
    changes = [period for period in good if period.said not in said]
    changed = sum(period[1:4] in begun for period in changes)
    counts = books.Counts(new=len(changes) - changed, changed=changed, unchanged=len(good) - len(changes))
    return counts, changes


def _write(connection: Connection, changes: list[Period], *, import_id: int) -> None:
    if not changes:
        return
    write_periods(connection, [period[1:] for period in changes], import_id=import_id)
    find_renamed(connection)
    facts.mark_all(connection)  # holdings go by descent, and rows without an ISIN by the table
    after = 0
    while lines := renamed_lines(connection, after=after, limit=BATCH):
        after = lines[-1].line
        rename(connection, [(row.line, row.instrument, facts_of_ours(OurLine(**row._mapping))) for row in lines])
