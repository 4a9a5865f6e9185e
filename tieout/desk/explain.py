"""Why a line ended up where it did: judged anew as of now from what is stored, and nothing written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine

from recon.explain import Explainer, Explanation, Raw
from recon.keys import their_keys
from recon.lines import plain_text
from store.comparing import freeze
from store.desk_explain import bodies, cells, transactions_named
from store.states import their_lines, unlocked
from store.together import rows_of
from tieout.reconcile import judge_all
from tieout.rules import Rules

NAMED_MAX = 5
#: The Gateway's words for the fields that are compared.
WIRE = {
    "exchange": "exchange",
    "symbol": "tradingsymbol",
    "side": "transactionType",
    "quantity": "quantity",
    "filled_quantity": "filledQuantity",
    "average_price": "averagePrice",
    "status": "status",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The orders of one transaction that an id names, each explained."""

    gateway: str
    transaction_id: str
    rule_set: str
    as_of: datetime
    settled: bool  #: False while answers disagree, so that nothing is concluded
    orders: tuple[Explanation, ...]


def explain(
    engine: Engine, text_id: str, *, rules: Rules, now: datetime, gateway: str | None = None
) -> tuple[Explained, ...]:
    """Explain an order of ours, an exchange's order or a whole transaction; nothing if no id is that one."""
    with engine.connect() as connection:
        freeze(connection)
        named = transactions_named(connection, text_id=text_id, gateway=gateway, limit=NAMED_MAX)
        return tuple(_explained(connection, row, text_id, rules, now) for row in named)


def explain_lines(
    engine: Engine, *, txn: int, ours: int | None, theirs: int | None, rules: Rules, now: datetime
) -> Explanation | None:
    """Explain the order in which one of these stored lines stands; None if it is gone."""
    with engine.connect() as connection:
        freeze(connection)
        explainer = _explainer(connection, txn, rules, now)
        wanted = {("ours", ours), ("theirs", theirs)}
        return next((each for each in explainer.all() if wanted & _lines(explainer, each)), None)


def _explained(connection: Connection, row: Any, text_id: str, rules: Rules, now: datetime) -> Explained:
    explainer = _explainer(connection, row.txn, rules, now)
    orders = explainer.all()
    if text_id != row.transaction_id:
        orders = tuple(each for each in orders if text_id in _names(explainer, each))
    state = explainer.case.state
    return Explained(
        gateway=row.gateway,
        transaction_id=row.transaction_id,
        rule_set=rules.policy.name,
        as_of=now,
        settled=state is None or state.settled,
        orders=orders,
    )


def _explainer(connection: Connection, txn: int, rules: Rules, now: datetime) -> Explainer:
    (judged,) = judge_all(connection, rows_of(connection, unlocked([txn])), now=now, rules=rules)
    return Explainer(
        case=judged.loaded.case,
        judgement=judged.judgement,
        policy=rules.policy,
        market=judged.market,
        our_raw={line: _by_field(raw) for line, raw in cells(connection, txn=txn).items()},
        their_raw=_their_raw(connection, txn),
    )


def _names(explainer: Explainer, explanation: Explanation) -> set[str]:
    """Every id by which people may ask for the order."""
    named = {line.exchange_order_id for line in explainer.case.ours if line.order_id in explanation.ours}
    return {*explanation.ours, *explanation.theirs, *(name for name in named if name)}


def _lines(explainer: Explainer, explanation: Explanation) -> set[tuple[str, int | None]]:
    ours = {("ours", line.line) for line in explainer.case.ours if line.order_id in explanation.ours}
    keys = their_keys(explainer.case.theirs)
    return {*ours, *(("theirs", line) for line, key in keys.items() if key in explanation.theirs)}


def _by_field(raw: object) -> Raw:
    """The cells of a row by our names of its columns, however the file's header writes them."""
    if not isinstance(raw, Mapping):
        return {}
    return {re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_"): str(text) for name, text in raw.items()}


def _their_raw(connection: Connection, txn: int) -> dict[int, Raw]:
    """Each leg's own text in the newest answer that names its batch."""
    told: dict[tuple[str, bool, int], Mapping[str, Any]] = {}
    for body in bodies(connection, txn=txn):
        found = dict(_legs(body))
        known = {batch_id for batch_id, _, _ in told}
        told |= {key: leg for key, leg in found.items() if key[0] not in known}
    rows = rows_of(connection, their_lines([txn]))
    return {row.line: _of_wire(told[key]) for row in rows if (key := (row.batch_id, row.placed, row.position)) in told}


def _of_wire(leg: Mapping[str, Any]) -> Raw:
    return {field: str(leg[name]) for field, name in WIRE.items() if leg.get(name) is not None}


def _legs(body: bytes) -> Iterator[tuple[tuple[str, bool, int], Mapping[str, Any]]]:
    """Every leg of an answer by batch, whether placed, and place; numbers keep their text."""
    try:
        document = json.loads(body, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return
    for batch in _batches(document):
        for name, placed in (("orders", True), ("unplaced", False)):
            legs = batch.get(name)
            for place, leg in enumerate(legs if isinstance(legs, list) else ()):
                if isinstance(leg, dict):
                    yield (str(batch["batchId"]).strip(), placed, place), leg


def _batches(value: object) -> Iterator[Mapping[str, Any]]:
    """Every object with a batchId, wherever it lies."""
    waiting: list[object] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if isinstance(each.get("batchId"), str):
                yield each
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def as_row(explained: Explained) -> dict[str, object]:
    """As `tieout explain --json` prints it, one object a transaction."""
    return {
        "gateway": explained.gateway,
        "transaction_id": explained.transaction_id,
        "rule_set": explained.rule_set,
        "as_of": explained.as_of,
        "settled": explained.settled,
        "orders": [_order_row(each) for each in explained.orders],
    }


def _order_row(order: Explanation) -> dict[str, object]:
    return {
        "ours": list(order.ours),
        "theirs": list(order.theirs),
        "bucket": order.bucket,
        "step": order.step,
        "key": order.key,
        "compared": _rows(order.compared),
        "refused": _rows(order.refused),
        "findings": [
            {
                "name": each.name, "field": each.field, "ours": each.ours, "theirs": each.theirs,
                "difference": None if each.difference is None else plain_text(each.difference),
                "rule": each.rule, "cause": each.cause, "pending": each.waiting,
            }
            for each in order.findings
        ],
    }  # fmt: skip


def _rows(values: Sequence[Any]) -> list[dict[str, object]]:
    return [{name: getattr(value, name) for name in type(value).__slots__} for value in values]
