"""Importing the transactions the company created: each gets a row and is followed to its end."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import Connection

from books.problems import Problem
from books.tables import open_table
from books.transactions import LAYOUT, Registration, RegistrationReader
from recon.values import Origin
from store import books
from store.registrations import FACTS, fill, known_ids
from store.transactions import ensure
from tieout.accounts import learn
from tieout.import_report import Findings, Job, Report
from tieout.importing import batches, begin, finish, rows_of


def import_transactions(connection: Connection, job: Job) -> Report:
    """Import the file within the caller's database transaction. Raises `UnreadableFileError`."""
    books.begin_import(connection)
    found, seen = Findings(), _Seen()
    new = changed = 0
    for batch in batches(_read(job, found, seen)):
        added, filled = _register(connection, job, batch, found)
        new, changed = new + added, changed + filled
    unchanged = found.rows - found.refused - seen.repeated - new - changed
    counts = books.Counts(new=new, changed=changed, unchanged=unchanged)
    import_id = begin(connection, job, "transactions")
    return finish(connection, import_id, job, "transactions", found, counts, repeated=seen.repeated)


class _Seen:
    """The transactions the file named so far, with a digest of what it said of each."""

    def __init__(self) -> None:
        self.repeated = 0
        self._said: dict[tuple[str, str], tuple[int, int]] = {}

    def problem_of(self, read: Registration) -> Problem | None:
        """None for the first row of a transaction and for its repetitions, which are counted."""
        line, said = self._said.setdefault((read.gateway, read.transaction_id), (read.line, hash(read[1:])))
        if line == read.line:
            return None
        if said == hash(read[1:]):
            self.repeated += 1
            return None
        return Problem(
            line=read.line,
            column="transaction_id",
            value=read.transaction_id,
            problem=f"the same transaction stands with other values in line {line}, which was taken",
            fix="keep the one row that is right",
        )

    def is_first(self, read: Registration) -> bool:
        """Whether this row is the one that counts."""
        return self._said[read.gateway, read.transaction_id][0] == read.line


def _read(job: Job, found: Findings, seen: _Seen) -> Iterator[Registration]:
    reader = RegistrationReader([gateway.name for gateway in job.gateways])
    with open_table(job.file, LAYOUT) as table:
        for row in rows_of(table, job, found):
            read = reader.read(row)
            if not isinstance(read, Registration):
                found.refuse(read)
            elif problem := seen.problem_of(read):
                found.refuse([problem])
            elif seen.is_first(read):
                yield read


def _register(connection: Connection, job: Job, batch: list[Registration], found: Findings) -> tuple[int, int]:
    """Make the missing rows, fill the others; how many are new and how many were filled."""
    new = filled = 0
    for gateway in job.gateways:
        rows = [row for row in batch if row.gateway == gateway.name]
        ids = [row.transaction_id for row in rows]
        known = known_ids(connection, gateway=gateway.name, ids=ids)
        txns = ensure(connection, gateway=gateway.name, book=gateway.book, origin=Origin.IMPORT, ids=ids, now=job.now)
        touched, differing = fill(connection, [_facts(row) for row in rows], now=job.now)
        learn(connection, txns=[txns[each] for each in touched & known], now=job.now)  # answered before, some of them
        new += len(ids) - len(known)
        filled += len(touched & known)
        if differing:
            left = f"{len(differing)} transactions are known with other values, which were left as they are"
            found.notes.append(f"{left}: {', '.join(sorted(differing)[:3])}")
    return new, filled


def _facts(row: Registration) -> dict[str, object]:
    facts = {name: getattr(row, "user" if name == "user_ref" else name) for name in FACTS}
    facts["requested"] = json.loads(row.requested) if row.requested else None
    return {"gateway": row.gateway, "transaction_id": row.transaction_id, **facts}
