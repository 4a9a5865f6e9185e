"""Judge one transaction: pair its lines, apply every rule, put each line into exactly one bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import localcontext

from recon.ends import leg_is_final
from recon.names import IN_TOLERANCE, MATCHED, ORDER, PENDING, class_of
from recon.pairing import pair_lines
from recon.rules import amounts, identity, presence, price, quantity, status, timing, webhooks
from recon.scene import Item, Scene, Times
from recon.severity import RANK, at_birth
from recon.values import (
    Batch,
    Calendar,
    Case,
    Finding,
    FindingClass,
    Judgement,
    OurLine,
    Policy,
    Regression,
    TheirLine,
    Verdict,
)

LineRule = Callable[[Item, Scene], Iterator[Finding]]
BatchRule = Callable[[Batch, Scene], Iterator[Finding]]
TransactionRule = Callable[[Scene], Iterator[Finding]]

#: What stays true of a leg that never reached the broker; `unplaced` stands for all else.
UNPLACED_RULES: tuple[LineRule, ...] = (
    presence.unplaced,
    presence.ambiguous,
    identity.side,
    identity.instrument,
    identity.account,
    status.regression_of_line,
)
LINE_RULES: tuple[LineRule, ...] = (
    timing.open_order,
    timing.books_behind,
    presence.without_ours,
    presence.without_theirs,
    presence.ambiguous,
    quantity.requested,
    quantity.filled,
    quantity.partial_residual,
    quantity.overfill,
    price.absent,
    price.differs,
    identity.side,
    identity.instrument,
    identity.account,
    status.conflict,
    status.unknown_in_line,
    status.regression_of_line,
)
BATCH_RULES: tuple[BatchRule, ...] = (
    quantity.batch_sum,
    amounts.amount_sum,
    status.unknown_in_batch,
    status.batch_vs_lines,
    status.regression_of_batch,
    webhooks.awaited,
)
TRANSACTION_RULES: tuple[TransactionRule, ...] = (
    status.unknown_in_transaction,
    status.regression_of_transaction,
    webhooks.out_of_order,
    webhooks.differs,
)

PRECISION = 60  #: digits: a product of two money columns is exact


def judge(
    case: Case,
    *,
    as_of: datetime,
    policy: Policy,
    calendar: Calendar,
    books_in: Callable[[date], bool],
) -> Judgement:
    """All that can be said of one transaction at that instant.

    `books_in` says whether the books of a trade date are due or declared complete.
    While two answers that overlapped disagree, nothing is concluded: every line is pending.
    """
    with localcontext(prec=PRECISION):
        scene = Scene(case=case, times=Times(as_of), policy=policy, calendar=calendar, books_in=books_in)
        items = items_of(case)
        if case.state is not None and not case.state.settled:
            return Judgement(verdicts=tuple(_pending(item) for item in items), findings=())
        verdicts = tuple(_verdict(item, scene) for item in items)
        findings = (*_of_batches(scene), *_of_transaction(scene))
        _every_line_once(case, verdicts)
        return Judgement(
            verdicts=verdicts, findings=findings, review_at=scene.times.review_at, trade_date=scene.trade_date()
        )


def plain_theirs(case: Case, *, as_of: datetime, policy: Policy, calendar: Calendar) -> dict[int, bool]:
    """For each of the Gateway's lines whether it, its batch and its transaction raise nothing and wait for nothing.

    Answers and webhooks alone count, the books do not.
    A leg that never reached the broker is never plain: beside a line of ours it is a finding.
    """
    alone = judge(
        replace(case, ours=()), as_of=as_of, policy=policy, calendar=calendar, books_in=lambda _day: True
    )
    unclear = case.state is None or not case.state.settled
    batches = {batch.batch_id: batch for batch in (case.state.answer.batches if case.state else ())}
    troubled = {finding.batch_id for finding in alone.findings}
    plain: dict[int, bool] = {}
    for verdict, line in zip(alone.verdicts, _by_line(alone, case), strict=True):
        quiet = all(finding.name == "missing-internal" for finding in verdict.findings)
        item = Item(theirs=line, batch=batches.get(line.batch_id), subject="")
        plain[line.line] = quiet and not unclear and not item.unplaced and not troubled & {None, line.batch_id}
    return plain


def items_of(case: Case) -> tuple[Item, ...]:
    """Every line of both sides, once: paired, ambiguous or alone."""
    answer = None if case.state is None else case.state.answer
    batches = {batch.batch_id: batch for batch in (answer.batches if answer else ())}
    pairing = pair_lines(case.ours, case.theirs, tuple(batches.values()))
    fallen = _fallen(case)

    def item(ours: OurLine | None, theirs: TheirLine | None, *, rung: int | None = None, many: bool = False) -> Item:
        batch = batches.get(theirs.batch_id) if theirs else None
        final = bool(theirs and batch and answer and leg_is_final(theirs.leg, batch, answer.status))
        return Item(
            ours=ours, theirs=theirs, batch=batch, final=final, subject=_subject(ours, theirs), rung=rung,
            ambiguous=many, regressions=tuple(fallen.get(theirs.line, ())) if theirs else (),
        )  # fmt: skip

    return _distinct(
        (
            *(item(pair.ours, pair.theirs, rung=pair.rung) for pair in pairing.pairs),
            *(item(ours, None, many=True) for ours in pairing.ambiguous_ours),
            *(item(None, theirs, many=True) for theirs in pairing.ambiguous_theirs),
            *(item(ours, None) for ours in pairing.ours),
            *(item(None, theirs) for theirs in pairing.theirs),
        )
    )


def bucket_of(findings: Sequence[Finding]) -> str:
    """The severest break, ties by the order of the table; else pending; else how it matched."""
    breaks = [finding for finding in findings if class_of(finding) is FindingClass.BREAK]
    if breaks:
        return min(breaks, key=lambda found: (-RANK[at_birth(found, FindingClass.BREAK)], ORDER[found.name])).name
    if any(class_of(finding) is FindingClass.PENDING for finding in findings):
        return PENDING
    return IN_TOLERANCE if any(finding.name == "price-in-tol" for finding in findings) else MATCHED


def rule_name(rule: Callable[..., object]) -> str:
    """As it goes to findings, logs and docs/breaks.md: `quantity.overfill`."""
    return f"{rule.__module__.rsplit('.', 1)[-1]}.{rule.__name__}".replace("_", "-")


def _verdict(item: Item, scene: Scene) -> Verdict:
    rules = UNPLACED_RULES if item.unplaced else LINE_RULES
    more = (*item.books(), *(scene.answered() if item.theirs else ()))
    findings = tuple(
        replace(finding, rule=rule_name(rule), evidence=(*finding.evidence, *more))
        for rule in rules
        for finding in rule(item, scene)
    )
    return _placed(item, bucket_of(findings), findings)


def _pending(item: Item) -> Verdict:
    return _placed(item, PENDING, ())


def _placed(item: Item, bucket: str, findings: tuple[Finding, ...]) -> Verdict:
    return Verdict(
        ours=item.ours.line if item.ours else None,
        theirs=item.theirs.line if item.theirs else None,
        bucket=bucket,
        trade_date=item.trade_date,
        rung=item.rung,
        findings=findings,
    )


def _of_batches(scene: Scene) -> Iterator[Finding]:
    for batch in sorted(scene.batches, key=lambda batch: batch.batch_id):
        for rule in BATCH_RULES:
            yield from _stamped(rule(batch, scene), rule_name(rule), scene)


def _of_transaction(scene: Scene) -> Iterator[Finding]:
    for rule in TRANSACTION_RULES:
        yield from _stamped(rule(scene), rule_name(rule), scene)


def _stamped(findings: Iterable[Finding], name: str, scene: Scene) -> Iterator[Finding]:
    for finding in findings:
        yield replace(finding, rule=name, evidence=(*finding.evidence, *scene.answered()))


def _subject(ours: OurLine | None, theirs: TheirLine | None) -> str:
    """A line's natural key: our order id, else the exchange's, else what the batch says of the leg."""
    if ours is not None:
        return ours.order_id
    assert theirs is not None
    leg = theirs.leg
    return leg.exchange_order_id or f"{theirs.batch_id}/{leg.exchange}:{leg.symbol}/{leg.side}"


def _distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    """Number the lines that nothing tells apart, so that no finding hides another."""
    seen: Counter[str] = Counter()
    named = []
    for item in items:
        seen[item.subject] += 1
        again = seen[item.subject]
        named.append(item if again == 1 else replace(item, subject=f"{item.subject}/{again}"))
    return tuple(named)


def _fallen(case: Case) -> dict[int, list[Regression]]:
    """The recorded falls by the line they are about; of equal legs the first not yet taken."""
    fallen: dict[int, list[Regression]] = {}
    for regression in case.state.regressions if case.state else ():
        same = [line for line in case.theirs if (line.batch_id, line.leg) == (regression.batch_id, regression.leg)]
        if same:
            fewest = min(same, key=lambda line: (len(fallen.get(line.line, ())), line.line))
            fallen.setdefault(fewest.line, []).append(regression)
    return fallen


def _by_line(alone: Judgement, case: Case) -> list[TheirLine]:
    lines = {line.line: line for line in case.theirs}
    return [lines[verdict.theirs] for verdict in alone.verdicts if verdict.theirs is not None]


def _every_line_once(case: Case, verdicts: Sequence[Verdict]) -> None:
    """A line that is lost or counted twice is a fault of ours: fail before anything is stored."""
    counted = (
        Counter(verdict.ours for verdict in verdicts if verdict.ours is not None),
        Counter(verdict.theirs for verdict in verdicts if verdict.theirs is not None),
    )
    expected = (Counter(line.line for line in case.ours), Counter(line.line for line in case.theirs))
    if counted != expected:
        raise AssertionError(f"{case.transaction_id}: a line is not in exactly one bucket")


