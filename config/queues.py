"""Names that senders and workers share. A name, once released, is never given another meaning."""

from __future__ import annotations

from typing import Final

SETTLE_QUEUE: Final = "settle"  #: units that webhooks and the sweep announce
UPKEEP_QUEUE: Final = "upkeep"  #: periodic work

QUEUES: Final = (SETTLE_QUEUE, UPKEEP_QUEUE)

SETTLE_TASK: Final = "tieout.settle"  #: settle(units=["gateway:transaction_id", ...])
SWEEP_TASK: Final = "tieout.sweep"
REVIEW_TASK: Final = "tieout.review"
CANARY_TASK: Final = "tieout.canary"
UPKEEP_TASK: Final = "tieout.upkeep"

UNITS_A_MESSAGE: Final = 50
