"""What a day said at an instant, what it says now, and why the two differ, line by line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row

from store.changes import declared_between, facts_between, said_of
from store.days import Scope

CHUNK = 500  #: changed lines whose reasons are asked for at a time


@dataclass(frozen=True, slots=True)
class Because:
    """One reason: what became known, when by the domain's clock."""

    kind: str  #: answer, import, webhook, decision, books, rules, time
    says: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One line, batch or transaction of which something else is said now."""

    side: str  #: ours, theirs, batch, transaction
    line: str
    order_ids: frozenset[str]  #: the lines of the books that it is, or was paired with
    transaction_id: str | None
    then: str | None  #: the bucket; None where it was not known, or has none
    now: str | None
    findings_then: tuple[str, ...]
    findings_now: tuple[str, ...]
    why: tuple[Because, ...] = ()


def changed(
    then: Connection, now: Connection, scope: Scope, *, since: datetime, until: datetime, rules_changed: str | None
) -> Iterator[Changed]:
    """What differs between the two, each with every reason that can be named; what nothing explains is `time`."""
    different = _different(said_of(then, scope), said_of(now, scope))
    declared = declared_between(now, scope, since=since, until=until)
    whole = []
    if declared is not None:
        words = f"the books were declared complete with {declared.file_name}"
        whole.append(Because("books", words, declared.imported_at))
    if rules_changed:
        whole.append(Because("rules", rules_changed))
    while part := list(islice(different, CHUNK)):
        yield from _explained(now, scope, part, whole, (since, until))


def as_row(row: Changed) -> dict[str, object]:
    """A change for machines."""
    return {
        "side": row.side,
        "line": row.line,
        "transaction_id": row.transaction_id,
        "then": row.then,
        "now": row.now,
        "findings_then": list(row.findings_then),
        "findings_now": list(row.findings_now),
        "why": [{"kind": b.kind, "at": b.at, "says": b.says} for b in row.why],
    }


def _different(then: Iterator[Row[Any]], now: Iterator[Row[Any]]) -> Iterator[Changed]:
    """The rows that one of them lacks, or of which they say different things; both come sorted."""
    was, is_ = next(then, None), next(now, None)
    while was is not None or is_ is not None:
        if is_ is None or (was is not None and _place(was) < _place(is_)):
            yield _changed(was, None)
            was = next(then, None)
        elif was is None or _place(is_) < _place(was):
            yield _changed(None, is_)
            is_ = next(now, None)
        else:
            if (was.bucket, was.says) != (is_.bucket, is_.says):
                yield _changed(was, is_)
            was, is_ = next(then, None), next(now, None)


def _place(row: Row[Any]) -> tuple[str, str]:
    return (row.side, row.line)


def _changed(was: Row[Any] | None, is_: Row[Any] | None) -> Changed:
    row = is_ if is_ is not None else was
    assert row is not None
    return Changed(
        side=row.side,
        line=row.line,
        order_ids=frozenset(each.order_id for each in (was, is_) if each is not None and each.order_id),
        transaction_id=row.transaction_id,
        then=None if was is None else was.bucket,
        now=None if is_ is None else is_.bucket,
        findings_then=() if was is None else tuple(was.names or ()),
        findings_now=() if is_ is None else tuple(is_.names or ()),
    )


def _explained(
    now: Connection,
    scope: Scope,
    rows: Sequence[Changed],
    whole: Sequence[Because],
    between: tuple[datetime, datetime],
) -> Iterator[Changed]:
    ids = sorted({row.transaction_id for row in rows if row.transaction_id})
    lines = sorted({row.line for row in rows if row.side == "ours"})
    facts: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for fact in facts_between(now, scope, transactions=ids, lines=lines, since=between[0], until=between[1]):
        for about in {fact.transaction_id, fact.line} - {None}:
            facts[about].append(fact)
    for row in rows:
        mine = facts.get(row.transaction_id or "", []) or facts.get(row.line, [])
        why = [Because(fact.kind, _words(fact, row), fact.at) for fact in _closest(mine, row)] + list(whole)
        yield replace(row, why=tuple(why) or (Because("time", "time has passed: nothing new became known"),))


def _closest(facts: Sequence[Row[Any]], row: Changed) -> Sequence[Row[Any]]:
    """Without the lines of the books that are other ones of its transaction, unless there is nothing else."""
    return [fact for fact in facts if not fact.line or fact.line in row.order_ids] or facts


def _words(fact: Row[Any], row: Changed) -> str:
    """The fact in words; one about another line of the same transaction names it."""
    return f"{fact.line}: {fact.says}" if fact.line and fact.line != row.line else str(fact.says)
