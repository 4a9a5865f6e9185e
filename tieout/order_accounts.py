"""Which account a row of the books means that names a user of the company's: asked once a batch, not once a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from books.orders import Order
from store import accounts
from tieout.line_accounts import account_meant

_REMEMBERED: Final = 200_000  #: names; then all are asked for again
Accounts = tuple[tuple[str, str], ...]  #: (account, broker) of a user


class Owners:
    """The users' accounts as an import needs them. One per import: links do not change under it."""

    def __init__(self, connection: Connection) -> None:
        """Look once whether there are any links; without one nothing is ever asked."""
        self._connection = connection
        self._any = accounts.any_linked(connection)
        self._known: dict[tuple[str, str], Accounts] = {}
        self.unclear = 0  #: rows of users with several accounts that say nothing to choose by

    def of(self, orders: Sequence[Order]) -> Mapping[int, str]:
        """By line of the file, the account of each row that names a user instead."""
        if not self._any:
            return {}
        self._ask({(order.gateway, order.account) for order in orders})
        named = [order for order in orders if self._known[order.gateway, order.account]]
        return self._meant(named) if named else {}

    def _ask(self, pairs: set[tuple[str, str]]) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        if new := sorted(pairs - self._known.keys()):
            self._known |= dict.fromkeys(new, ())
            for row in accounts.named(self._connection, new):
                self._known[row.gateway, row.named] = tuple(zip(row.accounts, row.brokers, strict=True))

    def _meant(self, orders: Sequence[Order]) -> dict[int, str]:
        pairs = sorted({(order.gateway, order.transaction_id) for order in orders if order.transaction_id})
        made = accounts.logged_in(self._connection, pairs) if pairs else {}
        found: dict[int, str] = {}
        for order in orders:
            made_by = made.get((order.gateway, order.transaction_id or ""))
            theirs = self._known[order.gateway, order.account]
            if (account := account_meant(theirs, made_by=made_by, broker=order.broker)) is not None:
                found[order.line] = account
            elif made_by is None:
                self.unclear += 1
        return found
