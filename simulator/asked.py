"""A transaction as it is asked for: every intent, checked as the Gateway checks it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulator.orders import Json
from simulator.shares import SHARES, SMALLCASES

CONNECTED_ONLY = frozenset({"FETCH_FUNDS", "CANCEL_ORDER", "CANCEL_AMO"})
CANCELS = frozenset({"CANCEL_ORDER", "CANCEL_AMO"})
PLAIN = frozenset({"SIP_SETUP", "AUTHORISE_HOLDINGS", "SUBSCRIPTION", "ONBOARDING", "IMR_SETUP"})
IMPORTS = frozenset({"HOLDINGS_IMPORT", "MF_HOLDINGS_IMPORT"})
INTENTS = frozenset({"CONNECT", "TRANSACTION"}) | CONNECTED_ONLY | PLAIN | IMPORTS
OF_SMALLCASES = ("BUY", "INVESTMORE", "FIX", "REBALANCE", "SIP", "MANAGE", "EXIT", "ARCHIVE")
LONGEST_NOTES = 256
_SYMBOLS = frozenset(share.symbol for share in SHARES)
_PAN, _PHONE = re.compile(r"[A-Z]{5}[0-9]{4}[A-Z]"), re.compile(r"[0-9]{10}")


class AskedWronglyError(Exception):
    """What the Gateway says of a transaction that cannot be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A transaction that can be made."""

    intent: str
    config: Json = field(default_factory=dict)
    notes: str = ""
    version: str = "v1"

    @property
    def securities(self) -> Sequence[Mapping[str, object]]:
        """The basket, of an order of stocks."""
        listed = self.config.get("securities")
        return listed if isinstance(listed, list) else ()


def read_asked(body: bytes, *, connected: bool) -> Asked:
    """The transaction that a request asks for. Raises `AskedWronglyError`."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("intent"), str):
        raise AskedWronglyError("the body is no JSON object with an intent")
    intent = said["intent"]
    if intent not in INTENTS:
        raise AskedWronglyError(f"unknown intent {intent!r}")
    if intent in CONNECTED_ONLY and not connected:
        raise AskedWronglyError("invalid_user_data: a connected user's token is needed")
    config = _config(intent, said.get("orderConfig"))
    _check_assets(intent, said.get("assetConfig"))
    return Asked(
        intent=intent,
        config=config,
        notes=_notes(said.get("notes")),
        version=_version(said.get("version")),
    )


def _config(intent: str, config: object) -> Json:
    if intent in CANCELS:
        if isinstance(config, dict) and all(isinstance(config.get(key), str) for key in ("batchId", "ticker")):
            return config
        raise AskedWronglyError("orderConfig has no batchId or no ticker")
    if intent != "TRANSACTION":
        return {}
    if not isinstance(config, dict):
        raise AskedWronglyError("orderConfig is no object")
    _check_order(config)
    return config


def _check_order(config: Json) -> None:
    kind = config.get("type")
    if kind in OF_SMALLCASES:
        if config.get("scid") not in SMALLCASES and not isinstance(config.get("iscid"), str):
            raise AskedWronglyError(f"orderConfig of type {kind} has no iscid, and no scid that is known")
    elif kind == "SECURITIES":
        _check_basket(config.get("securities"))
    elif kind != "RECONCILIATION":
        raise AskedWronglyError(f"unknown type of orderConfig {kind!r}")


def _check_basket(basket: object) -> None:
    if not isinstance(basket, list) or not basket or not all(isinstance(leg, dict) for leg in basket):
        raise AskedWronglyError("securities is no list of objects with at least one")
    for key in ("quantity", "type"):
        if len({key in leg for leg in basket}) > 1:
            raise AskedWronglyError(f"{key} is given for some securities and not for all")
    for leg in basket:
        _check_leg(leg)


def _check_leg(leg: Mapping[str, object]) -> None:
    quantity = leg.get("quantity", 1)
    if leg.get("ticker") not in _SYMBOLS:
        raise AskedWronglyError(f"unknown ticker {leg.get('ticker')!r}")
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
        raise AskedWronglyError("a quantity is no whole number above 0")
    if leg.get("type", "BUY") not in {"BUY", "SELL"}:
        raise AskedWronglyError("a type is neither BUY nor SELL")


def _check_assets(intent: str, assets: object) -> None:
    given: Json = assets if isinstance(assets, dict) else {}
    if intent == "MF_HOLDINGS_IMPORT":
        if not _PAN.fullmatch(str(given.get("pan", ""))):
            raise AskedWronglyError("assetConfig.pan is no PAN in upper case")
        if not _PHONE.fullmatch(str(given.get("phone", ""))):
            raise AskedWronglyError("assetConfig.phone is not ten digits")


def _notes(notes: object) -> str:
    if notes is None:
        return ""
    if not isinstance(notes, str) or len(notes) > LONGEST_NOTES:
        raise AskedWronglyError(f"notes is no text of at most {LONGEST_NOTES} characters")
    return notes


def _version(version: object) -> str:
    if version in {None, "v1", "v2"}:
        return str(version or "v1")
    raise AskedWronglyError("version is v1 or v2")
