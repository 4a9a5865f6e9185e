"""Causes that leave no mark of their own: told where they fit what is left of the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from recon.holdings.descent import BECOMES, times, whole
from recon.holdings.ledger import Entitlement, lingers
from recon.holdings.scene import Scene
from recon.holdings.values import Action, OrderBreak, Part
from recon.lines import plain_text
from recon.values import ZERO, Calendar

BONUS_SESSIONS = 15  #: within which a bonus is credited


def fraction(scene: Scene) -> Iterator[Part]:
    """The fraction of a share that the books carry after an action: it is paid in cash."""
    over = scene.ours.total - whole(scene.ours.total)
    if over and _acted(scene) and scene.rest + over == whole(scene.rest + over):
        words = f"{plain_text(over)} of a share: a fraction is paid in cash"
        yield Part(name="ca-other", quantity=-over, words=words)


def _acted(scene: Scene) -> list[Action]:
    """The actions of this line that may still be missing somewhere."""
    assert scene.case.opening
    first, isins = scene.case.opening.as_of, scene.descent.newest
    mine = [a for a in scene.descent.actions if scene.isin in (isins(a.isin), isins(a.new_isin or a.isin))]
    return [action for action in mine if action.ex_date > first or lingers(action, scene.case)]


def bonus_pending(scene: Scene) -> Iterator[Part]:
    """A bonus that the books hold and the broker has not credited; or the reverse, exactly.

    What an answer of the day on which it is due does not show may be in the next answer.
    """
    for each in _entitled(scene, "bonus"):
        due = credited_by(each.action, scene.case.calendar)
        words = f"bonus of {each.action.ex_date}, {plain_text(each.quantity)} entitled, due by {due}"
        waiting = min(scene.case.day, scene.shown.day) <= due
        yield Part(name="bonus-pending", quantity=_due(scene, each), words=words, waiting=waiting)


def demerger(scene: Scene) -> Iterator[Part]:
    """Shares of a demerged company that are due and not credited."""
    for each in _entitled(scene, "demerger"):
        yield _other(scene, each, _due(scene, each))


def _due(scene: Scene, each: Entitlement) -> Decimal:
    """How many are missing: at the broker, of whom the books hold them, exactly if that is a guess; or in the books."""
    missing = scene.rest == -each.quantity if each.guessed else scene.rest <= -each.quantity
    if each.applied:
        return -each.quantity if missing else ZERO
    return each.quantity if scene.rest == each.quantity else ZERO


def rights(scene: Scene) -> Iterator[Part]:
    """Shares that rights may have brought: at most so many."""
    for each in _entitled(scene, "rights"):
        yield _other(scene, each, max(ZERO, min(scene.rest, each.quantity)))


def buy_back(scene: Scene) -> Iterator[Part]:
    """Shares that a buy-back may have taken: at most so many."""
    for each in _entitled(scene, "buy-back"):
        yield _other(scene, each, -max(ZERO, min(-scene.rest, each.quantity)))


def _other(scene: Scene, each: Entitlement, quantity: Decimal) -> Part:
    """Pending while the broker's answer is of before the action."""
    words, waiting = f"{each.action.kind} of {each.action.ex_date}", scene.shown.day < each.action.ex_date
    return Part(name="ca-other", quantity=quantity, words=words, waiting=waiting)


def ca_ratio(scene: Scene) -> Iterator[Part]:
    """The broker applied another ratio, told by one that gives its figure exactly; or the right one, too early."""
    for each in scene.ours.entitlements:
        if each.action.kind not in ("split", "bonus") or not each.applied or not _shows_new(scene, each):
            continue
        if scene.rest and (ratio := _other_ratio(each, scene.rest)):
            words = f"{each.action.kind} of {each.action.ex_date}: the broker's figure is that of {ratio}"
            yield Part(name="ca-ratio", quantity=scene.rest, words=words)
    for action in scene.descent.early:
        base = scene.ours.held.get(action.isin, ZERO)
        more = times(max(base, ZERO), action) - (base if action.kind in BECOMES else ZERO)
        if more and scene.rest == more:
            words = f"{action.kind} of {action.ex_date}: the broker has applied it before that day"
            yield Part(name="ca-ratio", quantity=more, words=words)


def _shows_new(scene: Scene, each: Entitlement) -> bool:
    return each.action.kind == "bonus" or each.action.new_isin in scene.theirs.isins


def _other_ratio(each: Entitlement, rest: Decimal) -> str | None:
    """Which other ratio would leave just this rest: none, reversed, twice, or bonus and split taken for each other."""
    a, b, base = each.action.ratio_from, each.action.ratio_to, each.base
    said = {
        f"{b}:{a}": whole(base * a / b),
        f"{a}:{b} twice": whole(base * b * b / (a * a)),
        f"{a}:{a + b}": whole(base * (a + b) / a),
    }
    if each.action.kind == "split":
        said["1:1"] = base
        if b > a:
            said[f"{a}:{b - a}"] = whole(base * (b - a) / a)
    return next((name for name, quantity in said.items() if quantity - each.quantity == rest), None)


def _entitled(scene: Scene, kind: str) -> Iterable[Entitlement]:
    return [each for each in scene.ours.entitlements if each.action.kind == kind and each.quantity]


def transfer(scene: Scene) -> Iterator[Part]:
    """A transfer that the books hold and the broker does not show; exactly, if the positions hold it already."""
    assert scene.case.opening
    for each in scene.ours.transfers:
        known = each.on <= scene.case.opening.as_of
        fits = each.quantity * scene.rest < 0 and abs(scene.rest) >= abs(each.quantity)
        if each.on <= scene.shown.day and (scene.rest == -each.quantity if known else fits):
            words = f"transfer {each.ref} of {each.on}: the broker does not show it"
            yield Part(name="transfer", quantity=-each.quantity, words=words)


def orphan_fill(scene: Scene) -> Iterator[Part]:
    """Breaks of orders that explain the rest exactly: all of them together, or one alone."""
    breaks = [b for b in scene.case.order_breaks if scene.descent.newest(b.isin) == scene.isin and b.quantity]
    if scene.rest:
        for each in _exactly(breaks, scene.rest):
            words = f"the order break {each.name} says so many"
            yield Part(name="orphan-fill", quantity=each.quantity, words=words, root=each.ref, waiting=each.waiting)


def _exactly(breaks: list[OrderBreak], rest: Decimal) -> list[OrderBreak]:
    ordered = sorted(breaks, key=lambda b: (b.ref, b.name))
    if sum((b.quantity for b in ordered), ZERO) == rest:
        return ordered
    alone = {b.ref: b for b in ordered if b.quantity == rest}
    return list(alone.values()) if len(alone) == 1 else []


def wrong_account(scene: Scene) -> Iterator[Part]:
    """So many are missing here and too many under another account of the same user, or the reverse."""
    for other in sorted(scene.case.elsewhere.get(scene.isin, ()), key=lambda o: o.account):
        if other.quantity * scene.rest < 0:
            sign = 1 if scene.rest > 0 else -1
            words = f"account {other.account} has {plain_text(abs(other.quantity))} the other way"
            yield Part(name="wrong-account", quantity=sign * min(abs(scene.rest), abs(other.quantity)), words=words)


def off_platform(scene: Scene) -> Iterator[Part]:
    """More than ours where others may trade, too."""
    if not scene.case.exclusive:
        yield Part(name="off-platform", quantity=max(scene.rest, ZERO), words="the customer's own: no order of ours")


def off_platform_sale(scene: Scene) -> Iterator[Part]:
    """Fewer than ours where others may trade, too."""
    if not scene.case.exclusive:
        words = "sold by the customer: no order of ours"
        yield Part(name="off-platform-sale", quantity=min(scene.rest, ZERO), words=words)


def credited_by(action: Action, calendar: Calendar) -> date:
    """Until when a bonus may be waited for: as announced, else so many sessions after its ex-date."""
    return action.credited_by or listed_by(action, calendar)


def listed_by(action: Action, calendar: Calendar) -> date:
    """Until when a bonus may lie under its temporary ISIN: so many sessions after its ex-date, or as announced."""
    day = action.ex_date
    for _ in range(BONUS_SESSIONS):
        day = calendar.session_after(day)
    return max(day, action.credited_by or day)
