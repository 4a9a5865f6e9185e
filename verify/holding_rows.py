"""What the holdings of a day rest on: verdicts, the positions and answers they name, moves up to that day."""

from __future__ import annotations

from verify.rows import Rows

#: Continues the names of the day: its verdicts of holdings, and the answers that hold their lines.
JUDGED = """, judged as materialized (
  select account, isin, opening_as_of, snapshot_id from holding_verdicts
  where (gateway, book, trade_date) = (%(gateway)s, %(book)s, %(day)s)
), shown as materialized (
  select snapshot_id, lines_in from holding_snapshots where snapshot_id in (select snapshot_id from judged)
), opened as materialized (select account, min(opening_as_of) as opening from judged group by account)
"""
_ANSWER = "r.snapshot_id in (select snapshot_id from shown union select lines_in from shown)"

HOLDINGS: dict[str, Rows] = {
    "corporate_actions": Rows(
        "concat_ws('/', r.kind, r.isin, r.ex_date, r.version)",
        "",
        "r.ex_date <= %(day)s::date + 15 and (select count(*) from judged) > 0",
        "r.known_at",
    ),
    "holding_lines": Rows(
        "concat(r.snapshot_id, '/', r.position)", "", "r.snapshot_id in (select lines_in from shown)"
    ),
    "holding_snapshots": Rows("r.snapshot_id::text", "", _ANSWER),
    "holding_verdicts": Rows(
        "concat(r.account, '/', r.isin)",
        "",
        "(r.gateway, r.book, r.trade_date) = (%(gateway)s, %(book)s, %(day)s)",
    ),
    "positions": Rows(
        "concat_ws('/', r.account, r.as_of, r.isin, r.version)",
        "",
        "r.gateway = %(gateway)s and (r.account, r.as_of) in (select account, opening_as_of from judged)",
        "r.known_at",
    ),
    "transfers": Rows(
        "concat(r.reference, '/', r.version)",
        "",
        "r.gateway = %(gateway)s and r.date <= %(day)s"
        " and exists (select from opened where opened.account = r.account and opened.opening - 30 <= r.date)",
        "r.known_at",
    ),
}
