"""How far two figures may lie apart: what rounding alone can do, plus the policy's slack.

Precision is declared per source, never counted from a value's digits: 420.1 is 420.10.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from recon.values import ZERO, Policy

HALF = Decimal("0.5")
BPS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Bound:
    """Rupees a share within which two prices agree, and how much of it is forgiven, not explained."""

    rounding: Decimal
    slack: Decimal

    @property
    def whole(self) -> Decimal:
        """Rounding and slack together."""
        return self.rounding + self.slack

    def slack_used(self, difference: Decimal) -> Decimal:
        """Rupees a share of the slack that a difference within the bound takes."""
        return max(abs(difference) - self.rounding, ZERO)


def half_unit(places: int) -> Decimal:
    """Half a unit of the last declared place: 0.005 for two places."""
    return HALF.scaleb(-places)


def rounding_bound(policy: Policy) -> Decimal:
    """Rupees a share that rounding alone explains: half a unit of each side's declared place."""
    return half_unit(policy.price_places_ours) + half_unit(policy.price_places_theirs)


def bound_at(policy: Policy, *, filled: Decimal, price: Decimal, tick: Decimal | None) -> Bound:
    """The bound of `filled` shares at the Gateway's `price`; slack in ticks is none where no tick is known."""
    slack = policy.price_slack + policy.slack_ticks * (tick or ZERO) + policy.slack_bps * BPS * price
    if policy.slack_cap is not None and slack * filled > policy.slack_cap:
        slack = policy.slack_cap / filled
    return Bound(rounding_bound(policy), slack)


def stated_price_bound(policy: Policy) -> Decimal:
    """Rupees a share within which two statements of the Gateway agree on a price."""
    return 2 * half_unit(policy.price_places_theirs)


def stated_amount_bound(policy: Policy) -> Decimal:
    """Rupees within which two statements of the Gateway agree on an amount."""
    return 2 * half_unit(policy.amount_places)


def amount_bound(filled: Decimal, policy: Policy) -> Decimal:
    """Rupees within which an amount agrees with the sum of its legs, `filled` shares in all."""
    return filled * half_unit(policy.price_places_theirs) + half_unit(policy.amount_places)
