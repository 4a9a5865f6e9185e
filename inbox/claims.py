"""What claims of transactions and of accounts share: the lease, the fence, the breaker that may stand in the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row

from config.clock import since_start
from store import gateways

PROBE_PATIENCE: Final = timedelta(seconds=15)  #: how long others wait for the one that tries


class ClaimLostError(Exception):
    """The claim is no longer ours: its lease ended and the unit was given back. Nothing was written."""

    def __init__(self, unit: object, claim: Held) -> None:
        """Name the unit and the generation that lost it."""
        super().__init__(f"{unit} generation {claim.generation}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The right to ask and to write what comes of it, once, while the lease lasts."""

    generation: int
    asked_at: datetime  #: database's clock
    asked: timedelta  #: the same instant by this process's clock that only goes forward
    deaths: int  #: workers that died over it in a row
    probe: bool
    worker: str

    def instant(self, at: timedelta) -> datetime:
        """That moment of this process's clock, by the database's."""
        return self.asked_at + max(at - self.asked, timedelta(0))


class Given(NamedTuple):
    """A claim that was given: its row, and whether it is the one that tries a blocked gateway."""

    row: Row[Any]
    probe: bool

    def held(self, worker: str) -> dict[str, Any]:
        """The fields of `Held`, right after it was given."""
        said = {name: getattr(self.row, name) for name in ("generation", "asked_at", "deaths")}
        return {**said, "asked": since_start(), "probe": self.probe, "worker": worker}


def gain(
    connection: Connection,
    gateway: str,
    *,
    take: Callable[[bool], Row[Any] | None],
    hindrance: Callable[[], Row[Any] | None],
    defer: Callable[[datetime, str], None],
) -> Given | None:
    """Take the unit, as a probe if its gateway's breaker allows one, or defer it for what hinders it.

    The connection commits each statement by itself: the claim stands before the Gateway is called.
    """
    if row := take(False):  # noqa: FBT003 whether it is a probe
        return Given(row, probe=False)
    found = hindrance()
    if found is None or found.lease_until is not None:
        return None
    if _may_probe(found) and gateways.take_probe(connection, gateway=gateway, patience=PROBE_PATIENCE):
        row = take(True)  # noqa: FBT003 likewise
        return Given(row, probe=True) if row else None
    if why := _why_not(found):
        defer(*why)
    return None


def _may_probe(found: Row[Any]) -> bool:
    """Whether what hindered a claim is a breaker whose pause is over."""
    return found.breaker not in {None, "closed"} and (found.blocked_until or found.now) <= found.now


def _why_not(found: Row[Any]) -> tuple[datetime, str] | None:
    """Until when a unit that was not given waits, and for what; None if nothing of it is open."""
    if found.blocked_until is not None and found.blocked_until > found.now:
        return found.blocked_until, found.reason or "gateway-blocked"
    if found.rest_until is not None and found.rest_until > found.now:
        return found.rest_until, "asked-just-now"
    return None
