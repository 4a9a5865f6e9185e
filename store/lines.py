"""The lines of the company's books (I), and what an instrument is called on a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import Connection

from store import schema
from store.listings import LISTED
from store.recordset import as_parameter, records
from store.together import Asked, Query, Record, rows_of

_OURS = Query("""
select line, txn, order_id, account, trade_date, exchange, symbol, instrument, side, quantity, filled,
  average_price, status, batch_id, exchange_order_id, broker, executed_at
from our_lines where txn = any(:txns) order by txn, line
""")
_ISINS = Query(f"""
select distinct r.exchange, r.symbol, r.valid_from as day, i.isin
from {records(schema.instruments, "exchange", "symbol", "valid_from")}
left join {LISTED} i on i.exchange = r.exchange and i.symbol = r.symbol
  and i.valid_from <= r.valid_from and (i.valid_to is null or i.valid_to >= r.valid_from)
where i.isin is not null or exists(
  select from instruments k where k.exchange = r.exchange
    and k.valid_from <= r.valid_from and (k.valid_to is null or k.valid_to >= r.valid_from)
)
""")
_RENAMED = Query(f"""
select distinct e.txn from their_lines e
left join {LISTED} i on i.exchange = e.exchange and i.symbol = e.symbol
  and i.valid_from <= e.trade_date and (i.valid_to is null or i.valid_to >= e.trade_date)
where e.txn = any(:txns) and e.instrument <> coalesce(i.isin, e.exchange || ':' || e.symbol)
""")


def our_lines(txns: Sequence[int]) -> Asked:
    """The lines of the books that name these transactions."""
    return _OURS.of(txns=list(txns))


def isins_on(connection: Connection, named: Iterable[tuple[str, str, date]]) -> dict[tuple[str, str, date], str | None]:
    """The ISIN of each (exchange, symbol) on that date, by the table of instruments.

    None where the table knows that exchange on that date and not the symbol; left out where it knows neither.
    """
    wanted = set(named)
    return read_isins(rows_of(connection, isins_of(wanted))) if wanted else {}


def isins_of(named: Iterable[tuple[str, str, date]]) -> Asked:
    """The question of `isins_on`, to be asked with others."""
    wanted = [{"exchange": e, "symbol": s, "valid_from": day} for e, s, day in sorted(set(named))]
    return _ISINS.of(rows=as_parameter(wanted))


def read_isins(rows: Iterable[Record]) -> dict[tuple[str, str, date], str | None]:
    """Its answer."""
    return {(row.exchange, row.symbol, row.day): row.isin for row in rows}


def renamed(connection: Connection, txns: Sequence[int]) -> list[int]:
    """Those of these transactions whose instruments are called otherwise since they were stored."""
    return [row.txn for row in rows_of(connection, _RENAMED.of(txns=list(txns)))]
