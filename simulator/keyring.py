"""The gateway's secrets over time: new ones from an instant on, the old ones good until another."""

from __future__ import annotations

from datetime import datetime

from simulator.signing import Secrets


class SameSecretsError(ValueError):
    """Two secrets that must differ are the same."""


class Keyring:
    """Which secrets sign now, and which are taken."""

    def __init__(self, secrets: Secrets) -> None:
        """Begin with these."""
        self.current = secrets
        self._old: list[tuple[Secrets, datetime]] = []
        self.rotations = 0

    def rotate(self, new: Secrets, *, old_until: datetime) -> None:
        """From now on the new ones sign; the old ones are taken until then. Raises `SameSecretsError`."""
        if len({new.jwt, new.api, self.current.jwt, self.current.api}) != 4:  # noqa: PLR2004 two pairs
            raise SameSecretsError("new and old, JWT and API secret must all differ")
        self._old = [*self._old, (self.current, old_until)]
        self.current = new
        self.rotations += 1

    def taken(self, now: datetime) -> list[Secrets]:
        """Those that open the API now, the current ones first."""
        return [self.current, *(old for old, until in reversed(self._old) if now < until)]
