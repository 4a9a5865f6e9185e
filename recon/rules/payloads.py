"""What came and cannot be read: kept, told, and nothing concluded from it."""

from __future__ import annotations

from collections.abc import Iterator

from recon.scene import Scene
from recon.values import Finding


def invalid(scene: Scene) -> Iterator[Finding]:
    """Verified webhooks and kept answers that no version of the Gateway would send: one finding for each kind."""
    for kind in ("event", "snapshot"):
        found = tuple(each for each in scene.case.unreadable if each.kind == kind)
        if found:
            yield scene.of_transaction("payload-invalid", kind, theirs=found[0].says or None, evidence=found)
