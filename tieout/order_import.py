"""Importing order lines: read, refuse, compare with what is stored, write only what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row

from books.orders import LAYOUT, Order, OrderReader, Refused, conflicting
from books.tables import Table, open_table
from config.calendar import ist_date
from recon.lines import facts_of_ours, key_of, plain_ours
from recon.values import Origin
from store import books, refused_rows
from store.holding_verdicts import mark_traded
from store.instruments import Master, read_master
from store.transactions import ensure
from tieout.import_report import Findings, Job, Report
from tieout.importing import batches, begin, finish
from tieout.order_accounts import Owners
from tieout.reconcile import exclude_off_platform

Values = Sequence[object]


def import_orders(connection: Connection, job: Job) -> Report:
    """Import the file within the caller's database transaction. Raises `UnreadableFileError`."""
    books.begin_import(connection)
    books.open_tables(connection)
    found = Findings()
    with open_table(job.file, LAYOUT) as table:
        found.notes.extend(table.notes)
        _load(connection, job, table, found)
    _settle_file(connection, found)
    repeated = books.drop_repeats(connection)
    counts = books.find_changes(connection)
    import_id = begin(connection, job, "orders")
    off_platform = _write(connection, job, import_id)
    return finish(connection, import_id, job, "orders", found, counts, repeated=repeated, off_platform=off_platform)


def _load(connection: Connection, job: Job, table: Table, found: Findings) -> None:
    """Read the file to its end, in batches: accepted rows to one table, refused ones to another."""
    reader = OrderReader([gateway.name for gateway in job.gateways], job.statuses)
    master = read_master(connection)
    book_of = {gateway.name: gateway.book for gateway in job.gateways}
    owners, strange = Owners(connection), 0
    for batch in batches(reader.read(row) for row in table.rows):
        orders = [row for row in batch if isinstance(row, Order)]
        refused = [row for row in batch if isinstance(row, Refused)]
        meant = owners.of(orders)
        books.load_orders(connection, (order_values(o, master, book_of, meant.get(o.line)) for o in orders))
        books.load_refused(connection, map(_refused_values, refused))
        for row in refused:
            found.refuse(row.problems)
        found.rows += len(batch)
        strange += sum(_contradicts(order, master) for order in orders)
        job.show(table)
    if owners.unclear:
        left = "the transaction's login is not known yet, and they name no broker of only one of these accounts"
        found.notes.append(f"{owners.unclear} rows name a user with several accounts: {left}")
    if strange:
        found.notes.append(
            f"{strange} rows give an isin other than the instruments table gives that symbol: the table counts"
        )


def _contradicts(order: Order, master: Master) -> bool:
    if order.isin is None:
        return False
    known = master.isin_at(order.exchange, order.symbol, order.trade_date)
    return known is not None and known != order.isin


def order_values(order: Order, master: Master, book_of: Mapping[str, str], account: str | None = None) -> Values:
    """The order as `store.books.load_orders` takes it, with what is derived from it.

    `account` is the one that is meant when the row names a user instead; its digest stays that of the row.
    """
    instrument = master.instrument_at(order.exchange, order.symbol, order.trade_date, order.isin)
    line = order.as_line(instrument)
    if account is not None:
        line = replace(line, account=account)
    key = None
    if order.transaction_id:
        key = key_of(order.gateway, order.transaction_id, order.exchange, order.exchange_order_id)
    derived = (instrument, key, facts_of_ours(line), plain_ours(line), book_of[order.gateway], order.digest())
    said = (account or order.account, *order[6:])
    return (order.line, order.raw, order.gateway, order.order_id, order.transaction_id, *said, *derived)


def _refused_values(row: Refused) -> Values:
    problems = json.dumps([{k: v for k, v in p.as_row().items() if k != "line"} for p in row.problems])
    return (row.line, row.gateway, row.order_id, row.trade_date, row.digest, row.raw, problems)


def _settle_file(connection: Connection, found: Findings) -> None:
    """Refuse rows of the file that contradict one another."""
    for batch in batches(_conflict(row) for row in books.take_conflicts(connection)):
        refused = [row for row in batch if isinstance(row, Refused)]
        books.load_refused(connection, map(_refused_values, refused))
        for row in refused:
            found.refuse(row.problems)


def _conflict(row: Row[Any]) -> Refused:
    return Refused(
        line=row.row,
        raw=row.raw,
        digest=bytes(row.digest),
        problems=(conflicting(row.row, row.order_id, row.others),),
        gateway=row.gateway,
        order_id=row.order_id,
        trade_date=row.trade_date,
    )


def _write(connection: Connection, job: Job, import_id: int) -> int:
    """Write what changed; how many of the new and changed lines name no transaction."""
    for gateway in job.gateways:
        ids = books.transactions_named(connection, gateway.name)
        ensure(connection, gateway=gateway.name, book=gateway.book, origin=Origin.BOOKS, ids=ids, now=job.now)
    day = _day_of_the_dateless(connection, job)
    books.touch(connection, import_id=import_id, gateway=job.only_gateway, completed=job.complete_for, now=job.now)
    off_platform = books.write_lines(connection, import_id=import_id, now=job.now)
    mark_traded(connection, import_id=import_id)
    exclude_off_platform(connection, off_platform, rules=job.rules)
    refused_rows.write_refused(connection, import_id=import_id, file_name=job.file.name, day=day)
    return len(off_platform)


def _day_of_the_dateless(connection: Connection, job: Job) -> date:
    """Where a refused row without a date is counted."""
    return refused_rows.only_date(connection) or job.complete_for or ist_date(job.now)
