"""Accounts as people look at them: whose they are, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from store import desk_accounts
from store.accounts import Change
from store.desk_accounts import AccountRow
from tieout.desk.paging import Page, cut, read, written

__all__ = ["AccountRow", "AccountWhole", "Change", "listing", "page", "refused", "show"]

PAGE: Final = 100
SHOWN: Final = 200  #: entries of a history


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWhole:
    """One account with its history, newest first."""

    row: AccountRow
    history: tuple[Change, ...]


def listing(
    engine: Engine,
    *,
    gateways: Sequence[str] | None = None,
    user_ref: str | None = None,
    unlinked: bool = False,
    limit: int | None = None,
) -> list[AccountRow]:
    """Accounts, all of them unless narrowed."""
    with engine.connect() as connection:
        return desk_accounts.listing(connection, gateways=gateways, user_ref=user_ref, unlinked=unlinked, limit=limit)


def page(engine: Engine, *, user_ref: str | None, unlinked: bool, after: str | None) -> Page[AccountRow]:
    """One page of accounts. Raises `BadCursorError`."""
    cursor = read(after, 2)
    with engine.connect() as connection:
        rows = desk_accounts.listing(
            connection,
            user_ref=user_ref,
            unlinked=unlinked,
            after=(cursor[0], cursor[1]) if cursor else None,
            limit=PAGE + 1,
        )
    kept, last = cut(rows, PAGE)
    return Page(rows=kept, after=written(last.gateway, last.account) if last else None)


def show(engine: Engine, account: str, *, gateways: Sequence[str] | None = None) -> AccountWhole | None:
    """One account whole; None if it is unknown."""
    if "\0" in account:
        return None
    with engine.connect() as connection:
        row = desk_accounts.one(connection, account, gateways=gateways)
        if row is None:
            return None
        history = desk_accounts.history(connection, gateway=row.gateway, account=account, limit=SHOWN)
    return AccountWhole(row=row, history=tuple(history))


def refused(engine: Engine, *, limit: int = PAGE) -> list[Change]:
    """Links and tokens that were refused, newest first."""
    with engine.connect() as connection:
        return desk_accounts.refused(connection, limit=limit)
