"""The cells of the books as they stood in the file, read anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from verify.texts import exact
from verify.words import ENDS, UNPLACED, word

_NUMBER = re.compile(r"[+-]?[\d,]*\.?\d*")
_SIDES = {"B": "BUY", "S": "SELL"}
_KNOWN = ENDS | {UNPLACED, "PARTIAL", "PLACED", "CREATED"}


def cells(raw: Mapping[str, object]) -> dict[str, str]:
    """The cells by the plain names of their columns: `Order ID` is `orderid`."""
    return {re.sub(r"[\W_]+", "", name).lower(): str(value).strip() for name, value in raw.items()}


def disagreements(raw: Mapping[str, object], stored: Mapping[str, object]) -> list[str]:
    """The columns of a stored line that its cells do not say; what this reader cannot read is left out."""
    found = cells(raw)
    texts = {
        "order_id": found.get("orderid"),
        "exchange": found.get("exchange", "").upper(),
        "symbol": found.get("symbol", "").upper(),
        "side": _SIDES.get(found.get("side", "").upper(), found.get("side", "").upper()),
        "batch_id": found.get("batchid") or None,
        "exchange_order_id": found.get("exchangeorderid") or None,
        "broker": found.get("broker") or None,
    }
    wrong = [name for name, value in texts.items() if value != stored[name]]
    figures = (("quantity", "quantity"), ("filled", "filledquantity"), ("average_price", "averageprice"))
    wrong += [name for name, column in figures if _differs(found.get(column), stored[name])]
    wrong += [] if _day(found.get("tradedate", "")) in (None, stored["trade_date"]) else ["trade_date"]
    return wrong + (["status"] if _other_word(found.get("status"), stored["status"]) else [])


def _differs(cell: str | None, stored: object) -> bool:
    if not cell:
        return stored is not None
    number = exact(cell.replace(",", "")) if _NUMBER.fullmatch(cell) else None
    return number is not None and number != stored


def _day(cell: str) -> date | None:
    """A day in ISO form; a workbook's serial number is left to the import."""
    try:
        return date.fromisoformat(cell[:10]) if "-" in cell else None
    except ValueError:
        return None


def _other_word(cell: str | None, stored: object) -> bool:
    """Whether the status is another; the company's own words are mapped by a file that is not read here."""
    said = " ".join((cell or "").upper().replace("_", " ").replace("-", " ").split())
    if not said:
        return stored is not None
    return said in _KNOWN and word(said) != word(str(stored))
