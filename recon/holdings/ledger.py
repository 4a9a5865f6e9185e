"""What the books come to: opening, settled trades, corporate actions, transfers; each step told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from recon.holdings.descent import BECOMES, Descent, times
from recon.holdings.values import Action, HoldingsCase, Position, Step, Trade, Transfer
from recon.values import ZERO


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Shares that an action brings to a line."""

    action: Action
    base: Decimal  #: shares held before it
    quantity: Decimal  #: that it brings
    applied: bool  #: whether the books' figure holds them


@dataclass(slots=True)
class Account:
    """One line of descent as the books have it, settled at the day."""

    held: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))  #: by ISIN
    steps: list[Step] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)  #: in the units of now
    transfers: list[Transfer] = field(default_factory=list)  #: since the opening
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
            line.transfers.append(what)
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
    if action.kind in BECOMES and action.new_isin:
        for moving in trades:
            if moving.isin == action.isin and moving.trade.trade_date < action.ex_date:
                moving.isin, moving.quantity = action.new_isin, times(moving.quantity, action)
    if line is None:
        return
    base = line.held[action.isin]
    brought = times(max(base, ZERO), action)
    if action.kind in BECOMES and action.new_isin:
        if new and base:
            line.step(f"{action.kind} on {action.ex_date}", action.new_isin, times(base, action) - base)
            line.held[action.new_isin] += base
            line.held[action.isin] -= base
            line.moved = True
            line.entitlements.append(Entitlement(action, base, times(base, action), applied=True))
        return
    gets = lines[descent.newest(action.new_isin)] if action.kind == "demerger" and action.new_isin else line
    if base:
        gets.entitlements.append(Entitlement(action, base, brought, applied=new))
    if new and base and action.kind in ("bonus", "demerger"):
        gets.moved = True
        gets.step(f"{action.kind} on {action.ex_date}", action.new_isin or action.isin, brought)


def _unsettled(line: Account, case: HoldingsCase, moving: _Moving) -> None:
    """A trade that settles after the day is not yet in what the books come to."""
    trade = moving.trade
    if trade.trade_date > case.day:
        return
    line.trades.append(replace(trade, isin=moving.isin, quantity=moving.quantity))
    if trade.settles_on > case.day:
        line.step(f"settles on {trade.settles_on}: {trade.ref}", moving.isin, -moving.quantity)
