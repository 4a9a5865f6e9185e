"""The alerts of the last day, as `tieout doctor` sees them; a simulated day's own are planted, and expected."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from sqlalchemy import Engine

from store.alerts import recent
from tieout.checks import Check

Named = tuple[str, str]  #: an alert's name and subject

NONE_PLANTED: Final[frozenset[Named]] = frozenset()


def alert_check(engine: Engine, planted: AbstractSet[Named] = NONE_PLANTED) -> Check:
    """Well while there is no alert but planted ones; every other one counts, simulated day or not."""
    with engine.connect() as connection:
        found = recent(connection)
    real = [each for each in found if each not in planted]
    detail = f"{len(found)} in the last day"
    if expected := len(found) - len(real):
        detail += f", {expected} of them planted in the simulated day"
    if real:
        detail += f", the latest: {' '.join(real[0])}"
    return Check(check="alerts", ok=not real, detail=detail, fix="look at the console's overview" if real else "")
