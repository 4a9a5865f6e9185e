"""So many lines into the service's own tables: clones of what the service made, told apart by their ids.

Only what holds an id is made anew, by the code that the service makes it with. Nothing of it is judged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, LargeBinary, Table, text

from bench.volume.made import GATEWAY, Basket
from recon.lines import key_of
from store import schema

TABLES: Sequence[Table] = (
    schema.transactions, schema.batches, schema.their_lines, schema.our_lines, schema.snapshots, schema.events,
    schema.deliveries,
)  # fmt: skip
OF_TXN = "txn = :txn"
#: Which rows are a transaction's, where they do not bear its number.
OF: Mapping[str, str] = {
    "events": "transaction_id = :transaction_id",
    "deliveries": "event_id in (select event_id from events where transaction_id = :transaction_id)",
}
#: Nothing of it is judged yet, and nothing is left to ask.
_AS_UNJUDGED = {"review_at": "null", "ask_at": "null"}
_NUMBERED = {"line", "snapshot_id", "delivery_id"}  #: given by the database

FIRST = 100_000_000  #: the ids' nine digits of the first clone
CHUNK = 2_000  #: transactions written together; within them our lines come in any order
#: Of a thousand transactions these many differ: of them four lines in five, so about one line of all in a hundred.
DIFFERENT = 12.6

_TXN, _EVENT, _DIGEST = "#txn#", "#event#", "#digest#"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table as COPY reads them, cut where a clone differs, with what belongs between."""

    pieces: str  #: with a %s wherever a slot is
    slots: tuple[int, ...]

    def of(self, values: Sequence[str]) -> str:
        """The rows of one clone."""
        return self.pieces % tuple([values[slot] for slot in self.slots])


@dataclass(frozen=True, slots=True)
class Template:
    """One transaction, ready to be cloned, and what the rules say of it."""

    basket: Basket
    rows: Mapping[str, Rows]
    webhook: Rows  #: its body alone, which gives the event its id
    answer: Rows  #: its body alone, for its digest
    orders: Sequence[tuple[str, str]]  #: exchange, and what follows the nine digits in the exchange's order id
    buckets: Mapping[str, int]  #: verdicts
    findings: Mapping[str, int]
    lines: tuple[int, int]  #: ours, theirs


@dataclass(slots=True)
class Loaded:
    """What a load holds, and what judging it must find."""

    transactions: int
    ours: int
    theirs: int
    differ: int  #: transactions whose books differ
    buckets: Counter[str]
    findings: Counter[str]


def templates(connection: Connection, made: Sequence[Basket]) -> list[Template]:
    """Read what was made; its verdicts and findings are those of the rules."""
    return [_template(connection, each) for each in made]


def load(engine: Engine, kinds: Sequence[Template], *, lines: int, say: Callable[[str], None]) -> Loaded:
    """Fill an empty, migrated database with so many lines of the Gateway's, or a few more."""
    loaded = Loaded(0, 0, 0, 0, Counter(), Counter())
    chosen = _chosen(kinds, lines)
    with engine.begin() as connection:
        # The rows are whole as they are; checking each reference by itself would take longer than all else.
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("set local statement_timeout = 0"))
        while part := _next(chosen, loaded):
            _write(connection, part, loaded)
            if loaded.transactions % (10 * CHUNK) == 0:
                say(f"{loaded.theirs} lines loaded")
        connection.execute(text("insert into unjudged (txn) select txn from transactions"))
        connection.execute(
            text("select setval(pg_get_serial_sequence('transactions', 'txn'), :last)"), {"last": loaded.transactions}
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("set statement_timeout = 0"))
        connection.execute(text("vacuum (freeze, analyze)"))
    return loaded


def _chosen(kinds: Sequence[Template], lines: int) -> Iterator[Template]:
    """Templates day by day, drawn from a fixed seed, until there are lines enough."""
    chance, theirs = Random(3), 0
    days = sorted({kind.basket.day for kind in kinds})
    clean = [kind for kind in kinds if kind.basket.kind == "clean"]
    others = [kind for kind in kinds if kind.basket.kind != "clean"]
    while theirs < lines:
        day = days[theirs * len(days) // lines]
        wanted = others if chance.random() * 1000 < DIFFERENT else clean
        kind = chance.choice([kind for kind in wanted if kind.basket.day == day] or wanted)
        theirs += kind.lines[1]
        yield kind


def _next(chosen: Iterator[Template], loaded: Loaded) -> list[tuple[int, Template]]:
    part = [(loaded.transactions + 1 + place, kind) for place, kind in zip(range(CHUNK), chosen, strict=False)]
    for _, kind in part:
        loaded.transactions += 1
        loaded.ours += kind.lines[0]
        loaded.theirs += kind.lines[1]
        loaded.differ += kind.basket.kind != "clean"
        loaded.buckets.update(kind.buckets)
        loaded.findings.update(kind.findings)
    return part


def _write(connection: Connection, part: Sequence[tuple[int, Template]], loaded: Loaded) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    values = [(kind, _values(kind, txn)) for txn, kind in part]
    for table in TABLES:
        content = [kind.rows[table.name].of(given) for kind, given in values]
        if table is schema.our_lines:  # the books are not written transaction by transaction
            content = "".join(content).splitlines(keepends=True)
            Random(loaded.transactions).shuffle(content)
        names = ", ".join(f'"{name}"' for name in _columns(table))
        with driver.cursor() as cursor, cursor.copy(f"copy {table.name} ({names}) from stdin") as copy:
            copy.write("".join(content))


def _values(kind: Template, txn: int) -> list[str]:
    """What a clone has of its own: number, digits, event, digest of its answer, and the key of every order."""
    digits = str(FIRST + txn)
    transaction_id = kind.basket.transaction_id.replace(kind.basket.token, digits)
    keys = [key_of(GATEWAY.name, transaction_id, exchange, f"11{digits}{rest}") for exchange, rest in kind.orders]
    webhook, answer = (sha256(rows.of(["", digits]).encode()) for rows in (kind.webhook, kind.answer))
    event = UUID(bytes=webhook.digest()[:16])
    return [str(txn), digits, str(event), answer.hexdigest(), *(key.hex() for key in keys if key)]


# ---------------------------------------------------------------- reading what was made


def _template(connection: Connection, basket: Basket) -> Template:
    named: dict[str, Any] = {"transaction_id": basket.transaction_id}
    txn = connection.execute(text("select txn from transactions where transaction_id = :transaction_id"), named)
    named["txn"] = txn.scalar_one()
    orders = [("NSE", f"{place:02}") for place in range(basket.size)]
    return Template(
        basket=basket,
        rows={table.name: _rows(connection, table, basket, orders, named) for table in TABLES},
        webhook=_body(connection, schema.deliveries, basket, named),
        answer=_body(connection, schema.snapshots, basket, named),
        orders=orders,
        buckets=_counted(connection, "select bucket from verdicts where txn = :txn", named),
        findings=_counted(connection, "select name from findings where txn = :txn and closed_at is null", named),
        lines=(
            connection.execute(text("select count(*) from our_lines where txn = :txn"), named).scalar_one(),
            connection.execute(text("select count(*) from their_lines where txn = :txn"), named).scalar_one(),
        ),
    )


def _body(connection: Connection, table: Table, basket: Basket, named: Mapping[str, Any]) -> Rows:
    sql = f"select body from {table.name} where {OF.get(table.name, OF_TXN)}"  # noqa: S608 our own names
    return _cut(bytes(connection.execute(text(sql), named).scalar_one()).decode(), basket, ())


def _counted(connection: Connection, sql: str, named: Mapping[str, Any]) -> Counter[str]:
    return Counter(connection.execute(text(sql), named).scalars())


def _columns(table: Table) -> list[str]:
    return [column.name for column in table.c if column.name not in _NUMBERED]


def _rows(
    connection: Connection, table: Table, basket: Basket, orders: Sequence[tuple[str, str]], named: Mapping[str, Any]
) -> Rows:
    """The transaction's rows as COPY writes them, cut at everything that a clone has of its own."""
    where = OF.get(table.name, OF_TXN)
    shown = ", ".join(_shown(table, name) for name in _columns(table))
    order = "order by 1" if table is schema.transactions else "order by ctid"
    written = [
        "".join(f"{_copied(value)}\t" for value in row)[:-1] + "\n"
        for row in connection.execute(text(f"select {shown} from {table.name} where {where} {order}"), named)  # noqa: S608 our own names
    ]
    return _cut("".join(written), basket, orders)


def _shown(table: Table, name: str) -> str:
    """SQL of a column as text that COPY reads back; what is a clone's own by its mark."""
    if table is schema.transactions and name in _AS_UNJUDGED:
        return _AS_UNJUDGED[name]
    if name in {"txn", "event_id"}:
        return f"'{_TXN if name == 'txn' else _EVENT}'"
    if name == "digest":
        return f"'\\x{_DIGEST}'"
    if name == "body":
        return "convert_from(body, 'utf8')"
    if isinstance(table.c[name].type, LargeBinary):
        return f"'\\x' || encode({name}, 'hex')"
    return f'"{name}"::text'


def _copied(value: object) -> str:
    return r"\N" if value is None else str(value).replace("\\", "\\\\")


def _cut(written: str, basket: Basket, orders: Sequence[tuple[str, str]]) -> Rows:
    keys = [
        key_of(GATEWAY.name, basket.transaction_id, exchange, f"11{basket.token}{rest}") for exchange, rest in orders
    ]
    marks = [_TXN, basket.token, _EVENT, _DIGEST, *(key.hex() for key in keys if key)]
    places = {mark: place for place, mark in enumerate(marks)}
    parts = re.split(f"({'|'.join(map(re.escape, marks))})", written)
    pieces = "".join("%s" if part in places else part.replace("%", "%%") for part in parts)
    return Rows(pieces, tuple(places[part] for part in parts if part in places))
