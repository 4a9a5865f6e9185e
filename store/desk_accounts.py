"""Accounts with their histories, for people and for the company's backend to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from store.accounts import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One account, whose it is, and how much was refused about it."""

    gateway: str
    account: str
    book: str
    broker: str | None
    user_ref: str | None
    first_seen_at: datetime
    linked_at: datetime | None
    refused: int  #: links and tokens that were refused


_COLUMNS = """
a.gateway, a.account, a.book, a.broker, a.user_ref, a.first_seen_at, a.linked_at,
(select count(*) from account_links l
 where l.gateway = a.gateway and l.account = a.account and l.change = 'refused') as refused
"""
_LIST = text(f"""
select {_COLUMNS} from accounts a
where (cast(:gateways as text[]) is null or a.gateway = any(:gateways))
  and (cast(:user_ref as text) is null or a.user_ref = :user_ref)
  and (not :unlinked or a.user_ref is null)
  and (cast(:after as text) is null or (a.gateway, a.account) > (:after_gateway, :after))
order by a.gateway, a.account limit :limit
""")
_ONE = text(f"""
select {_COLUMNS} from accounts a
where a.account = :account and (cast(:gateways as text[]) is null or a.gateway = any(:gateways))
order by a.gateway limit 1
""")
_HISTORY = text("""
select at, gateway, change, source, by, account, user_ref, reason, held_by, transaction_id from account_links
where gateway = :gateway and account = :account order by link_id desc limit :limit
""")
_REFUSED = text("""
select at, gateway, change, source, by, account, user_ref, reason, held_by, transaction_id from account_links
where change = 'refused' order by link_id desc limit :limit
""")
_COUNTS = text("""
select (select count(*) from accounts where user_ref is not null) as linked,
  (select count(*) from accounts where user_ref is null) as unlinked,
  (select count(*) from account_links where change = 'refused') as refused
""")


def counts(connection: Connection) -> dict[str, int]:
    """How many accounts are linked, how many are nobody's, and how many links and tokens were ever refused."""
    return dict(connection.execute(_COUNTS).one()._mapping)


def listing(
    connection: Connection,
    *,
    gateways: Sequence[str] | None = None,
    user_ref: str | None = None,
    unlinked: bool = False,
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> list[AccountRow]:
    """Accounts by gateway and account; `after` is (gateway, account) of the last one seen."""
    gateway, account = after or (None, None)
    named = {
        "gateways": list(gateways) if gateways is not None else None,
        "user_ref": user_ref,
        "unlinked": unlinked,
        "after_gateway": gateway,
        "after": account,
        "limit": limit,
    }
    return [AccountRow(**row) for row in connection.execute(_LIST, named).mappings()]


def one(connection: Connection, account: str, *, gateways: Sequence[str] | None = None) -> AccountRow | None:
    """The account of that smallcaseAuthId; None if it is unknown."""
    named = {"account": account, "gateways": list(gateways) if gateways is not None else None}
    row = connection.execute(_ONE, named).mappings().first()
    return AccountRow(**row) if row else None


def history(connection: Connection, *, gateway: str, account: str, limit: int) -> list[Change]:
    """What happened to an account, newest first."""
    named = {"gateway": gateway, "account": account, "limit": limit}
    return [Change(**row) for row in connection.execute(_HISTORY, named).mappings()]


def refused(connection: Connection, *, limit: int) -> list[Change]:
    """Links and tokens that were refused, newest first; those that proved no account, too."""
    return [Change(**row) for row in connection.execute(_REFUSED, {"limit": limit}).mappings()]
