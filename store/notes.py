"""Contract notes and tradebooks: stored whole, each saying of one a version; and what they are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from store import schema
from store.listings import LISTED
from store.recordset import as_parameter, records
from store.together import Asked, Query

KEY = ("gateway", "kind", "account", "broker", "trade_date", "note_id")
_HEAD = (*KEY, "issued_at", "digest")
_NEW_HEAD = ", ".join(f"t.{name}" for name in _HEAD)
_LINE = tuple(column.name for column in schema.note_lines.c if column.name != "note")

_DROP = text("drop table if exists told, touched")
_TOLD = text(f"""
create temp table told on commit drop as
select {", ".join(f"r.{name}" for name in _HEAD)}, n.note as was, n.version
from {records(schema.notes, *_HEAD)}
left join notes n on {" and ".join(f"n.{name} = r.{name}" for name in KEY)} and n.replaced_at is null
where n.note is null or n.digest <> r.digest
""")
_STORED = text(f"select {', '.join(KEY)}, was is not null as known from told")
_REPLACE = text("update notes n set replaced_at = :now from told t where n.note = t.was")
_INSERT = text(f"""
insert into notes ({", ".join(_HEAD)}, version, import_id, known_at)
select {_NEW_HEAD}, coalesce(t.version, 0) + 1, :import_id, :now from told t
""")
_LINES = text(f"""
insert into note_lines (note, {", ".join(_LINE)})
select n.note, {", ".join(f"r.{name}" for name in _LINE)}
from {records(schema.note_lines, *_LINE)}
join json_to_recordset(cast(:rows as json)) as k("row" int, {", ".join(f"{name} text" for name in KEY)})
  on k.row = r.row
join notes n on n.import_id = :import_id
  and {" and ".join(f"n.{name} = k.{name}" for name in KEY if name != "trade_date")}
  and n.trade_date = k.trade_date::date
""")
#: Orders of an account from the day on from which its notes are known: one of them may be missing now.
_TOUCHED = text("""
create temp table touched on commit drop as
select distinct x.txn from (select distinct gateway, account, trade_date from told) n
join transactions x on x.gateway = n.gateway and x.account = n.account
join their_lines e on e.txn = x.txn and e.filled > 0 and e.trade_date >= n.trade_date
""")
_CHARGED = text("""
create temp table touched on commit drop as
select distinct x.txn from notes n
join transactions x on x.gateway = n.gateway and x.account = n.account
join their_lines e on e.txn = x.txn and e.filled > 0 and e.trade_date = n.trade_date
join told c on e.trade_date >= c.valid_from and e.trade_date <= c.until
where n.replaced_at is null and (c.broker = '' or c.broker = n.broker)
""")
_LOCK_TOUCHED = text("""
select count(*) from (
  select from transactions where txn in (select txn from touched) order by txn for no key update
) locked
""")
_TOUCH = text("update transactions set rev = rev + 1, quiet = false where txn in (select txn from touched)")

# ---------------------------------------------------------------- for judging

#: From which day on contract notes of its account and broker are known; without a day where only tradebooks are.
_SINCE = Query("""
select x.txn, n.broker, min(n.trade_date) filter (where n.kind = 'contract-note') as since from transactions x
join notes n on n.gateway = x.gateway and n.account = x.account and n.replaced_at is null
where x.txn = any(:txns) group by x.txn, n.broker order by x.txn, n.broker
""")
_ANY = Query("""
select x.txn from transactions x where x.txn = :txn and exists(
  select from notes n where n.gateway = x.gateway and n.account = x.account and n.replaced_at is null)
""")
_DAYS = """
select distinct x.txn, x.gateway, x.account, e.trade_date from transactions x
join their_lines e on e.txn = x.txn and e.filled > 0 where x.txn = any(:txns)
"""
_NOTED = Query(f"""
select d.txn, n.kind, n.note_id, n.broker, n.trade_date, n.issued_at, l.row, l.exchange, l.symbol, l.side, l.quantity,
  l.price, l.exchange_order_id, {", ".join(f"l.{name}" for name in schema.COMPONENTS)}, l.net_amount,
  coalesce(l.isin, i.isin) as instrument
from ({_DAYS}) d
join notes n on n.gateway = d.gateway and n.account = d.account and n.trade_date = d.trade_date
  and n.replaced_at is null
join note_lines l on l.note = n.note
left join lateral (
  select isin from {LISTED} i where i.symbol = l.symbol and (l.exchange = '' or i.exchange = l.exchange)
    and i.valid_from <= n.trade_date and (i.valid_to is null or i.valid_to >= n.trade_date)
  order by i.exchange desc limit 1
) i on true
order by d.txn, n.kind, n.broker, n.note_id, l.row
""")
#: What the account traded on those days, in this transaction and in others.
_TRADED = Query(f"""
select d.txn, y.transaction_id, e.batch_id, e.placed, e.position, e.exchange, e.symbol, e.instrument, e.side, e.filled,
  e.average_price, e.exchange_order_id, e.trade_date, e.completed_at, lower(coalesce(b.broker, y.broker)) as broker
from ({_DAYS}) d
join transactions y on y.gateway = d.gateway and y.account = d.account
join their_lines e on e.txn = y.txn and e.trade_date = d.trade_date and e.filled > 0
join batches b on b.txn = e.txn and b.batch_id = e.batch_id
order by d.txn, y.transaction_id, e.batch_id, e.placed desc, e.position
""")
_RATES = Query("""
select component, basis, rate, unit, rounding, valid_from, valid_to, broker, exchange, side, least, most
from charges where replaced_at is null order by component, broker, exchange, side, valid_from
""")
#: Other transactions of the same account and day, where a note may speak of both at once.
_SIBLINGS = text("""
with touched as (
  select distinct y.txn from transactions x
  join their_lines m on m.txn = x.txn and m.filled > 0
  join transactions y on y.gateway = x.gateway and y.account = x.account and y.txn <> x.txn
  join their_lines e on e.txn = y.txn and e.trade_date = m.trade_date and e.instrument = m.instrument
    and e.side = m.side and e.filled > 0
  where x.txn = :txn
), held as (
  select txn from transactions where txn in (select txn from touched) order by txn for no key update
)
update transactions set rev = rev + 1, quiet = false where txn in (select txn from held)
""")


def tell(
    connection: Connection,
    heads: Sequence[Mapping[str, object]],
    lines: Sequence[Mapping[str, object]],
    *,
    import_id: int,
    now: datetime,
) -> dict[tuple[object, ...], bool]:
    """Store a version of each note that says otherwise than its current one, with its lines.

    `heads` have the columns of `KEY`, `issued_at` and `digest`, each note once; `lines` those of the note
    and their own. Raises the rev of the orders they are about.
    Each note that was stored by its `KEY`, with whether it was known before.
    """
    connection.execute(_DROP)
    connection.execute(_TOLD, {"rows": as_parameter(heads)})
    stored = {tuple(row[:-1]): row.known for row in connection.execute(_STORED)}
    if stored:
        connection.execute(_REPLACE, {"now": now})
        connection.execute(_INSERT, {"now": now, "import_id": import_id})
        connection.execute(_LINES, {"rows": as_parameter(lines), "import_id": import_id})
        _touch(connection, _TOUCHED)
    return stored


def touch_charged(connection: Connection) -> None:
    """Raise the rev of the orders whose notes the charges in the table `told` are about."""
    _touch(connection, _CHARGED)


def _touch(connection: Connection, which: object) -> None:
    connection.execute(which)  # type: ignore[call-overload]
    connection.execute(_LOCK_TOUCHED)
    connection.execute(_TOUCH)


def raise_noted(connection: Connection, *, txn: int) -> int:
    """Raise the rev of other transactions that a note may speak of together with this one; how many."""
    return connection.execute(_SIBLINGS, {"txn": txn}).rowcount


def any_note(txn: int) -> Asked:
    """One row if there is any note of the account of this transaction."""
    return _ANY.of(txn=txn)


def notes_since(txns: Sequence[int]) -> Asked:
    """For each of these transactions, each broker of whom a note of its account ever came, and since when."""
    return _SINCE.of(txns=list(txns))


def noted(txns: Sequence[int]) -> Asked:
    """Every line of the notes of their accounts and days."""
    return _NOTED.of(txns=list(txns))


def traded(txns: Sequence[int]) -> Asked:
    """Every filled leg of their accounts and days, whichever transaction it is of."""
    return _TRADED.of(txns=list(txns))


def rates() -> Asked:
    """The schedules of charges as they stand."""
    return _RATES.of()
