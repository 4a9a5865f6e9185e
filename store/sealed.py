"""Which rows a closed day rests on: those of its orders. `store.sealed_facts` has those of the facts beside them.

A day rests on every row of the transactions that have a line, verdict or finding on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Table

from store import schema

#: What is known of a transaction; the rest says how it is followed, and goes on after the day is closed.
_KNOWN = (
    *("txn", "gateway", "transaction_id", "book", "origin", "registered_at", "account", "broker", "intent"),
    *("status", "created_at", "expire_at", "error_code", "error_message", "requested", "known", "absent_at"),
    *("final", "settled"),
)

#: The transactions and lines of a day: parameters as in `Scope`.
DAY = """
day_txns as materialized (
  select o.txn from our_lines o join transactions t on t.txn = o.txn and t.gateway = :gateway and t.book = :book
  where o.trade_date = :trade_date
  union
  select e.txn from their_lines e join transactions t on t.txn = e.txn and t.gateway = :gateway and t.book = :book
  where e.trade_date = :trade_date
  union
  select v.txn from verdicts v join transactions t on t.txn = v.txn and t.gateway = :gateway and t.book = :book
  where v.trade_date = :trade_date
  union
  select txn from findings
  where gateway = :gateway and book = :book and trade_date = :trade_date and txn is not null
), day_lines as materialized (
  select o.line from our_lines o join day_txns d on d.txn = o.txn
  union all
  select line from our_lines
  where txn is null and gateway = :gateway and book = :book and trade_date = :trade_date
)"""
_OF_TXN = "join day_txns d on d.txn = r.txn join transactions t on t.txn = r.txn"
_THEIR_KEY = (
    "t.transaction_id || '/' || {0}.batch_id || '/' || case when {0}.placed then 'placed' else 'unplaced' end"
    " || '/' || {0}.position"
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Which rows `r` of a table a day rests on, and what people call one."""

    table: Table
    joins: str
    key: str
    where: str = "true"
    written: Mapping[str, str] = field(default_factory=dict)  #: columns of which something else is sealed
    source: str = ""  #: SQL of the rows, where the planner would otherwise read all there are to find them

    @property
    def columns(self) -> list[str]:
        """What is sealed of each row, in order."""
        named = [column.name for column in self.table.c]
        return [name for name in named if name in _KNOWN] if self.table is schema.transactions else named


ROWS = (
    Sealed(schema.batches, _OF_TXN, "t.transaction_id || '/' || r.batch_id"),
    Sealed(schema.decisions, _OF_TXN, "t.transaction_id || '/' || r.decision_id"),
    Sealed(
        schema.deliveries,
        "join events e on e.event_id = r.event_id join transactions t on t.gateway = e.gateway"
        " and t.transaction_id = e.transaction_id join day_txns d on d.txn = t.txn",
        "r.event_id || '/' || r.delivery_id",
    ),
    Sealed(
        schema.events,
        "join transactions t on t.gateway = r.gateway and t.transaction_id = r.transaction_id"
        " join day_txns d on d.txn = t.txn",
        "r.event_id::text",
    ),
    Sealed(
        schema.finding_changes,
        "join findings f on f.finding_id = r.finding_id join day_txns d on d.txn = f.txn",
        "r.finding_id || '/' || r.change_id",
    ),
    Sealed(schema.findings, "join day_txns d on d.txn = r.txn", "r.finding_id::text"),
    Sealed(
        schema.imports,
        "",
        "r.import_id::text",
        "r.complete_for = :trade_date and (r.gateway is null or r.gateway = :gateway) or r.import_id in"
        " (select v.import_id from line_versions v join day_lines l on l.line = v.line)"
        " or r.import_id in (select n.import_id from notes n join day_noted d on d.note = n.note"
        " union all select p.import_id from positions p join day_openings d on d.account = p.account"
        " and d.opening_as_of = p.as_of where p.gateway = :gateway)",
    ),
    Sealed(
        schema.line_versions,
        "join day_lines l on l.line = r.line join our_lines o on o.line = r.line",
        "o.order_id || '/' || r.version",
    ),
    Sealed(schema.our_lines, "join day_lines l on l.line = r.line", "r.order_id"),
    Sealed(
        schema.refused_rows,
        "",
        "r.import_id || '/' || r.row",
        "r.trade_date = :trade_date and (r.gateway = :gateway or r.gateway is null)",
    ),
    Sealed(schema.snapshots, _OF_TXN, "t.transaction_id || '/' || r.snapshot_id"),
    Sealed(schema.their_lines, _OF_TXN, _THEIR_KEY.format("r")),
    Sealed(
        schema.transactions,
        "join day_txns d on d.txn = r.txn",
        "r.transaction_id",
    ),
    Sealed(
        schema.verdicts,
        "left join our_lines o on o.line = r.ours left join their_lines e on e.line = r.theirs"
        " left join transactions t on t.txn = e.txn left join transactions j on j.txn = r.txn",
        f"coalesce(o.order_id, {_THEIR_KEY.format('e')}, 'verdict ' || coalesce(r.ours, r.theirs))",
        source="(select v.* from day_txns d cross join lateral (select * from verdicts where txn = d.txn offset 0) v"
        " union all select * from verdicts where txn is null and ours in (select line from day_lines))",
        written={"rev": "r.rev = coalesce(j.rev, o.version)"},
    ),
)
