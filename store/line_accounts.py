"""Lines of the books that name a user of the company's instead of an account, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, text

_AS_ACCOUNT: Final = 24  #: characters of a smallcaseAuthId: user ids of that length are in no index

#: What `recon.values.OurLine` is made of.
LINE: Final = (
    *("line", "order_id", "account", "trade_date", "exchange", "symbol", "instrument", "side", "quantity", "filled"),
    *("average_price", "status", "batch_id", "exchange_order_id", "broker"),
)
_LINE = ", ".join(f"o.{name}" for name in LINE)
_OF_USER = f"""
select {_LINE}, o.txn, t.account as made_by from our_lines o left join transactions t on t.txn = o.txn
where o.gateway = :gateway and o.account = :user_ref and {{length}} order by o.line
"""
_INDEXED, _WHOLE = (text(_OF_USER.format(length=said)) for said in ("length(o.account) <> 24", "true"))
_MADE = text(f"""
select {_LINE}, o.txn, t.account as made_by from our_lines o join transactions t on t.txn = o.txn
join accounts a on a.gateway = t.gateway and a.account = t.account and a.user_ref = o.account
where o.txn = any(:txns) order by o.line
""")
_LOCK = text("""
select count(*) from (
  select from transactions where txn = any(:txns) order by txn for no key update
) locked
""")
_STORE = text("""
update our_lines o set account = n.account, facts = n.facts
from unnest(cast(:lines as bigint[]), cast(:accounts as text[]), cast(:facts as bytea[])) as n (line, account, facts)
where o.line = n.line
""")
_TOUCH = text("update transactions set rev = rev + 1 where txn = any(:txns)")


def lines_of_user(connection: Connection, *, gateway: str, user_ref: str) -> Sequence[Row[Any]]:
    """The lines that name that user, with `txn` and `made_by`, the account that made their transaction."""
    statement = _WHOLE if len(user_ref) == _AS_ACCOUNT else _INDEXED
    return connection.execute(statement, {"gateway": gateway, "user_ref": user_ref}).all()


def lines_made(connection: Connection, *, txns: Sequence[int]) -> Sequence[Row[Any]]:
    """The lines of these transactions that name the user whose account made them, in the same form."""
    return connection.execute(_MADE, {"txns": list(txns)}).all()


def store_accounts(connection: Connection, meant: Sequence[tuple[int, str, bytes]], *, txns: Sequence[int]) -> None:
    """Store (line, account, facts), and raise the rev of their transactions, which are locked in order."""
    lines, accounts, facts = (list(column) for column in zip(*meant, strict=True))
    named = sorted(set(txns))
    connection.execute(_LOCK, {"txns": named})
    connection.execute(_STORE, {"lines": lines, "accounts": accounts, "facts": facts})
    connection.execute(_TOUCH, {"txns": named})
