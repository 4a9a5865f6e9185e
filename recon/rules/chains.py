"""What was executed twice, and repairs: accepted, too many, half of one, still open, let go."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec.structs import replace

from recon.chained import ChainBatch
from recon.chains import Link, Stock, is_repair, word_of
from recon.ends import distinct_legs
from recon.rules.timing import clock, completed_at
from recon.scene import Scene, price_of, shown
from recon.values import ZERO, Batch, Evidence, Finding

FIXED, WAIVED = "FIXED", "MARKEDCOMPLETE"


def dup_execution(scene: Scene) -> Iterator[Finding]:
    """Several batches of one transaction, none of them a repair, filled something."""
    answer = scene.answer
    batches = () if answer is None else tuple(b for b in answer.batches if not is_repair(b, answer))
    filled = [(batch, total) for batch in batches if (total := sum((leg.filled for leg in distinct_legs(batch)), ZERO))]
    if len(filled) > 1:
        ordered = sorted(filled, key=lambda each: (each[0].created_at is None, each[0].created_at, each[0].batch_id))
        yield scene.of_transaction(
            "dup-execution", "filled", critical=True,
            theirs=", ".join(f"{batch.batch_id} filled {shown(total)}" for batch, total in ordered)[:400],
            impact_inr=sum((_rupees(batch) for batch, _ in ordered[1:]), ZERO),
        )  # fmt: skip


def repaired(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """A repair: without a parent, beyond what was ordered, or accepted."""
    link, own = _link(batch, scene)
    if link is None or own is None or not own.repair:
        return
    if link.root is None:
        yield _half(batch, scene, "parent", link)
        return
    excess = link.excess()
    for stock in sorted(excess):
        if _last_filler(link, stock) == own:
            yield _beyond(batch, scene, link, stock)
    if not excess:
        yield scene.of_batch("repair-chain", batch, "filled", **_totals(link))


def fixed(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """The batch says that it was repaired, and no repair of it is known."""
    link, own = _link(batch, scene)
    if link is not None and own == link.last and own.iscid is not None and word_of(own) == FIXED:
        yield _half(batch, scene, "child", link)


def repair_pending(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """The rest of the order was neither repaired nor archived."""
    link, own = _link(batch, scene)
    if link is None or link.root is None or own is None or own != link.last or own.iscid is None:
        return
    words = {word_of(each) for each in link.batches}
    ended = all(each.final for each in link.batches) and WAIVED not in words and word_of(own) != FIXED
    rest = link.rest()
    if ended and rest:
        impact = sum((quantity * link.price(stock) for stock, quantity in rest.items()), ZERO)
        figures = _totals(link, sum(rest.values(), ZERO))
        yield scene.of_batch("repair-pending", batch, "filled", impact_inr=impact, **figures)


def waived(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """The rest of the order was let go."""
    link, own = _link(batch, scene)
    if link is None or own is None or link.root is None or word_of(own) != WAIVED:
        return
    if rest := sum(link.rest().values(), ZERO):
        yield scene.of_batch("waived", batch, "filled", **_totals(link, rest))


def _link(batch: Batch, scene: Scene) -> tuple[Link | None, ChainBatch | None]:
    """The link in which a batch of this transaction stands, and its place there; nothing while answers disagree."""
    for link in scene.links:
        for each in link.batches:
            if (each.transaction_id, each.batch_id) == (scene.case.transaction_id, batch.batch_id):
                return (link, each) if link.settled else (None, None)
    return None, None


def _half(batch: Batch, scene: Scene, field: str, link: Link) -> Finding:
    days = [line.trade_date for line in scene.case.theirs if line.batch_id == batch.batch_id]
    ends = completed_at(scene, batch, min(days) if days else scene.trade_date()) + scene.policy.webhook_grace
    return scene.of_batch(
        "orphan-repair", batch, field, theirs=batch.status, waiting=not scene.times.passed(ends),
        impact_inr=_rupees(batch), evidence=(clock("grace ends", ends), *_siblings(link, scene)),
    )  # fmt: skip


def _beyond(batch: Batch, scene: Scene, link: Link, stock: Stock) -> Finding:
    ordered, filled = link.ordered().get(stock, ZERO), link.filled()[stock]
    found = scene.of_batch(
        "over-repair", batch, "filled", critical=True, ours=ordered, theirs=filled, difference=ordered - filled,
        impact_inr=(filled - ordered) * link.price(stock), evidence=_siblings(link, scene),
    )  # fmt: skip
    return replace(found, subject="/".join((batch.batch_id, *stock)))


def _last_filler(link: Link, stock: Stock) -> ChainBatch | None:
    """The last repair that filled anything of that stock."""
    filled = [b for b in link.repairs if any((leg.instrument, leg.side) == stock and leg.filled for leg in b.legs)]
    return filled[-1] if filled else None


def _totals(link: Link, rest: Decimal | None = None) -> dict[str, object]:
    """What was ordered as ours, what was filled of it as theirs: all but `rest`, or whatever was filled."""
    ordered = sum(link.ordered().values(), ZERO)
    filled = sum(link.filled().values(), ZERO) if rest is None else ordered - rest
    says = f"{link.last.batch_id} ends a chain of {len(link.batches)}"
    return {
        "ours": ordered, "theirs": filled, "difference": ordered - filled,
        "evidence": (Evidence(kind="chain", ref=link.last.transaction_id, says=says),),
    }  # fmt: skip


def _siblings(link: Link, scene: Scene) -> tuple[Evidence, ...]:
    """Where the rest of the chain lies."""
    return tuple(
        Evidence(kind="chain", ref=each.transaction_id, says=f"{each.batch_id} {each.status}")
        for each in link.batches
        if each.transaction_id != scene.case.transaction_id
    )


def _rupees(batch: Batch) -> Decimal:
    return sum((leg.filled * price_of(leg.average_price) for leg in distinct_legs(batch)), ZERO)
