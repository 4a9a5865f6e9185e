"""What webhooks said, or did not: evidence about the Gateway, never a booking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from recon.ends import batch_is_final, distinct_legs
from recon.held_claims import HeldClaim, HeldDifference, differences
from recon.rules.timing import clock, completed_at
from recon.scene import Scene, price_of
from recon.tolerance import stated_amount_bound, stated_price_bound
from recon.values import ZERO, Batch, Claim, Evidence, Finding, Leg, Policy
from recon.words import BATCH_RANK, CLOSED_BY_HAND, LEG_ENDS, batch_word, leg_word


def awaited(batch: Batch, scene: Scene) -> Iterator[Finding]:
    """The batch is at its end and no verified webhook said so: late within its grace, then missed."""
    if not batch_is_final(batch, scene.status):
        return
    if any(claim.batch.batch_id == batch.batch_id and batch_is_final(claim.batch) for claim in scene.claims()):
        return
    ends = completed_at(scene, batch, _day(batch, scene)) + scene.policy.webhook_grace
    name = "webhook-missed" if scene.times.passed(ends) else "webhook-late"
    yield scene.of_batch(name, batch, "webhook", theirs=batch.status, evidence=(clock("grace ends", ends),))


def out_of_order(scene: Scene) -> Iterator[Finding]:
    """A webhook said less of its batch than one that came before it: one finding per batch."""
    ranks: dict[str, int] = {}
    fills: dict[str, Decimal] = {}
    seen: set[str] = set()
    for claim in scene.claims():
        batch = claim.batch
        rank = BATCH_RANK.get(batch_word(batch.status) or "")
        highest, most = ranks.get(batch.batch_id), fills.get(batch.batch_id)
        for field, lower, said, before in (
            ("status", rank is not None and highest is not None and rank < highest, batch.status, None),
            ("filled", batch.filled is not None and most is not None and batch.filled < most, batch.filled, most),
        ):
            if lower and batch.batch_id not in seen:
                seen.add(batch.batch_id)
                yield scene.of_batch("out-of-order", batch, field, ours=said, theirs=before, evidence=_events([claim]))
        if rank is not None:
            ranks[batch.batch_id] = max(rank, highest or rank)
        if batch.filled is not None:
            fills[batch.batch_id] = max(batch.filled, most or batch.filled)


def differs(scene: Scene) -> Iterator[Finding]:
    """A webhook states what no answer asked for after it confirms: one finding per batch and field."""
    found: dict[tuple[str, str], tuple[Finding, list[Claim]]] = {}
    batches = {batch.batch_id: batch for batch in scene.batches}
    for claim in scene.claims():
        if claim.asked_after and scene.answer is not None:
            stands = batches.get(claim.batch.batch_id)
            for finding in _denied(claim, stands, scene):
                key = (claim.batch.batch_id, finding.field)
                found.setdefault(key, (finding, []))[1].append(claim)
    for finding, claims in found.values():
        yield scene.of_batch(
            finding.name, claims[0].batch, finding.field, ours=finding.ours, theirs=finding.theirs,
            difference=finding.difference, tolerance=finding.tolerance, impact_inr=finding.impact_inr,
            evidence=_events(claims),
        )  # fmt: skip


def holdings_differ(scene: Scene) -> Iterator[Finding]:
    """A holdings webhook states what the answer asked for after it does not: one finding for each quantity."""
    found: dict[str, tuple[HeldDifference, list[HeldClaim]]] = {}
    for claim in scene.case.held:
        if claim.comparable and max(claim.received_at, claim.answered_at) <= scene.times.as_of:
            for each in differences(claim):
                found.setdefault(each.field, (each, []))[1].append(claim)
    for each, claims in found.values():
        yield scene.of_transaction(
            "webhook-differs", each.field, ours=each.ours, theirs=each.theirs, difference=each.difference,
            cause="the body of a holdings webhook is not signed: what the API answers counts",
            evidence=(
                *(Evidence(kind="event", ref=claim.event_id, says="holdings") for claim in claims),
                Evidence(kind="holdings", ref=claims[0].answer_ref, says="the API's answer after it"),
            ),
        )  # fmt: skip


def _denied(claim: Claim, stands: Batch | None, scene: Scene) -> Iterator[Finding]:
    said = claim.batch
    if stands is None:
        if batch_is_final(said) or (said.filled or ZERO) > 0:
            yield scene.of_batch("webhook-differs", said, "batch", ours=said.batch_id)
        return
    if _was_answered_too(said, stands, scene):
        return
    if batch_is_final(said) or (said.filled is not None and said.filled > _filled(stands)):
        yield from _denied_words(claim, stands, scene)
        yield from _denied_figures(said, stands, scene)
        unlike = () if said.legs == stands.legs else set(said.legs).difference(stands.legs)
        if not all(_confirmed(leg, stands, scene.policy) for leg in unlike):
            yield scene.of_batch("webhook-differs", said, "legs", ours=_legs(said), theirs=_legs(stands))


def _was_answered_too(said: Batch, stands: Batch, scene: Scene) -> bool:
    """Whether an answer took something back of the batch and this claims no more than what stands.

    That answer may confirm it, so it is the regression that tells the difference.
    """
    regressions = () if scene.case.state is None else scene.case.state.regressions
    taken_back = any(fall.batch_id == said.batch_id for fall in regressions)
    return taken_back and (said.filled or ZERO) <= _filled(stands)


def _denied_words(claim: Claim, stands: Batch, scene: Scene) -> Iterator[Finding]:
    said, account = claim.batch, scene.answer and scene.answer.account
    mine, other = batch_word(said.status), batch_word(stands.status)
    ended = batch_is_final(said) and other not in CLOSED_BY_HAND and other is not None
    if ended and mine != other:
        yield scene.of_batch("webhook-differs", said, "status", ours=said.status, theirs=stands.status)
    if claim.account and account and claim.account != account:
        yield scene.of_batch("webhook-differs", said, "account", ours=claim.account, theirs=account)


def _denied_figures(said: Batch, stands: Batch, scene: Scene) -> Iterator[Finding]:
    rupees = stated_amount_bound(scene.policy)
    for field, mine, other, bound in (
        ("quantity", said.quantity, _quantity(stands), ZERO),
        ("filled", said.filled, _filled(stands), ZERO),
        ("buy_amount", said.buy_amount, stands.buy_amount, rupees),
        ("sell_amount", said.sell_amount, stands.sell_amount, rupees),
    ):
        if mine is not None and other is not None and abs(mine - other) > bound:
            yield scene.of_batch(
                "webhook-differs", said, field, ours=mine, theirs=other, difference=mine - other,
                tolerance=bound, impact_inr=abs(mine - other) if bound else ZERO,
            )  # fmt: skip


def _confirmed(said: Leg, stands: Batch, policy: Policy) -> bool:
    return any(_same_leg(said, leg, policy) for leg in stands.legs)


def _same_leg(said: Leg, leg: Leg, policy: Policy) -> bool:
    same_order = (said.placed, said.exchange, said.symbol, said.side) == (
        leg.placed, leg.exchange, leg.symbol, leg.side,
    )  # fmt: skip
    mine, other = said.exchange_order_id, leg.exchange_order_id
    same_id = not mine or not other or mine == other
    same_fill = (said.quantity, said.filled) == (leg.quantity, leg.filled)
    priced = bool(said.filled and said.average_price and leg.average_price)
    apart = abs(price_of(said.average_price) - price_of(leg.average_price)) if priced else ZERO
    return same_order and same_id and same_fill and apart <= stated_price_bound(policy) and _same_end(said, leg)


def _same_end(said: Leg, leg: Leg) -> bool:
    """Only two ends can contradict each other."""
    ends = {leg_word(said.status), leg_word(leg.status)}
    return len(ends) == 1 or not ends <= LEG_ENDS


def _filled(batch: Batch) -> Decimal:
    return sum((leg.filled for leg in distinct_legs(batch)), ZERO) if batch.filled is None else batch.filled


def _quantity(batch: Batch) -> Decimal:
    return sum((leg.quantity for leg in distinct_legs(batch)), ZERO) if batch.quantity is None else batch.quantity


def _legs(batch: Batch) -> str:
    return "; ".join(
        f"{leg.side} {leg.quantity.normalize():f} {leg.symbol} filled {leg.filled.normalize():f}" for leg in batch.legs
    )[:400]


def _day(batch: Batch, scene: Scene) -> date:
    """The trade date of the batch's lines, else of the transaction."""
    days = [line.trade_date for line in scene.case.theirs if line.batch_id == batch.batch_id]
    return min(days) if days else scene.trade_date()


def _events(claims: list[Claim]) -> tuple[Evidence, ...]:
    return tuple(Evidence(kind="event", ref=claim.event_id, says=claim.batch.status) for claim in claims)
