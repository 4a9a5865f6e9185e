"""The findings of one line of descent: one for each part, and what is wrong without a difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from recon.holdings.costs import COST_BOUND
from recon.holdings.fitting import listed_by
from recon.holdings.parts import ratio_unknown
from recon.holdings.scene import Scene
from recon.holdings.shown import total_of
from recon.holdings.values import Part
from recon.lines import plain_text
from recon.values import ZERO, Evidence, Finding, Level

#: Parts that nobody may wave through.
CRITICAL = frozenset({"wrong-account"})


def of_parts(scene: Scene, parts: tuple[Part, ...]) -> Iterator[Finding]:
    """One finding a name, over all its parts."""
    for name in dict.fromkeys(part.name for part in parts):
        mine = [part for part in parts if part.name == name]
        quantity = sum((part.quantity for part in mine), ZERO)
        yield _finding(
            scene,
            name,
            field="quantity",
            difference=-quantity,
            impact=sum((abs(part.quantity) for part in mine), ZERO) * price_of(scene),
            cause="; ".join(part.words for part in mine),
            root=next((part.root for part in mine if part.root), None),
            waiting=all(part.waiting for part in mine),
        )


def of_rows(scene: Scene) -> Iterator[Finding]:
    """What the rows say of themselves."""
    rows = scene.theirs.rows
    twice = [isin for isin, count in Counter(row.isin for row in rows if row.isin).items() if count > 1]
    if twice:
        yield _finding(scene, "dup-listing", field="isin", cause=f"{', '.join(sorted(twice))} stands in several rows")
    if any(row.discrepancy for row in rows):
        yield _finding(scene, "broker-flag", field="discrepancy", cause="the broker's own flag says that it is wrong")
    baskets = sum((row.smallcase for row in rows), ZERO)
    if baskets > max(scene.theirs.total, ZERO):
        over = baskets - scene.theirs.total
        cause = f"{plain_text(baskets)} belong to smallcases, {plain_text(scene.theirs.total)} are shown"
        yield _finding(scene, "attribution", field="smallcase", impact=over * price_of(scene), cause=cause)


def of_descent(scene: Scene, parts: tuple[Part, ...]) -> Iterator[Finding]:
    """As many on both sides, and yet in units of which nobody said how many of the one make the other."""
    words = None if any(part.name == "ca-other" for part in parts) else ratio_unknown(scene)
    if words:
        yield _finding(scene, "ca-other", field="isin", impact=abs(scene.theirs.total) * price_of(scene), cause=words)


def of_temporary(scene: Scene) -> Iterator[Finding]:
    """A bonus that lies under its temporary ISIN: it counts, and it cannot be sold yet."""
    words, waiting = [], True
    for action in scene.descent.actions:
        rows = [row for row in scene.theirs.rows if row.isin and row.isin == action.temporary_isin]
        if quantity := sum((total_of(row, scene.case.adapter) for row in rows), ZERO):
            due = listed_by(action, scene.case.calendar)
            waiting = waiting and min(scene.case.day, scene.shown.day) <= due
            words.append(
                f"{plain_text(quantity)} lie under the temporary ISIN {action.temporary_isin}, to be listed by {due}"
            )
    if words:
        yield _finding(scene, "bonus-pending", field="isin", cause="; ".join(words), waiting=waiting)


def of_sums(scene: Scene, parts: tuple[Part, ...]) -> Iterator[Finding]:
    """A position below zero; an average cost that differs though the quantity does not."""
    held = sum((row.held for row in scene.theirs.rows), ZERO)
    if scene.ours.total < ZERO or held < ZERO:
        least = min(scene.ours.total, held)
        cause = "the books come to" if scene.ours.total < ZERO else "the broker holds"
        words = f"{cause} {plain_text(least)}: nothing can be delivered from less than none"
        yield _finding(scene, "negative", field="quantity", impact=-least * price_of(scene), cause=words, critical=True)
    costs = None if parts or scene.ours.moved else _costs(scene)
    if costs and abs(costs[0] - costs[1]) > COST_BOUND:
        yield _finding(
            scene,
            "avg-cost",
            field="average_price",
            ours=plain_text(costs[0]),
            theirs=plain_text(costs[1]),
            difference=costs[0] - costs[1],
            impact=abs(costs[0] - costs[1]) * scene.ours.total,
            cause="first-in-first-out against weighted, charges in the cost or not, a corporate action not in it yet",
        )


def price_of(scene: Scene) -> Decimal:
    """A price to weigh shares by: the broker's average, else the books', else that of our last trade; 0 without any."""
    averages = [row.average for row in scene.theirs.rows] + [each.average_price for each in scene.ours.positions]
    averages += [trade.price for trade in sorted(scene.ours.trades, key=lambda t: (t.trade_date, t.ref), reverse=True)]
    return next((price for price in averages if price), ZERO)


def _costs(scene: Scene) -> tuple[Decimal, Decimal] | None:
    """Our average and the broker's, where each side has just one and nothing moved between the two dates."""
    ours, theirs = scene.ours.positions, [row for row in scene.theirs.rows if row.held]
    if len(ours) != 1 or len(theirs) != 1 or scene.theirs.unsettled or scene.theirs.sold:
        return None
    opening = scene.case.opening
    first = min(scene.shown.day, opening.as_of) if opening else scene.shown.day
    if any(trade.trade_date > first or trade.settles_on > first for trade in scene.ours.trades):
        return None
    if scene.ours.entitlements or ours[0].isin != theirs[0].isin:
        return None
    mine, other = ours[0].average_price, theirs[0].average
    return (mine, other) if mine and other else None


def _finding(
    scene: Scene,
    name: str,
    *,
    field: str,
    ours: str | None = None,
    theirs: str | None = None,
    difference: Decimal | None = None,
    impact: Decimal = ZERO,
    cause: str | None = None,
    critical: bool = False,
    root: str | None = None,
    waiting: bool = False,
) -> Finding:
    return Finding(
        name=name,
        level=Level.HOLDING,
        subject=scene.isin,
        line=scene.isin,
        field=field,
        ours=ours or plain_text(scene.ours.total),
        theirs=theirs or plain_text(scene.theirs.total),
        difference=difference,
        impact_inr=impact,
        rule=name.replace("-", "_"),
        cause=cause or None,
        critical=critical or name in CRITICAL,
        waiting=waiting,
        root=root,
        evidence=_evidence(scene),
    )


def _evidence(scene: Scene) -> tuple[Evidence, ...]:
    found = [Evidence(kind="holdings", ref=scene.shown.ref, says=f"the broker's answer of {scene.shown.day}")]
    if scene.case.opening:
        found.append(Evidence(kind="books", ref=str(scene.case.opening.as_of), says="the books' positions"))
    return tuple(found)
