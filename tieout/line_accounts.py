"""What a line of the books means that names a user: stored as the account once it is known, and judged again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row

from recon.lines import facts_of_ours
from recon.values import OurLine
from store import accounts
from store.line_accounts import LINE, lines_made, lines_of_user, store_accounts

Accounts = Sequence[tuple[str, str]]  #: (account, broker) of a user; the broker is "" where nobody said it


def account_meant(theirs: Accounts, *, made_by: str | None, broker: str | None) -> str | None:
    """Which of the user's accounts a row means, None if nothing tells.

    The account that made the transaction counts before all; while that is not known, the user's only one, else
    the only one at the row's broker.
    """
    if made_by is not None:
        return made_by if made_by in {account for account, _ in theirs} else None
    if len(theirs) == 1:
        return theirs[0][0]
    at_broker = [account for account, at in theirs if broker and at.lower() == broker.lower()]
    return at_broker[0] if len(at_broker) == 1 else None


def resolve_user(connection: Connection, *, gateway: str, user_ref: str) -> int:
    """Store the lines that name this user as the account they mean now; how many."""
    rows = lines_of_user(connection, gateway=gateway, user_ref=user_ref)
    if not rows:
        return 0
    found = accounts.of_user(connection, gateway=gateway, user_ref=user_ref)
    theirs = [(row.account, row.broker or "") for row in found]
    meant = {row.line: account_meant(theirs, made_by=row.made_by, broker=row.broker) for row in rows}
    return _store(connection, rows, meant)


def resolve_made(connection: Connection, *, txns: Sequence[int]) -> int:
    """Store the lines of these transactions that name the user whose account made them as that account; how many."""
    rows = lines_made(connection, txns=txns)
    return _store(connection, rows, {row.line: row.made_by for row in rows}) if rows else 0


def _store(connection: Connection, rows: Sequence[Row[Any]], meant: Mapping[int, str | None]) -> int:
    known = [(row, account) for row in rows if (account := meant[row.line]) is not None]
    if known:
        values = [(row.line, account, facts_of_ours(_line(row, account))) for row, account in known]
        store_accounts(connection, values, txns=[row.txn for row, _ in known if row.txn is not None])
    return len(known)


def _line(row: Row[Any], account: str) -> OurLine:
    line = OurLine(**{name: row._mapping[name] for name in LINE})
    return replace(line, account=account)
