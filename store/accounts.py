"""Accounts: one row for every smallcaseAuthId the service ever heard of, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

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


# ---------------------------------------------------------------- whose they are

_LOCK = text("select * from accounts where gateway = :gateway and account = :account for no key update")
_GIVE = text("""
update accounts set user_ref = :user_ref, linked_at = case when cast(:user_ref as text) is null then null else :now end
where gateway = :gateway and account = :account
""")
_NOTE = text("""
insert into account_links (at, gateway, account, user_ref, change, source, reason, held_by, by, transaction_id)
values (:at, :gateway, :account, :user_ref, :change, :source, :reason, :held_by, :by, :transaction_id)
""")
_OF_USER = text("""
select account, broker from accounts where gateway = :gateway and user_ref = :user_ref order by account
""")
_IS_ACCOUNT = text("select exists (select from accounts where gateway = :gateway and account = :named)")
#: Registered for a user, answered by the API with an account that is not that user's. What a person took
#: apart afterwards, and what was refused before, stays as it is.
_CLAIMED = text("""
select t.gateway, t.account, t.user_ref, t.transaction_id, a.book
from transactions t join accounts a on a.gateway = t.gateway and a.account = t.account
where t.txn = any(:txns) and t.user_ref is not null and t.known
  and a.user_ref is distinct from t.user_ref and not exists (
    select from account_links l where l.gateway = t.gateway and l.account = t.account and l.user_ref = t.user_ref
      and (l.change = 'unlinked' and l.at >= t.registered_at
        or l.change = 'refused' and l.transaction_id = t.transaction_id)
  )
order by t.gateway, t.account, t.txn
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of an account's history: linked, refused or unlinked."""

    at: datetime  #: domain's clock
    gateway: str
    change: str
    source: str
    by: str
    account: str | None = None
    user_ref: str | None = None
    reason: str | None = None
    held_by: str | None = None
    transaction_id: str | None = None


def lock(connection: Connection, *, gateway: str, account: str) -> Row[Any] | None:
    """The account's row, locked until the end of the database transaction."""
    return connection.execute(_LOCK, {"gateway": gateway, "account": account}).one_or_none()


def give(connection: Connection, *, gateway: str, account: str, user_ref: str | None, now: datetime) -> None:
    """Let the account be that user's, or nobody's."""
    connection.execute(_GIVE, {"gateway": gateway, "account": account, "user_ref": user_ref, "now": now})


def note(connection: Connection, change: Change) -> None:
    """Keep what happened to an account, or what was refused."""
    connection.execute(_NOTE, asdict(change))


def of_user(connection: Connection, *, gateway: str, user_ref: str) -> list[Row[Any]]:
    """The accounts linked to that user, with their brokers."""
    return list(connection.execute(_OF_USER, {"gateway": gateway, "user_ref": user_ref}))


def is_account(connection: Connection, *, gateway: str, named: str) -> bool:
    """Whether that is an account of the gateway."""
    return bool(connection.execute(_IS_ACCOUNT, {"gateway": gateway, "named": named}).scalar_one())


def claimed(connection: Connection, *, txns: Sequence[int]) -> list[Row[Any]]:
    """Which of these transactions were registered for a user who does not have the account that they name."""
    return list(connection.execute(_CLAIMED, {"txns": list(txns)}))


# ---------------------------------------------------------------- what the books call them

#: The accounts of those of these names that are users; an account's own id is itself, whoever is called so.
_NAMED = text("""
select n.gateway, n.named, array_agg(a.account order by a.account) as accounts,
  array_agg(coalesce(a.broker, '') order by a.account) as brokers
from unnest(cast(:gateways as text[]), cast(:named as text[])) as n(gateway, named)
join accounts a on a.gateway = n.gateway and a.user_ref = n.named
where not exists (select from accounts x where x.gateway = n.gateway and x.account = n.named)
group by n.gateway, n.named
""")
_ANY = text("select exists (select from accounts where user_ref is not null)")
_LOGGED_IN = text("""
select gateway, transaction_id, account from transactions
where (gateway, transaction_id) in (select * from unnest(cast(:gateways as text[]), cast(:ids as text[])))
  and account is not null
""")


def any_linked(connection: Connection) -> bool:
    """Whether any account is linked to a user."""
    return bool(connection.execute(_ANY).scalar_one())


def named(connection: Connection, pairs: Sequence[tuple[str, str]]) -> list[Row[Any]]:
    """Of these (gateway, name): those that are users, with their accounts and brokers."""
    given = {"gateways": [gateway for gateway, _ in pairs], "named": [name for _, name in pairs]}
    return list(connection.execute(_NAMED, given))


def logged_in(connection: Connection, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """By which account each of these (gateway, transactionId) was made, where it is known."""
    given = {"gateways": [gateway for gateway, _ in pairs], "ids": [each for _, each in pairs]}
    return {(row.gateway, row.transaction_id): row.account for row in connection.execute(_LOGGED_IN, given)}
