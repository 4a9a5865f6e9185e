"""Webhooks that tell no order: holdings, mutual funds, and what nobody has described."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from simulator.orders import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The content of such a webhook; `signs` names the id that its checksum covers."""

    content: Json
    signs: str = "smallcaseAuthId"  #: for mutual funds "transactionId"
    completed_at: datetime | None = None  #: tells the end of no batch

    def said(self) -> Json:
        """The content as JSON, without the ids of its transaction."""
        return self.content
