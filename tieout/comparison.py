"""Two rule sets on the same frozen inputs: what would be said otherwise. Nothing is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection

from recon.keys import their_keys
from recon.lines import plain_text
from recon.names import class_of
from recon.values import ZERO, FindingClass, Judgement, Level
from store.comparing import freeze, txns_of_day
from store.states import unlocked
from store.together import rows_of
from tieout.cases import Loaded
from tieout.reconcile import Judged, judge_all
from tieout.rules import Rules

MANY = 200  #: transactions held in memory at a time
NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """One line, batch or transaction of which the two rule sets say something else."""

    transaction_id: str
    level: Level
    subject: str  #: our order id, else the leg's key; the batch or transaction with the field
    was: str  #: a bucket, or the name of a finding
    becomes: str
    impact_inr: Decimal  #: the larger of both


@dataclass(slots=True, kw_only=True)
class Compared:
    """All that was compared."""

    transactions: int = 0
    lines: int = 0
    changes: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    impact_inr: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    slack: list[int] = field(default_factory=lambda: [0, 0])  #: matches that used slack, by either
    slack_inr: list[Decimal] = field(default_factory=lambda: [ZERO, ZERO])

    def as_row(self, first: str, second: str) -> dict[str, object]:
        """As machines read it."""
        sides = zip(("first", "second"), (first, second), self.slack, self.slack_inr, strict=True)
        return {
            "transactions": self.transactions,
            "lines": self.lines,
            **{
                side: {"name": name, "by_slack": count, "slack_inr": plain_text(rupees)}
                for side, name, count, rupees in sides
            },
            "changes": [
                {
                    "was": was,
                    "becomes": becomes,
                    "count": count,
                    "impact_inr": plain_text(self.impact_inr[(was, becomes)]),
                }
                for (was, becomes), count in sorted(self.changes.items())
            ],
        }


def compare(
    connection: Connection,
    *,
    gateway: str,
    trade_date: date,
    rules: tuple[Rules, Rules],
    now: datetime,
    each: Callable[[Otherwise], None] | None = None,
) -> Compared:
    """Judge that day by both as of `now`, from one instant of the database; `each` hears of every difference.

    Call it on a connection that has done nothing yet.
    """
    freeze(connection)
    whole = Compared()
    for txns in txns_of_day(connection, gateway=gateway, day=trade_date, many=MANY):
        rows = rows_of(connection, unlocked(txns))
        before, after = (judge_all(connection, rows, now=now, rules=each_rules) for each_rules in rules)
        for was, becomes in zip(before, after, strict=True):
            _count(whole, was, becomes)
            for otherwise in _otherwise(was, becomes):
                whole.changes[(otherwise.was, otherwise.becomes)] += 1
                whole.impact_inr[(otherwise.was, otherwise.becomes)] += otherwise.impact_inr
                if each:
                    each(otherwise)
    return whole


def _count(whole: Compared, was: Judged, becomes: Judged) -> None:
    whole.transactions += 1
    whole.lines += len(was.loaded.case.ours) + len(was.loaded.case.theirs)
    for side, judged in enumerate((was, becomes)):
        used = [found.slack_inr for found in judged.judgement.all_findings() if found.slack_inr]
        whole.slack[side] += len(used)
        whole.slack_inr[side] += sum(used, ZERO)


def _otherwise(was: Judged, becomes: Judged) -> Iterator[Otherwise]:
    name = was.loaded.case.transaction_id
    for said in (_of_lines, _of_the_rest):
        before, after = said(was.loaded, was.judgement), said(becomes.loaded, becomes.judgement)
        for key in sorted({*before, *after}):
            (old, cost), (new, other) = before.get(key, (NOTHING, ZERO)), after.get(key, (NOTHING, ZERO))
            if old != new:
                level, subject = Level(key[0]), key[1]
                impact = max(cost, other)
                yield Otherwise(
                    transaction_id=name, level=level, subject=subject, was=old, becomes=new, impact_inr=impact
                )


def _of_lines(loaded: Loaded, judgement: Judgement) -> dict[tuple[str, str], tuple[str, Decimal]]:
    """The bucket of each line, a pair once."""
    ours = {line.line: line.order_id for line in loaded.case.ours}
    theirs = their_keys(loaded.case.theirs)
    said = {}
    for verdict in judgement.verdicts:
        subject = theirs[verdict.theirs] if verdict.ours is None else ours[verdict.ours]  # type: ignore[index]
        cost = max((found.impact_inr for found in verdict.findings), default=ZERO)
        said[(Level.LINE.value, subject)] = (verdict.bucket, cost)
    return said


def _of_the_rest(_loaded: Loaded, judgement: Judgement) -> dict[tuple[str, str], tuple[str, Decimal]]:
    """What is found of batches and the transaction, pending marked as such."""
    said = {}
    for found in judgement.findings:
        waiting = class_of(found) is FindingClass.PENDING
        text = f"{found.name} (pending)" if waiting else found.name
        said[(found.level.value, f"{found.subject} {found.field} {found.name}")] = (text, found.impact_inr)
    return said
