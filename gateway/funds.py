"""Mutual funds: rows of the API, and webhooks whose exact keys nobody published.

The names are matched without regard to case, spaces and underscores. Each row is kept whole besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from gateway.fields import as_object, read_object
from gateway.lenient import REMARK, UNREADABLE, BadRow, Notes, NotUnderstood, Place, plain


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


HOLDING: Final = "holding"
TRANSACTION: Final = "transaction"

#: What a field may be called, folded. The first that a row has counts.
_FOLIO: Final = ("folio", "foliono", "folionumber", "foliodetail")
_FUND: Final = ("fund", "schemename", "scheme", "fundname", "name", "schemedesc")
_UNITS: Final = ("quantity", "units", "closingbalance", "balanceunits", "availableunits", "totalunits", "closingunits")
_TRADED: Final = ("trxnunits", "transactionunits", "units", "quantity")
_AVERAGE: Final = ("averageprice", "averagenav", "avgnav", "costperunit", "avgcost")
_PRICE: Final = ("lastprice", "nav", "latestnav", "currentnav", "purchaseprice", "price")
_DATED: Final = ("lastpricedate", "navdate", "lastnavdate", "latestnavdate", "dateofcalculation", "asondate")
_TRADED_ON: Final = ("trxndate", "transactiondate", "tradedate", "date", "posteddate")
_VALUE: Final = ("marketvalue", "currentvalue", "currentmktvalue", "value")
_AMOUNT: Final = ("trxnamount", "transactionamount", "amount")
_WORDS: Final = ("trxndesc", "transactiontype", "description", "trxntypeflag", "type", "trxnmode")
#: Seen or documented, of no use in a line: kept in the raw row without a word.
_KNOWN: Final = _names(
    "kycstatus brokercode brokername arn arncode lasttrxndate lasttransactiondate lasttransaction amc amcname rtacode"
    " schemecode isdemat assettype planmode taxstatus nomineestatus email pan decimalunits decimalamount decimalnav"
    " openingbal openingbalance costvalue checkdigit scheme schemename stampduty stttax totaltax trxncharge"
    " posteddate trxnmode trxntypeflag"
)
_TRANSACTIONS: Final = ("transactions", "dttransaction", "dttransactions", "orders")
#: Under these lie rows of holdings, or an object in which such names are found again.
_INSIDE: Final = ("summary", "dtsummary", "holdings", "data", "payload", "casdetail", "cassummary", *_TRANSACTIONS)
DEEPEST: Final = 8
_ELSEWHERE: Final = _names(
    "success errors message timestamp checksum transactionid smallcaseauthid gateway requestid notes pan email phone"
    " mobile fromdate todate reqid userid status version format"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FundLine:
    """One holding of a mutual fund, or one transaction in it. Rupees and units; None where nothing was said."""

    entry: str  #: holding or transaction
    folio: str | None
    fund: str | None
    isin: str | None
    quantity: Decimal | None  #: units
    average_price: Decimal | None
    last_price: Decimal | None
    dated: date | None
    amount: Decimal | None
    pnl: Decimal | None
    xirr: Decimal | None  #: per cent a year, as sent
    words: str | None
    raw: dict[str, object]  #: the row whole, numbers as text


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """What one mutual-fund webhook says."""

    lines: tuple[FundLine, ...]
    refused: int  #: rows that could not be taken
    not_understood: tuple[NotUnderstood, ...]


def holdings_in(place: Place, rows: object, path: str) -> tuple[FundLine, ...]:
    """The rows of `mutualFunds.holdings[]` in an answer of the holdings API."""
    return tuple(place.rows(rows, path, _holding))


def read_funds(body: bytes) -> Funds:
    """What a mutual-fund webhook says, wherever in it the rows lie.

    Raises `Nonsense` for what is no JSON object, nothing else.
    """
    notes = Notes()
    top = Place(read_object(body), "", notes)
    lines = tuple(_dig(top))
    if not lines and not notes.refused:
        notes.add(REMARK, "", "no row of a known kind was found: read the body")
    return Funds(lines=lines, refused=notes.refused, not_understood=notes.all())


def _dig(place: Place, depth: int = DEEPEST) -> Iterator[FundLine]:
    """The rows under every known name, in objects with known names within each other."""
    for key, value in place.value.items():
        folded, path = _folded(key), place.at(key)
        if isinstance(value, list) and folded in _TRANSACTIONS:
            yield from place.rows(value, path, _transaction)
        elif isinstance(value, list) and folded in _INSIDE:
            yield from place.rows(value, path, _holding)
        elif isinstance(value, Mapping) and depth and folded in _INSIDE:
            yield from _dig(Place(value, path, place.notes), depth - 1)
        elif isinstance(value, list) and value and folded not in _ELSEWHERE:
            place.notes.add(UNREADABLE, path, "a list of nobody knows what", value)
        elif folded not in _ELSEWHERE:
            place.notes.add("unknown-key", path, "nobody knows what it means", value)


def _holding(row: Place) -> FundLine:
    """One fund held. Raises `BadRow`."""
    line = _line(row, HOLDING, units=_UNITS, amount=_VALUE, dated=_DATED)
    if line.quantity is None:
        raise BadRow("it names no units")
    return line


def _transaction(row: Place) -> FundLine:
    """One transaction in a fund. Raises `BadRow`."""
    line = _line(row, TRANSACTION, units=_TRADED, amount=_AMOUNT, dated=_TRADED_ON)
    if line.quantity is None and line.amount is None:
        raise BadRow("it names neither units nor an amount")
    return line


def _line(
    row: Place, entry: str, *, units: tuple[str, ...], amount: tuple[str, ...], dated: tuple[str, ...]
) -> FundLine:
    named = _Named(row)
    line = FundLine(
        entry=entry,
        folio=named.identifier(_FOLIO),
        fund=named.text(_FUND),
        isin=(named.text(("isin",)) or "").upper() or None,
        quantity=row.quantity(*named.keys(units)),
        average_price=row.number(*named.keys(_AVERAGE)),
        last_price=row.number(*named.keys(_PRICE)),
        dated=row.day(*named.keys(dated)),
        amount=row.number(*named.keys(amount)),
        pnl=row.number(*named.keys(("pnl", "gainloss", "unrealisedgain"))),
        xirr=row.number(*named.keys(("xirr",))),
        words=named.text(_WORDS) if entry == TRANSACTION else None,
        raw=named.raw,
    )
    if not (line.folio or line.fund or line.isin):
        raise BadRow("it names no folio, no fund and no ISIN")
    row.pass_over(*(key for key in row.value if _folded(key) in _KNOWN))
    return line


class _Named:
    """A row's keys by their folded names."""

    def __init__(self, row: Place) -> None:
        self._row = row
        self._by_name: dict[str, str] = {}
        for key in row.value:
            self._by_name.setdefault(_folded(key), key)

    def keys(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The row's own spelling of those names; a name that it lacks stands as it is."""
        return tuple(self._by_name[name] for name in names if name in self._by_name) or names[:1]

    def text(self, names: tuple[str, ...]) -> str | None:
        return self._row.text(*self.keys(names))

    def identifier(self, names: tuple[str, ...]) -> str | None:
        """A folio's number, sent as text or number."""
        key, value = self._row.take(*self.keys(names))
        if isinstance(value, Decimal):
            return format(value.to_integral_value() if value == value.to_integral_value() else value, "f")
        return self._row.text(key)

    @property
    def raw(self) -> dict[str, object]:
        found = plain(as_object(self._row.value, "a row"))
        assert isinstance(found, dict)
        return found


def _folded(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())
