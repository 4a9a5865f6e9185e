"""Reference data as dated facts: told again with other figures, a fact is a new version and the old one stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, text

from store import schema
from store.books import Counts
from store.recordset import as_parameter, records

TABLES: Mapping[str, Table] = {"ticks": schema.ticks, "prices": schema.prices, "charges": schema.charges}
KEY = ("exchange", "code", "valid_from")
_OWN = frozenset({"version", "import_id", "known_at", "replaced_at"})

_DROP = text("drop table if exists told, touched")
_COUNTS = text("""
select count(*) filter (where was is null) as new, count(*) filter (where was is not null) as changed from told
""")
#: Lines that a told fact is about: by its ISIN, its symbol, or the symbol it named before. Each is joined by
#: itself, because two alternatives cannot be hashed; the days are told apart so that their index is of use.
_NAMES = ("f.isin = l.instrument", "f.symbol = l.symbol", "f.was_symbol = l.symbol")
_ABOUT = """
f.exchange = l.exchange and {name} and l.trade_date between f.valid_from and f.until
  and l.trade_date between (select min(valid_from) from told) and (select max(until) from told)"""
_FILLED = {"their_lines": "l.filled > 0", "our_lines": "l.txn is not null and l.filled is distinct from 0"}
_TOUCHED = "create temp table touched on commit drop as " + " union ".join(
    f"select l.txn from {lines} l join told f on {_ABOUT.format(name=name)} where {filled}"
    for lines, filled in _FILLED.items()
    for name in _NAMES
)
_LOCK_TOUCHED = text("""
select count(*) from (
  select from transactions where txn in (select txn from touched) order by txn for no key update
) locked
""")
_TOUCH = text("update transactions set rev = rev + 1 where txn in (select txn from touched)")
#: Legs that the one statement must leave to the judge. It is asked for more than the rule finds, never for less.
_UNPLAIN = {
    "ticks": """
update their_lines l set plain = false from told f
where {about} and l.plain and l.filled = 1 and mod(l.average_price, f.tick) <> 0""",
    "prices": """
update their_lines l set plain = false from told f
where {about} and l.plain and l.filled > 0 and l.average_price not between f.low and f.high""",
}


def tell(
    connection: Connection, kind: str, rows: Sequence[Mapping[str, object]], *, import_id: int, now: datetime
) -> Counts:
    """Store a version of each fact that says otherwise than its current one; each fact once in `rows`.

    The facts that were stored stand in the temporary table `told`, for `touch`.
    """
    table = TABLES[kind]
    said = [column.name for column in table.c if column.name not in _OWN]
    r_said, f_said = (", ".join(f"{alias}.{name}" for name in said) for alias in ("r", "f"))
    same, current = (" and ".join(f"f.{name} = {alias}.{name}" for name in KEY) for alias in ("r", "t"))
    until, was = _until(kind, "r"), _until(kind, "f")
    old = f"greatest({until}, case when f.version is not null then {was} end) as until" + (
        "" if kind == "charges" else ", f.symbol as was_symbol"
    )
    connection.execute(_DROP)
    connection.execute(
        text(f"""
        create temp table told on commit drop as
        select {r_said}, f.version as was, {old} from {records(table, *said)}
        left join {table.name} f on {same} and f.replaced_at is null
        where f.version is null or ({f_said}) is distinct from ({r_said})
        """),
        {"rows": as_parameter(rows)},
    )
    counts = connection.execute(_COUNTS).one()
    named = {"import_id": import_id, "now": now}
    connection.execute(text(f"update {table.name} f set replaced_at = :now from told t where {current}"
                            " and f.version = t.was"), named)  # fmt: skip
    names = ", ".join(said)
    connection.execute(text(f"insert into {table.name} ({names}, version, import_id, known_at)"
                            f" select {names}, coalesce(was, 0) + 1, :import_id, :now from told"), named)  # fmt: skip
    return Counts(counts.new, counts.changed, len(rows) - counts.new - counts.changed)


def touch(connection: Connection, kind: str) -> None:
    """Raise the rev of the transactions with a line that the told facts are about, in one order."""
    connection.execute(text("analyze told"))
    connection.execute(text(_TOUCHED))
    connection.execute(_LOCK_TOUCHED)
    for name in _NAMES:
        connection.execute(text(_UNPLAIN[kind].format(about=_ABOUT.format(name=name))))
    connection.execute(_TOUCH)


def listed(
    connection: Connection,
    kind: str,
    *,
    day: date | None = None,
    code: str | None = None,
    versions: bool = False,
    limit: int | None = None,
) -> Sequence[Row[Any]]:
    """The facts of a kind: those that count on that day, or all; with every version if asked."""
    table = TABLES[kind]
    columns = ", ".join(column.name for column in table.c)
    until = _until(kind, "f")
    about = "symbol = :code or isin = :code" if kind != "charges" else "component = :code or broker = :code"
    return connection.execute(
        text(f"""
        select {columns} from {table.name} f where (:versions or replaced_at is null)
          and (cast(:day as date) is null or (valid_from <= :day and {until} >= :day))
          and (cast(:code as text) is null or {about})
        order by valid_from, exchange, code, version limit :limit
        """),
        {"versions": versions, "day": day, "code": code, "limit": limit},
    ).all()


def _until(kind: str, alias: str) -> str:
    """SQL of the last day of a fact; prices are of one day."""
    last = "valid_from" if kind == "prices" else "valid_to"
    return f"coalesce({alias}.{last}, 'infinity')"
