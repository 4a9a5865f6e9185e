"""What a listing may be called on a day, its symbol written with the series too, and which ISIN came after which."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text

from recon.market import SHARE_SERIES

#: Every way to write a listing, with its ISIN from a day to a day; stands for the table where a symbol is looked up.
LISTED = """(
  select exchange, symbol, valid_from, valid_to, isin from instruments
  union all select exchange, symbol, valid_from, valid_to, isin from spellings)"""

#: A symbol with any series told of it and its ISIN; of a share, with every series in which shares trade.
_SPELL = text("""
create temp table spelt on commit drop as
with told as (
  select distinct exchange, symbol, isin, series from instruments where series is not null
), series_of as (
  select * from told
  union
  select t.exchange, t.symbol, t.isin, f.series from told t
  cross join unnest(cast(:shares as text[])) as f (series) where t.series = any(:shares)
)
select i.exchange, i.symbol || '-' || s.series as symbol, i.valid_from, i.valid_to, i.isin
from instruments i join series_of s on (s.exchange, s.symbol, s.isin) = (i.exchange, i.symbol, i.isin)
where right(i.symbol, length(s.series) + 1) <> '-' || s.series
""")
#: What the table lists under that name itself is not derived.
_OWN = text("delete from spelt s using instruments own where own.exchange = s.exchange and own.symbol = s.symbol")
_UNSPELL = text("""
delete from spellings x where not exists (
  select from spelt s
  where s.exchange = x.exchange and s.symbol = x.symbol and s.valid_from = x.valid_from)
""")
_RESPELL = text("""
insert into spellings as x select s.* from spelt s
on conflict (exchange, symbol, valid_from) do update set (valid_to, isin) = (excluded.valid_to, excluded.isin)
where (x.valid_to, x.isin) is distinct from (excluded.valid_to, excluded.isin)
""")

_SUCCESSIONS = text("""
select isin, successor as new_isin, max(valid_to) + 1 as since from instruments
where successor is not null group by isin, successor order by isin, successor
""")
_LINKS = text("""
select isin, successor as new_isin, 'the table of instruments' as said_by, exchange, symbol, valid_from, valid_to
from instruments where successor is not null order by isin, exchange, symbol
""")
_ACTIONS = text("""
select isin, new_isin, kind || ' of ' || ex_date as said_by, ex_date from (
  select distinct on (kind, isin, ex_date) kind, isin, ex_date, new_isin from corporate_actions
  where kind = any(:kinds) order by kind, isin, ex_date, version desc
) newest where new_isin is not null order by isin, ex_date
""")

_LISTED_ACTIONS = text("""
select * from (
  select kind, isin, new_isin, temporary_isin, ex_date, ratio_from, ratio_to, record_date, credited_by, version,
    known_at, lead(known_at) over (partition by kind, isin, ex_date order by version) as replaced_at
  from corporate_actions
) told
where (:versions or replaced_at is null) and (cast(:day as date) is null or ex_date <= :day)
  and (cast(:about as text) is null or :about in (isin, new_isin, temporary_isin, kind))
order by ex_date, isin, kind, version limit :limit
""")


def respell(connection: Connection) -> None:
    """Make the spellings follow the table of instruments; only what differs is written."""
    connection.execute(text("drop table if exists spelt"))
    connection.execute(_SPELL, {"shares": list(SHARE_SERIES)})
    for statement in (_OWN, text("analyze spelt, spellings"), _UNSPELL, _RESPELL):
        connection.execute(statement)


def successions(connection: Connection) -> Sequence[Row[Any]]:
    """Which ISIN came after which by the table of instruments: isin, new_isin, since (the first day of the new one)."""
    return connection.execute(_SUCCESSIONS).all()


def successors_told(connection: Connection, *, but: Collection[tuple[str, str, date]] = ()) -> Sequence[Row[Any]]:
    """The successors that periods of the table tell, less the periods (exchange, symbol, first day) in `but`."""
    replaced = set(but)
    rows = connection.execute(_LINKS).all()
    return [row for row in rows if (row.exchange, row.symbol, row.valid_from) not in replaced]


def renaming_actions(connection: Connection, kinds: Collection[str]) -> Sequence[Row[Any]]:
    """The corporate actions of these kinds as they stand: isin, new_isin, said_by in words, ex_date."""
    return connection.execute(_ACTIONS, {"kinds": list(kinds)}).all()


def listed_actions(
    connection: Connection, *, day: date | None, about: str | None, versions: bool = False, limit: int | None = None
) -> Sequence[Row[Any]]:
    """The corporate actions whose ex-date that day has reached, or all; of one ISIN or kind; every version if asked."""
    named = {"day": day, "about": about, "versions": versions, "limit": limit}
    return connection.execute(_LISTED_ACTIONS, named).all()
