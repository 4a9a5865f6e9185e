"""The difference between broker and books taken apart in fixed order; what no evidence supports is `unexplained`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from recon.holdings.descent import Descent, late_kind, times, whole
from recon.holdings.ledger import Account, Entitlement
from recon.holdings.shown import ShownLine, counted, total_of
from recon.holdings.values import APART, AS_FEWER, HoldingsCase, OrderBreak, Part, Shown, Trade
from recon.lines import plain_text
from recon.values import ZERO, Calendar

BONUS_SESSIONS = 15  #: within which a bonus is credited
DELIVERED = timedelta(days=10)  #: a delivery that failed is made good within


@dataclass(slots=True)
class Scene:
    """One line of descent of one account, both sides, and what of the difference is not yet explained."""

    case: HoldingsCase
    descent: Descent
    isin: str
    ours: Account
    theirs: ShownLine
    rest: Decimal = ZERO
    parts: list[Part] = field(default_factory=list)

    @property
    def shown(self) -> Shown:
        """The answer."""
        assert self.case.shown
        return self.case.shown

    def within(self, trade: Trade) -> bool:
        """Whether the answer can know of the trade."""
        if trade.at is not None and self.shown.at is not None:
            return trade.at <= self.shown.at
        return trade.trade_date <= self.shown.day


def late_of_ours(scene: Scene) -> dict[str, Decimal]:
    """What actions that the books have not applied would add, by kind: rows still under an old ISIN."""
    late: dict[str, Decimal] = {}
    for isin, held in scene.ours.held.items():
        path = () if scene.descent.is_temporary(isin) else scene.descent.path(isin)
        kind = late_kind(path)
        if kind and held:
            now = held
            for action in path:
                now = times(now, action)
            late[kind] = late.get(kind, ZERO) + now - held
    return late


def decompose(scene: Scene, *, until: str | None = None) -> tuple[Part, ...]:
    """Every part that is not zero, in fixed order; they add up to what is shown less what the books come to.

    With `until` it stops before the part of that name, and `scene.rest` is what is left then.
    """
    scene.rest = scene.theirs.total - scene.ours.total
    for name, rule in PARTS:
        if name == until:
            return tuple(scene.parts)
        for part in rule(scene):
            if part.quantity:
                scene.parts.append(part)
                scene.rest -= part.quantity
    if scene.rest and until is None:
        scene.parts.append(Part(name="unexplained", quantity=scene.rest, words="no evidence says why"))
    return tuple(scene.parts)


# ---------------------------------------------------------------- what both sides show by themselves


def unsettled_t1(scene: Scene) -> Iterator[Part]:
    """Bought, shown as not settled by the broker, and not settled by our books."""
    yield _unsettled(scene, "unsettled-t1", scene.theirs.unsettled, 1, "bought")


def sold_today(scene: Scene) -> Iterator[Part]:
    """Sold and not settled: a negative position, or fewer held, as the broker's adapter says."""
    if scene.case.adapter.sold == AS_FEWER:
        open_ = [t for t in _of_sign(scene, -1) if t.settles_on > scene.case.day]
        quantity = sum((t.quantity for t in open_), ZERO)
        yield Part(name="sold-today", quantity=quantity, words=_when("sold", open_, quantity))
    else:
        yield _unsettled(scene, "sold-today", scene.theirs.sold, -1, "sold")


def _unsettled(scene: Scene, name: str, evidence: Decimal, sign: int, word: str) -> Part:
    day = scene.case.day
    mine = _of_sign(scene, sign)
    open_ = [t for t in mine if t.settles_on > day]
    since = sum((abs(t.quantity) for t in mine if scene.shown.day < t.settles_on <= day), ZERO)
    ours = sum((abs(t.quantity) for t in open_), ZERO)
    quantity = sign * min(max(evidence - since, ZERO), ours)
    return Part(name=name, quantity=quantity, words=_when(word, open_, quantity))


def _of_sign(scene: Scene, sign: int) -> list[Trade]:
    return [t for t in scene.ours.trades if t.quantity * sign > 0 and scene.within(t)]


def snapshot_age(scene: Scene) -> Iterator[Part]:
    """What settled or was transferred after the answer's instant and is in the books."""
    day, seen = scene.case.day, scene.shown.day
    trades = [t for t in scene.ours.trades if not scene.within(t) and t.settles_on <= day]
    quantity = -sum((t.quantity for t in trades), ZERO)
    quantity -= sum((t.quantity for t in scene.ours.transfers if t.on > seen), ZERO)
    yield Part(name="snapshot-age", quantity=quantity, words=f"the broker's answer is of {seen}: it cannot know these")


def short_delivery(scene: Scene) -> Iterator[Part]:
    """Past settlement, bought by us, and told by the broker as not delivered."""
    day = scene.case.day
    due = [t for t in _of_sign(scene, 1) if day - DELIVERED <= t.settles_on <= day]
    quantity = -min(scene.theirs.short, sum((t.quantity for t in due), ZERO))
    yield Part(name="short-delivery", quantity=quantity, words="settled by date, and the broker says not delivered")


def apart(name: str) -> Callable[[Scene], Iterator[Part]]:
    """Shares that stand apart, where one side counts them and the other does not."""

    def rule(scene: Scene) -> Iterator[Part]:
        quantity = scene.theirs.apart.get(name, ZERO)
        broker, books = counted(scene.case.adapter, name), name in scene.case.books_hold
        sign = int(broker) - int(books)
        who = "the broker counts them, the books do not" if broker else "the books count them, the broker does not"
        yield Part(name=name, quantity=sign * quantity, words=who)

    return rule


def split(scene: Scene) -> Iterator[Part]:
    """One side still has the old ISIN, the other the new one, and the ratio explains it."""
    yield _late(scene, "split", "split")


def merger(scene: Scene) -> Iterator[Part]:
    """The same of a merger."""
    yield _late(scene, "merger", "ca-other")


def _late(scene: Scene, kind: str, name: str) -> Part:
    ours, theirs = late_of_ours(scene).get(kind, ZERO), scene.theirs.late.get(kind, ZERO)
    who = "the books" if ours else "the broker"
    return Part(name=name, quantity=ours - theirs, words=f"{who} did not apply the {kind} yet")


def unweighed(scene: Scene) -> Iterator[Part]:
    """Shares stand under ISINs of which one came after the other in a ratio that nobody told: none can be weighed."""
    if words := ratio_unknown(scene):
        yield Part(name="ca-other", quantity=scene.rest, words=words)


def ratio_unknown(scene: Scene) -> str | None:
    """Why the two sides cannot be compared, where shares stand under ISINs with no ratio told between them."""
    rows = scene.theirs.rows
    shown = {row.isin for row in rows if row.isin and total_of(row, scene.case.adapter)}
    return scene.descent.ratio_unknown(shown | {isin for isin, quantity in scene.ours.held.items() if quantity})


# ---------------------------------------------------------------- what must fit the rest


def bonus_pending(scene: Scene) -> Iterator[Part]:
    """A bonus that the books hold and the broker has not credited; or the reverse, exactly."""
    for each in _entitled(scene, "bonus"):
        due = credited_by(each, scene.case.calendar)
        words = f"bonus of {each.action.ex_date}, {plain_text(each.quantity)} entitled, due by {due}"
        waiting = scene.case.day <= due
        yield _due(scene, "bonus-pending", each, words, waiting=waiting)


def demerger(scene: Scene) -> Iterator[Part]:
    """Shares of a demerged company that are due and not credited."""
    for each in _entitled(scene, "demerger"):
        yield _due(scene, "ca-other", each, f"demerger of {each.action.ex_date}")


def _due(scene: Scene, name: str, each: Entitlement, words: str, *, waiting: bool = False) -> Part:
    quantity = ZERO
    if each.applied and scene.rest <= -each.quantity:
        quantity = -each.quantity
    elif not each.applied and scene.rest == each.quantity:
        quantity = each.quantity
    return Part(name=name, quantity=quantity, words=words, waiting=waiting)


def rights(scene: Scene) -> Iterator[Part]:
    """Shares that rights may have brought: at most so many."""
    for each in _entitled(scene, "rights"):
        quantity = max(ZERO, min(scene.rest, each.quantity))
        yield Part(name="ca-other", quantity=quantity, words=f"rights of {each.action.ex_date}")


def buy_back(scene: Scene) -> Iterator[Part]:
    """Shares that a buy-back may have taken: at most so many."""
    for each in _entitled(scene, "buy-back"):
        quantity = -max(ZERO, min(-scene.rest, each.quantity))
        yield Part(name="ca-other", quantity=quantity, words=f"buy-back of {each.action.ex_date}")


def ca_ratio(scene: Scene) -> Iterator[Part]:
    """The broker applied another ratio, told by one that gives its figure exactly."""
    for each in scene.ours.entitlements:
        if each.action.kind not in ("split", "bonus") or not each.applied or not _shows_new(scene, each):
            continue
        if scene.rest and (ratio := _other_ratio(each, scene.rest)):
            words = f"{each.action.kind} of {each.action.ex_date}: the broker's figure is that of {ratio}"
            yield Part(name="ca-ratio", quantity=scene.rest, words=words)


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
    """A transfer that the books hold and the broker does not show."""
    for each in scene.ours.transfers:
        fits = each.quantity * scene.rest < 0 and abs(scene.rest) >= abs(each.quantity)
        if each.on <= scene.shown.day and fits:
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
    alone = [b for b in ordered if b.quantity == rest]
    return alone if len(alone) == 1 else []


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


#: In fixed order; `unexplained` is what is left.
PARTS: tuple[tuple[str, Callable[[Scene], Iterator[Part]]], ...] = (
    ("unsettled-t1", unsettled_t1),
    ("sold-today", sold_today),
    ("snapshot-age", snapshot_age),
    ("short-delivery", short_delivery),
    *((name, apart(name)) for name in APART),
    ("split", split),
    ("merger", merger),
    ("unweighed", unweighed),
    ("bonus-pending", bonus_pending),
    ("demerger", demerger),
    ("rights", rights),
    ("buy-back", buy_back),
    ("ca-ratio", ca_ratio),
    ("transfer", transfer),
    ("orphan-fill", orphan_fill),
    ("wrong-account", wrong_account),
    ("off-platform", off_platform),
    ("off-platform-sale", off_platform_sale),
)


def credited_by(each: Entitlement, calendar: Calendar) -> date:
    """Until when a bonus may be waited for: as announced, else so many sessions after its ex-date."""
    if each.action.credited_by:
        return each.action.credited_by
    day = each.action.ex_date
    for _ in range(BONUS_SESSIONS):
        day = calendar.session_after(day)
    return day


def _when(word: str, trades: Iterable[Trade], quantity: Decimal) -> str:
    trades = list(trades)
    bought = ", ".join(sorted({str(t.trade_date) for t in trades}))
    settle = ", ".join(sorted({str(t.settles_on) for t in trades}))
    return f"{plain_text(abs(quantity))} {word} on {bought}, settle on {settle}" if trades else ""
