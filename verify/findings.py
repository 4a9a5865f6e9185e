"""What findings state, derived anew from both sides where a finding is about a field of a line."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from verify.answers import Leg
from verify.report import Report
from verify.texts import exact, plain
from verify.told import Record, Told

#: Findings that state a field's two values, and are the difference of two numbers where `True`.
FIELDS = {
    "qty-requested": True,
    "qty-filled": True,
    "partial-residual": False,
    "overfill": False,
    "price-in-tol": True,
    "price-out": True,
    "price-absent": False,
    "side": False,
    "status-conflict": False,
    "account": False,
}


def check_findings(told: Told, report: Report) -> None:
    """Each open finding of a line's field; of an order told in parts it states the whole order, and is left."""
    in_parts = [verdict for verdict in told.verdicts if verdict.members]
    ours, theirs = {verdict.ours for verdict in in_parts} - {None}, {verdict.theirs for verdict in in_parts} - {None}
    for finding in told.findings:
        whole = finding.ours_line in ours or finding.theirs_line in theirs
        if finding.level != "line" or finding.name not in FIELDS or whole:
            report.counts["findings taken as stored"] += 1
            continue
        report.counts["findings derived anew"] += 1
        for words in _wrong(told, finding):
            report.differs("findings", "findings", finding.key, f"{finding.name} {words}")


def _wrong(told: Told, finding: Record) -> Iterator[str]:
    ours, theirs = told.ours.get(finding.ours_line), told.theirs.get(finding.theirs_line)
    mine = None if ours is None else _ours(ours, finding.field)
    leg = None if theirs is None else told.leg(finding.theirs_line)
    other = None if leg is None else _theirs(told, leg, finding.field)
    if _unlike(finding.ours, mine):
        yield f"states {finding.ours} as ours, and the books say {mine}"
    told_by_answer = finding.field in ("account", "broker") and told.answer is None
    if _unlike(finding.theirs, other) and not told_by_answer:
        yield f"states {finding.theirs} as theirs, and the answer says {other}"
    if FIELDS[finding.name] and mine is not None and other is not None:
        apart = (exact(mine) or Decimal(0)) - (exact(other) or Decimal(0))
        if apart != finding.difference or not apart:
            yield f"states {finding.difference} as the difference, and it is {apart}"


def _unlike(stated: str | None, found: str | None) -> bool:
    """Nothing said and nothing filled are the same."""
    return stated != found and {stated, found} != {None, "0"}


def _ours(row: Record, field: str) -> str | None:
    values = {
        "quantity": plain(row.quantity),
        "filled_quantity": plain(row.filled or Decimal(0)),
        "average_price": plain(row.average_price),
        "side": row.side,
        "status": row.status,
        "account": row.account,
        "broker": row.broker,
    }
    return values.get(field)


def _theirs(told: Told, leg: Leg, field: str) -> str | None:
    broker = (told.answer.brokers.get(leg.place[0]) or told.answer.broker) if told.answer else None
    values = {
        "quantity": plain(leg.quantity),
        "filled_quantity": plain(leg.filled),
        "average_price": plain(leg.price),
        "side": leg.side,
        "status": leg.status,
        "account": told.answer.account if told.answer else None,
        "broker": broker,
    }
    return values.get(field)
