"""The unit of work of holdings, one account with all its open holdings webhooks: claimed, finished, parked.

Beside `inbox.units`, by the same rules: a lease, a fence, one attempt a question, and the same breaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row

from config.queues import FUNDS_UNIT, HOLDINGS_UNIT
from inbox.decide import Failure, GiveUp, RetryIn, decide
from inbox.units import PROBE_PATIENCE, Call, ClaimLostError, Pace, may_probe, since_start, why_not
from store import gateways, holding_units
from store.holding_units import Claimed, Told


@dataclass(frozen=True, slots=True)
class HoldingsUnit:
    """Names one account of one gateway; as text `gateway:holdings:account`."""

    gateway: str
    account: str

    def __str__(self) -> str:
        """As messages carry it."""
        return f"{self.gateway}:{HOLDINGS_UNIT}:{self.account}"


@dataclass(frozen=True, slots=True)
class FundsUnit:
    """Names one mutual-fund webhook; as text `gateway:mf-holdings:event`."""

    gateway: str
    event_id: UUID

    def __str__(self) -> str:
        """As messages carry it."""
        return f"{self.gateway}:{FUNDS_UNIT}:{self.event_id}"


def read_unit(text: str) -> HoldingsUnit | FundsUnit | None:
    """The unit that a message names; None for what names none of these."""
    gateway, _, rest = text.partition(":")
    middle, _, name = rest.partition(":")
    if middle == HOLDINGS_UNIT and name:
        return HoldingsUnit(gateway, name)
    if middle == FUNDS_UNIT:
        try:
            return FundsUnit(gateway, UUID(name))
        except ValueError:
            return None
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsClaim:
    """The right to ask for an account and to write what comes of it, once, while the lease lasts."""

    unit: HoldingsUnit
    holder: int
    generation: int
    asked_at: datetime  #: database's clock
    asked: timedelta  #: the same instant by this process's clock that only goes forward
    deaths: int  #: workers that died over it in a row
    state: str  #: what the last answer said of the account
    pauses: int  #: answers in a row that said it is being updated
    probe: bool
    worker: str

    def instant(self, at: timedelta) -> datetime:
        """That moment of this process's clock, by the database's."""
        return self.asked_at + max(at - self.asked, timedelta(0))

    @property
    def row(self) -> Claimed:
        """By what its rows are found."""
        return Claimed(
            holder=self.holder, generation=self.generation, gateway=self.unit.gateway, account=self.unit.account
        )


def claim(
    connection: Connection, unit: HoldingsUnit, *, now: datetime, pace: Pace, worker: str
) -> HoldingsClaim | None:
    """Claim the account, or let it and its events wait for what hinders it and return None.

    The connection commits each statement by itself: the claim stands before the Gateway is called.
    """
    if given := _claim(connection, unit, now, pace, worker, probe=False):
        return given
    found = holding_units.hindrance(connection, gateway=unit.gateway, account=unit.account)
    if found is None or found.lease_until is not None:
        return None
    if may_probe(found) and gateways.take_probe(connection, gateway=unit.gateway, patience=PROBE_PATIENCE):
        return _claim(connection, unit, now, pace, worker, probe=True)
    if why := why_not(found):
        until, reason = why
        holding_units.defer(connection, gateway=unit.gateway, account=unit.account, until=until, reason=reason)
    return None


def put_off(connection: Connection, *, unit: HoldingsUnit, wait: timedelta, reason: str) -> None:
    """Let an account that was not claimed wait for that long. It is no attempt."""
    holding_units.put_off(connection, gateway=unit.gateway, account=unit.account, wait=wait, reason=reason)


def hold(connection: Connection, claim: HoldingsClaim) -> None:
    """Lock the account and use the claim up. Raises `ClaimLostError`."""
    if not holding_units.fence(connection, holder=claim.holder, generation=claim.generation):
        raise _lost(claim)


def finish(connection: Connection, claim: HoldingsClaim, told: Told, *, call: Call, detail: str, pace: Pace) -> None:
    """Write what is known now, after `hold`; every event stored before the question is done."""
    called = call.told(claim.worker, detail)
    holding_units.finish(connection, claim.row, told, called, asked_at=claim.asked_at, pause=pace.pause)


def after(connection: Connection, claim: HoldingsClaim, error: Failure) -> RetryIn | GiveUp:
    """What to do after this failure, by how often it failed so in a row."""
    attempts, age = holding_units.failures(connection, holder=claim.holder, reason=error.kind)
    return decide(error, attempts + 1, age)


def wait(connection: Connection, claim: HoldingsClaim, retry: RetryIn, *, call: Call, detail: str, pace: Pace) -> None:
    """Let the account wait. Raises `ClaimLostError`."""
    called = call.told(claim.worker, detail)
    named = {"delay": retry.pause, "pause": pace.pause}
    if not holding_units.wait(connection, claim.row, called, reason=retry.reason, **named):
        raise _lost(claim)


def park(
    connection: Connection,
    claim: HoldingsClaim,
    reason: str,
    *,
    call: Call,
    detail: str,
    known_at: datetime,
    next_fetch_at: datetime | None,
) -> None:
    """Park the account's events for that reason, after `hold`."""
    called = call.told(claim.worker, detail)
    holding_units.park(connection, claim.row, called, reason=reason, known_at=known_at, next_fetch_at=next_fetch_at)


def _lost(claim: HoldingsClaim) -> ClaimLostError:
    return ClaimLostError(f"{claim.unit} generation {claim.generation}")


def _claim(
    connection: Connection, unit: HoldingsUnit, now: datetime, pace: Pace, worker: str, *, probe: bool
) -> HoldingsClaim | None:
    row: Row[Any] | None = holding_units.claim(
        connection,
        gateway=unit.gateway,
        account=unit.account,
        now=now,
        lease=pace.lease,
        pause=pace.pause,
        worker=worker,
        probe=probe,
    )
    if row is None:
        return None
    return HoldingsClaim(
        unit=unit,
        holder=row.holder,
        generation=row.generation,
        asked_at=row.asked_at,
        asked=since_start(),
        deaths=row.deaths,
        state=row.state,
        pauses=row.pauses,
        probe=probe,
        worker=worker,
    )
