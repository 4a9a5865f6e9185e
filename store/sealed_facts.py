"""Which facts beside its orders a closed day rests on: notes, instruments, ticks, prices and charges.

Facts come as versions, so what came later is another row. Where a row says that it was replaced after the close,
and the row that replaced it is there, it is sealed as it was. An instrument is sealed as it was known at the close.
"""

from __future__ import annotations

from sqlalchemy import Table

from store import schema
from store.sealed import Sealed

#: When the day was closed.
_AT = "(select closed_at from closed_days where close_id = :close_id)"
#: What was traded, and the notes about it; after `DAY`.
USED = """, day_listed as materialized (
  select e.exchange, e.symbol, e.instrument, e.trade_date from their_lines e join day_txns d on d.txn = e.txn
  union
  select o.exchange, o.symbol, o.instrument, o.trade_date from our_lines o join day_lines l on l.line = o.line
), day_dates as materialized (
  select coalesce(min(trade_date), :trade_date) as first, coalesce(max(trade_date), :trade_date) as last
  from day_listed
), day_noted as materialized (
  select note, trade_date from notes where gateway = :gateway and trade_date = :trade_date
  union
  select n.note, n.trade_date from (
    select distinct t.account, e.trade_date from their_lines e join day_txns d on d.txn = e.txn
    join transactions t on t.txn = e.txn where e.trade_date <> :trade_date
  ) other
  join notes n on n.gateway = :gateway and n.account = other.account and n.trade_date = other.trade_date
)"""
_DATED = "concat_ws('/', r.exchange, r.code, r.valid_from, r.version)"
_NOTE = "concat_ws('/', {0}.account, {0}.kind, {0}.broker, {0}.trade_date, {0}.note_id, {0}.version)"
_VALID = "r.valid_from <= (select last from day_dates) and coalesce({0} >= (select first from day_dates), true)"
_LISTED = (
    "((r.exchange, r.symbol) in (select exchange, symbol from day_listed)"
    " or (r.exchange, r.isin) in (select exchange, instrument from day_listed))"
)
#: An instrument as it was known at the close: the first of what was replaced since, else what stands.
_THEN = f"""left join lateral (
  select v.valid_to, v.isin, v.series, v.successor, v.import_id, true as replaced from instrument_versions v
  join imports i on i.import_id = v.replaced_by and i.imported_at > {_AT}
  where v.exchange = r.exchange and v.symbol = r.symbol and v.valid_from = r.valid_from
  order by v.version limit 1
) was on true"""


def _then(name: str) -> str:
    return f"case when was.replaced then was.{name} else r.{name} end"


#: By its symbol, or, where that is written another way, by the ISIN that it gave the line.
_NAMED = (
    "((r.exchange, r.symbol) in (select exchange, symbol from day_listed)"
    f" or (r.exchange, {_then('isin')}) in (select exchange, instrument from day_listed))"
)
#: By what it says of the ISIN that came after, once that counts and there are holdings to follow it.
_SUCCEEDED = f"{_then('successor')} is not null and {_then('valid_to')} < :trade_date and exists (select from day_held)"


def _replaced(table: Table, *key: str) -> dict[str, str]:
    """When a row was replaced, as far as that was known at the close."""
    same = " and ".join(f"m.{name} = r.{name}" for name in key)
    return {
        "replaced_at": f"case when r.replaced_at > {_AT} and exists (select from {table.name} m where {same}"
        " and m.version = r.version + 1 and m.known_at = r.replaced_at) then null else r.replaced_at end"
    }


_KEY = ("exchange", "code", "valid_from")

FACTS = (
    Sealed(
        schema.charges,
        "",
        _DATED,
        "exists (select from day_noted d where r.valid_from <= d.trade_date"
        " and coalesce(r.valid_to >= d.trade_date, true))",
        _replaced(schema.charges, *_KEY),
    ),
    Sealed(
        schema.instruments,
        _THEN,
        "concat_ws('/', r.exchange, r.symbol, r.valid_from)",
        f"{_NAMED} and {_VALID.format(_then('valid_to'))} or {_SUCCEEDED}",
        {name: _then(name) for name in ("valid_to", "isin", "series", "successor", "import_id")},
    ),
    Sealed(
        schema.note_lines,
        "join day_noted d on d.note = r.note join notes n on n.note = r.note",
        f"{_NOTE.format('n')} || '/' || r.row",
    ),
    Sealed(
        schema.notes,
        "join day_noted d on d.note = r.note",
        _NOTE.format("r"),
        written=_replaced(schema.notes, "gateway", "kind", "account", "broker", "trade_date", "note_id"),
    ),
    Sealed(
        schema.prices,
        "",
        _DATED,
        "((r.exchange, r.symbol, r.valid_from) in (select exchange, symbol, trade_date from day_listed)"
        " or (r.exchange, r.isin, r.valid_from) in (select exchange, instrument, trade_date from day_listed))",
        _replaced(schema.prices, *_KEY),
    ),
    Sealed(schema.ticks, "", _DATED, f"{_LISTED} and {_VALID.format('r.valid_to')}", _replaced(schema.ticks, *_KEY)),
)
