"""Judge one transaction: pair its lines, apply every rule, put each line into exactly one bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import localcontext
from functools import cache

from msgspec.structs import replace

from recon.chains import links_of
from recon.items import items_of
from recon.keys import their_keys
from recon.market import Market, UnknownMarket
from recon.names import IN_TOLERANCE, MATCHED, ORDER, PENDING, class_of
from recon.numbers import PRECISION
from recon.rules import (
    amounts,
    chains,
    dates,
    duplicates,
    identity,
    notes,
    payloads,
    plausible,
    presence,
    price,
    quantity,
    status,
    timing,
    webhooks,
)
from recon.scene import Item, Scene, Times
from recon.severity import RANK, at_birth
from recon.values import (
    Batch,
    Calendar,
    Case,
    Finding,
    FindingClass,
    Judgement,
    Policy,
    Verdict,
)

LineRule = Callable[[Item, Scene], Iterator[Finding]]
BatchRule = Callable[[Batch, Scene], Iterator[Finding]]
TransactionRule = Callable[[Scene], Iterator[Finding]]

#: What stays true of a leg that never reached the broker; `unplaced` stands for all else.
UNPLACED_RULES: tuple[LineRule, ...] = (
    presence.unplaced,
    presence.ambiguous,
    duplicates.external,
    identity.side,
    identity.instrument,
    identity.unmapped,
    identity.account,
    status.regression_of_line,
)
#: What is said of a leg told a second time: the first one speaks for both.
COPY_RULES: tuple[LineRule, ...] = (duplicates.external, status.regression_of_line)
LINE_RULES: tuple[LineRule, ...] = (
    timing.open_order,
    timing.books_behind,
    presence.without_ours,
    presence.without_theirs,
    presence.ambiguous,
    duplicates.external,
    duplicates.internal,
    quantity.requested,
    quantity.filled,
    quantity.partial_residual,
    quantity.overfill,
    price.absent,
    price.differs,
    plausible.price,
    identity.side,
    identity.instrument,
    identity.alias,
    identity.exchange,
    identity.unmapped,
    identity.account,
    dates.trade_date,
    dates.zone_shift,
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
)
#: What depends on more than the answers about the transaction: webhooks, and other transactions of a chain.
WEBHOOK_RULES: tuple[BatchRule, ...] = (webhooks.awaited,)
CHAIN_RULES: tuple[BatchRule, ...] = (chains.repaired, chains.fixed, chains.repair_pending, chains.waived)
TRANSACTION_RULES: tuple[TransactionRule, ...] = (
    status.unknown_in_transaction,
    status.regression_of_transaction,
    chains.dup_execution,
    payloads.invalid,
    webhooks.out_of_order,
    webhooks.differs,
    webhooks.holdings_differ,
    notes.missing,
    notes.differs,
    notes.charge,
    notes.net,
)

NEVER = datetime.max.replace(tzinfo=UTC)  #: later than any grace


def judge(
    case: Case,
    *,
    as_of: datetime,
    policy: Policy,
    calendar: Calendar,
    books_in: Callable[[date], bool],
    market: Market | None = None,
) -> Judgement:
    """All that can be said of one transaction at that instant.

    `books_in` says whether the books of a trade date are due or declared complete; of a `market` that
    is not given nothing is known.
    While two answers that overlapped disagree, nothing is concluded: every line is pending.
    """
    with localcontext(prec=PRECISION):
        scene = Scene(
            case=case, times=Times(as_of), policy=policy, calendar=calendar, books_in=books_in,
            market=market or UnknownMarket(), links=links_of(case),
        )  # fmt: skip
        items = items_of(case)
        if case.state is not None and not case.state.settled:
            return Judgement(
                verdicts=tuple(v for item in items for v in _placed(item, PENDING, (), scene)), findings=()
            )
        verdicts = tuple(v for item in items for v in _verdicts(item, scene))
        of_batches = _of_batches(scene, (*BATCH_RULES, *WEBHOOK_RULES, *CHAIN_RULES))
        findings = (*of_batches, *_of_transaction(scene))
        _every_line_once(case, verdicts)
        return Judgement(
            verdicts=verdicts,
            findings=findings,
            review_at=scene.times.review_at,
            trade_date=scene.trade_date(),
        )


def plain_theirs(case: Case, *, policy: Policy, calendar: Calendar, market: Market | None = None) -> dict[int, bool]:
    """For each of the Gateway's lines whether it, its batch and its transaction raise nothing and wait for nothing.

    The answers alone count: what webhooks, books and other transactions say is not looked at, nor what time it is.
    A leg that never reached the broker is never plain: beside a line of ours it is a finding.
    Nor is one that is told twice.
    """
    plain = dict.fromkeys((line.line for line in case.theirs), False)
    if case.state is None or not case.state.settled:
        return plain
    with localcontext(prec=PRECISION):
        alone = replace(case, ours=(), claims=())
        scene = Scene(
            case=alone, times=Times(NEVER), policy=policy, calendar=calendar, books_in=lambda _day: False,
            market=market or UnknownMarket(),
        )  # fmt: skip
        troubled = {found.batch_id for found in (*_of_batches(scene, BATCH_RULES), *_of_transaction(scene))}
        items = items_of(alone)
        copied = {item.theirs.leg for item in items if item.copied and item.theirs}
        for item in items:
            if item.theirs is not None and not troubled & {None, item.theirs.batch_id}:
                told_once = item.theirs.leg not in copied
                plain[item.theirs.line] = told_once and not item.unplaced and not _alone(item, scene)
    return plain


def bucket_of(findings: Sequence[Finding]) -> str:
    """The severest break, ties by the order of the table; else pending; else how it matched."""
    breaks = [finding for finding in findings if class_of(finding) is FindingClass.BREAK]
    if breaks:
        return min(breaks, key=lambda found: (-RANK[at_birth(found, FindingClass.BREAK)], ORDER[found.name])).name
    if any(class_of(finding) is FindingClass.PENDING for finding in findings):
        return PENDING
    return IN_TOLERANCE if any(finding.name == "price-in-tol" for finding in findings) else MATCHED


@cache
def rule_name(rule: Callable[..., object]) -> str:
    """As it goes to findings, logs and docs/breaks.md: `quantity.overfill`."""
    return f"{rule.__module__.rsplit('.', 1)[-1]}.{rule.__name__}".replace("_", "-")


def _verdicts(item: Item, scene: Scene) -> tuple[Verdict, ...]:
    more = (*item.books(), *(scene.answered() if item.theirs else ()), *scene.decided(item))
    findings = tuple(
        replace(finding, rule=rule_name(rule), evidence=(*finding.evidence, *more))
        for rule in _rules_of(item)
        for finding in rule(item, scene)
    )
    return _placed(item, bucket_of(findings), findings, scene)


def _rules_of(item: Item) -> tuple[LineRule, ...]:
    if item.copied:
        return COPY_RULES
    return UNPLACED_RULES if item.unplaced else LINE_RULES


def _placed(item: Item, bucket: str, findings: tuple[Finding, ...], scene: Scene) -> tuple[Verdict, ...]:
    """The bucket of each line of the item; of an order told in parts the first one carries what is found."""
    ours, theirs = item.our_lines(), item.their_lines()
    return tuple(
        Verdict(
            ours=ours[place].line if place < len(ours) else None,
            theirs=theirs[place].line if place < len(theirs) else None,
            bucket=bucket,
            trade_date=item.trade_date,
            rung=item.rung,
            findings=findings if place == 0 else (),
            members=_members(item, scene),
        )
        for place in range(max(len(ours), len(theirs)))
    )


def _members(item: Item, scene: Scene) -> tuple[str, ...]:
    """The natural keys of the lines that make up one order, ours first; nothing for a plain pair."""
    if not item.our_parts:
        return ()
    keys = their_keys(scene.case.theirs)
    return (*(line.order_id for line in item.our_parts), *(keys[line.line] for line in item.their_parts))


def _alone(item: Item, scene: Scene) -> bool:
    """Whether the leg raises a finding that no books could take away."""
    return any(finding.name != "awaiting-books" for rule in LINE_RULES for finding in rule(item, scene))


def _of_batches(scene: Scene, rules: Sequence[BatchRule]) -> Iterator[Finding]:
    for batch in sorted(scene.batches, key=lambda batch: batch.batch_id):
        for rule in rules:
            yield from _stamped(rule(batch, scene), rule_name(rule), scene)


def _of_transaction(scene: Scene) -> Iterator[Finding]:
    for rule in TRANSACTION_RULES:
        yield from _stamped(rule(scene), rule_name(rule), scene)


def _stamped(findings: Iterable[Finding], name: str, scene: Scene) -> Iterator[Finding]:
    for finding in findings:
        yield replace(finding, rule=name, evidence=(*finding.evidence, *scene.answered()))


def _every_line_once(case: Case, verdicts: Sequence[Verdict]) -> None:
    """A line that is lost or counted twice is a fault of ours: fail before anything is stored."""
    counted = (
        sorted(verdict.ours for verdict in verdicts if verdict.ours is not None),
        sorted(verdict.theirs for verdict in verdicts if verdict.theirs is not None),
    )
    if counted != (sorted(line.line for line in case.ours), sorted(line.line for line in case.theirs)):
        raise AssertionError(f"{case.transaction_id}: a line is not in exactly one bucket")
