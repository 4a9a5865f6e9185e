"""The difference between broker and books taken apart in fixed order; what no evidence supports is `unexplained`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

from recon.holdings import fitting
from recon.holdings.descent import late_kind, times
from recon.holdings.scene import Scene
from recon.holdings.shown import counted, total_of
from recon.holdings.values import APART, AS_FEWER, Part, Trade
from recon.lines import plain_text
from recon.values import ZERO

DELIVERED = timedelta(days=10)  #: a delivery that failed is made good within


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
    """Pending while the broker's answer is of before a merger; a split is a note by itself."""
    ours, theirs = late_of_ours(scene).get(kind, ZERO), scene.theirs.late.get(kind, ZERO)
    who = "the books" if ours else "the broker"
    mine = [a for a in scene.descent.actions if a.kind == kind and scene.descent.newest(a.isin) == scene.isin]
    waiting = kind != "split" and not ours and any(action.ex_date > scene.shown.day for action in mine)
    return Part(name=name, quantity=ours - theirs, words=f"{who} did not apply the {kind} yet", waiting=waiting)


def unweighed(scene: Scene) -> Iterator[Part]:
    """Shares stand under ISINs of which one came after the other in a ratio that nobody told: none can be weighed."""
    if words := ratio_unknown(scene):
        yield Part(name="ca-other", quantity=scene.rest, words=words)


def ratio_unknown(scene: Scene) -> str | None:
    """Why the two sides cannot be compared, where shares stand under ISINs with no ratio told between them."""
    rows = scene.theirs.rows
    shown = {row.isin for row in rows if row.isin and total_of(row, scene.case.adapter)}
    return scene.descent.ratio_unknown(shown | {isin for isin, quantity in scene.ours.held.items() if quantity})


def _when(word: str, trades: Iterable[Trade], quantity: Decimal) -> str:
    trades = list(trades)
    bought = ", ".join(sorted({str(t.trade_date) for t in trades}))
    settle = ", ".join(sorted({str(t.settles_on) for t in trades}))
    return f"{plain_text(abs(quantity))} {word} on {bought}, settle on {settle}" if trades else ""


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
    ("fraction", fitting.fraction),
    ("bonus-pending", fitting.bonus_pending),
    ("demerger", fitting.demerger),
    ("rights", fitting.rights),
    ("buy-back", fitting.buy_back),
    ("ca-ratio", fitting.ca_ratio),
    ("transfer", fitting.transfer),
    ("orphan-fill", fitting.orphan_fill),
    ("wrong-account", fitting.wrong_account),
    ("off-platform", fitting.off_platform),
    ("off-platform-sale", fitting.off_platform_sale),
)
