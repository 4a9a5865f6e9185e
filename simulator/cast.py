"""The people of a scenario."""

from __future__ import annotations

import hashlib

from simulator.day import Day
from simulator.draw import BROKERS, Account
from simulator.ledger import Lot
from simulator.people import FUNDS, Fund, Person, Smallcase
from simulator.shares import SHARES, Share
from simulator.table import BadTableError, Table

_SHARES = {share.symbol: share for share in SHARES}


def read_person(table: Table, day: Day) -> Person:
    """The person that a [[person]] describes. Raises `BadTableError`."""
    name = table.text("name")
    on = day.trade_date
    digest = hashlib.sha256(f"person {name}".encode()).hexdigest()
    smallcase, held = table.counts("smallcase"), table.counts("holds")
    person = Person(
        name=name,
        account=Account(table.text("account", digest[:24]), table.text("broker", "kite", among=BROKERS)),
        consented=table.flag("consent", otherwise=True),
        refreshed_at=table.instant("last_login", on) if table.has("last_login") else day.start,
        lots=[_lot(table, symbol, count, smallcase) for symbol, count in held.items()],
        funds=[_fund(digest, turn) for turn in range(table.whole("funds", 0))],
        smallcases=[_smallcase(digest, smallcase)] if smallcase else (),
        leprechaun=table.flag("leprechaun", otherwise=False),
    )
    if person.consented and not table.flag("imported", otherwise=True):
        person.refreshed_at = None
    table.end()
    return person


def _lot(table: Table, symbol: str, count: int, smallcase: dict[str, int]) -> Lot:
    share = share_in(table, "holds", symbol)
    pledged, suspended = table.counts("pledged"), table.texts("suspended")
    return Lot(
        share=share,
        quantity=count,
        price=share.price,
        collateral=pledged.get(symbol, 0),
        smallcase=smallcase.get(symbol, 0),
        suspended=symbol in suspended,
        bse_only=symbol in table.texts("bse_only"),
    )


def _fund(digest: str, turn: int) -> Fund:
    name, isin, nav = FUNDS[turn % len(FUNDS)]
    return Fund(folio=f"{int(digest[:7], 16)}/{turn}", name=name, isin=isin, milliunits=12_345, cost=nav - 500, nav=nav)


def _smallcase(digest: str, shares: dict[str, int]) -> Smallcase:
    return Smallcase(scid="SCMO_0001", iscid=digest[24:48], name="Top Movers", shares=shares)


def share_in(table: Table, key: str, symbol: str) -> Share:
    """The share of that symbol; `key` is what names it. Raises `BadTableError`."""
    if symbol not in _SHARES:
        raise BadTableError(f"{table.where}: `{key}` names {symbol!r}; there are {', '.join(sorted(_SHARES))}")
    return _SHARES[symbol]
