"""How far two figures may lie apart: what rounding alone can do, plus the policy's slack.

Precision is declared per source, never counted from a value's digits: 420.1 is 420.10.
"""

from __future__ import annotations

from decimal import Decimal

from recon.values import Policy

HALF = Decimal("0.5")


def half_unit(places: int) -> Decimal:
    """Half a unit of the last declared place: 0.005 for two places."""
    return HALF.scaleb(-places)


def price_bound(policy: Policy) -> Decimal:
    """Rupees a share within which two prices agree."""
    return half_unit(policy.price_places_ours) + half_unit(policy.price_places_theirs) + policy.price_slack


def stated_price_bound(policy: Policy) -> Decimal:
    """Rupees a share within which two statements of the Gateway agree on a price."""
    return 2 * half_unit(policy.price_places_theirs)


def stated_amount_bound(policy: Policy) -> Decimal:
    """Rupees within which two statements of the Gateway agree on an amount."""
    return 2 * half_unit(policy.amount_places)


def amount_bound(filled: Decimal, policy: Policy) -> Decimal:
    """Rupees within which an amount agrees with the sum of its legs, `filled` shares in all."""
    return filled * half_unit(policy.price_places_theirs) + half_unit(policy.amount_places)
