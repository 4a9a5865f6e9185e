"""Lines of descent: which ISINs are one security, by the actions, or successors told, that led from one to the next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal

from recon.holdings.values import Action, HoldingsCase, Succession

#: Kinds by which shares of one ISIN become shares of another.
BECOMES = ("split", "merger")
#: A link that the table of instruments tells and no action does: nobody said in which ratio.
SUCCESSOR = "successor"
#: So long before its ex-date a broker may have applied an action already.
EARLY = timedelta(days=15)
_ONE = Decimal(1)


class Descent:
    """The actions of a case up to its day, and what they make of an ISIN."""

    def __init__(
        self,
        actions: Iterable[Action],
        day: date,
        successions: Iterable[Succession] = (),
        shown: Collection[str] = frozenset(),
    ) -> None:
        """Take the actions and successors, and the ISINs that the broker shows.

        An action whose day is not reached does nothing yet; those that the broker may have applied are `early`.
        Where an action leads on from an ISIN it counts, with its ratio; importing refuses a successor that differs.
        """
        ordered = sorted(actions, key=lambda a: (a.ex_date, a.kind, a.isin, a.new_isin or ""))
        self.actions = [action for action in ordered if action.ex_date <= day]
        self.early = [a for a in ordered if day < a.ex_date <= day + EARLY and _may_show(a, shown)]
        self._temporary = {a.temporary_isin: a.isin for a in (*self.actions, *self.early) if a.temporary_isin}
        told = (_as_link(each) for each in successions if each.since <= day)
        self._becomes = {a.isin: a for a in (*told, *self.actions) if a.kind in (*BECOMES, SUCCESSOR) and a.new_isin}

    @classmethod
    def of(cls, case: HoldingsCase) -> Descent:
        """The descent of a case."""
        shown = {row.isin for row in case.shown.rows if row.isin} if case.shown else frozenset()
        return cls(case.actions, case.day, case.successions, shown)

    def newest(self, isin: str) -> str:
        """The ISIN that shares of this one have now, or that the broker shows before they have it."""
        path = self.path(isin)
        now = path[-1].new_isin or isin if path else self._temporary.get(isin, isin)
        return next((a.new_isin for a in self.early if a.isin == now and a.kind in BECOMES and a.new_isin), now)

    def path(self, isin: str) -> Sequence[Action]:
        """The actions that lead from this ISIN to the newest, in order."""
        found: list[Action] = []
        at = self._temporary.get(isin, isin)
        while (action := self._becomes.get(at)) and action not in found:
            found.append(action)
            at = action.new_isin or at
        return found

    def ratio_unknown(self, isins: Iterable[str]) -> str | None:
        """Which successor lies between shares under these ISINs with no ratio told; None where they can be compared.

        Those that all have the same such successors before them are in the same units.
        """
        paths = {tuple(action for action in self.path(isin) if action.kind == SUCCESSOR) for isin in isins}
        if len(paths) < 2:  # noqa: PLR2004 one kind of unit, or nothing held
            return None
        links = sorted({link for path in paths for link in path}, key=lambda link: (link.ex_date, link.isin))
        named = "; ".join(f"{link.isin} became {link.new_isin} on {link.ex_date}" for link in links)
        return f"{named}, by the table of instruments; no corporate action tells the ratio: import it"

    def is_temporary(self, isin: str) -> bool:
        """Whether a bonus lies under this ISIN until it is listed."""
        return isin in self._temporary


def _may_show(action: Action, shown: Collection[str]) -> bool:
    """Whether the broker may have applied this action: a bonus leaves no mark, the others show their new ISIN."""
    return action.kind == "bonus" or (action.kind in BECOMES and action.new_isin in shown)


def _as_link(told: Succession) -> Action:
    """A successor as one of the links of a path: it takes the shares along, as many as they are."""
    return Action(
        kind=SUCCESSOR, isin=told.isin, ex_date=told.since, ratio_from=_ONE, ratio_to=_ONE, new_isin=told.new_isin
    )


def late_kind(path: Sequence[Action]) -> str | None:
    """By which kind of action shares under an ISIN with this path are late: the first one; None without any."""
    return next((action.kind for action in path if action.kind != SUCCESSOR), None)


def times(quantity: Decimal, action: Action) -> Decimal:
    """What becomes of so many shares, or comes for them; a fraction is paid in cash."""
    return whole(quantity * action.ratio_to / action.ratio_from)


def whole(quantity: Decimal) -> Decimal:
    """The whole shares of it, towards less."""
    return quantity.to_integral_value(ROUND_FLOOR)
