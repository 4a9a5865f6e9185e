"""How many filled lines of a day nobody could check for plausibility, and what to import so that they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from store.days import Scope
from store.unchecked import unchecked_shares

NAMED: Final = 5  #: shares named as examples


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One kind of reference data that is missing: for how many filled lines of how many shares."""

    what: str  #: in words
    kind: str  #: what `tieout import` calls it
    lines: int = 0
    shares: int = 0
    named: tuple[str, ...] = ()  #: EXCHANGE:SYMBOL of those with most lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """Filled lines whose tick, or whose day's low and high, nobody knows; each counted once, whatever is missing."""

    ours: int = 0
    theirs: int = 0
    missing: tuple[Missing, ...] = ()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.ours or self.theirs)


def unchecked(connection: Connection, scope: Scope) -> Unchecked:
    """Those of the day."""
    rows = unchecked_shares(connection, scope)
    kinds = (("tick", "tick", "ticks"), ("low_high", "low and high of the day", "prices"))
    missing = []
    for column, what, kind in kinds:
        without = [row for row in rows if not row._mapping[column]]
        if without:
            named = tuple(f"{row.exchange}:{row.symbol}" for row in without[:NAMED])
            lines = int(sum(row.ours + row.theirs for row in without))
            missing.append(Missing(what=what, kind=kind, lines=lines, shares=len(without), named=named))
    ours, theirs = (int(sum(row._mapping[side] for row in rows)) for side in ("ours", "theirs"))
    return Unchecked(ours=ours, theirs=theirs, missing=tuple(missing))


def as_json(unchecked: Unchecked) -> dict[str, object]:
    """As `tieout day --json` prints it."""
    return {
        "ours": unchecked.ours,
        "theirs": unchecked.theirs,
        "missing": [
            {"import": each.kind, "lines": each.lines, "shares": each.shares, "named": list(each.named)}
            for each in unchecked.missing
        ],
    }
