"""A line on one side only, several that could be it, or a leg that never reached the broker."""

from __future__ import annotations

from collections.abc import Iterator

from recon.ends import answer_is_final, excludes_an_order, filled_of, has_expired, waits_for_trigger
from recon.rules.timing import until_stale
from recon.scene import Item, Scene, amount_of_ours, amount_of_theirs, shown
from recon.values import Evidence, Finding, OurLine
from recon.words import CREATED, UNPLACED, our_word

ABSENT_TIMES = 3  #: answers "no such transaction" that together mean it


def without_ours(item: Item, scene: Scene) -> Iterator[Finding]:
    """The Gateway has a leg that the books do not."""
    if item.theirs is None or item.ours is not None or item.ambiguous:
        return
    due = scene.books_are_in(item.theirs.trade_date)
    yield item.finding(
        "missing-internal" if due else "awaiting-books",
        "line",
        theirs=_leg_text(item),
        impact_inr=amount_of_theirs(item.theirs),
    )


def without_theirs(item: Item, scene: Scene) -> Iterator[Finding]:
    """The books have a line that the Gateway does not, which may mean four things."""
    if item.ours is None or item.theirs is not None or item.ambiguous or item.doubled:
        return
    if _never_triggered(scene):
        yield _dead(item, item.ours, scene)
    elif not _has_spoken(scene):
        yield _not_yet(item, item.ours, scene)
    elif _says_placed(item.ours):
        yield _missing_external(item, item.ours, scene)
    else:
        yield item.finding("open-order", "status", ours=item.ours.status)


def unplaced(item: Item, _scene: Scene) -> Iterator[Finding]:
    """The leg never reached the broker, and the books do not say so yet."""
    if item.pair is None or not item.unplaced:
        return
    ours, theirs = item.pair
    filled = filled_of(ours)
    if filled == 0 and ours.status is not None and our_word(ours.status) == UNPLACED:
        return
    yield item.finding(
        "unplaced",
        "status",
        ours=ours.status,
        theirs=UNPLACED,
        critical=filled > 0,
        impact_inr=amount_of_ours(ours),
        difference=filled - theirs.leg.filled,
    )


def ambiguous(item: Item, _scene: Scene) -> Iterator[Finding]:
    """Several lines could be this one: a person chooses."""
    if not item.ambiguous:
        return
    ours = None if item.ours is None else _line_text(item.ours)
    theirs = None if item.theirs is None else _leg_text(item)
    amount = amount_of_ours(item.ours) if item.ours is not None else None
    if item.theirs is not None:
        amount = amount_of_theirs(item.theirs)
    yield item.finding("ambiguous", "line", ours=ours, theirs=theirs, impact_inr=amount)


def _never_triggered(scene: Scene) -> bool:
    """Whether the answer proves that no order ever came of the transaction."""
    answer = scene.answer
    if answer is None or answer.batches:
        return False
    if waits_for_trigger(answer) and scene.expire_at is not None:
        scene.times.passed(scene.expire_at)
    return has_expired(answer, scene.expire_at, scene.times.as_of) or excludes_an_order(answer)


def _dead(item: Item, ours: OurLine, scene: Scene) -> Finding:
    reason = None if scene.answer is None else scene.answer.error_message or scene.answer.status
    code = None if scene.answer is None else scene.answer.error_code
    if filled_of(ours) > 0:
        return _missing_external(item, ours, scene, reason=reason)
    return item.finding("never-triggered", "status", ours=ours.status, theirs=reason, cause=code)


def _has_spoken(scene: Scene) -> bool:
    """Whether the Gateway's last word on the transaction's lines is known."""
    if scene.answer is not None:
        return answer_is_final(scene.answer)
    absent = [at for at in scene.case.absent_at if at <= scene.times.as_of]
    return len(absent) >= ABSENT_TIMES and max(absent) - min(absent) >= scene.policy.webhook_grace


def _not_yet(item: Item, ours: OurLine, scene: Scene) -> Finding:
    return until_stale(item, scene, ours.trade_date, theirs=scene.status or None)


def _says_placed(ours: OurLine) -> bool:
    """CREATED, no status or an unknown word, with nothing filled, claim no order at the Gateway."""
    word = None if ours.status is None else our_word(ours.status)
    return filled_of(ours) > 0 or word not in {None, CREATED, UNPLACED}


def _missing_external(item: Item, ours: OurLine, scene: Scene, *, reason: str | None = None) -> Finding:
    absent = tuple(
        Evidence(kind="snapshot", ref=at.isoformat(), says="no such transaction") for at in scene.case.absent_at
    )
    return item.finding(
        "missing-external",
        "line",
        ours=_line_text(ours),
        theirs=reason,
        critical=filled_of(ours) > 0,
        impact_inr=amount_of_ours(ours),
        evidence=absent,
    )


def _line_text(line: OurLine) -> str:
    return f"{line.side} {shown(line.quantity)} {line.symbol}, filled {shown(filled_of(line))}"


def _leg_text(item: Item) -> str:
    assert item.theirs is not None
    leg = item.theirs.leg
    return f"{leg.side} {shown(leg.quantity)} {leg.symbol}, filled {shown(leg.filled)}"
