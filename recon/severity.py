"""How bad a finding is: made when it is read, because it grows with age; never part of a digest."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from recon.values import Calendar, Finding, FindingClass


class Severity(StrEnum):
    """From nothing to do until stop everything."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


RANK: Final = {severity: place for place, severity in enumerate(Severity)}

#: What a break is at least, whatever it costs. The critical ones are critical always.
FLOOR: Final[dict[str, Severity]] = {
    "webhook-missed": Severity.MEDIUM,
    "books-behind": Severity.MEDIUM,
    "stale-open": Severity.MEDIUM,
    "missing-internal": Severity.HIGH,
    "missing-external": Severity.HIGH,
    "dup-external": Severity.HIGH,
    "dup-internal": Severity.HIGH,
    "dup-execution": Severity.CRITICAL,
    "unplaced": Severity.LOW,
    "qty-requested": Severity.HIGH,
    "qty-filled": Severity.HIGH,
    "overfill": Severity.CRITICAL,
    "batch-sum": Severity.HIGH,
    "price-out": Severity.LOW,
    "price-absent": Severity.HIGH,
    "price-implausible": Severity.HIGH,
    "amount-sum": Severity.MEDIUM,
    "side": Severity.CRITICAL,
    "instrument": Severity.CRITICAL,
    "exchange": Severity.LOW,
    "unmapped": Severity.HIGH,
    "account": Severity.CRITICAL,
    "status-conflict": Severity.HIGH,
    "webhook-differs": Severity.HIGH,
    "ambiguous": Severity.HIGH,
    "unknown-enum": Severity.HIGH,
    "regression": Severity.CRITICAL,
    "batch-vs-lines": Severity.MEDIUM,
    "trade-date": Severity.HIGH,
    "zone-shift": Severity.MEDIUM,
    "over-repair": Severity.CRITICAL,
    "orphan-repair": Severity.HIGH,
    "repair-pending": Severity.LOW,
    "charge": Severity.LOW,
    "net": Severity.HIGH,
    "note-missing": Severity.MEDIUM,
    "note-diff": Severity.HIGH,
    "payload-invalid": Severity.HIGH,
    "short-delivery": Severity.MEDIUM,
    "bonus-pending": Severity.MEDIUM,
    "ca-other": Severity.MEDIUM,
    "ca-ratio": Severity.HIGH,
    "off-platform-sale": Severity.MEDIUM,
    "transfer": Severity.MEDIUM,
    "attribution": Severity.HIGH,
    "isin-unmapped": Severity.HIGH,
    "avg-cost": Severity.LOW,
    "broker-flag": Severity.MEDIUM,
    "negative": Severity.CRITICAL,
    "wrong-account": Severity.CRITICAL,
    "unexplained": Severity.LOW,
}

USER_EDITED = "user-edited"  #: the customer changed it on the review screen
NOTHING_FILLED = "nothing-filled"  #: both sides agree that nothing was filled
EQUAL_COPY = "equal-copy"  #: the same leg told twice, byte for byte: the copy is dropped
#: Causes that explain a break away: only age makes it worse.
HARMLESS = frozenset({USER_EDITED, NOTHING_FILLED, EQUAL_COPY})

BANDS: Final = (
    (Decimal(1_000), Severity.LOW),
    (Decimal(10_000), Severity.MEDIUM),
    (Decimal(100_000), Severity.HIGH),
)
AGES: Final = ((5, Severity.HIGH), (2, Severity.MEDIUM))


def severity(
    name: str,
    *,
    kind: FindingClass,
    impact_inr: Decimal,
    critical: bool = False,
    cause: str | None = None,
    age_sessions: int = 0,
) -> Severity:
    """The highest of what the name is at least, what it costs in rupees, and how many sessions old it is."""
    if kind is not FindingClass.BREAK:
        return Severity.INFO
    if critical:
        return Severity.CRITICAL
    if cause in HARMLESS:
        return max(Severity.LOW, by_age(age_sessions), key=RANK.__getitem__)
    return max(FLOOR[name], by_impact(impact_inr), by_age(age_sessions), key=RANK.__getitem__)


def at_birth(finding: Finding, kind: FindingClass) -> Severity:
    """The severity without age: the same whenever it is asked, so that a bucket may depend on it."""
    return severity(
        finding.name,
        kind=kind,
        impact_inr=finding.impact_inr,
        critical=finding.critical,
        cause=finding.cause,
    )


def by_impact(impact_inr: Decimal) -> Severity:
    """Below 1,000 rupees low, below 10,000 medium, below 100,000 high, above critical."""
    return next((band for limit, band in BANDS if impact_inr < limit), Severity.CRITICAL)


def by_age(age_sessions: int) -> Severity:
    """Two exchange sessions make it at least medium, five high."""
    return next((band for sessions, band in AGES if age_sessions >= sessions), Severity.LOW)


def sessions_between(opened: date, today: date, calendar: Calendar, *, limit: int = 5) -> int:
    """How many sessions came after the first day, up to and with the second; counts no further than `limit`."""
    count, day = 0, opened
    while count < limit and (day := calendar.session_after(day)) <= today:
        count += 1
    return count
