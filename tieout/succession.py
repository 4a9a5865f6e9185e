"""Successor ISINs told by the table of instruments and by corporate actions, held against each other on import."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Connection, Row

from books.facts import Fact
from books.instruments import Period
from books.problems import Problem
from books.successors import Link, misfits
from recon.holdings.descent import BECOMES
from store import listings
from tieout.import_report import Findings

_Told = TypeVar("_Told", Period, Fact)


def succeeding(connection: Connection, good: list[Period], found: Findings) -> list[Period]:
    """The periods whose successor fits all that is known; the others are refused, each with what it contradicts."""
    told = [Link(p.isin, p.successor, f"line {p.line}", p.line) for p in good if p.successor]
    if not told:
        return good
    replaced = [(p.exchange, p.symbol, p.valid_from) for p in good]
    actions = listings.renaming_actions(connection, BECOMES)
    known = [*_of_table(connection, replaced), *map(_stored_action, actions)]
    kept = _without(good, misfits(told, known, column="successor"), found)
    ends = {(row.isin, row.new_isin): row for row in actions}
    found.notes.extend(
        f"line {p.line}: {p.isin} ends on {p.valid_to}, not before the {ends[p.isin, p.successor].said_by}: "
        "holdings go by the ex-date"
        for p in kept
        if p.successor and p.valid_to and (p.isin, p.successor) in ends
        and p.valid_to >= ends[p.isin, p.successor].ex_date
    )  # fmt: skip
    return kept


def leading_on(connection: Connection, kept: list[Fact], found: Findings) -> list[Fact]:
    """The corporate actions whose new ISIN fits the table of instruments; the others are refused likewise.

    A circle that actions close among themselves is refused, too; an action told otherwise replaces its earlier saying.
    """
    told = [_of_action(fact) for fact in kept if fact.values["kind"] in BECOMES and fact.values["new_isin"]]
    if not told:
        return kept
    said = {(link.isin, link.said_by) for link in told}
    stored = (_stored_action(row) for row in listings.renaming_actions(connection, BECOMES))
    others = [link for link in stored if (link.isin, link.said_by) not in said]
    return _without(kept, misfits(told, [*others, *_of_table(connection, ())], column="new_isin"), found)


def _of_action(fact: Fact) -> Link:
    values = fact.values
    said_by = f"the {values['kind']} of {values['ex_date']}"
    return Link(str(values["isin"]), str(values["new_isin"]), said_by, fact.line, sole=False)


def _stored_action(row: Row[Any]) -> Link:
    return Link(row.isin, row.new_isin, f"the {row.said_by}", sole=False)


def _of_table(connection: Connection, replaced: Collection[tuple[str, str, date]]) -> list[Link]:
    rows = listings.successors_told(connection, but=replaced)
    return [Link(r.isin, r.new_isin, f"the table of instruments, {r.exchange} {r.symbol},") for r in rows]


def _without(good: list[_Told], problems: Iterable[Problem], found: Findings) -> list[_Told]:
    wrong = {problem.line: problem for problem in problems}
    for problem in wrong.values():
        found.refuse([problem])
    return [each for each in good if each.line not in wrong]
