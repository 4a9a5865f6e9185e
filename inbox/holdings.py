"""The unit of work of holdings, one account with all its open holdings webhooks: claimed, finished, parked.

Beside `inbox.units`, by the same rules: a lease, a fence, one attempt a question, and the same breaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from config.queues import FUNDS_UNIT, HOLDINGS_UNIT
from inbox.claims import ClaimLostError, Held, gain
from inbox.decide import Failure, GiveUp, RetryIn, decide
from inbox.units import Call, Pace
from store import holding_units
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
class HoldingsClaim(Held):
    """The right to ask for an account."""

    unit: HoldingsUnit
    holder: int
    state: str  #: what the last answer said of the account
    pauses: int  #: answers in a row that said it is being updated

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
    named = {"gateway": unit.gateway, "account": unit.account}
    taking: dict[str, Any] = {"now": now, "lease": pace.lease, "pause": pace.pause, "worker": worker, **named}
    given = gain(
        connection,
        unit.gateway,
        take=lambda probe: holding_units.claim(connection, **taking, probe=probe),
        hindrance=lambda: holding_units.hindrance(connection, **named),
        defer=lambda until, reason: holding_units.defer(connection, **named, until=until, reason=reason),
    )
    if given is None:
        return None
    row = given.row
    return HoldingsClaim(unit=unit, holder=row.holder, state=row.state, pauses=row.pauses, **given.held(worker))


def put_off(connection: Connection, *, unit: HoldingsUnit, wait: timedelta, reason: str) -> None:
    """Let an account that was not claimed wait for that long. It is no attempt."""
    holding_units.put_off(connection, gateway=unit.gateway, account=unit.account, wait=wait, reason=reason)


def hold(connection: Connection, claim: HoldingsClaim) -> None:
    """Lock the account and use the claim up. Raises `ClaimLostError`."""
    if not holding_units.fence(connection, holder=claim.holder, generation=claim.generation):
        raise ClaimLostError(claim.unit, claim)


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
        raise ClaimLostError(claim.unit, claim)


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
