"""What the books come to: opening, settled trades, corporate actions, transfers; each step told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from recon.holdings.descent import BECOMES, Descent, times, whole
from recon.holdings.values import Action, HoldingsCase, Position, Step, Trade, Transfer
from recon.values import ZERO

#: So long after its ex-date, or until it is due, an action may still be missing from either side.
LINGERS = timedelta(days=60)
TRANSFERRED = timedelta(days=30)  #: so long after it a transfer may still be missing from the broker's answer


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Shares that an action brings to a line."""

    action: Action
    base: Decimal  #: shares held before it
    quantity: Decimal  #: that it brings
    applied: bool  #: whether the books' figure holds them
    guessed: bool = False  #: the books' positions are of after it: whether they hold them is told by what fits alone


def lingers(action: Action, case: HoldingsCase) -> bool:
    """Whether the action may still be missing somewhere, though the books' positions are of after its ex-date."""
    return case.day <= max(action.ex_date + LINGERS, action.credited_by or action.ex_date)


@dataclass(slots=True)
class Account:
    """One line of descent as the books have it, settled at the day."""

    held: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))  #: by ISIN
    steps: list[Step] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)  #: in the units of now
    transfers: list[Transfer] = field(default_factory=list)  #: since the opening, and lately; in the units of now
    entitlements: list[Entitlement] = field(default_factory=list)
    moved: bool = False  #: anything happened since the opening

    @property
    def total(self) -> Decimal:
        """All its shares, whatever their ISIN."""
        return sum(self.held.values(), ZERO)

    def step(self, what: str, isin: str, quantity: Decimal) -> None:
        """Move so many shares."""
        self.held[isin] += quantity
        if quantity:
            self.steps.append(Step(what=what, quantity=quantity))


def ledger(case: HoldingsCase, descent: Descent) -> dict[str, Account]:
    """Every line of descent that the books know of, by its newest ISIN."""
    lines: defaultdict[str, Account] = defaultdict(Account)
    if case.opening is None:
        return lines
    for position in sorted(case.opening.positions, key=lambda p: p.isin):
        line = lines[descent.newest(position.isin)]
        line.positions.append(position)
        line.step(f"held on {case.opening.as_of}", position.isin, position.quantity)
    trades = [_Moving(trade, trade.isin, trade.quantity) for trade in sorted(case.trades, key=lambda t: t.ref)]
    for what in sorted(_happened(case, descent, trades), key=_when):
        _happen(lines, descent, case, trades, what)
    for moving in trades:
        _unsettled(lines[descent.newest(moving.isin)], case, moving)
    for transfer in sorted(case.transfers, key=_when):
        _transferred(lines, descent, case, transfer)
    return lines


@dataclass(slots=True)
class _Moving:
    """A trade as actions change it."""

    trade: Trade
    isin: str
    quantity: Decimal


_Event = Action | Transfer | _Moving


def _happened(case: HoldingsCase, descent: Descent, trades: Iterable[_Moving]) -> list[_Event]:
    """What happened since the opening, up to the day; actions before it, too, for what they may still bring."""
    assert case.opening
    since, until = case.opening.as_of, case.day
    moved: list[_Event] = [m for m in trades if since < m.trade.trade_date <= until]
    moved += [t for t in case.transfers if since < t.on <= until]
    return [*moved, *descent.actions]


def _when(what: _Event) -> tuple[str, int, str]:
    match what:
        case Action():
            return (what.ex_date.isoformat(), 0, f"{what.kind}{what.isin}")
        case Transfer():
            return (what.on.isoformat(), 1, what.ref)
        case _:
            return (what.trade.trade_date.isoformat(), 2, what.trade.ref)


def _happen(
    lines: defaultdict[str, Account], descent: Descent, case: HoldingsCase, trades: list[_Moving], what: _Event
) -> None:
    match what:
        case Action():
            _act(lines, descent, case, trades, what)
        case Transfer():
            line = lines[descent.newest(what.isin)]
            line.moved = True
            line.step(f"transfer {what.ref} on {what.on}", what.isin, what.quantity)
        case _:
            line = lines[descent.newest(what.isin)]
            line.moved = True
            word = "bought" if what.quantity > 0 else "sold"
            line.step(f"{word} on {what.trade.trade_date}: {what.trade.ref}", what.isin, what.quantity)


def _act(
    lines: defaultdict[str, Account], descent: Descent, case: HoldingsCase, trades: list[_Moving], action: Action
) -> None:
    assert case.opening
    line, new = lines.get(descent.newest(action.isin)), action.ex_date > case.opening.as_of
    becomes = action.kind in BECOMES and action.new_isin
    if becomes:
        for moving in trades:
            if moving.isin == action.isin and moving.trade.trade_date < action.ex_date:
                moving.isin, moving.quantity = action.new_isin or "", times(moving.quantity, action)
    if line is None or not (new or lingers(action, case)):
        return
    if becomes:
        (_become if new else _became)(line, action)
        return
    gets = lines[descent.newest(action.new_isin)] if action.kind == "demerger" and action.new_isin else line
    if new:
        _bring(line, gets, action)
    else:
        _brought(gets, action, line.held[action.isin] - _traded_since(case, action))


def _become(line: Account, action: Action) -> None:
    """The shares of one ISIN are those of another from now on."""
    if base := line.held[action.isin]:
        new_isin, becomes = action.new_isin or action.isin, times(base, action)
        line.step(f"{action.kind} on {action.ex_date}", new_isin, becomes - base)
        line.held[new_isin] += base
        line.held[action.isin] -= base
        line.moved = True
        line.entitlements.append(Entitlement(action, base, becomes, applied=True))


def _became(line: Account, action: Action) -> None:
    """The positions are of after it and hold the new ISIN: from how many those came, if it is a whole number."""
    after = line.held[action.new_isin or action.isin]
    base = after * action.ratio_from / action.ratio_to
    if after > ZERO and base == whole(base):
        line.entitlements.append(Entitlement(action, base, after, applied=True, guessed=True))


def _bring(line: Account, gets: Account, action: Action) -> None:
    """Shares come for those that are held."""
    if not (base := line.held[action.isin]):
        return
    brought, applied = times(max(base, ZERO), action), action.kind in ("bonus", "demerger")
    gets.entitlements.append(Entitlement(action, base, brought, applied=applied))
    if applied:
        gets.moved = True
        gets.step(f"{action.kind} on {action.ex_date}", action.new_isin or action.isin, brought)


def _brought(gets: Account, action: Action, base: Decimal) -> None:
    """The positions are of after it: they may hold what came, or not."""
    if base <= ZERO:
        return
    gets.entitlements.append(Entitlement(action, base, times(base, action), applied=False, guessed=True))
    if action.kind == "demerger":
        gets.entitlements.append(Entitlement(action, base, times(base, action), applied=True, guessed=True))
    if action.kind == "bonus" and (before := _before(base, action)):
        gets.entitlements.append(Entitlement(action, before, base - before, applied=True, guessed=True))


def _before(after: Decimal, action: Action) -> Decimal | None:
    """Of how many shares, with the bonus on them, there are now so many; None if of none."""
    least = whole(after * action.ratio_from / (action.ratio_from + action.ratio_to))
    return next((each for each in (least, least + 1) if each + times(each, action) == after), None)


def _traded_since(case: HoldingsCase, action: Action) -> Decimal:
    """What the positions hold of trades since the ex-date: nothing came for those."""
    assert case.opening
    since = (t for t in case.trades if t.isin == action.isin and action.ex_date <= t.trade_date <= case.opening.as_of)
    return sum((t.quantity for t in since), ZERO)


def _unsettled(line: Account, case: HoldingsCase, moving: _Moving) -> None:
    """A trade that settles after the day is not yet in what the books come to."""
    trade = moving.trade
    if trade.trade_date > case.day:
        return
    line.trades.append(replace(trade, isin=moving.isin, quantity=moving.quantity))
    if trade.settles_on > case.day:
        line.step(f"settles on {trade.settles_on}: {trade.ref}", moving.isin, -moving.quantity)


def _transferred(lines: defaultdict[str, Account], descent: Descent, case: HoldingsCase, transfer: Transfer) -> None:
    """A transfer that the broker's answer may not show yet, whether or not the positions hold it already."""
    assert case.opening
    known = min([case.opening.as_of, *([case.shown.day] if case.shown else [])])
    if known < transfer.on <= case.day or timedelta(0) <= case.day - transfer.on <= TRANSFERRED:
        quantity = transfer.quantity
        for action in descent.path(transfer.isin):
            quantity = times(quantity, action) if action.ex_date > transfer.on else quantity
        lines[descent.newest(transfer.isin)].transfers.append(replace(transfer, quantity=quantity))
