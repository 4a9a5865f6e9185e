"""Smallcases in an answer: `public` and `private`, each a list, an object of investments, or only statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gateway.lenient import BadRow, Place, plain

PUBLIC: Final = "public"
PRIVATE: Final = "private"
ALL: Final = "all"  #: both together
_LISTS: Final = ("investments", "smallcases", "holdings")
#: Words for people, kept in the raw row.
_SHOWN: Final = ("shortDescription", "imageUrl", "investmentDetailsURL", "source", "type", "date", "boughtOn")
#: Figures that follow from the others, likewise.
_PARTS: Final = ("currentInvestment", "currentReturns", "currentReturnsPercent", "totalReturnsPercent")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallcaseLine:
    """One smallcase of an account, or the statistics of all, or of all private ones. Values in rupees."""

    access: str  #: public, private or all
    scid: str | None
    iscid: str | None
    name: str | None
    status: str | None
    current_value: Decimal | None
    total_returns: Decimal | None
    constituents: tuple[dict[str, str], ...]  #: ticker and shares, numbers as text
    raw: dict[str, object]  #: the row whole, numbers as text


def smallcases_in(place: Place) -> tuple[SmallcaseLine, ...]:
    """The smallcases under `public` and `private` of that place; everything else in it is listed."""
    found = (*_of_access(place, PUBLIC), *_of_access(place, PRIVATE))
    place.leave()
    return found


def lines_in(place: Place, rows: object, path: str, access: str) -> tuple[SmallcaseLine, ...]:
    """The rows of one list."""
    return tuple(place.rows(rows, path, lambda row: _line(row, access)))


def _of_access(place: Place, access: str) -> tuple[SmallcaseLine, ...]:
    key, value = place.take(access)
    if value is None or isinstance(value, list):
        return lines_in(place, value, place.at(key), access)
    inner = place.inner(access)
    name, rows = inner.take(*_LISTS)
    found = lines_in(inner, rows, inner.at(name), access)
    if inner.value.get("stats"):
        alone = Place({"stats": inner.value["stats"]}, inner.path, inner.notes)
        found += (_line(alone, access, nameless=True),)
        inner.pass_over("stats")
    inner.leave()
    return found


def total_in(place: Place) -> tuple[SmallcaseLine, ...]:
    """The aggregate over all smallcases, under `aggregated`; none if it is an empty list or absent."""
    key, value = place.take("aggregated")
    if value in (None, []):
        return ()
    return (_line(Place({"stats": value}, place.at(key), place.notes), ALL, nameless=True),)


def _line(row: Place, access: str, *, nameless: bool = False) -> SmallcaseLine:
    """One smallcase, by itself or as an `investment`. Raises `BadRow`."""
    if "investment" in row.value:
        inner = row.inner("investment")
        found = _line(inner, access)
        inner.leave()
        return found
    stats = row.inner("stats")
    stats.pass_over(*_PARTS)
    line = SmallcaseLine(
        access=access,
        scid=row.text("scid"),
        iscid=row.text("iscid", "_id"),
        name=row.text("name"),
        status=row.text("status"),
        current_value=stats.number("currentValue", "networth", "current"),
        total_returns=stats.number("totalReturns", "returns"),
        constituents=tuple(_constituents(row)),
        raw=_raw(row.value),
    )
    if not (nameless or line.scid or line.iscid or line.name):
        raise BadRow("it names no smallcase")
    row.pass_over(*_SHOWN)
    stats.leave()
    return line


def _constituents(row: Place) -> list[dict[str, str]]:
    inner = row.inner("currentConfig", "config") if "constituents" not in row.value else row
    key, value = inner.take("constituents")
    found = list(row.rows(value, inner.at(key), _constituent))
    if inner is not row:
        inner.leave()
    return found


def _constituent(row: Place) -> dict[str, str]:
    """Ticker and shares. Raises `BadRow`."""
    ticker, shares = row.text("ticker", "sid"), row.quantity("shares", "quantity")
    if not ticker or shares is None:
        raise BadRow("it names no ticker or no shares")
    average = row.number("averagePrice")
    row.pass_over("stockName", "weight")
    return {"ticker": ticker, "shares": str(shares)} | ({} if average is None else {"average_price": str(average)})


def _raw(value: Mapping[str, object]) -> dict[str, object]:
    found = plain(value)
    assert isinstance(found, dict)
    return found
