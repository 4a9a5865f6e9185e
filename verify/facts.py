"""Facts beside the orders that a day rests on: what was traded, at which prices, and what notes say of it.

A fact that was told otherwise after the close is another row; the earlier one says so in `replaced_at`,
and an instrument's earlier saying stands in `instrument_versions`. Both are read as they were at the close.
"""

from __future__ import annotations

from verify.rows import Rows

#: Continues the names of the day: what was traded on which dates, and the notes.
USED = """, listed as materialized (
  select exchange, symbol, instrument, trade_date from their_lines where txn in (select txn from about)
  union select exchange, symbol, instrument, trade_date from our_lines where line in (select line from booked)
), span as materialized (
  select least(%(day)s, min(trade_date)) as first, greatest(%(day)s, max(trade_date)) as last from listed
), noted as materialized (
  select note, trade_date from notes where gateway = %(gateway)s and (trade_date = %(day)s
    or (account, trade_date) in (
      select account, trade_date from their_lines join transactions using (txn) where txn in (select txn from about)))
)
"""
_DATED = "concat_ws('/', r.exchange, r.code, r.valid_from, r.version)"
_NOTE = "concat_ws('/', n.account, n.kind, n.broker, n.trade_date, n.note_id, n.version)"
_LIVES = "r.valid_from <= (select last from span) and ({0} is null or {0} >= (select first from span))"
_SYMBOL = "(r.exchange, r.symbol) in (select exchange, symbol from listed)"
_THEN = """
left join imports told on told.import_id = r.import_id
left join lateral (
  select v.* from instrument_versions v join imports later on later.import_id = v.replaced_by
  where (v.exchange, v.symbol, v.valid_from) = (r.exchange, r.symbol, r.valid_from)
    and later.imported_at > %(closed_at)s
  order by v.version fetch first row only
) was on true
"""


def _was(column: str) -> str:
    return f"case when was.version is null then r.{column} else was.{column} end"


_UNTIL = _was("valid_to")


def _replaced(table: str, *key: str) -> dict[str, str]:
    earlier, later = (", ".join(f"{alias}.{name}" for name in key) for alias in ("r", "n"))
    return {
        "replaced_at": "case when r.replaced_at > %(closed_at)s and exists ("
        f"select from {table} n where ({later}) = ({earlier})"
        " and n.version - r.version = 1 and n.known_at = r.replaced_at) then null else r.replaced_at end"
    }


_KEY = ("exchange", "code", "valid_from")

FACTS: dict[str, Rows] = {
    "charges": Rows(
        _DATED,
        "",
        "exists (select from noted where trade_date between r.valid_from and coalesce(r.valid_to, 'infinity'))",
        "r.known_at",
        _replaced("charges", *_KEY),
    ),
    "instruments": Rows(
        "concat_ws('/', r.exchange, r.symbol, r.valid_from)",
        _THEN,
        f"(({_SYMBOL} or (r.exchange, {_was('isin')}) in (select exchange, instrument from listed))"
        f" and {_LIVES.format(f'({_UNTIL})')}) or ({_was('successor')} is not null and {_UNTIL} < %(day)s"
        " and exists (select from judged))",
        "case when was.version is null then told.imported_at end",
        {name: _was(name) for name in ("valid_to", "isin", "series", "successor", "import_id")},
    ),
    "note_lines": Rows(
        f"concat({_NOTE}, '/', r.row)",
        "join notes n using (note)",
        "r.note in (select note from noted)",
        "n.known_at",
    ),
    "notes": Rows(
        _NOTE.replace("n.", "r."),
        "",
        "r.note in (select note from noted)",
        "r.known_at",
        _replaced("notes", "gateway", "kind", "account", "broker", "trade_date", "note_id"),
    ),
    "prices": Rows(
        _DATED,
        "",
        "((r.exchange, r.isin, r.valid_from) in (select exchange, instrument, trade_date from listed)"
        " or (r.exchange, r.symbol, r.valid_from) in (select exchange, symbol, trade_date from listed))",
        "r.known_at",
        _replaced("prices", *_KEY),
    ),
    "ticks": Rows(
        _DATED,
        "",
        f"({_SYMBOL} or (r.exchange, r.isin) in (select exchange, instrument from listed))"
        f" and {_LIVES.format('r.valid_to')}",
        "r.known_at",
        _replaced("ticks", *_KEY),
    ),
}
