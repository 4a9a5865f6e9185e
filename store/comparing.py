"""The transactions of a day, a range at a time, for those who judge them without writing anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from sqlalchemy import Connection, text

_OF_DAY = text("""
select txn from (
  select o.txn from our_lines o where o.trade_date = :day and o.gateway = :gateway and o.txn is not null
  union
  select e.txn from their_lines e join transactions t on t.txn = e.txn and t.gateway = :gateway
  where e.trade_date = :day
) found where txn > :after order by txn limit :limit
""")


def freeze(connection: Connection) -> None:
    """Read everything of this database transaction from one instant, and write nothing; call it first."""
    connection.execute(text("set transaction isolation level repeatable read, read only"))


def txns_of_day(connection: Connection, *, gateway: str, day: date, many: int) -> Iterator[Sequence[int]]:
    """The transactions with a line of that trade date, `many` at a time."""
    after = 0
    while True:
        named = {"gateway": gateway, "day": day, "after": after, "limit": many}
        found = list(connection.execute(_OF_DAY, named).scalars())
        if not found:
            return
        yield found
        after = found[-1]
