"""Which rows a day rests on: all of every transaction that has a line, a verdict or a finding on it.

Said again, independently of the service, so that a row which joins or leaves the day is seen.
"""

from __future__ import annotations

from verify.facts import FACTS, USED
from verify.holding_rows import HOLDINGS, JUDGED
from verify.rows import Rows

_TRANSACTIONS = """
with mine as (select txn from transactions where gateway = %(gateway)s and book = %(book)s),
about as materialized (
  select txn from mine where txn in (select txn from our_lines where trade_date = %(day)s)
    or txn in (select txn from their_lines where trade_date = %(day)s)
    or txn in (select txn from verdicts where trade_date = %(day)s)
  union
  select txn from findings
  where trade_date = %(day)s and gateway = %(gateway)s and book = %(book)s and txn is not null
), booked as materialized (
  select line from our_lines where txn in (select txn from about)
    or (txn is null and trade_date = %(day)s and gateway = %(gateway)s and book = %(book)s)
)
"""
#: Looked up by their transaction: among all verdicts they are slow to find.
VERDICTS = (
    "(select v.* from about a cross join lateral (select * from verdicts where txn = a.txn offset 0) v"
    " union all select * from verdicts where txn is null and ours in (select line from booked))"
)
_NAMED = "join transactions t on t.txn = r.txn"
_PLACE = (
    "concat_ws('/', t.transaction_id, x.batch_id, case when x.placed then 'placed' else 'unplaced' end, x.position)"
)


_ORDERS = {
    "batches": Rows("t.transaction_id || '/' || r.batch_id", _NAMED, "r.txn in (select txn from about)"),
    "decisions": Rows("t.transaction_id || '/' || r.decision_id", _NAMED, "r.txn in (select txn from about)", "r.at"),
    "deliveries": Rows(
        "concat(r.event_id, '/', r.delivery_id)",
        "join events e using (event_id) join transactions t on (t.gateway, t.transaction_id)"
        " = (e.gateway, e.transaction_id)",
        "t.txn in (select txn from about)",
        "r.received_at",
    ),
    "events": Rows(
        "r.event_id::text",
        "join transactions t on (t.gateway, t.transaction_id) = (r.gateway, r.transaction_id)",
        "t.txn in (select txn from about)",
        "r.received_at",
    ),
    "finding_changes": Rows(
        "concat(r.finding_id, '/', r.change_id)",
        "join findings f using (finding_id)",
        "f.txn in (select txn from about)",
        "r.at",
    ),
    "findings": Rows("r.finding_id::text", "", "r.txn in (select txn from about)"),
    "imports": Rows(
        "r.import_id::text",
        "",
        "(r.complete_for = %(day)s and coalesce(r.gateway, %(gateway)s) = %(gateway)s) or r.import_id in"
        " (select import_id from line_versions where line in (select line from booked) union all"
        "  select import_id from notes where note in (select note from noted) union all"
        "  select import_id from positions where gateway = %(gateway)s"
        "    and (account, as_of) in (select account, opening_as_of from judged))",
        "r.imported_at",
    ),
    "line_versions": Rows(
        "o.order_id || '/' || r.version",
        "join our_lines o on o.line = r.line",
        "r.line in (select line from booked)",
        "r.known_at",
    ),
    "our_lines": Rows("r.order_id", "", "r.line in (select line from booked)"),
    "refused_rows": Rows(
        "concat(r.import_id, '/', r.row)",
        "",
        "r.trade_date = %(day)s and coalesce(r.gateway, %(gateway)s) = %(gateway)s",
    ),
    "snapshots": Rows(
        "t.transaction_id || '/' || r.snapshot_id", _NAMED, "r.txn in (select txn from about)", "r.known_at"
    ),
    "their_lines": Rows(_PLACE.replace("x.", "r."), _NAMED, "r.txn in (select txn from about)"),
    "transactions": Rows("r.transaction_id", "", "r.txn in (select txn from about)"),
    "verdicts": Rows(
        f"coalesce(o.order_id, case when x.line is not null then {_PLACE} end,"
        " 'verdict ' || coalesce(r.ours, r.theirs))",
        "left join our_lines o on o.line = r.ours left join their_lines x on x.line = r.theirs"
        " left join transactions t on t.txn = x.txn left join transactions j on j.txn = r.txn",
        "true",
        source=VERDICTS,
        written={"rev": "r.rev = coalesce(j.rev, o.version)"},
    ),
}

OF: dict[str, Rows] = _ORDERS | FACTS | HOLDINGS


def present(table: str) -> tuple[str, str]:
    """SQL before and after the sealed columns of the table's present rows: key, later, then those columns."""
    rows = OF[table]
    later = "false" if rows.known is None else f"{rows.known} > %(closed_at)s"
    before = f"{_TRANSACTIONS}{USED}{JUDGED} select {rows.key} as key, {later} as later, "
    return before, f' from {rows.source or table} r {rows.joins} where {rows.where} order by ({rows.key}) collate "C"'


def about() -> str:
    """SQL that begins any query about the day with `about` (txn) and `booked` (line)."""
    return _TRANSACTIONS + USED + JUDGED
