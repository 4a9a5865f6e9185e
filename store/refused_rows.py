"""Rows of order files that were refused: kept, counted on a day, replaced by what corrects them.

They are read from the temporary tables that `store.books` opens.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, text

_ONLY_DATE = text("""
select min(day) as day from (select trade_date as day from incoming union select trade_date from unfit) d
where day is not null having count(*) = 1
""")
_REPLACE = text("""
update refused_rows r set replaced_by = :import_id from imports i
where i.import_id = r.import_id and i.kind = 'orders' and r.replaced_by is null
  and not exists (select from unfit u where u.digest = r.digest)
  and (i.file_name = :file_name or exists (
    select from incoming a where a.order_id = r.order_id and a.gateway = coalesce(r.gateway, a.gateway)))
""")
_KEEP = text("""
insert into refused_rows (import_id, row, gateway, order_id, trade_date, digest, raw, problems)
select distinct on (u.digest)
  :import_id, u.row, u.gateway, u.order_id, coalesce(u.trade_date, :day), u.digest, u.raw, u.problems
from unfit u
where not exists (select from refused_rows r where r.digest = u.digest and r.replaced_by is null)
order by u.digest, u.row
""")


def only_date(connection: Connection) -> date | None:
    """The trade date of the file, if its rows name only one."""
    day: date | None = connection.execute(_ONLY_DATE).scalar()
    return day


def write_refused(connection: Connection, *, import_id: int, file_name: str, day: date) -> None:
    """Keep refused rows, on `day` where they name none; what this import settles counts no more.

    That is: refused rows of an earlier import of the same file, and of orders that are accepted now.
    A row that was refused before just so stays as it is and is not doubled.
    """
    connection.execute(text("analyze unfit"))
    connection.execute(_REPLACE, {"import_id": import_id, "file_name": file_name})
    connection.execute(_KEEP, {"import_id": import_id, "day": day})
