"""Accounts: one row for every smallcaseAuthId the service ever heard of, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

_ENSURE = text("""
insert into accounts (gateway, account, book, first_seen_at)
select :gateway, account, :book, :now from unnest(cast(:accounts as text[])) as account
order by account
on conflict (gateway, account) do nothing
""")

#: What the answers and the verified webhooks of these transactions name, in one order for all writers.
_ENSURE_OF = text("""
insert into accounts as a (gateway, account, book, broker, first_seen_at)
select gateway, account, min(book), max(broker), :now from (
  select gateway, account, book, broker from transactions where txn = any(:txns) and account is not null
  union all
  select e.gateway, e.account, e.book, null from events e
  join transactions t on t.gateway = e.gateway and t.transaction_id = e.transaction_id
  where t.txn = any(:txns) and t.account is null and e.account is not null
) as named
group by gateway, account order by gateway, account
on conflict (gateway, account) do update set broker = excluded.broker
where a.broker is null and excluded.broker is not null
""")


def ensure(connection: Connection, *, gateway: str, book: str, accounts: Sequence[str], now: datetime) -> None:
    """Make the rows of these smallcaseAuthIds that are missing. `now` is the domain's clock."""
    if wanted := sorted(set(accounts)):
        connection.execute(_ENSURE, {"gateway": gateway, "book": book, "accounts": wanted, "now": now})


def ensure_of(connection: Connection, *, txns: Sequence[int], now: datetime) -> None:
    """Make the rows of the accounts that these transactions' answers, else their webhooks, name."""
    connection.execute(_ENSURE_OF, {"txns": sorted(txns), "now": now})
