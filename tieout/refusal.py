"""A refusal of what a caller asked for: what was refused, why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from gateway.intents import Flaw


class Refusal(Exception):  # noqa: N818 its name is its meaning
    """Nothing was done. `reason` is one word for machines; the texts are for people and hold no secret."""

    def __init__(
        self,
        reason: str,
        *,
        what: str,
        why: str,
        fix: str,
        flaws: Sequence[Flaw] = (),
        retry_after: timedelta | None = None,
    ) -> None:
        """Take the word, what was refused, why, and what to do."""
        super().__init__(f"{what}: {why}. {fix}")
        self.reason, self.what, self.why, self.fix = reason, what, why, fix
        self.flaws, self.retry_after = tuple(flaws), retry_after

    def as_row(self) -> dict[str, object]:
        """The refusal with its parts named, as callers get it."""
        row: dict[str, object] = {"status": "refused", "reason": self.reason, "what": self.what, "why": self.why}
        row["fix"] = self.fix
        if self.flaws:
            row["problems"] = [{"field": f.field, "problem": f.problem, "fix": f.fix} for f in self.flaws]
        return row
