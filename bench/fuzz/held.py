"""What a body plainly says that somebody holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.fuzz.plain import Facts, Unreadable, an_object, document, failure, inner, signed, text


def holdings(body: bytes) -> Facts:
    """Whose holdings, and each row's facts; a row that cannot be taken is None."""
    whole = document(body)
    failure(whole)
    data = an_object(whole["data"], "data") if {"data", "success"} & set(whole) else whole
    rows = data.get("securities")
    if isinstance(rows, dict):
        rows = next((rows[key] for key in ("holdings", "securities") if rows.get(key) is not None), None)
        old = isinstance(rows, list) and any(isinstance(row, dict) and "shares" in row for row in rows)
    else:
        old = False
    if not isinstance(rows, list):
        raise Unreadable("no list of securities")
    return {"account": _lenient_text(data, "smallcaseAuthId"), "rows": [_row(row, old=old) for row in rows]}


def _row(row: object, *, old: bool) -> Facts | None:
    """The quantities and names of a row."""
    if not isinstance(row, dict):
        return None
    try:
        facts = _old_row(row) if old else _new_row(row)
    except Unreadable:
        return None
    named = facts["isin"] or facts["tickers"]
    return facts if named and any(facts[key] is not None for key in _QUANTITIES) else None


_QUANTITIES: Final = ("held", "t1", "nse", "bse", "transactable", "smallcase", "collateral")


def _old_row(row: Mapping[str, Any]) -> Facts:
    held = _present(row, "shares", "quantity")
    return {
        "isin": _upper(row, "isin", "ISIN"),
        "tickers": bool(_upper(row, "ticker")),
        "held": signed(row, held),
        "t1": signed(row, "t1Quantity"),
        "nse": None,
        "bse": None,
        "transactable": signed(row, "transactableQuantity"),
        "smallcase": signed(row, "smallcaseQuantity"),
        "collateral": signed(row, "collateralQuantity"),
    }


def _new_row(row: Mapping[str, Any]) -> Facts:
    held, positions = inner(row, "holdings"), inner(row, "positions")
    nse = inner(positions, _present(positions, "nse", "NSE"))
    bse = inner(positions, _present(positions, "bse", "BSE"))
    outside = signed(row, _present(row, "t1Quantity", "T1Quantity", "t1"))
    inside = signed(held, _present(held, "t1Quantity", "T1Quantity", "t1"))
    return {
        "isin": _upper(row, "isin", "ISIN"),
        "tickers": bool(_upper(row, "nseTicker", "ticker") or _upper(row, "bseTicker")),
        "held": signed(held, "quantity"),
        "t1": inside if outside is None else outside,
        "nse": signed(nse, "quantity"),
        "bse": signed(bse, "quantity"),
        "transactable": signed(row, "transactableQuantity"),
        "smallcase": signed(row, "smallcaseQuantity"),
        "collateral": signed(row, "collateralQuantity"),
    }


def _present(place: Mapping[str, Any], *keys: str) -> str:
    return next((key for key in keys if place.get(key) is not None), keys[0])


def _lenient_text(place: Mapping[str, Any], key: str) -> str | None:
    try:
        return text(place, key)
    except Unreadable:
        return None


def _upper(place: Mapping[str, Any], *keys: str) -> str | None:
    said = _lenient_text(place, _present(place, *keys))
    return said.upper() if said else None
