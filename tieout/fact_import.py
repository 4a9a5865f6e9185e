"""Importing dated facts: positions, corporate actions, transfers; every saying is kept as a version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from books.facts import CORPORATE_ACTIONS, FACTS, Fact, FactKind, conflicting
from books.tables import open_table
from store import accounts, books, facts, holding_links
from tieout.import_report import BATCH, Findings, Job, Report
from tieout.importing import begin, finish, rows_of
from tieout.succession import leading_on


def import_facts(connection: Connection, job: Job, *, kind: FactKind) -> Report:
    """Import the file within the caller's database transaction. Raises `UnreadableFileError`."""
    books.begin_import(connection)
    found = Findings()
    kept = once(read_facts(job, kind, found), kind, found, named=kind.named)
    repeated = found.rows - found.refused - len(kept)
    if kind is CORPORATE_ACTIONS:
        kept = leading_on(connection, kept, found)
    as_accounts(connection, kept, kind)
    import_id = begin(connection, job, kind.name, of_gateway=kind.of_gateway)
    counts = _write(connection, job, kind, kept, import_id)
    return finish(connection, import_id, job, kind.name, found, counts, repeated=repeated)


IMPORTS = {name: partial(import_facts, kind=kind) for name, kind in FACTS.items()}


def read_facts(job: Job, kind: FactKind, found: Findings) -> list[Fact]:
    """The rows that could be read; the others are refused."""
    read, gateways = [], [gateway.name for gateway in job.gateways]
    with open_table(job.file, kind.layout) as table:
        for row in rows_of(table, job, found):
            if isinstance(fact := kind.read(row, gateways), Fact):
                read.append(fact)
            else:
                found.refuse(fact)
    return read


def once(
    read: list[Fact], kind: FactKind, found: Findings, *, named: Callable[[Fact], tuple[object, ...]]
) -> list[Fact]:
    """Each fact once, by what names it; rows that contradict each other are refused, all of them."""
    by_key: defaultdict[tuple[object, ...], list[Fact]] = defaultdict(list)
    for fact in read:
        by_key[named(fact)].append(fact)
    kept = []
    for facts_of in by_key.values():
        if all(fact.values == facts_of[0].values for fact in facts_of):
            kept.append(facts_of[0])
            continue
        for fact in facts_of:
            found.refuse([conflicting(fact, kind.key, [o.line for o in facts_of if o is not fact])])
    return kept


def as_accounts(connection: Connection, kept: list[Fact], kind: FactKind) -> None:
    """Where a row names a user of the company's who has one account, that account is meant."""
    if not kind.of_gateway or not accounts.any_linked(connection):
        return
    pairs = sorted({(str(fact.values["gateway"]), str(fact.values["account"])) for fact in kept})
    meant = {(row.gateway, row.named): row.accounts for row in accounts.named(connection, pairs)}
    for fact in kept:
        owned = meant.get((str(fact.values["gateway"]), str(fact.values["account"])), ())
        if len(owned) == 1:
            fact.values["account"] = owned[0]


def _known(connection: Connection, job: Job, kept: list[Fact]) -> None:
    """Every account that is named has its row; one that was never asked for is fetched now."""
    for gateway in job.gateways:
        named = [str(fact.values["account"]) for fact in kept if fact.values["gateway"] == gateway.name]
        holding_links.follow_held(connection, gateway=gateway.name, accounts=named, book=gateway.book, now=job.now)


def _write(connection: Connection, job: Job, kind: FactKind, kept: list[Fact], import_id: int) -> books.Counts:
    new = changed = 0
    for start in range(0, len(kept), BATCH):
        rows = [{**fact.values, "row": fact.line} for fact in kept[start : start + BATCH]]
        written = facts.write(connection, kind.name, rows, key=kind.key, import_id=import_id, now=job.now)
        new, changed = new + written.new, changed + written.changed
    if kind.of_gateway:
        _known(connection, job, kept)
        facts.mark_accounts(connection, [(str(f.values["gateway"]), str(f.values["account"])) for f in kept])
    elif new or changed:
        facts.mark_all(connection)
    return books.Counts(new=new, changed=changed, unchanged=len(kept) - new - changed)
