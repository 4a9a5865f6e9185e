"""Both secrets replaced under load, at full size."""

from __future__ import annotations

from bench import rotation
from bench.proofs import Outcome


def keys_replaced() -> Outcome:
    """A day during which the Gateway and the service change over to new secrets."""
    figures = rotation.rotation()
    return Outcome(figures.held, [figures.line])
