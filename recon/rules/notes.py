"""Whether the broker's contract notes and tradebooks say what was traded, and charge what is due.

They are another party's papers: none of these moves a line out of its bucket.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from recon.charges import COMPONENTS, SERVICES, Rate, rate_of
from recon.lines import validity_end
from recon.noted import CONTRACT_NOTE, TRADEBOOK, Group, NoteLine, groups_of
from recon.scene import Scene, made
from recon.tolerance import half_unit, stated_price_bound
from recon.values import ZERO, Evidence, Finding, Level

DUE = timedelta(hours=24)  #: after execution a contract note must have been issued
NOT_ON_IT = "not-on-the-note"  #: a note of that day is there, without this trade


def missing(scene: Scene) -> Iterator[Finding]:
    """A day after its execution no contract note speaks of a trade. Off before the first note of that broker."""
    for group in _groups(scene, CONTRACT_NOTE):
        leg, notes = group.first, scene.case.notes
        assert notes is not None
        since = notes.since.get(leg.broker)
        if group.lines or since is None or leg.trade_date < since:
            continue
        executed = max((leg.completed_at or validity_end(leg.trade_date, scene.calendar)) for leg in group.legs)
        noted = any((line.broker, line.trade_date) == (leg.broker, leg.trade_date) for line in notes.lines)
        yield _finding(
            "note-missing", group, "note", ours=sum((each.filled for each in group.legs), ZERO),
            cause=NOT_ON_IT if noted else None, waiting=not scene.times.passed(executed + DUE),
        )  # fmt: skip


def differs(scene: Scene) -> Iterator[Finding]:
    """A note states another quantity, or of the same quantity another price, than the orders it speaks of."""
    for group in (*_groups(scene, CONTRACT_NOTE), *_groups(scene, TRADEBOOK)):
        if not group.lines or not scene.times.passed(validity_end(group.first.trade_date, scene.calendar)):
            continue
        ordered = [(leg.filled, leg.average_price or ZERO) for leg in group.legs]
        noted = [(line.quantity, line.price) for line in group.lines]
        (filled, mine), (quantity, other) = _average(ordered), _average(noted)
        if filled != quantity:
            yield _finding(
                "note-diff", group, "quantity", ours=filled, theirs=quantity, difference=filled - quantity,
                impact_inr=abs(filled - quantity) * (other or mine),
            )  # fmt: skip
        elif mine and all(leg.average_price for leg in group.legs) and abs(mine - other) > _price_bound(scene):
            yield _finding(
                "note-diff", group, "price", ours=_six(mine), theirs=_six(other), difference=mine - other,
                tolerance=_price_bound(scene), impact_inr=abs(mine - other) * filled,
            )  # fmt: skip


def charge(scene: Scene) -> Iterator[Finding]:
    """A component is not what its schedule comes to, rounded as the schedule says."""
    notes = scene.case.notes
    for group in (*_groups(scene, CONTRACT_NOTE), *_groups(scene, TRADEBOOK)):
        for exchange, lines in _by_exchange(group.lines).items():
            leg = group.first
            for component in COMPONENTS:
                rate = rate_of(
                    notes.rates if notes else (), component,
                    broker=leg.broker, exchange=exchange, side=leg.side, day=leg.trade_date,
                )  # fmt: skip
                if rate is not None:
                    yield from _charged(rate, group, lines, scene)


def net(scene: Scene) -> Iterator[Finding]:
    """What is paid is not quantity x price, and the stated charges on top of a purchase or off a sale."""
    for group in (*_groups(scene, CONTRACT_NOTE), *_groups(scene, TRADEBOOK)):
        for line in group.lines:
            costs = [line.charges[name] for name in COMPONENTS]
            if line.net_amount is None or None in costs:
                continue
            gross, all_costs = line.quantity * line.price, sum((cost for cost in costs if cost), ZERO)
            due = abs(gross + all_costs if line.side == "BUY" else gross - all_costs)
            bound = half_unit(scene.policy.amount_places) + _rounding(line, scene)
            if abs(due - abs(line.net_amount)) > bound:
                yield _finding(
                    "net", group, "net_amount", ours=_six(due), theirs=abs(line.net_amount),
                    difference=due - abs(line.net_amount), tolerance=bound,
                    impact_inr=abs(due - abs(line.net_amount)),
                )  # fmt: skip


def _charged(rate: Rate, group: Group, lines: Sequence[NoteLine], scene: Scene) -> Iterator[Finding]:
    """One component over the lines that state it together."""
    stated, base = _stated(rate.component, lines), _base(rate, group, lines)
    if stated is None or base is None:
        return
    per_unit = rate.rate / 100 if rate.basis == "turnover" else ZERO
    unsure = sum((_rounding(line, scene) for line in lines), ZERO) * per_unit
    due = rate.exact(base)
    each = rate.unit * (len(lines) - 1)  # one rounding is in the schedule, the others come from stating lines apart
    least, most = rate.rounded(due - unsure) - each, rate.rounded(due + unsure) + each
    if not least <= stated <= most:
        yield _finding(
            "charge", group, rate.component, ours=rate.rounded(due), theirs=stated,
            difference=rate.rounded(due) - stated, tolerance=most - rate.rounded(due),
            impact_inr=abs(rate.rounded(due) - stated),
        )  # fmt: skip


def _base(rate: Rate, group: Group, lines: Sequence[NoteLine]) -> Decimal | None:
    """What the rate is due on; None where the note does not say."""
    match rate.basis:
        case "turnover":
            return sum((line.quantity * line.price for line in lines), ZERO)
        case "quantity":
            return sum((line.quantity for line in lines), ZERO)
        case "services":
            stated = [_stated(name, lines) for name in SERVICES]
            return None if None in stated else sum((each for each in stated if each), ZERO)
        case _:
            return Decimal(len(group.legs))


def _stated(component: str, lines: Sequence[NoteLine]) -> Decimal | None:
    """The component over these lines; None if one of them says nothing of it."""
    stated = [line.charges[component] for line in lines]
    return None if None in stated else sum((each for each in stated if each), ZERO)


def _groups(scene: Scene, kind: str) -> list[Group]:
    """The groups that this transaction answers for."""
    notes = scene.case.notes
    if notes is None:
        return []
    return [each for each in groups_of(notes, kind) if each.first.transaction_id == scene.case.transaction_id]


def _by_exchange(lines: Sequence[NoteLine]) -> dict[str, list[NoteLine]]:
    found: defaultdict[str, list[NoteLine]] = defaultdict(list)
    for line in lines:
        found[line.exchange].append(line)
    return found


def _average(parts: Sequence[tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    """Quantity, and the price weighted by it."""
    quantity = sum((part[0] for part in parts), ZERO)
    return quantity, sum((part[0] * part[1] for part in parts), ZERO) / quantity if quantity else ZERO


def _price_bound(scene: Scene) -> Decimal:
    """Rupees a share by which two averages, each rounded to its place, may lie apart."""
    return stated_price_bound(scene.policy)


def _rounding(line: NoteLine, scene: Scene) -> Decimal:
    """Rupees by which rounding its price may have moved a line: nothing, but for an average over exchanges."""
    return ZERO if line.exchange else line.quantity * half_unit(scene.policy.price_places_theirs)


def _six(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.000001")).normalize()


def _finding(name: str, group: Group, field: str, **more: object) -> Finding:
    """A finding about the batch whose leg answers for the group."""
    notes = sorted({line.note_id for line in group.lines})
    evidence = tuple(Evidence(kind="note", ref=note or group.kind, says=group.named) for note in notes)
    return made(
        name=name, level=Level.BATCH, subject=f"{group.kind} {group.named} {group.first.trade_date}",
        batch_id=group.first.batch_id, field=field, evidence=evidence, **more,
    )  # fmt: skip
