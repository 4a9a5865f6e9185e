"""The dated table of instruments: which ISIN a symbol stood for on a day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from store.listings import LISTED, respell

Listing = tuple[str, str]  #: exchange and symbol
Period = tuple[date, date | None, str]  #: first day, last day (None: until now), ISIN

_READ_ALL = text(f"select exchange, symbol, valid_from, valid_to, isin from {LISTED} i")
_READ_SOME = text(f"""
select i.exchange, i.symbol, i.valid_from, i.valid_to, i.isin from {LISTED} i
join unnest(cast(:exchanges as text[]), cast(:symbols as text[])) as wanted (exchange, symbol)
  on wanted.exchange = i.exchange and wanted.symbol = i.symbol
""")


@dataclass(frozen=True, slots=True)
class Master:
    """The instruments as read once, for many lines."""

    periods: dict[Listing, list[Period]] = field(default_factory=dict)
    isins: frozenset[str] = frozenset()

    def isin_at(self, exchange: str, symbol: str, day: date) -> str | None:
        """The ISIN of that listing on that IST date; None when the table does not know."""
        for start, end, isin in self.periods.get((exchange, symbol), ()):
            if start <= day and (end is None or day <= end):
                return isin
        return None

    def instrument_at(self, exchange: str, symbol: str, day: date, isin: str | None = None) -> str:
        """The instrument's identity: its ISIN by the table, else EXCHANGE:SYMBOL.

        A line's own `isin` counts where the table knows that ISIN but not the symbol: the other side
        is named by the table, too, and an ISIN unknown to it could never be equal to anything.
        """
        own = isin if isin in self.isins else None
        return self.isin_at(exchange, symbol, day) or own or f"{exchange}:{symbol}"


def read_master(connection: Connection, *, listings: Collection[Listing] | None = None) -> Master:
    """The table of instruments, whole or of these (exchange, symbol) only."""
    if listings is None:
        return _master(connection.execute(_READ_ALL))
    pairs = sorted(set(listings))
    wanted = {"exchanges": [pair[0] for pair in pairs], "symbols": [pair[1] for pair in pairs]}
    return _master(connection.execute(_READ_SOME, wanted)) if pairs else Master()


def _master(rows: Iterable[Row[Any]]) -> Master:
    periods: dict[Listing, list[Period]] = {}
    for row in rows:
        periods.setdefault((row.exchange, row.symbol), []).append((row.valid_from, row.valid_to, row.isin))
    return Master(periods, frozenset(period[2] for dated in periods.values() for period in dated))


_PERIODS = text("""
select i.exchange, i.symbol, i.valid_from, i.valid_to, i.isin, i.series, i.successor from instruments i
join unnest(cast(:exchanges as text[]), cast(:symbols as text[])) as wanted (exchange, symbol)
  on wanted.exchange = i.exchange and wanted.symbol = i.symbol
""")
_LISTED = text("""
select exchange, symbol, series, isin, valid_from, valid_to, successor, replaced_at from (
  select exchange, symbol, series, isin, valid_from, valid_to, successor, cast(null as timestamptz) as replaced_at,
    0 as version
  from instruments
  union all
  select v.exchange, v.symbol, v.series, v.isin, v.valid_from, v.valid_to, v.successor, r.imported_at, v.version
  from instrument_versions v join imports r on r.import_id = v.replaced_by where :versions
) told
where (cast(:day as date) is null or (valid_from <= :day and (valid_to is null or valid_to >= :day)))
  and (cast(:about as text) is null or :about in (symbol, isin, successor))
order by exchange, symbol, valid_from, replaced_at nulls last, version limit :limit
""")


def periods_of(connection: Connection, listings: Collection[Listing]) -> Sequence[Row[Any]]:
    """The stored periods of these (exchange, symbol), with all that they say."""
    pairs = sorted(set(listings))
    wanted = {"exchanges": [pair[0] for pair in pairs], "symbols": [pair[1] for pair in pairs]}
    return connection.execute(_PERIODS, wanted).all()


def listed_instruments(
    connection: Connection, *, day: date | None, about: str | None, versions: bool = False, limit: int | None = None
) -> Sequence[Row[Any]]:
    """The periods that hold on that day, or all; of one symbol or ISIN if asked; with what was replaced if asked."""
    named = {"day": day, "about": about, "versions": versions, "limit": limit}
    return connection.execute(_LISTED, named).all()


# ---------------------------------------------------------------- changing the table

#: The periods at hand; the parameters of `write_periods`.
_GIVEN = """
unnest(cast(:exchanges as text[]), cast(:symbols as text[]), cast(:starts as date[]), cast(:ends as date[]),
  cast(:isins as text[]), cast(:series as text[]), cast(:successors as text[]))
  as n (exchange, symbol, valid_from, valid_to, isin, series, successor)"""
#: What is about to be said otherwise stays, as it was.
_KEEP = text(f"""
insert into instrument_versions
  (exchange, symbol, valid_from, version, valid_to, isin, series, successor, import_id, replaced_by)
select i.exchange, i.symbol, i.valid_from, coalesce((
    select max(v.version) from instrument_versions v
    where v.exchange = i.exchange and v.symbol = i.symbol and v.valid_from = i.valid_from), 0) + 1,
  i.valid_to, i.isin, i.series, i.successor, i.import_id, :import_id
from {_GIVEN}
join instruments i on i.exchange = n.exchange and i.symbol = n.symbol and i.valid_from = n.valid_from
where (i.valid_to, i.isin, i.series, i.successor) is distinct from (n.valid_to, n.isin, n.series, n.successor)
""")
_UPSERT = text(f"""
insert into instruments as was (exchange, symbol, valid_from, valid_to, isin, series, successor, import_id)
select n.*, cast(:import_id as bigint) from {_GIVEN}
on conflict (exchange, symbol, valid_from) do update
set (valid_to, isin, series, successor, import_id)
  = (excluded.valid_to, excluded.isin, excluded.series, excluded.successor, excluded.import_id)
""")
#: Our lines that are called otherwise now: by the table, by their own ISIN if the table knows it, or by name.
_RENAMED = text(f"""
create temp table renamed on commit drop as
select * from (
  select o.line, o.txn, o.instrument as was,
    coalesce(i.isin, k.isin, o.exchange || ':' || o.symbol) as instrument
  from our_lines o
  left join {LISTED} i on i.exchange = o.exchange and i.symbol = o.symbol
    and i.valid_from <= o.trade_date and (i.valid_to is null or i.valid_to >= o.trade_date)
  left join (select distinct isin from instruments) k on k.isin = o.isin
) named where instrument <> was
""")
_RENAMED_LINES = text("""
select o.line, o.order_id, o.account, o.trade_date, o.exchange, o.symbol, r.instrument, o.side, o.quantity, o.filled,
  o.average_price, o.status, o.batch_id, o.exchange_order_id, o.broker
from renamed r join our_lines o on o.line = r.line where r.line > :after order by r.line limit :limit
""")
_RENAME = text("""
update our_lines o set instrument = n.instrument, facts = n.facts
from unnest(cast(:lines as bigint[]), cast(:instruments as text[]), cast(:facts as bytea[]))
  as n (line, instrument, facts)
where o.line = n.line
""")
_TOUCHED = text(f"""
create temp table touched on commit drop as
select txn from renamed where txn is not null
union
select e.txn from their_lines e
left join {LISTED} i on i.exchange = e.exchange and i.symbol = e.symbol
  and i.valid_from <= e.trade_date and (i.valid_to is null or i.valid_to >= e.trade_date)
where e.instrument <> coalesce(i.isin, e.exchange || ':' || e.symbol)
union
select txn from unmapped
""")
#: Lines of either side without an ISIN although the table knows their exchange on their day, not yet found so.
_UNMAPPED = text("""
create temp table unmapped on commit drop as
select txn from (
  select o.txn, o.line as ours, cast(null as bigint) as theirs, o.exchange, o.trade_date from our_lines o
  where o.txn is not null and o.instrument = o.exchange || ':' || o.symbol
  union all
  select e.txn, null, e.line, e.exchange, e.trade_date from their_lines e
  where e.instrument = e.exchange || ':' || e.symbol
) l
where exists(
  select from instruments i where i.exchange = l.exchange
    and i.valid_from <= l.trade_date and (i.valid_to is null or i.valid_to >= l.trade_date)
) and not exists(
  select from findings f where f.txn = l.txn and f.name = 'unmapped' and f.closed_at is null
    and (f.ours_line = l.ours or f.theirs_line = l.theirs)
)
""")
#: The one statement must leave them to the judge.
_UNPLAIN = text("update their_lines set plain = false where plain and txn in (select txn from unmapped)")
_LOCK_TOUCHED = text("""
select count(*) from (
  select from transactions where txn in (select txn from touched) order by txn for no key update
) locked
""")
#: Not quiet until its legs bear the new names: the one statement would pair them under the old.
_TOUCH = text("update transactions set rev = rev + 1, quiet = false where txn in (select txn from touched)")


def write_periods(
    connection: Connection,
    periods: Sequence[tuple[str, str, date, date | None, str, str | None, str | None]],
    *,
    import_id: int,
) -> None:
    """Store (exchange, symbol, first day, last day, ISIN, series, successor).

    What began on the same day is kept as a version; the ways to write each listing follow.
    """
    if not periods:
        return
    names = ("exchanges", "symbols", "starts", "ends", "isins", "series", "successors")
    named: dict[str, object] = {n: list(c) for n, c in zip(names, zip(*periods, strict=True), strict=True)}
    for statement in (_KEEP, _UPSERT):
        connection.execute(statement, {**named, "import_id": import_id})
    respell(connection)


def find_renamed(connection: Connection) -> None:
    """Find what the table now calls otherwise, or cannot name, and raise the rev of its transactions.

    The other side's lines are derived anew when their transactions are judged.
    """
    connection.execute(_RENAMED)
    connection.execute(_UNMAPPED)
    connection.execute(_TOUCHED)
    connection.execute(_LOCK_TOUCHED)
    connection.execute(_UNPLAIN)
    connection.execute(_TOUCH)


def renamed_lines(connection: Connection, *, after: int, limit: int) -> Sequence[Row[Any]]:
    """Our renamed lines with their new instrument, in order of `line`."""
    return connection.execute(_RENAMED_LINES, {"after": after, "limit": limit}).all()


def rename(connection: Connection, lines: Sequence[tuple[int, str, bytes]]) -> None:
    """Store (line, instrument, facts) of renamed lines."""
    numbers, instruments, facts = (list(column) for column in zip(*lines, strict=True))
    connection.execute(_RENAME, {"lines": numbers, "instruments": instruments, "facts": facts})
