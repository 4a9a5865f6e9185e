"""A person's word on two lines: that they are one order, or that they are not; and taking it back.

A decision goes before every rung of matching, changes no fact, and is judged at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from recon.decided import Ruling
from recon.keys import their_keys
from recon.values import TheirLine
from store import decisions as store
from store.states import their_lines
from store.together import rows_of
from tieout.cases import leg_of
from tieout.reconcile import reconcile
from tieout.rules import Rules

LISTED = 20  #: legs named in a message
COLUMNS = (
    "decision",
    "gateway",
    "transaction_id",
    "kind",
    "ours",
    "theirs",
    "who",
    "why",
    "at",
    "undone_at",
    "undone_by",
    "undone_why",
)


class UndecidableError(Exception):
    """The decision cannot be taken; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Who decides, why and when by the domain's clock."""

    who: str
    why: str
    now: datetime


def decide(
    connection: Connection,
    *,
    ruling: Ruling,
    order_id: str,
    theirs: str,
    word: Word,
    rules: Rules,
    gateway: str | None = None,
) -> int:
    """Take a decision and judge its transaction with it; its number. Raises `UndecidableError`.

    `theirs` is the exchange order id of the leg, or its key as `tieout explain` shows it.
    """
    _said(word)
    line = _our_line(connection, order_id, gateway)
    store.hold(connection, txn=line.txn)
    key = _their_key(connection, line, theirs)
    _fits(connection, line, key, ruling)
    number = store.write(
        connection, gateway=line.gateway, txn=line.txn, kind=ruling.value, ours=order_id, theirs=key,
        who=word.who, why=word.why, now=word.now,
    )  # fmt: skip
    reconcile(connection, txns=[line.txn], now=word.now, rules=rules)
    return number


def take_back(connection: Connection, *, decision_id: int, word: Word, rules: Rules) -> None:
    """Undo that decision and no other, and judge its transaction without it. Raises `UndecidableError`."""
    _said(word)
    found = store.one(connection, decision_id=decision_id)
    if found is None:
        raise UndecidableError(f"there is no decision {decision_id}: see tieout match list --all")
    store.hold(connection, txn=found.txn)
    if not store.undo(connection, decision_id=decision_id, txn=found.txn, who=word.who, why=word.why, now=word.now):
        raise UndecidableError(f"decision {decision_id} is undone already: see tieout match list --all")
    reconcile(connection, txns=[found.txn], now=word.now, rules=rules)


def listing(
    connection: Connection, *, gateway: str | None = None, transaction_id: str | None = None, everything: bool = False
) -> list[dict[str, object]]:
    """Decisions as listings print them, oldest first."""
    rows = store.listing(connection, gateway=gateway, transaction_id=transaction_id, everything=everything)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _said(word: Word) -> None:
    if not word.who.strip() or not word.why.strip():
        raise UndecidableError("a decision says who takes it and why: neither may be empty")


def _our_line(connection: Connection, order_id: str, gateway: str | None) -> Row[Any]:
    found = store.lines_named(connection, order_id=order_id, gateway=gateway)
    if not found:
        raise UndecidableError(f"your books hold no order {order_id!r}: the first name is your own order id")
    if len(found) > 1:
        names = ", ".join(row.gateway for row in found)
        raise UndecidableError(f"several gateways have an order {order_id!r} ({names}): say which with --gateway")
    if found[0].txn is None:
        raise UndecidableError(f"order {order_id!r} names no transaction, so nothing can be matched with it")
    return found[0]


def _their_key(connection: Connection, line: Row[Any], theirs: str) -> str:
    """The leg's key, by itself or by an exchange order id that only one leg has."""
    rows = rows_of(connection, their_lines([line.txn]))
    legs = [
        TheirLine(line=r.line, batch_id=r.batch_id, leg=leg_of(r), instrument=r.instrument, trade_date=r.trade_date)
        for r in rows
    ]
    keys = their_keys(legs)
    if theirs in keys.values():
        return theirs
    listed = ", ".join(sorted(keys.values())[:LISTED]) or "none"
    raise UndecidableError(
        f"transaction {line.transaction_id} has no leg {theirs!r} at the Gateway; its legs are: {listed}"
    )


def _fits(connection: Connection, line: Row[Any], key: str, ruling: Ruling) -> None:
    """Whether no decision that counts says the same, or stands in the way."""
    for other in store.counting(connection, txn=line.txn, ours=line.order_id, theirs=key):
        same_pair = (other.ours, other.theirs) == (line.order_id, key)
        if same_pair and other.kind == ruling.value:
            raise UndecidableError(f"{other.who} decided so before: decision {other.decision_id}")
        both_together = ruling is Ruling.TOGETHER and other.kind == Ruling.TOGETHER.value
        if same_pair or both_together:
            raise UndecidableError(
                f"decision {other.decision_id} says that {other.ours} and {other.theirs} are {other.kind}: "
                f"undo it first with tieout match undo {other.decision_id}"
            )
