"""Which of the Gateway's environments an address belongs to."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

PRODUCTION: Final = "production"
STAGING: Final = "staging"
#: Hosts as published: production in the documentation, the others in the mobile SDKs.
HOSTS: Final = {
    "gatewayapi.smallcase.com": PRODUCTION,
    "gatewayapi.stag.smallcase.com": STAGING,
    "gatewayapi-dev.smallcase.com": STAGING,
}


def environment_of(url: str) -> str | None:
    """`production`, `staging` (development too), or None for a host that nobody published."""
    return HOSTS.get((urlsplit(url).hostname or "").lower())


def is_play(url: str) -> bool:
    """Whether what comes from there never enters money totals."""
    return environment_of(url) == STAGING
