"""The unit of work, one transaction with all its open events: claimed, finished, waiting, parked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from inbox.claims import ClaimLostError, Held, gain
from inbox.decide import Failure, GiveUp, RetryIn, decide
from store import units
from store.units import Again, Called, Claimed, Finished

MAX_DETAIL: Final = 2000


@dataclass(frozen=True, slots=True)
class Unit:
    """Names one transaction of one gateway; as text `gateway:transaction_id`."""

    gateway: str
    transaction_id: str

    @classmethod
    def read(cls, text: str) -> Unit:
        """The unit that a message names. A gateway's name holds no colon."""
        gateway, _, transaction_id = text.partition(":")
        return cls(gateway, transaction_id)

    def __str__(self) -> str:
        """As messages carry it."""
        return f"{self.gateway}:{self.transaction_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a claim lasts, and how long a transaction is left alone after a question."""

    lease: timedelta
    pause: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Held):
    """The right to ask for a transaction."""

    unit: Unit
    txn: int
    events: int

    @property
    def row(self) -> Claimed:
        """By what its rows are found."""
        named = {"gateway": self.unit.gateway, "transaction_id": self.unit.transaction_id}
        return Claimed(txn=self.txn, generation=self.generation, **named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How a call went, for its row among the attempts."""

    http_status: int | None = None
    took_ms: int | None = None

    def told(self, worker: str, detail: str) -> Called:
        """What is written of it."""
        return Called(
            detail=storable(detail) or None, http_status=self.http_status, took_ms=self.took_ms, worker=worker
        )


def claim(connection: Connection, unit: Unit, *, now: datetime, pace: Pace, worker: str) -> Claim | None:
    """Claim the unit, or let its events wait for what hinders it and return None.

    The connection commits each statement by itself: the claim stands before the Gateway is called.
    """
    named = {"gateway": unit.gateway, "transaction_id": unit.transaction_id}
    taking: dict[str, Any] = {"now": now, "lease": pace.lease, "pause": pace.pause, "worker": worker, **named}
    given = gain(
        connection,
        unit.gateway,
        take=lambda probe: units.claim(connection, **taking, probe=probe),
        hindrance=lambda: units.hindrance(connection, **named),
        defer=lambda until, reason: units.defer(connection, **named, until=until, reason=reason),
    )
    if given is None:
        return None
    return Claim(unit=unit, txn=given.row.txn, events=given.row.events, **given.held(worker))


def hold(connection: Connection, claims: Sequence[Claim]) -> set[int]:
    """Lock these transactions and use the claims up; the txns that were still ours."""
    return units.fence(connection, claims=[(claim.txn, claim.generation) for claim in claims])


def hold_one(connection: Connection, claim: Claim) -> None:
    """Lock the transaction and use the claim up. Raises `ClaimLostError`."""
    if not hold(connection, [claim]):
        raise ClaimLostError(claim.unit, claim)


def ending(
    claim: Claim, *, call: Call, ask_at: datetime | None, given_up: str | None, found_by: str | None, now: datetime
) -> Finished:
    """The end of a claim whose question was answered; `ask_at` is when to ask again.

    If never: why it was given up, or else what told its end, by the domain's clock `now`.
    """
    return Finished(
        txn=claim.txn,
        generation=claim.generation,
        gateway=claim.unit.gateway,
        transaction_id=claim.unit.transaction_id,
        asked_at=claim.asked_at,
        ask_at=ask_at,
        http_status=call.http_status or 0,
        took_ms=call.took_ms or 0,
        given_up=given_up,
        found_by=found_by,
        known_at=now,
    )


def finish(connection: Connection, endings: Sequence[Finished], *, pace: Pace, worker: str) -> None:
    """Every event stored before its question is done."""
    units.finish(connection, finished=endings, pause=pace.pause, worker=worker)


def after(connection: Connection, claim: Claim, error: Failure) -> RetryIn | GiveUp:
    """What to do after this failure, by how often it failed so in a row."""
    attempts, age = units.failures(connection, txn=claim.txn, reason=error.kind)
    return decide(error, attempts + 1, age)


def wait(connection: Connection, claim: Claim, retry: RetryIn, *, call: Call, detail: str, pace: Pace) -> None:
    """Let the unit wait. Raises `ClaimLostError`."""
    called = call.told(claim.worker, detail)
    if not units.wait(connection, claim.row, called, delay=retry.pause, pause=pace.pause, reason=retry.reason):
        raise ClaimLostError(claim.unit, claim)


def put_off(connection: Connection, wanted: Sequence[Unit], *, wait: timedelta, reason: str) -> None:
    """Let units of one gateway that were not claimed wait for that long, for that reason."""
    ids = [unit.transaction_id for unit in wanted]
    units.put_off(connection, gateway=wanted[0].gateway, transaction_ids=ids, wait=wait, reason=reason)


def park(connection: Connection, claim: Claim, reason: str, *, call: Call, detail: str, again: Again) -> None:
    """Park the unit's events for that reason, after `hold_one`."""
    units.park(connection, claim.row, call.told(claim.worker, detail), again=again, reason=reason)


def storable(text: str) -> str:
    """Text that the database can hold, cut."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:MAX_DETAIL]
