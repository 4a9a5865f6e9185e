"""One account's holdings judged: every row of both sides in one line, every line in one bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from recon.holdings.descent import Descent
from recon.holdings.findings import of_descent, of_parts, of_rows, of_sums, of_temporary
from recon.holdings.ledger import Account, ledger
from recon.holdings.parts import decompose
from recon.holdings.scene import Scene
from recon.holdings.shown import ShownLine, shown_lines
from recon.holdings.values import HoldingsCase, HoldingVerdict, Part
from recon.names import MATCHED, ORDER, PENDING, class_of
from recon.severity import RANK, at_birth
from recon.values import ZERO, Finding, FindingClass

NO_POSITIONS, NO_HOLDINGS = "no-positions", "no-holdings"


def judge_holdings(case: HoldingsCase) -> tuple[HoldingVerdict, ...]:
    """Where every line of descent of the account ends up, by its newest ISIN."""
    verdicts = tuple(_judged(case))
    _every_row_once(case, verdicts)
    return verdicts


def left_over(case: HoldingsCase) -> dict[str, Decimal]:
    """By line of descent, what is left before other accounts are looked at; only what is left at all."""
    if case.opening is None or case.shown is None:
        return {}
    found = {}
    for scene in _scenes(case):
        decompose(scene, until="wrong-account")
        if scene.rest and not _unnamed(scene):
            found[scene.isin] = scene.rest
    return found


def _judged(case: HoldingsCase) -> Iterator[HoldingVerdict]:
    if case.opening is None:
        yield from _unread(case)
        return
    if case.shown is None:
        yield from _unasked(case)
        return
    for scene in _scenes(case):
        if scene.ours.positions or scene.theirs.rows or scene.ours.total:
            yield _verdict(scene)


def _scenes(case: HoldingsCase) -> Iterator[Scene]:
    assert case.shown
    descent = Descent.of(case)
    ours, theirs = ledger(case, descent), shown_lines(case.shown.rows, case.adapter, descent)
    for isin in sorted({*ours, *theirs}):
        account, line = ours.get(isin) or Account(), theirs.get(isin) or ShownLine()
        yield Scene(case=case, descent=descent, isin=isin, ours=account, theirs=line)


def _verdict(scene: Scene) -> HoldingVerdict:
    parts = _of_unnamed(scene) if _unnamed(scene) else decompose(scene)
    findings = (
        *of_parts(scene, parts),
        *of_descent(scene, parts),
        *of_temporary(scene),
        *of_rows(scene),
        *of_sums(scene, parts),
    )
    return HoldingVerdict(
        isin=scene.isin,
        bucket=_bucket(findings),
        internal=scene.ours.total,
        shown=scene.theirs.total,
        steps=tuple(scene.ours.steps),
        parts=parts,
        findings=findings,
        positions=tuple(scene.ours.positions),
        rows=tuple(scene.theirs.rows),
    )


def _unnamed(scene: Scene) -> bool:
    return any(row.isin is None for row in scene.theirs.rows)


def _of_unnamed(scene: Scene) -> tuple[Part, ...]:
    """Rows whose ISIN nobody knows belong to no line of descent."""
    words = f"{scene.isin} stands in no table of instruments"
    return (Part(name="isin-unmapped", quantity=scene.theirs.total, words=words),)


def _bucket(findings: Sequence[Finding]) -> str:
    """The severest break, else pending, else what explains the difference, else matched."""
    named = [(finding, class_of(finding)) for finding in findings]
    breaks = [finding for finding, kind in named if kind is FindingClass.BREAK]
    if breaks:
        return min(breaks, key=lambda f: (-RANK[at_birth(f, FindingClass.BREAK)], ORDER[f.name])).name
    if any(kind is FindingClass.PENDING for _, kind in named):
        return PENDING
    explained = [finding.name for finding, _ in named if finding.field == "quantity"]
    return explained[0] if explained else MATCHED


def _unread(case: HoldingsCase) -> Iterator[HoldingVerdict]:
    """The books say nothing of this account yet."""
    if case.shown is None:
        return
    descent = Descent.of(case)
    for isin, line in sorted(shown_lines(case.shown.rows, case.adapter, descent).items()):
        yield HoldingVerdict(isin=isin, bucket=PENDING, rule=NO_POSITIONS, shown=line.total, rows=tuple(line.rows))


def _unasked(case: HoldingsCase) -> Iterator[HoldingVerdict]:
    """The broker has not said anything that could be read."""
    for isin, line in sorted(ledger(case, Descent.of(case)).items()):
        if line.positions or line.total:
            yield HoldingVerdict(
                isin=isin,
                bucket=PENDING,
                rule=NO_HOLDINGS,
                internal=line.total,
                steps=tuple(line.steps),
                positions=tuple(line.positions),
            )


def _every_row_once(case: HoldingsCase, verdicts: Sequence[HoldingVerdict]) -> None:
    """A row that is lost or counted twice, or parts that do not add up, are a fault of ours: fail before storing."""
    rows = Counter(row for verdict in verdicts for row in verdict.rows)
    positions = Counter(each for verdict in verdicts for each in verdict.positions)
    expected = Counter(case.shown.rows if case.shown else ()), Counter(case.opening.positions if case.opening else ())
    if (rows, positions) != expected:
        raise AssertionError(f"{case.account}: a row is not in exactly one line")
    for verdict in verdicts:
        if verdict.difference is not None and verdict.difference != sum((p.quantity for p in verdict.parts), ZERO):
            raise AssertionError(f"{case.account}, {verdict.isin}: the parts do not add up")
