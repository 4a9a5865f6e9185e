"""What an account holds, read out of an answer of either version, or a webhook: leniently, and exactly.

Quantities and prices are `Decimal` from the JSON's own text. A row that cannot be taken refuses itself
alone, with a reason; a key that nobody knows is listed. Nothing is dropped silently, nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from gateway.consent import data_of
from gateway.fields import Nonsense
from gateway.funds import FundLine, holdings_in
from gateway.lenient import REMARK, UNREADABLE, BadRow, Notes, NotUnderstood, Place
from gateway.smallcases import SmallcaseLine, smallcases_in
from gateway.wire import EmptyAnswer

V1: Final = "v1"  #: quantities leave out what belongs to smallcases
V2: Final = "v2"  #: quantities include it
_SAYS_SOMETHING: Final = ("securities", "smallcases", "mutualFunds", "updating", "snapshotDate", "lastUpdate")
#: Part of the envelope, or of a webhook, and read elsewhere.
_ELSEWHERE: Final = ("success", "errors", "message", "timestamp", "checksum", "transactionId")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """One security of an account; None where nothing was said. Prices in rupees a share."""

    isin: str | None
    nse_ticker: str | None
    bse_ticker: str | None
    name: str | None
    held: Decimal | None  #: in the demat account
    held_average: Decimal | None
    t1: Decimal | None  #: bought, not yet delivered
    nse_quantity: Decimal | None  #: position of the day
    nse_average: Decimal | None
    bse_quantity: Decimal | None
    bse_average: Decimal | None
    transactable: Decimal | None
    smallcase: Decimal | None  #: the part that belongs to smallcases
    collateral: Decimal | None
    suspended_nse: bool | None
    suspended_bse: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What one answer says an account holds."""

    version: str
    account: str | None
    broker: str | None
    updating: bool | None
    last_update: datetime | None
    snapshot_date: datetime | None
    lines: tuple[HeldLine, ...]
    smallcases: tuple[SmallcaseLine, ...]
    funds: tuple[FundLine, ...]
    refused: int  #: rows that could not be taken
    not_understood: tuple[NotUnderstood, ...]

    @property
    def empty(self) -> bool:
        """Whether it names nothing at all, and nothing was refused."""
        return not (self.lines or self.smallcases or self.funds or self.refused)


def read_holdings(body: bytes) -> Holdings:
    """What an answer, or a holdings webhook, says. Of both versions, told apart by shape.

    Raises `Nonsense`, `EmptyAnswer`, `KeysRefused` or `NeedsConsent`, nothing else.
    """
    data, notes = data_of(body), Notes()
    if not any(key in data for key in _SAYS_SOMETHING):
        raise EmptyAnswer("the answer names no holdings")
    place = Place(data, "", notes)
    place.pass_over(*_ELSEWHERE)
    version, lines = _securities(place)
    found = Holdings(
        version=version,
        account=place.text("smallcaseAuthId"),
        broker=place.text("broker"),
        updating=place.flag("updating"),
        last_update=place.instant("lastUpdate"),
        snapshot_date=place.instant("snapshotDate"),
        lines=lines,
        smallcases=smallcases_in(place.inner("smallcases")),
        funds=_funds(place),
        refused=0,
        not_understood=(),
    )
    _keep_notes(place)
    return _with(found, notes)


def _with(found: Holdings, notes: Notes) -> Holdings:
    named = {name: getattr(found, name) for name in Holdings.__slots__}
    return Holdings(**{**named, "refused": notes.refused, "not_understood": notes.all()})


def _keep_notes(place: Place) -> None:
    """A word of the customer's own, and whatever else stands beside the holdings."""
    key, said = place.take("notes")
    if said is not None:
        place.notes.add(REMARK, place.at(key), "given when the import was begun: kept in the body", said)
    place.leave()


def _securities(place: Place) -> tuple[str, tuple[HeldLine, ...]]:
    """The version and its rows. No rows named is not none held: it raises `EmptyAnswer`.

    Raises `Nonsense` for securities that are neither list nor object.
    """
    _, value = place.take("securities")
    if value is None:
        raise EmptyAnswer("the answer names no securities")
    if isinstance(value, list):
        return V2, _distinct(place, tuple(place.rows(value, "securities", _line)))
    if not isinstance(value, Mapping):
        raise Nonsense("securities is neither list nor object")
    inner = Place(value, "securities", place.notes)
    key, rows = inner.take("holdings", "securities")
    if not isinstance(rows, list):
        raise EmptyAnswer("the answer names no list of securities")
    old = isinstance(rows, list) and any(isinstance(row, Mapping) and "shares" in row for row in rows)
    read = _old_line if old or not rows else _line
    lines = tuple(inner.rows(rows, inner.at(key), read))
    inner.leave()
    return V1 if read is _old_line else V2, _distinct(place, lines)


def _line(row: Place) -> HeldLine:
    """One security of version 2. Raises `BadRow`."""
    holdings, positions = row.inner("holdings"), row.inner("positions")
    nse, bse = positions.inner("nse", "NSE"), positions.inner("bse", "BSE")
    line = HeldLine(
        isin=_upper(row.text("isin", "ISIN")),
        nse_ticker=_upper(row.text("nseTicker", "ticker")),
        bse_ticker=_upper(row.text("bseTicker")),
        name=row.text("name"),
        held=holdings.quantity("quantity"),
        held_average=holdings.number("averagePrice"),
        t1=_t1(row, holdings),
        nse_quantity=nse.quantity("quantity"),
        nse_average=nse.number("averagePrice"),
        bse_quantity=bse.quantity("quantity"),
        bse_average=bse.number("averagePrice"),
        transactable=row.quantity("transactableQuantity"),
        smallcase=row.quantity("smallcaseQuantity"),
        collateral=row.quantity("collateralQuantity"),
        suspended_nse=row.flag("isSuspendedOrDelistedOnNSE"),
        suspended_bse=row.flag("isSuspendedOrDelistedOnBSE"),
    )
    for inner in (holdings, nse, bse, positions):
        inner.leave()
    return _checked(line)


def _t1(row: Place, holdings: Place) -> Decimal | None:
    outer = row.quantity("t1Quantity", "T1Quantity", "t1")
    inner = holdings.quantity("t1Quantity", "T1Quantity", "t1")
    return inner if outer is None else outer


def _old_line(row: Place) -> HeldLine:
    """One security of version 1, which names one exchange and one number of shares. Raises `BadRow`."""
    ticker, exchange = _upper(row.text("ticker")), _upper(row.text("exchange"))
    if exchange not in {None, "NSE", "BSE"}:
        row.notes.add(UNREADABLE, row.at("exchange"), "neither NSE nor BSE", exchange)
    bse = exchange == "BSE"
    return _checked(
        HeldLine(
            isin=_upper(row.text("isin", "ISIN")),
            nse_ticker=None if bse else ticker,
            bse_ticker=ticker if bse else None,
            name=row.text("name"),
            held=row.quantity("shares", "quantity"),
            held_average=row.number("averagePrice"),
            t1=row.quantity("t1Quantity"),
            nse_quantity=None,
            nse_average=None,
            bse_quantity=None,
            bse_average=None,
            transactable=row.quantity("transactableQuantity"),
            smallcase=row.quantity("smallcaseQuantity"),
            collateral=row.quantity("collateralQuantity"),
            suspended_nse=row.flag("isSuspendedOrDelistedOnNSE"),
            suspended_bse=row.flag("isSuspendedOrDelistedOnBSE"),
        )
    )


def _checked(line: HeldLine) -> HeldLine:
    if not (line.isin or line.nse_ticker or line.bse_ticker):
        raise BadRow("it names no ISIN and no ticker")
    quantities = (line.held, line.t1, line.nse_quantity, line.bse_quantity, line.transactable, line.smallcase)
    if all(quantity is None for quantity in (*quantities, line.collateral)):
        raise BadRow("it names no quantity")
    return line


def _distinct(place: Place, lines: tuple[HeldLine, ...]) -> tuple[HeldLine, ...]:
    """The same lines; a security that stands there twice is remarked on, since both rows count."""
    seen: set[str] = set()
    for line in lines:
        if line.isin in seen:
            place.notes.add(REMARK, "securities[].isin", "stands there more than once: every row counts", line.isin)
        seen.update({line.isin} if line.isin else ())
    return lines


def _funds(place: Place) -> tuple[FundLine, ...]:
    key, value = place.take("mutualFunds", "mutualfunds")
    if isinstance(value, list):
        return holdings_in(place, value, key)
    if value is None:
        return ()
    inner = place.inner("mutualFunds", "mutualfunds")
    _, rows = inner.take("holdings")
    found = holdings_in(inner, rows, inner.at("holdings"))
    inner.leave()
    return found


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None
